"""What one call was charged, as the ledger has it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Max, Sum

from accounts.models import Organization
from billing.usage.meters import AGENT_SECONDS, METERS, TELEPHONY_SECONDS
from billing.usage.models import Charge, Unit

PLATFORM = (AGENT_SECONDS, TELEPHONY_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLine:
    """A charge of the platform's own. `rate` and `amount` are micro-dollars; the rate is for `per` seconds."""

    label: str
    seconds: int
    rate: int
    per: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCharges:
    """All that a call was charged, in micro-dollars: `platform` line by line, and what its providers came to."""

    platform: tuple[PlatformLine, ...]
    providers: int

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.platform) + self.providers


def call_charges(organization: Organization, call_id: str) -> CallCharges:
    """With corrections and refunds. A call that goes on, or was never answered, has none."""
    charges = Charge.objects.filter(event__call_id=call_id, organization=organization, unit=Unit.USD)
    own = charges.filter(event__meter__in=PLATFORM).order_by("event__meter").values("event__meter", "event__quantity")
    lines = [
        PlatformLine(
            label=METERS[row["event__meter"]].label,
            seconds=row["event__quantity"],
            rate=row["newest"],
            per=row["per"],
            amount=row["sum"],
        )
        for row in own.annotate(sum=Sum("amount"), newest=Max("rate"), per=Max("per"))
    ]
    others = charges.exclude(event__meter__in=PLATFORM).aggregate(sum=Sum("amount"))
    return CallCharges(platform=tuple(lines), providers=others["sum"] or 0)
