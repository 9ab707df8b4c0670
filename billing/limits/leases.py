"""A live call's place and money: taken at its start, kept up by its heartbeats, given back at its end.

All of it happens under the ledger's lock of the workspace, so that no two processes give out the same place or money.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from billing.invoices.selectors import overdue
from billing.ledger.services import ledger_lock
from billing.limits.models import CallLease
from billing.limits.pace import pace_take
from billing.limits.room import CallRates, room
from billing.plans.models import Subscription
from billing.plans.selectors import Entitlements, entitlements
from billing.plans.services import subscription_ensure
from core.errors import ApiError, ErrorCode

LEASE = timedelta(seconds=30)
"""What was not renewed for so long counts no more among the calls at once."""
STRETCH_SECONDS = 60
"""Money is held for so many seconds ahead."""
RENEW_SECONDS = 30
"""And for more, when only so many are left."""
LEAST_SECONDS = 10
"""A call that could not be paid for so long does not begin."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """A call is paid for until `seconds` from its start (None: no end in sight), and `grace` more once it was told."""

    seconds: int | None
    grace: int
    reason: str = ""


@transaction.atomic
def call_admit(
    *,
    organization: Organization,
    call_id: str,
    agent_id: str,
    started_at: datetime,
    outbound: bool = False,
    on_platform_number: bool = False,
    campaign_id: str = "",
) -> Cover:
    """Let a call begin: take one of the places, and hold money for its first minute.

    Raises ApiError: quota exceeded (402) where there is no money or an invoice is unpaid; concurrency limited (429)
    where all places are taken; rate limited (429) for outbound calls that follow each other too fast.
    """
    try:
        ledger_lock(organization)
        subscription_ensure(organization=organization)
        plan = entitlements(organization)
        _require_paid(organization, plan)
        _require_place(organization, plan)
        if outbound and plan.outbound_per_second is not None:
            _require_pace(organization, plan.outbound_per_second)
        lease = CallLease(
            call_id=call_id,
            organization=organization,
            plan_version=plan.plan_version,
            agent_id=agent_id,
            campaign_id=campaign_id,
            on_platform_number=on_platform_number,
            started_at=started_at,
            expires_at=timezone.now() + LEASE,
        )
        cover = _cover(lease, plan, started_at)
        if lease.covered_seconds < LEAST_SECONDS:
            raise ApiError(ErrorCode.QUOTA_EXCEEDED, "No money for the call", cover.reason)
    except ApiError as refused:
        log.warning("A call was refused", organization=organization.pk, agent=agent_id, error=str(refused))
        raise
    lease.save(force_insert=True)
    return cover


def leases_renew(*, call_ids: Iterable[str], now: datetime | None = None) -> dict[str, Cover]:
    """Say that calls are alive, and hold money for those that have little left; until when those are now paid for."""
    at = now or timezone.now()
    alive = CallLease.objects.filter(pk__in=list(call_ids), closed_at=None)
    alive.update(expires_at=at + LEASE)
    covers: dict[str, Cover] = {}
    short: dict[str, list[str]] = {}
    for lease in alive.only("call_id", "organization_id", "started_at", "covered_seconds"):
        if lease.covered_seconds < (at - lease.started_at).total_seconds() + RENEW_SECONDS:
            short.setdefault(lease.organization_id, []).append(lease.call_id)
    for organization_id, ids in sorted(short.items()):
        covers |= _extend(organization_id, ids, at)
    return covers


@transaction.atomic
def _extend(organization_id: str, call_ids: list[str], at: datetime) -> dict[str, Cover]:
    organization = Organization.objects.get(pk=organization_id)
    ledger_lock(organization)
    plan = entitlements(organization)
    covers = {}
    open_ones = CallLease.objects.filter(pk__in=call_ids, closed_at=None).order_by("started_at", "pk")
    for lease in open_ones.select_related("organization", "plan_version"):
        covers[lease.call_id] = _cover(lease, plan, at)
        lease.save(update_fields=["covered_seconds", "held"])
    return covers


def _cover(lease: CallLease, plan: Entitlements, at: datetime) -> Cover:
    """Hold money for the next stretch of a call, or as much of it as there is. What is held already stays."""
    rates, limit = CallRates.of(lease), room(lease, plan, at)
    wanted = max(0, int((at - lease.started_at).total_seconds())) + STRETCH_SECONDS
    paid = wanted if limit is None else rates.seconds(limit.left, wanted)
    lease.covered_seconds = max(lease.covered_seconds, paid)
    lease.held = max(lease.held, rates.cost(lease.covered_seconds))
    if limit is None or paid >= wanted:
        return Cover(seconds=None, grace=plan.grace_seconds)
    return Cover(seconds=lease.covered_seconds, grace=plan.grace_seconds, reason=limit.reason)


def lease_close(*, call_id: str, at: datetime) -> CallLease | None:
    """Give the place and the money back, under the ledger's lock; None for a call without a lease."""
    lease = CallLease.objects.select_related("plan_version").filter(pk=call_id).first()
    if lease is not None and lease.closed_at is None:
        lease.held, lease.closed_at = 0, at
        lease.save(update_fields=["held", "closed_at"])
    return lease


def _require_paid(organization: Organization, plan: Entitlements) -> None:
    title = f"The plan {plan.plan_name} is not paid"
    if plan.status == Subscription.Status.UNPAID:
        message = "An invoice is unpaid. Pay it under Billing, then call again."
        raise ApiError(ErrorCode.QUOTA_EXCEEDED, title, message)
    if plan.status == Subscription.Status.CANCELED:
        message = "The subscription has ended. Choose a plan under Billing, then call again."
        raise ApiError(ErrorCode.QUOTA_EXCEEDED, title, message)
    if not plan.metered_only and (late := overdue(organization)):
        raise ApiError(ErrorCode.QUOTA_EXCEEDED, "An invoice is overdue", late.message)


def _require_place(organization: Organization, plan: Entitlements) -> None:
    if plan.concurrent_calls is None:
        return
    alive = CallLease.objects.filter(organization=organization, closed_at=None, expires_at__gt=timezone.now())
    if alive.count() >= plan.concurrent_calls:
        message = (
            f"The plan {plan.plan_name} allows {plan.concurrent_calls} calls at once. Try again when one has ended."
        )
        raise ApiError(ErrorCode.CONCURRENCY_LIMITED, "Too many calls at once", message)


def _require_pace(organization: Organization, per_second: int) -> None:
    wait = pace_take(f"outbound:{organization.pk}", per_second=per_second)
    if wait:
        message = f"The plan allows {per_second} outbound calls per second. Try again in {wait:.1f} s."
        raise ApiError(ErrorCode.RATE_LIMITED, "Too many outbound calls", message)
