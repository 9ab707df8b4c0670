"""Recharging the prepaid balance by itself, one payment at a time.

Run every minute. A try that was cut short is made again under the same key, so that the money is taken once.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Organization
from billing.ledger.selectors import balance
from billing.payments import gateway as gateways
from billing.payments.gateway import Gateway, GatewayError
from billing.payments.models import AutoRecharge, Payment, PaymentAccount
from billing.payments.settlement import payment_settled
from billing.plans.selectors import entitlements

PAUSE = timedelta(hours=1)
"""After a failure, times the number of failures."""

log = structlog.get_logger(__name__)


def recharges_run() -> int:
    """Recharge what has run low, and go on with what was left unfinished; how many tries were made."""
    gateway = gateways.gateway()
    if gateway is None:
        return 0
    for recharge in AutoRecharge.objects.filter(enabled=True).select_related("organization"):
        if _is_due(recharge):
            recharge_start(organization=recharge.organization)
    unfinished = Payment.objects.filter(kind=Payment.Kind.RECHARGE, status=Payment.Status.STARTED)
    return sum(_try(gateway, payment) for payment in unfinished.select_related("organization"))


@transaction.atomic
def recharge_start(*, organization: Organization) -> Payment | None:
    """Begin a recharge, unless one is under way already. The money is taken outside of the transaction."""
    recharge = AutoRecharge.objects.select_for_update().get(organization=organization)
    if not recharge.enabled:
        return None
    try:
        with transaction.atomic():
            payment = Payment.objects.create(
                organization=organization, kind=Payment.Kind.RECHARGE, amount=recharge.amount
            )
    except IntegrityError:  # another worker was first
        return None
    AutoRecharge.objects.filter(pk=recharge.pk).update(tried_at=timezone.now())
    return payment


def _is_due(recharge: AutoRecharge) -> bool:
    if recharge.tried_at and recharge.failures and timezone.now() < recharge.tried_at + recharge.failures * PAUSE:
        return False
    if balance(recharge.organization).available >= recharge.threshold:
        return False
    return not entitlements(recharge.organization).without_limit


def _try(gateway: Gateway, payment: Payment) -> int:
    account = PaymentAccount.objects.filter(organization=payment.organization).first()
    try:
        if payment.reference:
            attempt = gateway.attempt(payment.reference)
        else:
            attempt = gateway.charge(
                customer_id=account.customer_id if account else "",
                amount=payment.amount,
                payment_id=payment.pk,
                organization_id=payment.organization_id,
            )
    except GatewayError as error:  # the next run asks again
        log.warning("A recharge could not be tried", payment=payment.pk, error=str(error))
        return 0
    payment_settled(payment_id=payment.pk, attempt=attempt)
    return 1
