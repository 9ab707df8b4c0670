"""What a stretch of the ledger says for an invoice: usage by meter, what paid for it, and what is left to pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Max, Q, QuerySet, Sum, When

from accounts.models import Organization
from billing.invoices.models import Invoice, InvoiceLine
from billing.ledger.models import Account, Transfer
from billing.usage.meters import METERS
from billing.usage.models import Charge, Unit, UsageEvent

_COVERED_BY = {
    Account.Kind.ALLOWANCE: "From the monthly budget",
    Account.Kind.PREPAID: "From the prepaid balance",
    Account.Kind.HOUSE: "Measured only",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that is to be written. `amount` is micro-dollars; `quantity` counts the unit of `meter`."""

    kind: InvoiceLine.Kind
    text: str
    amount: int
    meter: str = ""
    quantity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The lines add up to `owed`, which is what the workspace still has to pay. `up_to` is the last transfer in it."""

    lines: tuple[Line, ...]
    owed: int
    up_to: int


def statement(organization: Organization, after: int) -> Statement:
    """What the ledger says after the transfer with id `after`. Hold the ledger's lock."""
    window = Transfer.objects.filter(organization=organization, id__gt=after)
    up_to = window.aggregate(last=Max("id"))["last"] or after
    charged = window.filter(charge__unit=Unit.USD)
    used = _used(charged)
    covered = _covered(charged)
    # What is owed now, without what earlier invoices ask for already.
    owed = max(0, -_owed_account(organization) - _asked_for(organization))
    lines = [*used, *covered]
    if carried := owed - sum(line.amount for line in lines):
        # Top-ups pay debts first, and a debt of before has to be paid still.
        lines.append(Line(kind=InvoiceLine.Kind.COVERED, text="Carried over", amount=carried))
    return Statement(lines=tuple(lines), owed=owed, up_to=up_to)


def _used(charged: QuerySet[Any]) -> list[Line]:
    signed = Case(When(credit__kind=Account.Kind.USAGE, then=F("amount")), default=-F("amount"))
    to_usage = charged.filter(Q(credit__kind=Account.Kind.USAGE) | Q(debit__kind=Account.Kind.USAGE))
    sums = dict(to_usage.order_by().values_list("charge__event__meter").annotate(sum=Sum(signed)))
    rated = Charge.objects.filter(kind=Charge.Kind.RATING, transfers__in=to_usage)
    events = UsageEvent.objects.filter(pk__in=rated.values("event"))
    quantities = dict(events.order_by().values_list("meter").annotate(sum=Sum("quantity")))
    return [
        Line(
            kind=InvoiceLine.Kind.USAGE,
            text=METERS[meter].label if meter in METERS else meter,
            amount=sums[meter],
            meter=meter,
            quantity=quantities.get(meter),
        )
        for meter in sorted(sums, key=lambda meter: list(METERS).index(meter) if meter in METERS else len(METERS))
    ]


def _covered(charged: QuerySet[Any]) -> list[Line]:
    lines = []
    for kind, text in _COVERED_BY.items():
        paid = charged.filter(debit__kind=kind).aggregate(sum=Sum("amount"))["sum"] or 0
        back = charged.filter(credit__kind=kind).aggregate(sum=Sum("amount"))["sum"] or 0
        if paid != back:
            lines.append(Line(kind=InvoiceLine.Kind.COVERED, text=text, amount=back - paid))
    return lines


def _owed_account(organization: Organization) -> int:
    found = Account.objects.filter(organization=organization, kind=Account.Kind.OWED, unit=Unit.USD)
    return found.values_list("balance", flat=True).first() or 0


def _asked_for(organization: Organization) -> int:
    open_ones = Invoice.objects.filter(organization=organization, status=Invoice.Status.OPEN)
    return open_ones.aggregate(sum=Sum("owed"))["sum"] or 0
