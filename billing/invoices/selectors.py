"""Which invoices somebody has to pay."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from accounts.models import Organization
from billing.invoices import words
from billing.invoices.models import Invoice
from billing.ledger.selectors import balance
from billing.payments.gateway import CENT
from core.money import format_micro


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An invoice that should have been paid, and the micro-dollars that make it good."""

    invoice: Invoice
    amount: int

    @property
    def message(self) -> str:
        """Which one, how much, and how to pay it. A top-up pays for usage, not the price of a plan."""
        how = "Pay it, and have whoever runs this installation note that on the invoice, under Billing."
        if settings.PAYMENT_GATEWAY and self.invoice.total - self.invoice.owed < CENT:
            how = "Top up by at least that much under Billing, and calls are taken again."
        due, amount = words.day(self.invoice.due_at), format_micro(self.amount)
        return f"Invoice {self.invoice.label} was due on {due}, and {amount} is owed. {how}"


def overdue(organization: Organization) -> Overdue | None:
    """The oldest open invoice that is past its date, with something still to pay.

    Those that the payment service asks for are its own to be patient with: it tells when a payment failed. Usage that
    was paid since by a top-up is not asked for again.
    """
    late = Invoice.objects.filter(
        organization=organization, status=Invoice.Status.OPEN, reference="", due_at__lt=timezone.now()
    )
    invoices = list(late.order_by("due_at", "number"))
    owed = balance(organization).owed if invoices else 0
    found = (Overdue(invoice=each, amount=each.total - each.owed + owed) for each in invoices)
    return next((each for each in found if each.amount >= CENT), None)
