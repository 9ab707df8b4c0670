"""What changes plans and subscriptions. Each is one transaction with its audit entry."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services import audit
from billing.invoices.services import period_close
from billing.ledger.models import Account, Transfer
from billing.ledger.services import Movement, account, ledger_lock, post
from billing.plans.catalogue import PLANS
from billing.plans.models import Plan, PlanVersion, Subscription
from billing.plans.selectors import current_version
from billing.usage.models import Unit

# Long before anything: what is there from the start has always been so.
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

log = structlog.get_logger(__name__)


@transaction.atomic
def plans_seed() -> None:
    """Add the plans of the catalogue that are not there yet. What an administrator has changed stays."""
    for position, (plan_id, (name, first)) in enumerate(PLANS.items()):
        plan, created = Plan.objects.get_or_create(pk=plan_id, defaults={"name": name, "position": position})
        if created:
            PlanVersion.objects.create(plan=plan, number=1, effective_from=BEGINNING, **first)


@transaction.atomic
def plan_version_create(*, plan: Plan, actor: User, effective_from: datetime, values: Mapping[str, Any]) -> PlanVersion:
    """What `plan` costs and allows from `effective_from` on. `values` are fields of PlanVersion; others stay as now.

    Subscriptions go over to it when their next period begins.
    """
    Plan.objects.select_for_update().get(pk=plan.pk)
    last: PlanVersion = plan.versions.latest("number")
    fields = {name: getattr(last, name) for name in VALUES} | dict(values)
    return PlanVersion.objects.create(
        plan=plan, number=last.number + 1, effective_from=effective_from, created_by=actor, **fields
    )


VALUES = (
    "price",
    "credits",
    "agent_budget",
    "concurrent_calls",
    "agent_slots",
    "number_slots",
    "members",
    "outbound_per_second",
    "agent_minute",
    "telephony_minute",
    "entitlements",
    "metered_only",
)
"""The fields of a plan's version that an administrator sets."""


@transaction.atomic
def subscription_ensure(*, organization: Organization) -> Subscription:
    """The workspace's subscription, with its plan; the default plan begins when it is first needed."""
    found = Subscription.objects.select_related("plan_version__plan", "next_plan")
    if (known := found.filter(organization=organization).first()) is not None:
        return known
    ledger_lock(organization)
    if (known := found.filter(organization=organization).first()) is not None:
        return known
    start = timezone.now()
    subscription = Subscription.objects.create(
        organization=organization,
        plan_version=current_version(settings.DEFAULT_PLAN, start),
        period_start=start,
        period_end=month_after(start),
    )
    _grant(subscription, Fraction(1))
    return subscription


@transaction.atomic
def subscription_change(
    *, organization: Organization, plan: Plan, actor: User | None, at_period_end: bool = False
) -> Subscription:
    """Go over to `plan`: now, or when the period is over.

    Now: the period stays as it is, and the budgets change by the part of the month that is left of the difference; what
    is spent already stays spent. Money for it changes hands elsewhere (`billing.payments`).
    """
    ledger_lock(organization)
    subscription = subscription_ensure(organization=organization)
    before, now = subscription.plan_version, timezone.now()
    if at_period_end:
        subscription.next_plan = None if plan.pk == before.plan_id else plan
        subscription.save(update_fields=["next_plan"])
    else:
        subscription.plan_version = current_version(plan.pk, now)
        subscription.next_plan = None
        subscription.save(update_fields=["plan_version", "next_plan"])
        _regrant(subscription, before, remaining(subscription, now), now)
    changed = {"plan": (before.plan_id, plan.pk), "when": ("", "period_end" if at_period_end else "now")}
    audit(organization=organization, actor=actor, action="plan.changed", target=subscription.pk, changes=changed)
    return subscription


@transaction.atomic
def subscription_begin(
    *, organization: Organization, version: PlanVersion, start: datetime, end: datetime
) -> Subscription:
    """Begin a month of `version` that was paid for. What is left of the budgets before it expires."""
    ledger_lock(organization)
    subscription = subscription_ensure(organization=organization)
    before = subscription.plan_version
    # Keys of their own: a month of another plan may have begun at the very same moment.
    key = f"{subscription.pk}:{version.pk}:{start.isoformat()}"
    _expire(subscription, key=f"replaced:{key}")
    subscription.plan_version, subscription.next_plan = version, None
    subscription.period_start, subscription.period_end = start, end
    subscription.status = Subscription.Status.ACTIVE
    subscription.save(update_fields=["plan_version", "next_plan", "period_start", "period_end", "status"])
    _grant(subscription, Fraction(1), key=f"begun:{key}")
    changed = {"plan": (before.plan_id, version.plan_id), "when": ("", "now")}
    audit(organization=organization, actor=None, action="plan.changed", target=subscription.pk, changes=changed)
    return subscription


@transaction.atomic
def subscription_status(*, organization: Organization, status: Subscription.Status) -> bool:
    """Whether its payments are as they should be. Paid again, it has its month's budgets. False: it is so already."""
    ledger_lock(organization)
    subscription = subscription_ensure(organization=organization)
    before, subscription.status = Subscription.Status(subscription.status), status
    if before == status:
        return False
    subscription.save(update_fields=["status"])
    if before == Subscription.Status.UNPAID and status == Subscription.Status.ACTIVE:
        _grant(subscription, Fraction(1))  # a month that was granted already is not granted again
    changed = {"status": (before.value, status.value)}
    audit(organization=organization, actor=None, action="plan.status", target=subscription.pk, changes=changed)
    return True


@transaction.atomic
def subscription_settings(
    *, organization: Organization, actor: User, overage: bool, grace_seconds: int
) -> Subscription:
    """Whether usage may go on when the budget is spent, and how long a call may last beyond its money."""
    subscription = subscription_ensure(organization=organization)
    changes = {
        "overage": (subscription.overage, overage),
        "grace_seconds": (subscription.grace_seconds, grace_seconds),
    }
    subscription.overage, subscription.grace_seconds = overage, grace_seconds
    subscription.save(update_fields=["overage", "grace_seconds"])
    changed = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    if changed:
        audit(organization=organization, actor=actor, action="plan.settings", target=subscription.pk, changes=changed)
    return subscription


def periods_roll(*, at: datetime | None = None) -> int:
    """Begin the next month of every subscription whose month is over, each by itself; how many that were."""
    now = at or timezone.now()
    due = Subscription.objects.filter(period_end__lte=now).exclude(status=Subscription.Status.CANCELED)
    return sum(period_roll(subscription_id=pk, at=now) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def period_roll(*, subscription_id: str, at: datetime) -> bool:
    """What is left of the month's budgets expires, and those of the new one are granted. False where it is not due."""
    organization = Organization.objects.get(subscription=subscription_id)
    ledger_lock(organization)
    subscription = Subscription.objects.select_related("plan_version", "next_plan").get(pk=subscription_id)
    if subscription.period_end > at:
        return False
    _expire(subscription)
    over = subscription.period_start
    while subscription.period_end <= at:
        subscription.period_start = subscription.period_end
        subscription.period_end = month_after(subscription.period_start)
    plan_id = subscription.next_plan_id or subscription.plan_version.plan_id
    subscription.plan_version = current_version(plan_id, subscription.period_start)
    subscription.next_plan = None
    subscription.save(update_fields=["plan_version", "next_plan", "period_start", "period_end"])
    period_close(
        organization=organization,
        period=(over, subscription.period_start),
        version=subscription.plan_version,
        at=subscription.period_start,
    )
    if subscription.status in (Subscription.Status.ACTIVE, Subscription.Status.PAST_DUE):
        _grant(subscription, Fraction(1))
    return True


def month_after(start: datetime) -> datetime:
    """The same day of the next month, or its last one."""
    year, month = start.year + start.month // 12, start.month % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))


def remaining(subscription: Subscription, at: datetime) -> Fraction:
    """Which part of the period is still to come, to the second."""
    whole = int((subscription.period_end - subscription.period_start).total_seconds())
    left = int((subscription.period_end - at).total_seconds())
    return Fraction(min(whole, max(0, left)), whole)


def prorated(amount: int, part: Fraction) -> int:
    """`part` of `amount`, rounded half up."""
    return int(amount * part + Fraction(1, 2))


def _budgets(version: PlanVersion) -> dict[Unit, int]:
    """What a month of it grants; nothing where there is no limit."""
    return {Unit.USD: version.agent_budget or 0, Unit.CREDIT: version.credits or 0}


def _grant(subscription: Subscription, part: Fraction, *, key: str = "") -> None:
    organization, key = subscription.organization, key or f"grant:{_period(subscription)}"
    for unit, amount in _budgets(subscription.plan_version).items():
        if granted := prorated(amount, part):
            _move(organization, unit, Transfer.Kind.GRANT, granted, f"{key}:{unit}")


def _expire(subscription: Subscription, *, key: str = "") -> None:
    organization, key = subscription.organization, key or f"expiry:{_period(subscription)}"
    for unit in Unit:
        left = account(organization, Account.Kind.ALLOWANCE, unit).balance
        if left:
            _move(organization, unit, Transfer.Kind.EXPIRY, -left, f"{key}:{unit}")


def _regrant(subscription: Subscription, before: PlanVersion, part: Fraction, at: datetime) -> None:
    """The budgets of the new plan instead of the old one's, for the `part` of the month that is left."""
    organization, old = subscription.organization, _budgets(before)
    for unit, amount in _budgets(subscription.plan_version).items():
        change = prorated(amount, part) - prorated(old[unit], part)
        change = max(change, -account(organization, Account.Kind.ALLOWANCE, unit).balance)
        if change:
            key = f"change:{_period(subscription)}:{at.isoformat()}:{unit}"
            _move(organization, unit, Transfer.Kind.GRANT if change > 0 else Transfer.Kind.EXPIRY, change, key)


def _period(subscription: Subscription) -> str:
    return f"{subscription.pk}:{subscription.period_start.isoformat()}"


def _move(organization: Organization, unit: Unit, kind: Transfer.Kind, amount: int, key: str) -> None:
    """`amount` into the monthly budget, or out of it where it is negative."""
    allowance = account(organization, Account.Kind.ALLOWANCE, unit)
    outside = account(organization, Account.Kind.OUTSIDE, unit)
    debit, credit = (outside, allowance) if amount > 0 else (allowance, outside)
    post(organization, [Movement(kind=kind, debit=debit, credit=credit, amount=abs(amount), key=key)])
