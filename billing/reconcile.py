"""Proves that the ledger is what facts and rates make of it, and tells every difference.

Four proofs, each of everything that there is:
- each fact's ratings and corrections add up to quantity x its newest rate, and the rate stands where its id says;
- each charge was moved in the ledger, in its unit, to the micro-dollar, and nothing else was moved for it;
- each account's balance is what its transfers add up to;
- the days' sums that budgets count are what the charges add up to, and no closed call holds money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date

from django.db import connection, transaction
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import Organization
from billing.ledger.models import Account, Transfer
from billing.limits.models import Budget, CallLease, SpendDay
from billing.plans.models import PlanVersion
from billing.usage.models import Charge, Unit, UsageEvent
from billing.usage.rating import Rate

CHUNK = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`found` is not what it should be. `where` names the row."""

    organization: str
    where: str
    what: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.organization} {self.where}: {self.what} is {self.found:,} and should be {self.expected:,}"


def reconcile(organization: Organization | None = None) -> Iterator[Difference]:
    """Every difference, of one workspace or of all. Each proof reads one snapshot, so that it can run at any time."""
    scope = Q() if organization is None else Q(organization=organization)
    for proof in (_facts, _charges, _accounts, _days):
        with transaction.atomic():
            _see_one_moment()
            yield from proof(scope)


def _see_one_moment() -> None:
    """SQLite does so in every transaction."""
    if connection.vendor == "postgresql" and not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _facts(scope: Q) -> Iterator[Difference]:
    """Facts against what was charged for them."""
    terms = {version.pk: version for version in PlanVersion.objects.all()}
    charged: dict[int, list[Charge]] = defaultdict(list)
    last: UsageEvent | None = None
    rows = Charge.objects.filter(scope).select_related("event").order_by("event_id", "number")
    for charge in rows.iterator(CHUNK):
        if last is not None and charge.event_id != last.pk:
            yield from _fact(last, charged.pop(last.pk), terms)
        last = charge.event
        charged[charge.event_id].append(charge)
    if last is not None:
        yield from _fact(last, charged.pop(last.pk), terms)


def _fact(event: UsageEvent, charges: list[Charge], terms: dict[str, PlanVersion]) -> Iterator[Difference]:
    where = f"fact {event.pk} ({event.meter}, call {event.call_id or '-'})"
    rated = [charge for charge in charges if charge.kind != Charge.Kind.REFUND]
    refunded = sum(charge.amount for charge in charges if charge.kind == Charge.Kind.REFUND)
    if not rated:
        yield _difference(event, where, "the number of its ratings", 1, 0)
        return
    newest = rated[-1]
    rate = Rate(id=newest.rate_id, unit=Unit(newest.unit), rate=newest.rate, per=newest.per)
    expected, found = rate.amount(event.quantity), sum(charge.amount for charge in rated)
    if found != expected:
        yield _difference(event, where, f"the sum of its charges at {newest.rate_id or 'no price'}", expected, found)
    version, _, name = newest.rate_id.partition(":")
    if version in terms and getattr(terms[version], name) != newest.rate:
        yield _difference(event, where, f"its rate {newest.rate_id}", getattr(terms[version], name), newest.rate)
    if not -expected <= refunded <= 0:
        yield _difference(event, where, "what was refunded", -expected, refunded)


def _difference(event: UsageEvent, where: str, what: str, expected: int, found: int) -> Difference:
    return Difference(organization=event.organization_id, where=where, what=what, expected=expected, found=found)


def _charges(scope: Q) -> Iterator[Difference]:
    """Charges against what was moved for them: usage and providers receive what other accounts pay."""
    receivers = [Account.Kind.USAGE, Account.Kind.PROVIDERS]
    moved = Transfer.objects.filter(charge=OuterRef("pk"), debit__unit=OuterRef("unit"), credit__unit=OuterRef("unit"))

    def side(name: str) -> Coalesce:
        sums = moved.filter(**{f"{name}__kind__in": receivers}).order_by().values("charge").annotate(sum=Sum("amount"))
        return Coalesce(Subquery(sums.values("sum")), 0)

    rows = Charge.objects.filter(scope).annotate(moved=side("credit") - side("debit"))
    for charge in rows.exclude(moved=F("amount")).iterator(CHUNK):
        yield Difference(
            organization=charge.organization_id,
            where=f"charge {charge.pk} of fact {charge.event_id}",
            what="what was moved for it",
            expected=charge.amount,
            found=charge.moved,
        )


def _accounts(scope: Q) -> Iterator[Difference]:
    """Balances against transfers."""
    sums: dict[int, int] = defaultdict(int)
    for side, sign in (("debit", -1), ("credit", 1)):
        rows = Transfer.objects.filter(scope).order_by().values_list(side).annotate(sum=Sum("amount"))
        for account_id, amount in rows:
            sums[account_id] += sign * amount
    for account in Account.objects.filter(scope).iterator(CHUNK):
        if account.balance != sums[account.pk]:
            yield Difference(
                organization=account.organization_id,
                where=f"account {account.kind} ({account.unit})",
                what="its balance",
                expected=sums[account.pk],
                found=account.balance,
            )


def _days(scope: Q) -> Iterator[Difference]:
    """What budgets count against charges, and what closed calls hold against nothing."""
    sums: dict[tuple[str, str, str, date], int] = defaultdict(int)
    charged = Charge.objects.filter(scope, unit=Unit.USD, event__own_key=False).select_related("event")
    for charge in charged.iterator(CHUNK):
        event = charge.event
        day = event.occurred_at.astimezone(UTC).date()
        sums[event.organization_id, Budget.Scope.WORKSPACE, "", day] += charge.amount
        if event.agent_id:
            sums[event.organization_id, Budget.Scope.AGENT, event.agent_id, day] += charge.amount
        if event.campaign_id:
            sums[event.organization_id, Budget.Scope.CAMPAIGN, event.campaign_id, day] += charge.amount
    counted = {
        (row.organization_id, row.scope, row.target, row.day): row.amount for row in SpendDay.objects.filter(scope)
    }
    for key in sorted(sums.keys() | counted.keys(), key=str):
        organization, name, target, day = key
        if sums[key] != counted.get(key, 0):
            where = f"day {day} of {name} {target}".rstrip()
            yield Difference(
                organization=organization,
                where=where,
                what="its sum",
                expected=sums[key],
                found=counted.get(key, 0),
            )
    for lease in CallLease.objects.filter(scope).exclude(closed_at=None).exclude(held=0):
        yield Difference(
            organization=lease.organization_id,
            where=f"call {lease.call_id}",
            what="what it holds",
            expected=0,
            found=lease.held,
        )
