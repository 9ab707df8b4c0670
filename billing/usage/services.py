"""Recording, rating and charging of usage: three steps, each of which may be repeated without harm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services import audit
from billing.ledger.services import ledger_lock, post
from billing.limits.spending import spend_add
from billing.plans.models import PlanVersion
from billing.plans.services import subscription_ensure
from billing.selectors import PriceHistory
from billing.usage.models import Charge, Unit, UsageEvent
from billing.usage.paying import Payer
from billing.usage.rating import Rate, rate_of

Kind = Charge.Kind

# What was recorded so long ago and has no charge was forgotten; what is older than the other was seen to long since.
UNCHARGED_AFTER = timedelta(minutes=1)
CHARGED_WITHIN = timedelta(days=3)
CHARGED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that was used, as it is reported. Fields are those of `UsageEvent`; recording adds the terms."""

    key: str
    meter: str
    quantity: int
    occurred_at: datetime
    own_key: bool = False
    capability: str = ""
    call_id: str = ""
    agent_id: str = ""
    version_id: str = ""
    campaign_id: str = ""
    number: str = ""
    direction: str = ""
    vendor: str = ""
    model: str = ""
    voice: str = ""
    api_key: str = ""


_FIELDS = tuple(field.name for field in fields(Fact))


@transaction.atomic
def usage_record(
    *, organization: Organization, facts: Iterable[Fact], plan_version: PlanVersion | None = None
) -> list[UsageEvent]:
    """Write down what was used, and nothing more; the stored facts, also those that were known already.

    Facts of nothing (quantity 0) are left out. `plan_version`: the terms; those that hold now, where none are given.
    """
    wanted = {fact.key: fact for fact in facts if fact.quantity > 0}
    if not wanted:
        return []
    terms = plan_version or subscription_ensure(organization=organization).plan_version
    rows = [
        UsageEvent(organization=organization, plan_version=terms, **{name: getattr(fact, name) for name in _FIELDS})
        for fact in wanted.values()
    ]
    UsageEvent.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    stored = list(UsageEvent.objects.filter(organization=organization, key__in=list(wanted)))
    for event in stored:
        if event.plan_version_id == terms.pk:
            event.plan_version = terms  # at hand: a join would make one for each
    return stored


@transaction.atomic
def usage_charge(*, organization: Organization, events: Sequence[UsageEvent]) -> list[Charge]:
    """Rate facts and take what they cost from the workspace's accounts. Those that are charged already stay so."""
    ledger_lock(organization)
    known = set(Charge.objects.filter(event__in=events).values_list("event_id", flat=True))
    prices = PriceHistory(organization)
    charges = []
    for event in events:
        if event.pk not in known:
            rate = rate_of(event, prices)
            charges.append(_charge(event, 0, Kind.RATING, rate, rate.amount(event.quantity)))
    _store(organization, charges)
    return charges


@transaction.atomic
def usage_rerate(
    *,
    organization: Organization,
    events: Sequence[UsageEvent],
    reason: str,
    terms: PlanVersion | None = None,
    actor: User | None = None,
) -> list[Charge]:
    """Charge or give back what the rates that hold now for that time make of facts, other than was charged.

    `terms` replaces the plan's version of the facts. Where a fact was refunded, no more is given back than it cost.
    """
    ledger_lock(organization)
    prices = PriceHistory(organization)
    before = _charged(events)
    charges = []
    for event in events:
        sums = before.get(event.pk)
        if sums is None:
            continue
        rate = rate_of(event, prices, terms)
        change = rate.amount(event.quantity) - sums.rated
        if change == 0 and rate.id == sums.rate_id:
            continue
        number = sums.count
        if (short := -(sums.rated + change + sums.refunded)) > 0:
            charges.append(_charge(event, number, Kind.REFUND, rate, short, "More was refunded than it costs now."))
            number += 1
        charges.append(_charge(event, number, Kind.CORRECTION, rate, change, reason))
    _store(organization, charges)
    if charges and actor is not None:
        rerated = {"facts": ("", len(charges)), "reason": ("", reason)}
        audit(organization=organization, actor=actor, action="usage.rerated", changes=rerated)
    return charges


@transaction.atomic
def usage_refund(
    *, organization: Organization, event: UsageEvent, amount: int | None, reason: str, actor: User | None = None
) -> int:
    """Give back `amount` of what a fact cost, or all of it; how much that was. Never more than it still costs."""
    ledger_lock(organization)
    sums = _charged([event]).get(event.pk)
    if sums is None:
        return 0
    left = sums.rated + sums.refunded
    given = left if amount is None else min(amount, left)
    if given <= 0:
        return 0
    rate = Rate(id=sums.rate_id, unit=sums.unit, rate=sums.rate, per=sums.per)
    _store(organization, [_charge(event, sums.count, Kind.REFUND, rate, -given, reason)])
    if actor is not None:
        refunded = {"amount": ("", given), "reason": ("", reason)}
        audit(organization=organization, actor=actor, action="usage.refunded", target=event.call_id, changes=refunded)
    return given


def usage_overdue() -> list[UsageEvent]:
    """Facts of the last days that were recorded and not charged: somebody died in between."""
    now = timezone.now()
    recent = UsageEvent.objects.filter(recorded_at__gt=now - CHARGED_WITHIN, recorded_at__lt=now - UNCHARGED_AFTER)
    uncharged = recent.filter(~Exists(Charge.objects.filter(event=OuterRef("pk"))))
    return list(uncharged.select_related("plan_version", "organization")[:CHARGED_AT_ONCE])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """What was charged for a fact so far, by the newest rate."""

    rated: int
    refunded: int
    count: int
    unit: Unit
    rate_id: str
    rate: int
    per: int


def _charged(events: Sequence[UsageEvent]) -> dict[int, _Sums]:
    found: dict[int, list[Charge]] = defaultdict(list)
    for charge in Charge.objects.filter(event__in=events).order_by("number"):
        found[charge.event_id].append(charge)
    sums = {}
    for event_id, charges in found.items():
        newest = next(charge for charge in reversed(charges) if charge.kind != Kind.REFUND)
        refunded = sum(charge.amount for charge in charges if charge.kind == Kind.REFUND)
        sums[event_id] = _Sums(
            rated=sum(charge.amount for charge in charges) - refunded,
            refunded=refunded,
            count=len(charges),
            unit=Unit(newest.unit),
            rate_id=newest.rate_id,
            rate=newest.rate,
            per=newest.per,
        )
    return sums


def _charge(event: UsageEvent, number: int, kind: Kind, rate: Rate, amount: int, reason: str = "") -> Charge:
    return Charge(
        organization_id=event.organization_id,
        event=event,
        number=number,
        kind=kind,
        unit=rate.unit,
        rate_id=rate.id,
        rate=rate.rate,
        per=rate.per,
        amount=amount,
        reason=reason[:200],
    )


def _store(organization: Organization, charges: Sequence[Charge]) -> None:
    """Write charges down, move what they come to, and count it for the budgets."""
    Charge.objects.bulk_create(charges, batch_size=500)
    post(organization, Payer(organization).movements(charges))
    spend_add(organization, charges)
