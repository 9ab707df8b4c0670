"""Forms of dictionaries."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from accounts.models import Organization
from builder.pronunciations.models import LONGEST_SAID, LONGEST_TEXT, PronunciationDictionary
from voice.spec import Pronunciation

MOST_BYTES = 200_000
# What people put around IPA.
_AROUND = re.compile(r"^[/\[\s]+|[/\]\s]+$")
_NO_IPA = re.compile(r'[<>"\[\](){}|\\_/]')


class DictionaryForm(forms.Form):
    """The name of a dictionary of `organization`, new or `instance`."""

    name = forms.CharField(
        label="Name", max_length=80, widget=forms.TextInput(attrs={"placeholder": "Brands", "autocomplete": "off"})
    )

    def __init__(
        self, data: Any = None, *, organization: Organization, instance: PronunciationDictionary | None = None
    ) -> None:
        super().__init__(data, initial={"name": instance.name if instance else ""})
        self._others = organization.pronunciation_dictionaries.exclude(pk=instance.pk if instance else "")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if self._others.filter(name=name).exists():
            raise forms.ValidationError("There is already a dictionary of this name.")
        return name


class EntryForm(forms.Form):
    """An entry. `pronunciation` is what was typed, once the form is valid."""

    text = forms.CharField(
        label="Written",
        max_length=LONGEST_TEXT,
        widget=forms.TextInput(attrs={"placeholder": "Nguyen", "autocomplete": "off"}),
    )
    alias = forms.CharField(
        label="Said like",
        required=False,
        max_length=LONGEST_SAID,
        help_text="Other words that sound right. Every voice can say them.",
        widget=forms.TextInput(attrs={"placeholder": "win", "autocomplete": "off"}),
    )
    ipa = forms.CharField(
        label="Sounds (IPA)",
        required=False,
        max_length=LONGEST_SAID,
        help_text="Spoken by the natural voices on this machine, Cartesia, Deepgram's Aura-2, and ElevenLabs' Flash v2 "
        "and Turbo v2. All others say it like the words you gave.",
        widget=forms.TextInput(attrs={"placeholder": "wˈɪn", "autocomplete": "off", "spellcheck": "false"}),  # noqa: RUF001
    )
    case_sensitive = forms.BooleanField(label="Only in these capitals", required=False)
    whole_word = forms.BooleanField(label="Whole words only", required=False, initial=True)

    def clean_text(self) -> str:
        return " ".join(str(self.cleaned_data["text"]).split())

    def clean_alias(self) -> str:
        return " ".join(str(self.cleaned_data["alias"]).split())

    def clean_ipa(self) -> str:
        ipa = " ".join(_AROUND.sub("", self.cleaned_data["ipa"]).split())
        if found := _NO_IPA.search(ipa):
            raise forms.ValidationError(f"{found[0]} is no sound of the phonetic alphabet.")
        return ipa

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("alias") and not data.get("ipa"):
            self.add_error("alias", "Write how it is said, in words or in sounds.")
        return data

    @property
    def pronunciation(self) -> Pronunciation:
        return Pronunciation(**{name: self.cleaned_data[name] for name in Pronunciation.model_fields})


class ImportForm(forms.Form):
    """A CSV file of entries."""

    file = forms.FileField(label="CSV file", widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))

    def clean_file(self) -> str:
        """Its text."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"The file is larger than {MOST_BYTES // 1000} kB.")
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise forms.ValidationError("The file is not in UTF-8. Save it as “CSV UTF-8” and try again.") from None
