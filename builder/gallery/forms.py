"""Forms of the library."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from accounts.models import Organization
from builder.gallery.files import CONFIG_BYTES
from builder.gallery.models import VoiceFile
from builder.gallery.selectors import Library, LibraryVoice
from builder.models import Agent

GENDERS = [("", "Any"), ("female", "Female"), ("male", "Male"), ("neutral", "Neutral")]


class FilterForm(forms.Form):
    """Which voices are listed. What makes no sense is left out."""

    q = forms.CharField(label="Search", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    source = forms.ChoiceField(label="From", required=False)
    language = forms.ChoiceField(label="Language", required=False)
    gender = forms.ChoiceField(label="Gender", choices=GENDERS, required=False)
    style = forms.ChoiceField(label="Style", required=False)
    favourites = forms.ChoiceField(label="Show", choices=[("", "All"), ("yes", "Favourites")], required=False)

    def __init__(self, data: Any, *, library: Library) -> None:
        super().__init__(data)
        cast("forms.ChoiceField", self.fields["source"]).choices = [("", "Any"), *library.sources()]
        languages = [(name, name) for name in library.languages()]
        cast("forms.ChoiceField", self.fields["language"]).choices = [("", "Any"), *languages]
        styles = [(style, style.capitalize()) for style in library.styles()]
        cast("forms.ChoiceField", self.fields["style"]).choices = [("", "Any"), *styles]

    @property
    def wanted(self) -> dict[str, str]:
        self.is_valid()
        return self.cleaned_data


class VoiceForm(forms.Form):
    """One of the voices of the library: `chosen`, once the form is valid."""

    connection = forms.CharField(max_length=40, widget=forms.HiddenInput)
    voice = forms.CharField(max_length=200, widget=forms.HiddenInput)
    chosen: LibraryVoice

    def __init__(self, data: Any, *, library: Library) -> None:
        super().__init__(data)
        self._library = library

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        found = self._library.find(data.get("connection", ""), data.get("voice", ""))
        if found is None:
            raise forms.ValidationError("This voice is not in the library any more.")
        self.chosen = found
        return data


class UseForm(VoiceForm):
    """A voice, and the agent that is to speak with it."""

    agent = forms.ModelChoiceField(Agent.objects.none(), label="Agent", empty_label="Choose one")

    def __init__(self, data: Any, *, library: Library, organization: Organization) -> None:
        super().__init__(data, library=library)
        agents = organization.agents.filter(deleted_at=None).select_related("organization", "live_version")
        cast("forms.ModelChoiceField[Agent]", self.fields["agent"]).queryset = agents


class AddForm(forms.Form):
    """A voice of a connection by its id."""

    connection = forms.ChoiceField(label="Connection")
    voice = forms.CharField(
        label="Voice id",
        max_length=200,
        help_text="As the vendor calls it: copy it from the vendor's page of the voice.",
    )
    label = forms.CharField(label="Name", max_length=80, required=False, help_text="Empty: the id.")
    language = forms.CharField(label="Language", max_length=20, initial="en", help_text="Such as en, es or pt-BR.")
    gender = forms.ChoiceField(label="Gender", choices=[("", "Not said"), *GENDERS[1:]], required=False)

    def __init__(self, data: Any = None, *, library: Library) -> None:
        super().__init__(data, auto_id="own_%s")  # the form of files is on the same page
        self.accounts = {each.connection.pk: each.connection for each in library.accounts}
        choices = [(key, connection.name) for key, connection in self.accounts.items()]
        cast("forms.ChoiceField", self.fields["connection"]).choices = choices

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["label"] = data.get("label") or data.get("voice", "")[:80]
        return data


class UploadForm(forms.Form):
    """A voice as a file."""

    kind = forms.ChoiceField(label="Kind", choices=VoiceFile.Kind.choices)
    name = forms.CharField(label="Name", max_length=80)
    file = forms.FileField(
        label="Voice file",
        allow_empty_file=True,
        help_text="Kokoro: the vectors (.bin). Piper: the model (.onnx).",
        widget=forms.FileInput(attrs={"accept": ".bin,.onnx"}),
    )
    config = forms.FileField(
        label="Its JSON file",
        required=False,
        allow_empty_file=True,
        help_text="Of a Piper voice: the .onnx.json beside the model.",
        widget=forms.FileInput(attrs={"accept": ".json"}),
    )
    gender = forms.ChoiceField(label="Gender", choices=[("", "Not said"), *GENDERS[1:]], required=False)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._organization = organization

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self._organization.voice_files.filter(name=name).exists():
            raise forms.ValidationError("There is already a voice of this name.")
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        config = data.get("config")
        if data.get("kind") == VoiceFile.Kind.PIPER:
            if config is None:
                self.add_error("config", "A Piper voice comes with a JSON file: choose it too.")
            elif config.size > CONFIG_BYTES:
                self.add_error("config", "This is too large for the JSON file of a voice.")
        return data
