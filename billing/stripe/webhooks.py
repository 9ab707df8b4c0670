"""Stripe's messages: verified, stored once, and taken as a hint to ask for the present state.

What the message itself says may be old; only the ids in it are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import stripe
import structlog
from django.conf import settings
from django.utils import timezone

from billing.payments import settlement
from billing.payments.gateway import CENT, Occasion, RemoteInvoice
from billing.payments.models import WebhookEvent
from billing.stripe.adapter import CURRENCY, StripeGateway
from core.errors import ApiError, ErrorCode

TOLERANCE = 300
"""Seconds that a message may be old: an overheard one cannot be sent again later."""

log = structlog.get_logger(__name__)


def receive(body: bytes, signature: str) -> None:
    """Handle a message. Raises ApiError for one that Stripe did not sign; it sends again what fails otherwise."""
    try:
        event = stripe.Webhook.construct_event(body, signature, settings.STRIPE_WEBHOOK_SECRET, TOLERANCE)
    except (ValueError, stripe.SignatureVerificationError) as error:
        message = "It is not signed with STRIPE_WEBHOOK_SECRET, or it is too old."
        raise ApiError(ErrorCode.INVALID_REQUEST, "Not from Stripe", message) from error
    stored, _ = WebhookEvent.objects.get_or_create(pk=event.id, defaults={"kind": event.type})
    if stored.handled_at is not None:
        return
    handler = _HANDLERS.get(event.type)
    if handler is not None:
        handler(StripeGateway(), event.data.object)
    # Two at the same time may both get here: what they did is done once all the same.
    WebhookEvent.objects.filter(pk=stored.pk).update(handled_at=timezone.now())


def _subscription(gateway: StripeGateway, thing: Any) -> None:
    _sync(gateway, thing.id)


def _sync(gateway: StripeGateway, subscription_id: str, *, ended: str = "") -> None:
    asked_at = timezone.now()
    remote = gateway.subscription(subscription_id)
    if first := settlement.subscription_synced(remote=remote, asked_at=asked_at, ended=ended):
        log.warning("A second subscription takes the place of the first", old=first, new=subscription_id)
        gateway.end(first)
        # Asked anew, so that what others have heard of the first before its end is old from now on.
        _sync(gateway, subscription_id, ended=first)


def _invoice(gateway: StripeGateway, thing: Any) -> None:
    remote = gateway.invoice(thing.id)
    if not remote.subscription_id:
        return
    _sync(gateway, remote.subscription_id)
    if remote.occasion is Occasion.RENEWAL:
        _add_usage(gateway, remote)
    settlement.invoice_settled(remote=remote)


def _add_usage(gateway: StripeGateway, remote: RemoteInvoice) -> None:
    """What was used beyond the budget is paid with the renewal; with the next one, where this one is sent already.

    Our invoice is paid with the same.
    """
    invoice = settlement.renewal_invoice(remote)
    if invoice is None or invoice.reference:
        return
    reference = remote.id
    if (amount := settlement.beyond_budget(invoice)) > 0:
        reference = gateway.add_to_invoice(
            subscription_id=remote.subscription_id,
            invoice_id=remote.id,
            amount=amount,
            text=f"Usage beyond the budget, invoice {invoice.label}",
            key=invoice.pk,
        )
    settlement.invoice_reference(invoice=invoice, reference=reference)


def _checkout(gateway: StripeGateway, thing: Any) -> None:
    if thing.mode == "subscription" and thing.subscription:
        _sync(gateway, thing.subscription)
    elif thing.payment_intent and (payment_id := _payment_id(thing)):
        settlement.payment_settled(payment_id=payment_id, attempt=gateway.attempt(thing.payment_intent))


def _payment(gateway: StripeGateway, thing: Any) -> None:
    if payment_id := _payment_id(thing):
        settlement.payment_settled(payment_id=payment_id, attempt=gateway.attempt(thing.id))


def _refund(gateway: StripeGateway, thing: Any) -> None:
    if not thing.payment_intent or thing.currency != CURRENCY:
        return
    if payment_id := _payment_id(thing):  # it may be told before the payment itself
        settlement.payment_settled(payment_id=payment_id, attempt=gateway.attempt(thing.payment_intent))
    settlement.payment_refunded(reference=thing.payment_intent, refunded=thing.amount_refunded * CENT)


def _payment_id(thing: Any) -> str:
    return str(thing.metadata.to_dict().get("payment", "")) if thing.metadata else ""


_HANDLERS: dict[str, Callable[[StripeGateway, Any], None]] = {
    "checkout.session.completed": _checkout,
    "checkout.session.async_payment_succeeded": _checkout,
    "customer.subscription.created": _subscription,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription,
    "customer.subscription.pending_update_applied": _subscription,
    "customer.subscription.pending_update_expired": _subscription,
    "invoice.created": _invoice,
    "invoice.paid": _invoice,
    "invoice.payment_failed": _invoice,
    "invoice.payment_action_required": _invoice,
    "payment_intent.succeeded": _payment,
    "payment_intent.payment_failed": _payment,
    "charge.refunded": _refund,
}
EVENTS = tuple(_HANDLERS)
"""What the endpoint should be sent."""
