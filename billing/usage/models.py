"""Facts, and what they cost. Neither is ever changed: what was wrong is corrected by another row."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization
from billing.plans.models import PlanVersion
from core.rows import AppendOnly


class Unit(models.TextChoices):
    """What is counted: every amount is a whole number of one of these."""

    USD = "usd", "Micro-dollars"
    CREDIT = "credit", "Credits"


class UsageEvent(AppendOnly):
    """Something that was used: `quantity` of the smallest unit of `meter` (see `billing.usage.meters.METERS`).

    `key` is given by whoever reports it; a fact that is reported twice is recorded once. What it is about is kept as
    plain ids, for a fact outlives the call, agent or number that it names.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    key = models.CharField(max_length=160)
    meter = models.CharField(max_length=40)
    quantity = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    """Of a call: when it began."""
    recorded_at = models.DateTimeField(auto_now_add=True)
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+")
    """The terms under which it was used."""
    own_key = models.BooleanField(default=False)
    """The workspace pays the vendor itself, so that the cost is noted and not charged."""
    capability = models.CharField(max_length=20, blank=True)
    """`agent`, `telephony`, `stt`, `llm`, `tts`, `realtime`, ...: the component of a call's cost."""
    call_id = models.CharField(max_length=40, blank=True)
    agent_id = models.CharField(max_length=40, blank=True)
    version_id = models.CharField(max_length=40, blank=True)
    campaign_id = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=40, blank=True)
    direction = models.CharField(max_length=10, blank=True)
    """`inbound`, `outbound`, or `web`."""
    vendor = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=120, blank=True)
    voice = models.CharField(max_length=120, blank=True)
    api_key = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "key"], name="usage_event_once"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="usage_event_quantity"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "occurred_at"], name="usage_by_time"),
            models.Index(fields=["call_id"], condition=~models.Q(call_id=""), name="usage_of_call"),
            models.Index(fields=["recorded_at"], name="usage_recorded"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.meter}"


class Charge(AppendOnly):
    """What one fact costs: `amount` = quantity x `rate` / `per`, rounded half up, once.

    Number 0 of a fact is its rating. A `correction` adds what another rate makes of it, so that all its ratings and
    corrections add up to quantity x the newest rate; a `refund` gives some of it back (and is negative).
    """

    class Kind(models.TextChoices):
        RATING = "rating", "Rating"
        CORRECTION = "correction", "Correction"
        REFUND = "refund", "Refund"

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    event = models.ForeignKey(UsageEvent, models.PROTECT, related_name="charges")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    unit = models.CharField(max_length=6, choices=Unit.choices)
    rate_id = models.CharField(max_length=160, blank=True)
    """Where the rate stands: in a plan's version, a price, a list. Empty: there is none, and nothing is charged."""
    rate = models.BigIntegerField(default=0)
    per = models.BigIntegerField(default=1)
    amount = models.BigIntegerField()
    """Micro-dollars or credits; of corrections and refunds the difference."""
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["event", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "number"], name="charge_once"),
            models.CheckConstraint(condition=models.Q(per__gt=0, rate__gte=0), name="charge_rate"),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "created_at"], name="charges_by_time")]

    def __str__(self) -> str:
        return f"{self.amount} {self.unit} for {self.event_id}"
