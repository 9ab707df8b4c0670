"""The ledger: accounts, and transfers that are only ever added."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization, User
from billing.usage.models import Charge, Unit
from core.rows import AppendOnly


class Account(models.Model):
    """A place where a workspace's money or credits can be. `balance` is what all transfers in and out add up to."""

    class Kind(models.TextChoices):
        ALLOWANCE = "allowance", "Monthly budget"
        """Granted with the plan; what is left of it expires with the month. Spent first."""
        PREPAID = "prepaid", "Prepaid"
        """Bought, or given by an administrator; it stays. Spent second."""
        OWED = "owed", "Owed"
        """Negative: used beyond the two above, and to be paid. Positive: to be counted against what comes."""
        HOUSE = "house", "Installation"
        """Pays for plans under which usage is only measured."""
        USAGE = "usage", "Usage"
        """What was charged goes here."""
        OUTSIDE = "outside", "Outside"
        """Grants and payments come from here, and what expires or is paid back goes here."""
        VENDORS = "vendors", "Vendors"
        """Negative: what the workspace's own accounts with vendors were used for; noted, not charged."""
        PROVIDERS = "providers", "Providers"
        """The other side of `vendors`."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    unit = models.CharField(max_length=6, choices=Unit.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    balance = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "unit", "kind"], name="account_once"),
            models.CheckConstraint(
                condition=~models.Q(kind__in=["allowance", "prepaid", "usage"]) | models.Q(balance__gte=0),
                name="account_not_overdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.kind} {self.unit}"


class Transfer(AppendOnly):
    """`amount` that went from the account `debit` to the account `credit`: both sides of an entry in one row, so that
    the books balance by construction. `key` is unique in the workspace: done twice, it is done once."""

    class Kind(models.TextChoices):
        GRANT = "grant", "Monthly grant"
        EXPIRY = "expiry", "Expired"
        PURCHASE = "purchase", "Top-up"
        ADJUSTMENT = "adjustment", "Adjustment"
        USAGE = "usage", "Usage"
        CORRECTION = "correction", "Correction"
        REFUND = "refund", "Refund"
        PAYMENT = "payment", "Payment"

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    debit = models.ForeignKey(Account, models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, models.PROTECT, related_name="credits")
    amount = models.BigIntegerField()
    key = models.CharField(max_length=160)
    charge = models.ForeignKey(Charge, models.PROTECT, null=True, related_name="transfers")
    note = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "key"], name="transfer_once"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="transfer_amount"),
            models.CheckConstraint(condition=~models.Q(debit=models.F("credit")), name="transfer_two_accounts"),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "created_at"], name="transfers_by_time")]

    def __str__(self) -> str:
        return f"{self.amount} from {self.debit_id} to {self.credit_id}"
