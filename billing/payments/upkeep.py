"""What has to be done about payments as time passes."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from billing.ledger.services import ledger_lock
from billing.payments import gateway as gateways
from billing.payments import mails
from billing.payments.gateway import GatewayError
from billing.payments.models import PaymentAccount
from billing.payments.plans import offer
from billing.payments.settlement import subscription_synced
from billing.plans.models import PlanVersion, Subscription
from billing.plans.selectors import current_version
from billing.plans.services import subscription_ensure, subscription_status

BEFORE_RENEWAL = timedelta(days=2)

log = structlog.get_logger(__name__)


def grace_end() -> int:
    """Stop the calls of those who are behind for longer than the grace; how many these are."""
    limit = timezone.now() - timedelta(days=settings.BILLING_GRACE_DAYS)
    late = PaymentAccount.objects.filter(past_due_since__lte=limit).values_list("pk", flat=True)
    return sum(_stop(pk) for pk in list(late))


@transaction.atomic
def _stop(account_id: int) -> bool:
    account = PaymentAccount.objects.select_related("organization").get(pk=account_id)
    ledger_lock(account.organization)
    account.refresh_from_db()
    if account.past_due_since is None:  # paid meanwhile
        return False
    stopped = subscription_status(organization=account.organization, status=Subscription.Status.UNPAID)
    if stopped:
        mails.calls_stopped(account.organization, account)
    return stopped


def offers_align() -> int:
    """Let subscriptions that renew soon do so at the price that the plan has by then; how many that changed."""
    gateway = gateways.gateway()
    if gateway is None:
        return 0
    changed = 0
    soon = timezone.now() + BEFORE_RENEWAL
    for account in PaymentAccount.objects.exclude(subscription_id="").select_related("organization"):
        subscription = subscription_ensure(organization=account.organization)
        then = _renews_with(subscription)
        if subscription.period_end > soon or not then.price or then.pk == account.offer_id:
            continue
        asked_at = timezone.now()
        try:
            remote = gateway.renew_with(subscription_id=account.subscription_id, offer=offer(then))
        except GatewayError as error:
            log.warning("A subscription keeps its old price", organization=account.organization_id, error=str(error))
            continue
        subscription_synced(remote=remote, asked_at=asked_at)
        changed += 1
    return changed


def _renews_with(subscription: Subscription) -> PlanVersion:
    return current_version(subscription.next_plan_id or subscription.plan_version.plan_id, subscription.period_end)
