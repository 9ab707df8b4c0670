"""The voices that a workspace has marked, and those that it has brought."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization
from builder.config import LOCAL
from core.ids import PrefixedIdField


class FavouriteVoice(models.Model):
    """A mark on a voice, for everybody in the workspace."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="favourite_voices")
    connection = models.CharField(max_length=40, default=LOCAL)
    """The id of a connection, or "local"."""
    voice = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "connection", "voice"], name="favourite_voice_once"),
        ]

    def __str__(self) -> str:
        return self.voice


class AddedVoice(models.Model):
    """A voice of a connection that its vendor does not list for us, added by its id."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="added_voices")
    connection = models.ForeignKey("builder.ModelConnection", models.CASCADE, related_name="added_voices")
    voice = models.CharField(max_length=200)
    """As the vendor calls it."""
    label = models.CharField(max_length=80)
    language = models.CharField(max_length=20, default="en")
    gender = models.CharField(max_length=8, blank=True)

    class Meta:
        ordering: ClassVar = ["label"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "voice"], name="added_voice_once"),
        ]

    def __str__(self) -> str:
        return self.label


class VoiceFile(models.Model):
    """A voice that was uploaded, which this machine speaks with; `builder.gallery.files` keeps it under its id."""

    class Kind(models.TextChoices):
        KOKORO = "kokoro", "Kokoro"
        PIPER = "piper", "Piper"

    id = PrefixedIdField(prefix="voice")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="voice_files")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    language = models.CharField(max_length=20)
    gender = models.CharField(max_length=8, blank=True)
    size = models.PositiveIntegerField()
    """Bytes of all its files."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="voice_file_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
