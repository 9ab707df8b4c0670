"""How an invoice is written, on the page and in the PDF alike."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from billing.invoices.models import Invoice, InvoiceLine
from billing.payments.gateway import CENT
from billing.usage.meters import METERS
from core.money import format_micro


def line_amount(line: InvoiceLine) -> str:
    """To the cent where it is whole cents, and to the micro-dollar where it is not."""
    return format_micro(line.amount, places=2 if line.amount % CENT == 0 else 6)


def total(invoice: Invoice) -> str:
    return format_micro(invoice.total)


def quantity(line: InvoiceLine) -> str:
    """ "1,234 tokens"; seconds also as minutes: "61 min 5 s". Nothing for lines that count nothing."""
    if line.quantity is None:
        return ""
    unit = METERS[line.meter].unit if line.meter in METERS else ""
    if unit == "second":
        minutes, seconds = divmod(line.quantity, 60)
        return f"{minutes:,} min {seconds} s"
    return f"{line.quantity:,} {unit}{'' if line.quantity == 1 else 's'}".strip()


def day(moment: datetime) -> str:
    """The date in the installation's time zone: "3 Nov 2026"."""
    return f"{timezone.localtime(moment):%-d %b %Y}"
