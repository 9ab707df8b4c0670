"""Sums of facts and charges. They can be made anew from those at any time: see `billing.reports.rollup`.

The sums of months are those of their days, added up once more: a year is then a hundredth of the rows.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization


class Sums(models.Model):
    """`ADDED` of everything that has the same `PARTED`, in one workspace and from `day` on."""

    PARTED: ClassVar[tuple[str, ...]]
    ADDED: ClassVar[tuple[str, ...]]

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    day = models.DateField()
    """The UTC day; of a month its first one."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day} {', '.join(str(getattr(self, name)) for name in self.PARTED)}"


class UsageSums(Sums):
    """Calls, by agent, version, number and direction. Money is micro-dollars."""

    PARTED = ("agent_id", "version_id", "number", "direction")
    ADDED = ("calls", "seconds", "platform", "passed_on", "own", "credits")

    agent_id = models.CharField(max_length=40, blank=True)
    version_id = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=40, blank=True)
    direction = models.CharField(max_length=10, blank=True)
    calls = models.PositiveIntegerField(default=0)
    seconds = models.BigIntegerField(default=0)
    platform = models.BigIntegerField(default=0)
    """For the minutes of agents and of the platform's numbers."""
    passed_on = models.BigIntegerField(default=0)
    """What vendors charge the platform, which charges it on."""
    own = models.BigIntegerField(default=0)
    """What the workspace pays its vendors itself."""
    credits = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class UsageDay(UsageSums):
    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "day", "agent_id", "version_id", "number", "direction"], name="usage_day_once"
            ),
        ]


class UsageMonth(UsageSums):
    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "day", "agent_id", "version_id", "number", "direction"], name="usage_month_once"
            ),
        ]


class ComponentSums(Sums):
    """What calls used of one component, by agent. Money is micro-dollars."""

    PARTED = ("agent_id", "capability", "meter", "vendor", "model", "voice", "api_key", "own_key", "unpriced")
    ADDED = ("calls", "quantity", "amount", "credits")

    agent_id = models.CharField(max_length=40, blank=True)
    capability = models.CharField(max_length=20, blank=True)
    meter = models.CharField(max_length=40)
    vendor = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=120, blank=True)
    voice = models.CharField(max_length=120, blank=True)
    api_key = models.CharField(max_length=40, blank=True)
    own_key = models.BooleanField(default=False)
    unpriced = models.BooleanField(default=False)
    """Nobody knows what it costs."""
    calls = models.PositiveIntegerField(default=0)
    quantity = models.BigIntegerField(default=0)
    """Of the meter's smallest unit."""
    amount = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class ComponentDay(ComponentSums):
    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "day"], name="component_days")]


class ComponentMonth(ComponentSums):
    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "day"], name="component_months")]


class RollUp(models.Model):
    """How far the sums have come: everything that was written before `until` is in them."""

    name = models.CharField(primary_key=True, max_length=20)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} until {self.until}"
