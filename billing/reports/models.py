"""Sums of facts and charges. They can be made anew from those at any time: see `billing.reports.rollup`."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization


class UsageDay(models.Model):
    """The calls of a UTC day, by agent, version, number and direction. Money is micro-dollars."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    day = models.DateField()
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
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "day", "agent_id", "version_id", "number", "direction"], name="usage_day_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.agent_id}"


class ComponentDay(models.Model):
    """What the calls of a UTC day used of one component, by agent. Money is micro-dollars."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    day = models.DateField()
    agent_id = models.CharField(max_length=40, blank=True)
    capability = models.CharField(max_length=20, blank=True)
    meter = models.CharField(max_length=40)
    vendor = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=120, blank=True)
    voice = models.CharField(max_length=120, blank=True)
    api_key = models.CharField(max_length=40, blank=True)
    own_key = models.BooleanField(default=False)
    calls = models.PositiveIntegerField(default=0)
    quantity = models.BigIntegerField(default=0)
    """Of the meter's smallest unit."""
    amount = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)
    unpriced = models.BooleanField(default=False)
    """Nobody knows what it costs."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "day"], name="component_days")]

    def __str__(self) -> str:
        return f"{self.day} {self.meter}"


class RollUp(models.Model):
    """How far the sums have come: everything that was written before `until` is in them."""

    name = models.CharField(primary_key=True, max_length=20)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} until {self.until}"
