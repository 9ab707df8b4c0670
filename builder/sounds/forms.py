"""The form of a background sound."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.models import Organization
from builder.sounds.files import MOST_BYTES


class SoundForm(forms.Form):
    name = forms.CharField(
        label="Name", max_length=80, required=False, help_text="What agents' pages call it. Empty: the file's name."
    )
    file = forms.FileField(
        label="Audio file",
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".wav,.mp3,.ogg,.flac,audio/*"}),
        help_text="WAV, MP3, OGG or FLAC of 2 to 120 seconds. It is made a loop without a seam, as loud as the others.",
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._organization = organization

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"It is larger than {MOST_BYTES // 1_000_000} MB.")
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "file" in data and not data.get("name"):
            data["name"] = data["file"].name.rpartition(".")[0].replace("_", " ")[:80] or "Sound"
        if self._organization.ambient_sounds.filter(name=data.get("name", "")).exists():
            self.add_error("name", "There is already a sound of this name.")
        return data
