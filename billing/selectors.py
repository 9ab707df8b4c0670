"""Which prices hold for a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from accounts.models import AuditEntry, Organization
from billing.list_prices import ANY, LIST_PRICES, VENDORS, ListPrice
from billing.models import ProviderPrice
from billing.units import UNITS, Unit

Key = tuple[str, str, str]
"""Vendor, model, unit."""

LOCAL = "local"
"""The vendor of what runs on this machine, which costs nothing."""
CHANGES_SHOWN = 10

_LISTED: Mapping[Key, ListPrice] = {(price.vendor, price.model, price.unit): price for price in LIST_PRICES}


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars per million units, and where that stands: a row's id, or what the list is named by."""

    id: str
    micro_per_million: int


FREE_OF_CHARGE = Price(LOCAL, 0)
_LIST: Mapping[Key, Price] = {
    key: Price(f"list:{':'.join(key)}:{price.read}", price.micro_per_million) for key, price in _LISTED.items()
}


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The prices of a workspace at some moment: its `own` ones before the list's."""

    own: Mapping[Key, Price]

    def find(self, vendor: str, model: str, unit: str) -> Price | None:
        """None where there is no price."""
        if vendor == LOCAL:
            return FREE_OF_CHARGE
        keys = ((vendor, model, unit), (vendor, ANY, unit))
        for prices in (self.own, _LIST):
            for key in keys:
                if key in prices:
                    return prices[key]
        return None

    def price_of(self, vendor: str, model: str, unit: str) -> int | None:
        """Micro-dollars per million units; None where there is no price."""
        found = self.find(vendor, model, unit)
        return None if found is None else found.micro_per_million


class PriceHistory:
    """The prices of a workspace at any moment, read once and only when asked for."""

    def __init__(self, organization: Organization) -> None:
        self._organization = organization

    @cached_property
    def _changes(self) -> list[ProviderPrice]:
        return list(ProviderPrice.objects.filter(organization=self._organization))

    def at(self, moment: datetime) -> PriceBook:
        """The prices that hold at `moment`."""
        own: dict[Key, Price] = {}
        for row in self._changes:
            if row.effective_from > moment:
                break
            key = (row.vendor, row.model, row.unit)
            if row.micro_per_million is None:
                own.pop(key, None)
            else:
                own[key] = Price(row.pk, row.micro_per_million)
        return PriceBook(own)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """A line of the page of prices. `own` and `listed` are as they are shown, in micro-dollars."""

    vendor: str
    model: str
    unit: Unit
    own: int | None
    listed: int | None
    source: str
    read: str


def price_book(organization: Organization, at: datetime | None = None) -> PriceBook:
    """The prices that hold at a moment; now, where none is given."""
    return PriceHistory(organization).at(at or timezone.now())


def price_table(organization: Organization) -> list[tuple[str, list[PriceRow]]]:
    """Every price that is known, by the vendor's name."""
    own = price_book(organization).own
    table: dict[str, list[PriceRow]] = {}
    for key in [*_LISTED, *(key for key in own if key not in _LISTED)]:
        vendor, model, unit = key
        listed = _LISTED.get(key)
        table.setdefault(vendor, []).append(
            PriceRow(
                vendor=vendor,
                model=model,
                unit=UNITS[unit],
                own=UNITS[unit].shown(own[key].micro_per_million) if key in own else None,
                listed=UNITS[unit].shown(listed.micro_per_million) if listed else None,
                source=listed.source if listed else "",
                read=listed.read if listed else "",
            )
        )
    return [(VENDORS.get(vendor, vendor), rows) for vendor, rows in table.items()]


def price_changes(organization: Organization) -> list[AuditEntry]:
    """The last changes of prices, the newest first."""
    entries = AuditEntry.objects.filter(organization=organization, action__startswith="price.")
    return list(entries.select_related("actor").order_by("-pk")[:CHANGES_SHOWN])
