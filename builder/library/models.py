"""The voices that a workspace has marked."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization
from builder.config import LOCAL


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
