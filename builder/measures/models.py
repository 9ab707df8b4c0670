"""What calls have measured."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization


class ServiceMeasure(models.Model):
    """What one call measured of one service, rolled up when it was over. `vendor` is "local" for our own."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="service_measures")
    call_id = models.CharField(max_length=40)
    role = models.CharField(max_length=8)
    """A component of `billing.costs`."""
    vendor = models.CharField(max_length=40)
    model = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField()
    call_seconds = models.FloatField()
    waited_ms = models.PositiveIntegerField(null=True)
    """The median time to a result: a final transcript, the first token, the first sound. None where there was none."""
    read_speed = models.FloatField(null=True)
    """Of a language model: tokens of a prompt that it read in a second, those that it remembered not counted."""
    quantities = models.JSONField(default=dict)
    """What was used, by the units of `billing.units`."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["organization", "role", "vendor", "model", "-ended_at"], name="measure_of_service"),
            models.Index(fields=["vendor", "role", "-ended_at"], name="measure_of_vendor"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["call_id", "role", "vendor", "model"], name="measure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.role} {self.vendor} {self.model}"
