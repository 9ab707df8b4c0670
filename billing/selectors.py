"""Which prices hold for a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

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
class PriceBook:
    """The prices of a workspace at some moment: its `own` ones before the list's."""

    own: Mapping[Key, int]

    def price_of(self, vendor: str, model: str, unit: str) -> int | None:
        """Micro-dollars per million units; None where there is no price."""
        if vendor == LOCAL:
            return 0
        for key in ((vendor, model, unit), (vendor, ANY, unit)):
            if key in self.own:
                return self.own[key]
        for key in ((vendor, model, unit), (vendor, ANY, unit)):
            if key in _LISTED:
                return _LISTED[key].micro_per_million
        return None


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
    return PriceBook(_own(organization, at or timezone.now()))


def _own(organization: Organization, at: datetime) -> dict[Key, int]:
    own: dict[Key, int] = {}
    for row in ProviderPrice.objects.filter(organization=organization, effective_from__lte=at):
        key = (row.vendor, row.model, row.unit)
        if row.micro_per_million is None:
            own.pop(key, None)
        else:
            own[key] = row.micro_per_million
    return own


def price_table(organization: Organization) -> list[tuple[str, list[PriceRow]]]:
    """Every price that is known, by the vendor's name."""
    own = _own(organization, timezone.now())
    table: dict[str, list[PriceRow]] = {}
    for key in [*_LISTED, *(key for key in own if key not in _LISTED)]:
        vendor, model, unit = key
        listed = _LISTED.get(key)
        table.setdefault(vendor, []).append(
            PriceRow(
                vendor=vendor,
                model=model,
                unit=UNITS[unit],
                own=UNITS[unit].shown(own[key]) if key in own else None,
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
