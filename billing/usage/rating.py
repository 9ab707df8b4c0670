"""What a fact costs. Pure: the same fact, terms and prices always give the same rate.

The one rounding rule: an amount is quantity x rate / per, rounded half up, once for each fact. A call makes one fact
for each meter, of the seconds that it has begun: a call of 0.2 s lasts 1 s, one of 60.001 s lasts 61 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from billing.plans.models import PlanVersion
from billing.selectors import PriceBook, PriceHistory
from billing.units import INSTEAD, MILLION
from billing.usage.meters import AGENT_SECONDS, METERS
from billing.usage.models import Unit, UsageEvent

MINUTE = 60
CREDITS = "credits:2026-08"
"""Names the fixed credit rates of `billing.usage.meters`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`rate` of `unit` is charged for `per` of what the meter counts. `id` says where that stands; "" is no price."""

    id: str
    unit: Unit
    rate: int
    per: int

    def amount(self, quantity: int) -> int:
        """Rounded half up."""
        return (2 * quantity * self.rate + self.per) // (2 * self.per)


def seconds_begun(duration: timedelta) -> int:
    """The whole seconds that a call is charged for: those that it has begun."""
    return -(-max(duration, timedelta(0)) // timedelta(seconds=1))


def rate_of(event: UsageEvent, prices: PriceHistory, terms: PlanVersion | None = None) -> Rate:
    """The rate of a fact under its own terms, or under others. Raises KeyError for an unknown meter."""
    meter = METERS[event.meter]
    if meter.basis == "credits":
        return Rate(id=CREDITS, unit=Unit.CREDIT, rate=meter.rate, per=meter.per)
    if meter.basis == "plan":
        name = "agent_minute" if meter.id == AGENT_SECONDS else "telephony_minute"
        version = terms or event.plan_version
        return Rate(id=f"{version.pk}:{name}", unit=Unit.USD, rate=getattr(version, name), per=MINUTE)
    return _price(event, prices.at(event.occurred_at))


def _price(event: UsageEvent, prices: PriceBook) -> Rate:
    unit, scale = ("stt_second", 1000) if event.meter == "stt_ms" else (event.meter, 1)
    for wanted in filter(None, (unit, INSTEAD.get(unit))):
        if (found := prices.find(event.vendor, event.model, wanted)) is not None:
            return Rate(id=found.id, unit=Unit.USD, rate=found.micro_per_million, per=MILLION * scale)
    return NO_PRICE


NO_PRICE = Rate(id="", unit=Unit.USD, rate=0, per=1)
