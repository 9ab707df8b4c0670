"""What changes prices. Each is one transaction with its audit entry."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services import audit
from billing.models import ProviderPrice
from billing.selectors import price_book
from billing.units import UNITS
from core.money import format_micro


@transaction.atomic
def price_set(*, organization: Organization, actor: User, vendor: str, model: str, unit: str, price: int) -> None:
    """Calls from now on cost `price`: micro-dollars for as much of `unit` as the page shows."""
    _add(organization, actor, "price.set", vendor, model, unit, UNITS[unit].stored(price))


@transaction.atomic
def price_reset(*, organization: Organization, actor: User, vendor: str, model: str, unit: str) -> None:
    """Calls from now on cost what the vendor lists; nothing is known of the price of what it does not list."""
    _add(organization, actor, "price.reset", vendor, model, unit, None)


def _add(
    organization: Organization, actor: User, action: str, vendor: str, model: str, unit: str, stored: int | None
) -> None:
    before = price_book(organization).price_of(vendor, model, unit)
    made = ProviderPrice.objects.create(
        organization=organization,
        vendor=vendor,
        model=model,
        unit=unit,
        micro_per_million=stored,
        effective_from=timezone.now(),
        created_by=actor,
    )
    after = price_book(organization).price_of(vendor, model, unit)
    changed = {f"{vendor} · {model} · {UNITS[unit].label}": (_words(unit, before), _words(unit, after))}
    audit(organization=organization, actor=actor, action=action, target=made.pk, changes=changed)


def _words(unit: str, stored: int | None) -> str:
    if stored is None:
        return "no price"
    return f"{format_micro(UNITS[unit].shown(stored), places=6)} per {UNITS[unit].per_label}"
