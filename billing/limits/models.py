"""What is held, counted and limited while calls run."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization
from billing.plans.models import PlanVersion
from core.fields import EncryptedTextField
from core.ids import PrefixedIdField


class CallLease(models.Model):
    """A live call's place among the calls at once, and the money that is held for it.

    Renewed by the call's heartbeats; what is not renewed expires and counts no more. The hold reserves: nothing moves
    in the ledger before the call is settled, which closes the lease.
    """

    call_id = models.CharField(primary_key=True, max_length=40)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+")
    agent_id = models.CharField(max_length=40)
    campaign_id = models.CharField(max_length=40, blank=True)
    on_platform_number = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    covered_seconds = models.PositiveIntegerField(default=0)
    """The call may last so long with what is held for it."""
    held = models.BigIntegerField(default=0)
    """Micro-dollars; 0 where nothing limits the call."""
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(held__gte=0), name="hold_not_negative"),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(held=0), name="closed_lease_holds_nothing"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization"], condition=models.Q(closed_at=None), name="open_leases"),
        ]

    def __str__(self) -> str:
        return self.call_id


class Pace(models.Model):
    """When the next thing of a kind may be done, such as placing a call: `key` is `outbound:<organization>`."""

    key = models.CharField(primary_key=True, max_length=80)
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Budget(models.Model):
    """So much may be spent, and who is told when it nearly is."""

    class Scope(models.TextChoices):
        WORKSPACE = "workspace", "The whole workspace"
        AGENT = "agent", "One agent"
        CAMPAIGN = "campaign", "One campaign"
        CALL = "call", "Each call"

    class Window(models.TextChoices):
        DAY = "day", "Day"
        MONTH = "month", "Month"
        TOTAL = "total", "In all"

    id = PrefixedIdField(prefix="budget")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="budgets")
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.WORKSPACE)
    target = models.CharField(max_length=40, blank=True)
    """The id of the agent or campaign; empty for the other scopes."""
    window = models.CharField(max_length=6, choices=Window.choices, default=Window.MONTH)
    """UTC days and months. Of `call` it is the call."""
    limit = models.BigIntegerField()
    """Micro-dollars."""
    hard_stop = models.BooleanField(default=False)
    """Calls are refused, and live ones ended, where it would be passed."""
    thresholds = models.JSONField(default=list)
    """Percentages, rising, at which somebody is told."""
    emails = models.JSONField(default=list)
    webhook_url = models.CharField(max_length=300, blank=True)
    webhook_secret = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="budget_name_once"),
            models.CheckConstraint(condition=models.Q(limit__gte=0), name="budget_limit"),
        ]

    def __str__(self) -> str:
        return self.name


class BudgetAlert(models.Model):
    """That somebody is told of a threshold, once in a window: by mail, by web hook, or both, each by itself."""

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="alerts")
    window_start = models.DateField()
    threshold = models.PositiveSmallIntegerField()
    spent = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(auto_now_add=True)
    """When the worker was last asked to tell."""
    mailed_at = models.DateTimeField(null=True, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)
    """When the web hook took it."""

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["budget", "window_start", "threshold"], name="budget_alert_once"),
        ]

    def __str__(self) -> str:
        return f"{self.budget} at {self.threshold} %"


class SpendDay(models.Model):
    """What was charged on a UTC day: for the workspace, an agent or a campaign. Kept with the charges, for budgets."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    scope = models.CharField(max_length=10, choices=Budget.Scope.choices)
    target = models.CharField(max_length=40, blank=True)
    day = models.DateField()
    amount = models.BigIntegerField(default=0)
    """Micro-dollars, without what the workspace pays its vendors itself."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "scope", "target", "day"], name="spend_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.target} {self.day}"
