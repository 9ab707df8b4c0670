"""Sums of calls by how they ended. They can be made anew from calls and charges at any time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization


class OutcomeDay(models.Model):
    """The calls of a UTC day that ended in one way, by agent."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    day = models.DateField()
    agent_id = models.CharField(max_length=40)
    end_reason = models.CharField(max_length=40)
    calls = models.PositiveIntegerField(default=0)
    seconds = models.BigIntegerField(default=0)
    amount = models.BigIntegerField(default=0)
    """Micro-dollars, of the platform and of all vendors."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "day", "agent_id", "end_reason"], name="outcome_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.end_reason}"
