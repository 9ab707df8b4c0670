"""What a workspace has."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Sum

from accounts.models import Organization
from billing.ledger.models import Account
from billing.limits.models import CallLease
from billing.usage.models import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Micro-dollars or credits. `held` is reserved for calls that go on; `owed` is above zero where there is debt."""

    allowance: int
    prepaid: int
    owed: int
    held: int
    used: int

    @property
    def total(self) -> int:
        """What is left to spend, or with a minus what is owed."""
        return self.allowance + self.prepaid - self.owed

    @property
    def available(self) -> int:
        """What can still be held."""
        return self.total - self.held


def balance(organization: Organization, unit: Unit = Unit.USD) -> Balance:
    """What a workspace has of `unit`. `used` is everything that was ever charged."""
    accounts = dict(Account.objects.filter(organization=organization, unit=unit).values_list("kind", "balance"))
    held = 0
    if unit == Unit.USD:
        open_leases = CallLease.objects.filter(organization=organization, closed_at=None)
        held = open_leases.aggregate(held=Sum("held"))["held"] or 0
    return Balance(
        allowance=accounts.get(Account.Kind.ALLOWANCE, 0),
        prepaid=accounts.get(Account.Kind.PREPAID, 0),
        owed=-accounts.get(Account.Kind.OWED, 0),
        held=held,
        used=accounts.get(Account.Kind.USAGE, 0),
    )
