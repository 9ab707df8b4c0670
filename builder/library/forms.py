"""Forms of the library."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from accounts.models import Organization
from builder.library.selectors import Library, LibraryVoice
from builder.models import Agent

GENDERS = [("", "Any"), ("female", "Female"), ("male", "Male"), ("neutral", "Neutral")]


class FilterForm(forms.Form):
    """Which voices are listed. What makes no sense is left out."""

    q = forms.CharField(label="Search", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    source = forms.ChoiceField(label="From", required=False)
    language = forms.ChoiceField(label="Language", required=False)
    gender = forms.ChoiceField(label="Gender", choices=GENDERS, required=False)
    favourites = forms.ChoiceField(label="Show", choices=[("", "All"), ("yes", "Favourites")], required=False)

    def __init__(self, data: Any, *, library: Library) -> None:
        super().__init__(data)
        cast("forms.ChoiceField", self.fields["source"]).choices = [("", "Any"), *library.sources()]
        languages = [(name, name) for name in library.languages()]
        cast("forms.ChoiceField", self.fields["language"]).choices = [("", "Any"), *languages]

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

    agent = forms.ModelChoiceField(Agent.objects.none(), label="Agent")

    def __init__(self, data: Any, *, library: Library, organization: Organization) -> None:
        super().__init__(data, library=library)
        agents = organization.agents.filter(deleted_at=None).select_related("organization", "live_version")
        cast("forms.ModelChoiceField[Agent]", self.fields["agent"]).queryset = agents
