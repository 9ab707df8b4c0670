"""Adding facts and charges up by UTC day, and days by month.

A day is always added up whole, from its facts, in one transaction: doing it twice changes nothing, and a correction
that comes a month later finds its day. Which days to do follows from what was written since the last time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import Organization
from billing.reports.models import ComponentDay, ComponentMonth, RollUp, Sums, UsageDay, UsageMonth
from billing.reports.windows import month_of
from billing.usage.meters import AGENT_SECONDS, TELEPHONY_SECONDS
from billing.usage.models import Charge, Unit, UsageEvent
from core.locks import transaction_lock

# A transaction may be seen so long after the times that are written in its rows.
OVERLAP = timedelta(minutes=1)
PLATFORM = frozenset({AGENT_SECONDS, TELEPHONY_SECONDS})

_OF_CALL = UsageDay.PARTED
_OF_COMPONENT = tuple(name for name in ComponentDay.PARTED if name != "unpriced")
_FINE = (*_OF_CALL, *_OF_COMPONENT[1:])

Row = TypeVar("Row", bound=Sums)
Day = tuple[str, date]
"""A workspace's id and a UTC day."""


@dataclass(slots=True)
class _Sum:
    calls: int = 0
    quantity: int = 0
    money: dict[str, int] = field(default_factory=lambda: {Unit.USD: 0, Unit.CREDIT: 0})
    unpriced: bool = False


def bounds(day: date) -> tuple[datetime, datetime]:
    """The first moment of a UTC day, and that of the next."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def roll_up(*, also: Callable[[Day], None] = lambda day: None) -> int:
    """Bring the sums up to date; how many days were added up anew. `also` is called for each of them.

    What fails is tried again the next time, with all that was written meanwhile.
    """
    now = timezone.now()
    last = RollUp.objects.filter(pk="usage").first()
    days = changed_days(since=last.until - OVERLAP if last else None)
    for day in days:
        day_rebuild(day)
        also(day)
    RollUp.objects.update_or_create(pk="usage", defaults={"until": now})
    return len(days)


def changed_days(*, since: datetime | None) -> list[Day]:
    """The days about which something was written since a moment; all that have facts, where none is given."""
    facts, charges = UsageEvent.objects.all(), Charge.objects.all()
    if since is not None:
        facts, charges = facts.filter(recorded_at__gte=since), charges.filter(created_at__gte=since)
    found = set(_days(facts, "organization_id", "occurred_at"))
    if since is not None:
        # One workspace after the other: the index of charges begins with it.
        for organization_id in Organization.objects.values_list("pk", flat=True):
            of_one = charges.filter(organization_id=organization_id)
            found.update(_days(of_one, "organization_id", "event__occurred_at"))
    return sorted(found)


def _days(rows: models.QuerySet[Any], organization: str, moment: str) -> Iterable[Day]:
    return rows.order_by().values_list(organization, TruncDate(moment, tzinfo=UTC)).distinct()


@transaction.atomic
def day_rebuild(which: Day) -> None:
    """Add one day of a workspace up, in place of what its sums were."""
    organization_id, day = which
    transaction_lock(f"billing.roll_up:{organization_id}")
    sums = _sums(organization_id, day)
    where = {"organization_id": organization_id, "day": day}
    UsageDay.objects.filter(**where).delete()
    ComponentDay.objects.filter(**where).delete()
    UsageDay.objects.bulk_create(_usage_days(where, sums), batch_size=500)
    ComponentDay.objects.bulk_create(_component_days(where, sums), batch_size=500)
    month_rebuild(which, UsageDay, UsageMonth)
    month_rebuild(which, ComponentDay, ComponentMonth)


def month_rebuild(which: Day, days: type[Sums], months: type[Sums]) -> None:
    """Add the days of a month up, in place of what its sums were; within the transaction that changed a day."""
    organization_id, day = which
    month = month_of(day)
    rows = days._default_manager.filter(organization_id=organization_id, day__gte=month.start, day__lt=month.end)
    names = (*days.PARTED, *days.ADDED)
    sums = rows.order_by().values_list(*days.PARTED).annotate(*(Sum(name) for name in days.ADDED))
    where = {"organization_id": organization_id, "day": month.start}
    months._default_manager.filter(**where).delete()
    months._default_manager.bulk_create(
        (months(**where, **dict(zip(names, values, strict=True))) for values in sums), batch_size=500
    )


def _sums(organization_id: str, day: date) -> dict[tuple[Any, ...], _Sum]:
    """The sums of a day by everything that facts are told apart by."""
    start, end = bounds(day)
    facts = UsageEvent.objects.filter(organization_id=organization_id, occurred_at__gte=start, occurred_at__lt=end)
    sums: dict[tuple[Any, ...], _Sum] = defaultdict(_Sum)
    grouped = facts.order_by().values_list(*_FINE)
    for *key, calls, quantity in grouped.annotate(told=Count("call_id", filter=~Q(call_id="")), sum=Sum("quantity")):
        # A call makes one fact of each kind.
        found = sums[tuple(key)]
        found.calls, found.quantity = calls, quantity
    charges = Charge.objects.filter(
        event__organization_id=organization_id, event__occurred_at__gte=start, event__occurred_at__lt=end
    )
    paid = charges.order_by().values_list(*(f"event__{name}" for name in _FINE), "unit")
    for *key, unit, amount, priced in paid.annotate(sum=Sum("amount"), priced=Count("id", filter=~Q(rate_id=""))):
        found = sums[tuple(key)]
        found.money[unit] += amount
        found.unpriced |= priced == 0
    return sums


def _usage_days(where: dict[str, Any], sums: dict[tuple[Any, ...], _Sum]) -> list[UsageDay]:
    def add(row: UsageDay, key: dict[str, Any], found: _Sum) -> None:
        if key["meter"] == AGENT_SECONDS:
            row.calls += found.calls
            row.seconds += found.quantity
        if key["meter"] in PLATFORM:
            row.platform += found.money[Unit.USD]
        elif key["own_key"]:
            row.own += found.money[Unit.USD]
        else:
            row.passed_on += found.money[Unit.USD]
        row.credits += found.money[Unit.CREDIT]

    return _folded(UsageDay, _OF_CALL, where, sums, add)


def _component_days(where: dict[str, Any], sums: dict[tuple[Any, ...], _Sum]) -> list[ComponentDay]:
    def add(row: ComponentDay, key: dict[str, Any], found: _Sum) -> None:
        row.calls += found.calls
        row.quantity += found.quantity
        row.amount += found.money[Unit.USD]
        row.credits += found.money[Unit.CREDIT]
        row.unpriced |= found.unpriced

    return _folded(ComponentDay, _OF_COMPONENT, where, sums, add)


def _folded(
    kind: type[Row],
    names: tuple[str, ...],
    where: dict[str, Any],
    sums: dict[tuple[Any, ...], _Sum],
    add: Callable[[Row, dict[str, Any], _Sum], None],
) -> list[Row]:
    """One row of `kind` for all the sums that have the same values of `names`."""
    rows: dict[tuple[Any, ...], Row] = {}
    for values, found in sums.items():
        key = dict(zip(_FINE, values, strict=True))
        of = tuple(key[name] for name in names)
        if of not in rows:
            rows[of] = kind(**where, **dict(zip(names, of, strict=True)))
        add(rows[of], key, found)
    return list(rows.values())
