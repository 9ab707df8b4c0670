"""How much a call may still cost: by the plan's money, and by budgets with a hard stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db.models import Sum

from billing.ledger.selectors import balance
from billing.limits.models import Budget, CallLease, SpendDay
from billing.plans.selectors import Entitlements
from billing.usage.models import Unit
from billing.usage.rating import MINUTE, Rate
from core.money import format_micro

Scope = Budget.Scope

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """`left` micro-dollars for a call from its start on, what is held for it included; `reason` says what limits it."""

    left: int
    reason: str


def room(lease: CallLease, plan: Entitlements, now: datetime) -> Room | None:
    """The narrowest of what limits a call; None: nothing does. Under the ledger's lock."""
    return min(_rooms(lease, plan, now), key=lambda found: found.left, default=None)


def _rooms(lease: CallLease, plan: Entitlements, now: datetime) -> Iterator[Room]:
    if not (plan.without_limit or plan.overage):
        available = balance(lease.organization).available
        reason = (
            f"The money for calls of the plan {plan.plan_name} is used up. Top up, allow overage, or change the plan."
        )
        yield Room(left=available + lease.held, reason=reason)
    for budget in Budget.objects.filter(organization=lease.organization, hard_stop=True):
        if not applies(budget, agent_id=lease.agent_id, campaign_id=lease.campaign_id):
            continue
        left = budget.limit
        if budget.scope != Scope.CALL:
            left -= spent(budget, now) + _held_by_others(lease, budget)
        yield Room(left=left, reason=_used_up(budget))


def _used_up(budget: Budget) -> str:
    limit = format_micro(budget.limit)
    if budget.scope == Scope.CALL:
        return f"The budget {budget.name} gives each call {limit}. Raise it for longer calls."
    return f"The budget {budget.name} of {limit} is used up. Raise it, or wait for its next day or month."


def applies(budget: Budget, *, agent_id: str, campaign_id: str) -> bool:
    """Does a call of this agent, in this campaign, count for it?"""
    match budget.scope:
        case Scope.AGENT:
            return budget.target == agent_id
        case Scope.CAMPAIGN:
            return budget.target == campaign_id
        case _:
            return True


def window_start(budget: Budget, now: datetime) -> date:
    """The first UTC day that counts."""
    today = now.astimezone(UTC).date()
    match budget.window:
        case Budget.Window.DAY:
            return today
        case Budget.Window.MONTH:
            return today.replace(day=1)
        case _:
            return EPOCH


def spent(budget: Budget, now: datetime) -> int:
    """What was charged in the budget's window, in micro-dollars."""
    days = SpendDay.objects.filter(
        organization=budget.organization_id,
        scope=budget.scope,
        target=budget.target,
        day__gte=window_start(budget, now),
    )
    return days.aggregate(sum=Sum("amount"))["sum"] or 0


def _held_by_others(lease: CallLease, budget: Budget) -> int:
    others = CallLease.objects.filter(organization=lease.organization, closed_at=None).exclude(pk=lease.pk)
    if budget.scope == Scope.AGENT:
        others = others.filter(agent_id=budget.target)
    elif budget.scope == Scope.CAMPAIGN:
        others = others.filter(campaign_id=budget.target)
    return others.aggregate(held=Sum("held"))["held"] or 0


@dataclass(frozen=True, slots=True)
class CallRates:
    """What a call costs for its seconds: each meter is rounded for itself, as it will be charged."""

    rates: tuple[Rate, ...]

    @classmethod
    def of(cls, lease: CallLease) -> CallRates:
        terms = lease.plan_version
        minutes = [terms.agent_minute, *([terms.telephony_minute] if lease.on_platform_number else [])]
        return cls(tuple(Rate(id="", unit=Unit.USD, rate=minute, per=MINUTE) for minute in minutes))

    def cost(self, seconds: int) -> int:
        """Micro-dollars."""
        return sum(rate.amount(seconds) for rate in self.rates)

    def seconds(self, money: int, most: int) -> int:
        """How many whole seconds `money` pays for, at most `most`."""
        if money <= 0:
            return 0
        a_minute = sum(rate.rate for rate in self.rates)
        seconds = min(most, (money + len(self.rates)) * MINUTE // a_minute) if a_minute else most
        while self.cost(seconds) > money:
            seconds -= 1
        return seconds
