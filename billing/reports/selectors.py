"""Reads of the sums: by time and by whatever else calls and their components are told apart by."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Self

from django.db.models import QuerySet, Sum

from accounts.models import Organization
from billing.reports.models import ComponentDay, ComponentMonth, RollUp, Sums, UsageDay, UsageMonth
from billing.reports.windows import Interval, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What some calls came to. Money is micro-dollars; `own` is what the workspace pays its vendors itself."""

    calls: int = 0
    seconds: int = 0
    platform: int = 0
    passed_on: int = 0
    own: int = 0
    credits: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in _FIELDS})

    @property
    def charged(self) -> int:
        """By the platform."""
        return self.platform + self.passed_on

    @property
    def providers(self) -> int:
        """To all vendors, whoever pays them."""
        return self.passed_on + self.own

    @property
    def total(self) -> int:
        return self.charged + self.own

    @property
    def minutes(self) -> float:
        return self.seconds / 60

    @property
    def per_minute(self) -> int | None:
        return round(60 * self.total / self.seconds) if self.seconds else None

    @property
    def per_call(self) -> int | None:
        return round(self.total / self.calls) if self.calls else None


_FIELDS = tuple(field.name for field in fields(Usage))
NOTHING = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentUse:
    """What calls used of one component. `amount` is micro-dollars; some of it has no price where `unpriced`."""

    capability: str
    meter: str
    vendor: str
    model: str
    calls: int
    quantity: int
    amount: int
    credits: int
    unpriced: bool


def counted_until() -> datetime | None:
    """How far the sums have come; None before the first time."""
    return RollUp.objects.filter(pk="usage").values_list("until", flat=True).first()


def rows_within(
    window: Window, days: type[Sums], months: type[Sums], *, organization: Organization, agent_id: str = ""
) -> list[QuerySet[Any]]:
    """Rows that together hold a window once: those of whole months, and of the days before and after them."""
    whole = window.whole_months
    parts = ((days, Window(window.start, whole.start)), (months, whole), (days, Window(whole.end, window.end)))
    return [_rows(kind, part, organization, agent_id) for kind, part in parts if part.length]


def _rows(kind: type[Sums], window: Window, organization: Organization, agent_id: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = kind._default_manager.order_by()
    found = rows.filter(organization=organization, day__gte=window.start, day__lt=window.end)
    return found.filter(agent_id=agent_id) if agent_id else found


def usage_by_time(
    organization: Organization, window: Window, interval: Interval | None, *, agent_id: str = ""
) -> list[tuple[Window, Usage]]:
    """Every part of a window in order, also those in which there was nothing."""
    if interval in (Interval.DAY, Interval.WEEK):
        rows = [_rows(UsageDay, window, organization, agent_id)]
    else:
        rows = rows_within(window, UsageDay, UsageMonth, organization=organization, agent_id=agent_id)
    parts = window.parts(interval)
    found = [NOTHING for _ in parts]
    starts = [part.start for part in parts]
    for day, usage in _usage(rows, "day").items():
        found[bisect(starts, day) - 1] += usage
    return list(zip(parts, found, strict=True))


def usage_by(name: str, organization: Organization, window: Window, *, agent_id: str = "") -> dict[str, Usage]:
    """By one of `agent_id`, `version_id`, `number` and `direction`."""
    return _usage(rows_within(window, UsageDay, UsageMonth, organization=organization, agent_id=agent_id), name)


def _usage(rows: Iterable[QuerySet[Any]], by: str) -> dict[Any, Usage]:
    found: dict[Any, Usage] = {}
    for some in rows:
        for value, *sums in some.values_list(by).annotate(*(Sum(name) for name in _FIELDS)):
            found[value] = found.get(value, NOTHING) + Usage(**dict(zip(_FIELDS, sums, strict=True)))
    return found


def component_use(organization: Organization, window: Window, *, agent_id: str = "") -> list[ComponentUse]:
    """What was used of each component, the dearest first."""
    names = ("capability", "meter", "vendor", "model")
    sums = ("calls", "quantity", "amount", "credits")
    found: dict[tuple[str, ...], ComponentUse] = {}
    for rows in rows_within(window, ComponentDay, ComponentMonth, organization=organization, agent_id=agent_id):
        for row in rows.values(*names, "unpriced").annotate(*(Sum(name) for name in sums)):
            key = tuple(row[name] for name in names)
            before = found.get(key)
            found[key] = ComponentUse(
                **dict(zip(names, key, strict=True)),
                **{name: row[f"{name}__sum"] + (getattr(before, name) if before else 0) for name in sums},
                unpriced=row["unpriced"] or (before is not None and before.unpriced),
            )
    return sorted(found.values(), key=lambda use: (-use.amount, use.capability, use.meter))


def credits_by_day(
    organization: Organization, window: Window, *, by: str = "", api_key: str = ""
) -> dict[str, dict[date, int]]:
    """Credits by day, apart for each value of `by` (`capability`, `model`, `voice`, `api_key`); under "" without it."""
    rows = _rows(ComponentDay, window, organization, "")
    if api_key:
        rows = rows.filter(api_key=api_key)
    found: dict[str, dict[date, int]] = defaultdict(dict)
    names = (by, "day") if by else ("day",)
    for *value, day, amount in rows.exclude(credits=0).values_list(*names).annotate(Sum("credits")):
        found[value[0] if value else ""][day] = amount
    return dict(found)
