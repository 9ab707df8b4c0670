"""Plans, their versions, and the subscription of each workspace."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization, User
from core.ids import PrefixedIdField
from core.rows import AppendOnly


class Plan(models.Model):
    """Something to subscribe to. What it costs and allows is in its versions; the newest one in force counts."""

    id = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField(default=0)
    """The order in which plans are shown."""
    offered = models.BooleanField(default=True)
    """May somebody choose it? Those who have it already keep it."""

    class Meta:
        ordering: ClassVar = ["position", "id"]

    def __str__(self) -> str:
        return self.name


class PlanVersion(AppendOnly):
    """What a plan costs and allows from `effective_from` on. Never changed: another version follows.

    Prices and budgets are micro-dollars. None stands for "without limit", and as a price for "what the contract says".
    Credits pay for models, the agent budget for calls; both are granted for a month and expire with it.
    """

    id = PrefixedIdField(prefix="planv")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    effective_from = models.DateTimeField()
    price = models.BigIntegerField(null=True, blank=True)
    credits = models.BigIntegerField(null=True, blank=True)
    agent_budget = models.BigIntegerField(null=True, blank=True)
    concurrent_calls = models.PositiveIntegerField(null=True, blank=True)
    agent_slots = models.PositiveIntegerField(null=True, blank=True)
    number_slots = models.PositiveIntegerField(null=True, blank=True)
    members = models.PositiveIntegerField(null=True, blank=True)
    outbound_per_second = models.PositiveIntegerField(null=True, blank=True)
    """Calls that may be placed in one second."""
    agent_minute = models.BigIntegerField()
    """For a minute of a call with an agent."""
    telephony_minute = models.BigIntegerField()
    """For a minute more on a number of the platform."""
    entitlements = models.JSONField(default=list)
    """What else it comes with: keys of `billing.plans.catalogue.ENTITLEMENTS`."""
    metered_only = models.BooleanField(default=False)
    """Usage is measured and shown, and paid for by nobody: the installation is one's own."""
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["plan", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_once"),
            models.CheckConstraint(
                condition=models.Q(agent_minute__gte=0, telephony_minute__gte=0), name="plan_rates_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.number}"

    @property
    def without_limit(self) -> bool:
        """No call is blocked for want of money: usage is only measured, or on the month's invoice."""
        return self.metered_only or self.agent_budget is None


class Subscription(models.Model):
    """Which plan a workspace has, and for which month it was last granted its budget."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        PAST_DUE = "past_due", "Payment failed"
        """A payment is being tried again; everything works until then."""
        UNPAID = "unpaid", "Unpaid"
        """No calls until it is paid."""
        CANCELED = "canceled", "Canceled"

    id = PrefixedIdField(prefix="sub")
    organization = models.OneToOneField(Organization, models.CASCADE, related_name="subscription")
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+")
    next_plan = models.ForeignKey(Plan, models.PROTECT, null=True, blank=True, related_name="+")
    """What it becomes when the period is over; None: it goes on as it is."""
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    overage = models.BooleanField(default=False)
    """May usage go on when the budget is spent? It is then owed. `selectors.overage_allowed` says when this counts."""
    grace_seconds = models.PositiveSmallIntegerField(default=30)
    """So long may a call last beyond its money, once the caller was told."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["period_end"], name="subscription_due")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(period_end__gt=models.F("period_start")), name="subscription_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} on {self.plan_version_id}"
