"""What makes invoices and settles them. Each is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services import audit
from billing.invoices.models import BillingProfile, Invoice, InvoiceLine
from billing.invoices.statement import Line, statement
from billing.ledger.services import ledger_lock, owed_pay
from billing.payments.gateway import CENT, cents
from billing.plans.models import PlanVersion
from core.errors import ApiError, ErrorCode
from core.locks import transaction_lock

PROFILE = ("name", "email", "address", "country", "tax_id")


@transaction.atomic
def profile_set(*, organization: Organization, actor: User, values: dict[str, str]) -> BillingProfile:
    """How the workspace is addressed on invoices from now on; `values` has every field of `PROFILE`."""
    profile, _ = BillingProfile.objects.select_for_update().get_or_create(organization=organization)
    changes = {
        name: (getattr(profile, name), values[name]) for name in PROFILE if getattr(profile, name) != values[name]
    }
    for name in changes:
        setattr(profile, name, values[name])
    profile.save(update_fields=list(PROFILE))
    if changes:
        audit(organization=organization, actor=actor, action="billing.profile", changes=changes)
    return profile


@transaction.atomic
def invoice_issue(
    *,
    organization: Organization,
    kind: Invoice.Kind,
    key: str,
    lines: Sequence[Line],
    at: datetime,
    owed: int = 0,
    reference: str = "",
    period: tuple[datetime, datetime] | None = None,
) -> Invoice:
    """Write the next invoice, or give the one that was written for `key` before.

    The total is rounded half up to whole cents, once, by a line of its own. `owed` is the part of it that stands as
    owed in the ledger.
    """
    ledger_lock(organization)
    if (known := Invoice.objects.filter(organization=organization, key=key).first()) is not None:
        return known
    exact = sum(line.amount for line in lines)
    total = cents(exact) * CENT
    rows = list(lines)
    if total != exact:
        rows.append(Line(kind=InvoiceLine.Kind.ROUNDING, text="Rounded to cents", amount=total - exact))
    # Numbers have no gaps: the next one is taken under a lock, and given back if the transaction fails.
    transaction_lock("billing.invoice_number")
    invoice = Invoice.objects.create(
        organization=organization,
        number=(Invoice.objects.aggregate(last=Max("number"))["last"] or 0) + 1,
        kind=kind,
        key=key,
        reference=reference,
        issued_at=at,
        due_at=at + timedelta(days=settings.INVOICE_DUE_DAYS),
        period_start=period[0] if period else None,
        period_end=period[1] if period else None,
        issuer=settings.INVOICE_ISSUER,
        buyer=_buyer(organization),
        total=total,
        owed=owed,
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            kind=line.kind,
            text=line.text[:200],
            meter=line.meter,
            quantity=line.quantity,
            amount=line.amount,
        )
        for position, line in enumerate(rows, 1)
    )
    audit(organization=organization, actor=None, action="invoice.issued", target=invoice.pk)
    return invoice


@transaction.atomic
def period_close(
    *, organization: Organization, period: tuple[datetime, datetime], version: PlanVersion, at: datetime
) -> Invoice | None:
    """The invoice of a month that is over: its usage, and the price of `version` for the month that begins.

    None where there is nothing to pay. Usage that is reported later is on the next one.
    """
    ledger_lock(organization)
    profile, _ = BillingProfile.objects.get_or_create(organization=organization)
    told = statement(organization, profile.invoiced_transfers)
    profile.invoiced_transfers = told.up_to
    profile.save(update_fields=["invoiced_transfers"])
    fee = version.price or 0
    if not fee and not cents(told.owed):
        return None
    lines = list(told.lines)
    if fee:
        lines.insert(0, Line(kind=InvoiceLine.Kind.FEE, text=f"Plan {version.plan.name}, one month", amount=fee))
    return invoice_issue(
        organization=organization,
        kind=Invoice.Kind.PERIOD,
        key=period_key(period[0]),
        lines=lines,
        at=at,
        owed=told.owed,
        period=period,
    )


def period_key(start: datetime) -> str:
    """The key of the invoice of the month that began at `start`."""
    return f"period:{start.isoformat()}"


@transaction.atomic
def invoice_pay(
    *, invoice: Invoice, actor: User | None = None, reference: str = "", at: datetime | None = None
) -> bool:
    """Note that it was paid, and settle in the ledger what was owed. False, and no change, when it is not open."""
    ledger_lock(invoice.organization)
    invoice = Invoice.objects.select_related("organization").get(pk=invoice.pk)
    if invoice.status != Invoice.Status.OPEN:
        return False
    invoice.status, invoice.paid_at = Invoice.Status.PAID, at or timezone.now()
    invoice.reference = reference or invoice.reference
    invoice.save(update_fields=["status", "paid_at", "reference"])
    if invoice.owed:
        note = f"Invoice {invoice.label}"
        owed_pay(organization=invoice.organization, amount=invoice.owed, key=f"invoice:{invoice.pk}", note=note)
    audit(organization=invoice.organization, actor=actor, action="invoice.paid", target=invoice.pk)
    return True


@transaction.atomic
def invoice_void(*, invoice: Invoice, actor: User | None) -> None:
    """Cancel an open invoice. It keeps its number, and what it asked for is on the next one."""
    ledger_lock(invoice.organization)
    invoice = Invoice.objects.select_related("organization").get(pk=invoice.pk)
    if invoice.status != Invoice.Status.OPEN:
        raise ApiError(
            ErrorCode.CONFLICT, "Not open", f"Invoice {invoice.label} is {invoice.get_status_display().lower()}."
        )
    invoice.status = Invoice.Status.VOID
    invoice.save(update_fields=["status"])
    audit(organization=invoice.organization, actor=actor, action="invoice.void", target=invoice.pk)


def _buyer(organization: Organization) -> str:
    profile = BillingProfile.objects.filter(organization=organization).first() or BillingProfile()
    lines = [profile.name or organization.name, profile.address, profile.country, profile.tax_id]
    return "\n".join(line for line in lines if line)
