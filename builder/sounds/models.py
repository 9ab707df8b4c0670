"""Background sounds that were uploaded."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization
from core.ids import PrefixedIdField


class AmbientSound(models.Model):
    """A loop of engine audio made from an uploaded file; `builder.sounds.files` keeps it under its id."""

    id = PrefixedIdField(prefix="bed")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="ambient_sounds")
    name = models.CharField(max_length=80)
    seconds = models.FloatField()
    """The length of the loop."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="ambient_sound_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
