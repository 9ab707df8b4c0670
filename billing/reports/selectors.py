"""Reads of the sums: by day and by whatever else calls and their components are told apart by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Self

from django.db.models import QuerySet, Sum

from accounts.models import Organization
from billing.reports.models import ComponentDay, RollUp, UsageDay
from billing.reports.windows import Window


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


def usage_by_day(organization: Organization, window: Window, *, agent_id: str = "") -> dict[date, Usage]:
    """The days on which there was anything."""
    return {day: usage for (day,), usage in _usage(_days_of(organization, window, agent_id), "day").items()}


def usage_by_day_and(
    name: str, organization: Organization, window: Window, *, agent_id: str = ""
) -> dict[tuple[date, str], Usage]:
    """By day and by one of `agent_id`, `version_id`, `number` and `direction`: one read for chart and table."""
    found = _usage(_days_of(organization, window, agent_id), "day", name)
    return {(day, value): usage for (day, value), usage in found.items()}


def _days_of(organization: Organization, window: Window, agent_id: str) -> QuerySet[UsageDay]:
    rows = UsageDay.objects.filter(organization=organization, day__gte=window.start, day__lt=window.end)
    return rows.filter(agent_id=agent_id) if agent_id else rows


def _usage(rows: QuerySet[UsageDay], *by: str) -> Mapping[tuple[Any, ...], Usage]:
    sums = rows.order_by().values_list(*by).annotate(*(Sum(name) for name in _FIELDS))
    return {values[: len(by)]: Usage(**dict(zip(_FIELDS, values[len(by) :], strict=True))) for values in sums}


def component_use(organization: Organization, window: Window, *, agent_id: str = "") -> list[ComponentUse]:
    """What was used of each component, the dearest first."""
    rows = ComponentDay.objects.filter(organization=organization, day__gte=window.start, day__lt=window.end)
    if agent_id:
        rows = rows.filter(agent_id=agent_id)
    names = ("capability", "meter", "vendor", "model")
    sums = rows.order_by().values(*names, "unpriced")
    found: dict[tuple[str, ...], ComponentUse] = {}
    for row in sums.annotate(Sum("calls"), Sum("quantity"), Sum("amount"), Sum("credits")):
        key = tuple(row[name] for name in names)
        before = found.get(key)
        found[key] = ComponentUse(
            **dict(zip(names, key, strict=True)),
            **{
                name: row[f"{name}__sum"] + (getattr(before, name) if before else 0)
                for name in ("calls", "quantity", "amount", "credits")
            },
            unpriced=row["unpriced"] or (before is not None and before.unpriced),
        )
    return sorted(found.values(), key=lambda use: (-use.amount, use.capability, use.meter))


def credits_by_day(
    organization: Organization, window: Window, *, by: str = "", api_key: str = ""
) -> dict[str, dict[date, int]]:
    """Credits by day, apart for each value of `by` (`capability`, `model`, `voice`, `api_key`); under "" without it."""
    rows = ComponentDay.objects.filter(organization=organization, day__gte=window.start, day__lt=window.end)
    if api_key:
        rows = rows.filter(api_key=api_key)
    found: dict[str, dict[date, int]] = defaultdict(dict)
    names = (by, "day") if by else ("day",)
    for *value, day, amount in rows.exclude(credits=0).order_by().values_list(*names).annotate(Sum("credits")):
        found[value[0] if value else ""][day] = amount
    return dict(found)
