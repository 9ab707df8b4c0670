"""Invoices, and whom they are addressed to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.models import Organization
from core.ids import PrefixedIdField


class BillingProfile(models.Model):
    """How a workspace is addressed on its invoices. Without one it is its name."""

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="billing_profile")
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    """Gets invoices and reminders, besides the owners."""
    address = models.CharField(max_length=400, blank=True)
    """Lines of text."""
    country = models.CharField(max_length=60, blank=True)
    tax_id = models.CharField(max_length=40, blank=True)
    """VAT or another tax number."""
    invoiced_transfers = models.BigIntegerField(default=0)
    """The id of the ledger's last transfer that a monthly invoice tells of: the next one goes on from there."""

    def __str__(self) -> str:
        return self.name or str(self.organization)


class Invoice(models.Model):
    """What a workspace owes, or has paid. Buyer, issuer and lines are as they were on its date, and never change."""

    class Kind(models.TextChoices):
        PERIOD = "period", "Month"
        START = "start", "Subscription"
        CHANGE = "change", "Change of plan"
        TOP_UP = "top_up", "Top-up"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PAID = "paid", "Paid"
        VOID = "void", "Cancelled"

    id = PrefixedIdField(prefix="inv")
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="invoices")
    number = models.PositiveBigIntegerField(unique=True)
    """From 1, for the whole installation: a gap would be a missing invoice."""
    kind = models.CharField(max_length=8, choices=Kind.choices)
    status = models.CharField(max_length=4, choices=Status.choices, default=Status.OPEN)
    key = models.CharField(max_length=160)
    """What it is for: the same thing is invoiced once."""
    reference = models.CharField(max_length=120, blank=True)
    """The payment service's id of the payment, of its own invoice, or of an item that waits for its next one."""
    issued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    issuer = models.TextField()
    buyer = models.TextField()
    """Name, address and tax number, a line each."""
    total = models.BigIntegerField()
    """Micro-dollars, whole cents."""
    owed = models.BigIntegerField(default=0)
    """How much of the total, before rounding, stood as owed in the ledger. Paying the invoice settles it."""

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "key"], name="invoice_once"),
            models.CheckConstraint(condition=models.Q(total__gte=0, owed__gte=0), name="invoice_amounts"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The number as it is printed."""
        return f"CW-{self.number:06}"


class InvoiceLine(models.Model):
    """One line. All lines of an invoice add up to its total exactly."""

    class Kind(models.TextChoices):
        FEE = "fee", "Plan"
        USAGE = "usage", "Usage"
        COVERED = "covered", "Covered"
        TOP_UP = "top_up", "Top-up"
        ROUNDING = "rounding", "Rounding"

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    text = models.CharField(max_length=200)
    meter = models.CharField(max_length=40, blank=True)
    """A key of `billing.usage.meters.METERS`, of usage."""
    quantity = models.BigIntegerField(null=True, blank=True)
    """In the meter's unit."""
    amount = models.BigIntegerField()
    """Micro-dollars."""

    class Meta:
        ordering: ClassVar = ["invoice", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_once"),
        ]

    def __str__(self) -> str:
        return self.text
