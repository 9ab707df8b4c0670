"""Sums of calls by how they ended. They can be made anew from calls and charges at any time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from billing.reports.models import Sums


class OutcomeSums(Sums):
    """Calls that ended in one way, by agent."""

    PARTED = ("agent_id", "end_reason")
    ADDED = ("calls", "seconds", "amount")

    agent_id = models.CharField(max_length=40)
    end_reason = models.CharField(max_length=40)
    calls = models.PositiveIntegerField(default=0)
    seconds = models.BigIntegerField(default=0)
    amount = models.BigIntegerField(default=0)
    """Micro-dollars, of the platform and of all vendors."""

    class Meta:
        abstract = True


class OutcomeDay(OutcomeSums):
    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "day", "agent_id", "end_reason"], name="outcome_day_once"),
        ]


class OutcomeMonth(OutcomeSums):
    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "day", "agent_id", "end_reason"], name="outcome_month_once"
            ),
        ]
