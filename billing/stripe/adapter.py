"""Stripe's API as a `billing.payments.gateway.Gateway`, by the official library.

Facts: docs.stripe.com/api in the version that the library pins (`stripe.api_version`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import stripe
from django.conf import settings
from django.utils import timezone

from billing.payments.gateway import (
    CENT,
    Attempt,
    Card,
    Customer,
    GatewayError,
    Item,
    Occasion,
    Offer,
    Outcome,
    Preview,
    RemoteInvoice,
    RemoteStatus,
    RemoteSubscription,
    cents,
)

SECONDS = 15
"""What one request may take; the library repeats one that failed on the way."""
RETRIES = 2
CURRENCY = "usd"

_STATUS = {
    "incomplete": RemoteStatus.PENDING,
    "trialing": RemoteStatus.ACTIVE,
    "active": RemoteStatus.ACTIVE,
    "past_due": RemoteStatus.PAST_DUE,
    "unpaid": RemoteStatus.PAST_DUE,
    "paused": RemoteStatus.PAST_DUE,
    "canceled": RemoteStatus.ENDED,
    "incomplete_expired": RemoteStatus.ENDED,
}
_OCCASION = {
    "subscription_create": Occasion.START,
    "subscription_update": Occasion.CHANGE,
    "subscription_cycle": Occasion.RENEWAL,
}
_OUTCOME = {
    "succeeded": Outcome.SUCCEEDED,
    "processing": Outcome.PENDING,
    "requires_action": Outcome.ACTION_REQUIRED,
    "requires_confirmation": Outcome.ACTION_REQUIRED,
}


class StripeGateway:
    """One Stripe account, named by the settings STRIPE_SECRET_KEY and STRIPE_API_BASE."""

    id = "stripe"
    name = "Stripe"

    def __init__(self) -> None:
        self._api = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses={"api": settings.STRIPE_API_BASE or stripe.DEFAULT_API_BASE},
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=SECONDS),
        ).v1

    def customer(self, customer: Customer) -> str:
        known: Any = {"name": customer.name, "email": customer.email}
        with _words():
            if customer.id:
                return self._api.customers.update(customer.id, params=known).id
            known["metadata"] = {"organization": customer.organization_id}
            made = self._api.customers.create(params=known, options=_once(f"customer-{customer.organization_id}"))
            return made.id

    # --- pages

    def subscribe(self, *, customer_id: str, organization_id: str, offer: Offer, back: str) -> str:
        return self._checkout(
            back,
            mode="subscription",
            customer=customer_id,
            client_reference_id=organization_id,
            line_items=[{"price": self._price(offer), "quantity": 1}],
            subscription_data={"metadata": {"organization": organization_id}},
        )

    def top_up(self, *, customer_id: str, payment_id: str, organization_id: str, amount: int, back: str) -> str:
        metadata = {"organization": organization_id, "payment": payment_id}
        price = {"currency": CURRENCY, "unit_amount": cents(amount), "product_data": {"name": "Prepaid balance"}}
        return self._checkout(
            back,
            mode="payment",
            customer=customer_id,
            client_reference_id=organization_id,
            line_items=[{"price_data": price, "quantity": 1}],
            # The card is kept, so that the balance can be recharged later.
            payment_intent_data={"metadata": metadata, "setup_future_usage": "off_session"},
            metadata=metadata,
        )

    def portal(self, *, customer_id: str, back: str) -> str:
        with _words():
            return self._api.billing_portal.sessions.create(params={"customer": customer_id, "return_url": back}).url

    def _checkout(self, back: str, **params: Any) -> str:
        with _words():
            asked: Any = {**params, "success_url": back, "cancel_url": back}
            made = self._api.checkout.sessions.create(params=asked)
        if not made.url:
            raise GatewayError("Stripe made no page to pay on. Try again.")
        return made.url

    # --- subscriptions

    def subscription(self, subscription_id: str) -> RemoteSubscription:
        with _words():
            return _remote(self._api.subscriptions.retrieve(subscription_id, params={"expand": ["latest_invoice"]}))

    def invoice(self, invoice_id: str) -> RemoteInvoice:
        with _words():
            invoice = self._api.invoices.retrieve(invoice_id)
        details = invoice.parent.subscription_details if invoice.parent else None
        return RemoteInvoice(
            id=invoice_id,
            subscription_id=_id(details.subscription) if details else "",
            occasion=_OCCASION.get(invoice.billing_reason or "", Occasion.OTHER),
            draft=invoice.status == "draft",
            paid=invoice.status == "paid",
            total=invoice.total * CENT,
            items=_items(invoice),
            pay_url=(invoice.hosted_invoice_url or "") if invoice.status == "open" else "",
        )

    def preview(self, *, subscription_id: str, offer: Offer) -> Preview:
        at = timezone.now().replace(microsecond=0)
        with _words():
            invoice = self._api.invoices.create_preview(
                params={
                    "subscription": subscription_id,
                    "subscription_details": {
                        "items": [{"id": self._item(subscription_id), "price": self._price(offer)}],
                        "proration_behavior": "always_invoice",
                        "proration_date": int(at.timestamp()),
                    },
                }
            )
        return Preview(items=_items(invoice), due_now=invoice.amount_due * CENT, at=at)

    def upgrade(self, *, subscription_id: str, offer: Offer, at: datetime, key: str) -> RemoteSubscription:
        item = self._item(subscription_id)
        with _words():
            changed = self._api.subscriptions.update(
                subscription_id,
                params={
                    "items": [{"id": item, "price": self._price(offer)}],
                    "proration_behavior": "always_invoice",
                    "proration_date": int(at.timestamp()),
                    "payment_behavior": "pending_if_incomplete",
                    "expand": ["latest_invoice"],
                },
                options=_once(f"upgrade-{key}"),
            )
            return _remote(changed)

    def renew_with(self, *, subscription_id: str, offer: Offer | None) -> RemoteSubscription:
        params: Any = {"cancel_at_period_end": offer is None, "expand": ["latest_invoice"]}
        if offer is not None:
            # The new price counts from the next invoice: what has been paid for stays as it is.
            params["items"] = [{"id": self._item(subscription_id), "price": self._price(offer)}]
            params["proration_behavior"] = "none"
        with _words():
            return _remote(self._api.subscriptions.update(subscription_id, params=params))

    def end(self, subscription_id: str) -> None:
        status = self.subscription(subscription_id).status
        if status is RemoteStatus.ENDED:
            return
        # Stripe would credit a month that was not paid as well.
        paid = status is RemoteStatus.ACTIVE
        with _words():
            self._api.subscriptions.cancel(subscription_id, params={"prorate": paid, "invoice_now": paid})

    def add_to_invoice(self, *, subscription_id: str, invoice_id: str, amount: int, text: str, key: str) -> str:
        with _words():
            invoice = self._api.invoices.retrieve(invoice_id)
            item: Any = {
                "customer": _id(invoice.customer),
                "amount": cents(amount),
                "currency": CURRENCY,
                "description": text,
            }
            # One that is no longer a draft takes nothing more: the subscription's next one does.
            draft = invoice.status == "draft"
            item |= {"invoice": invoice_id} if draft else {"subscription": subscription_id}
            made = self._api.invoice_items.create(params=item, options=_once(f"item-{key}"))
        return invoice_id if draft else made.id

    def _item(self, subscription_id: str) -> str:
        with _words():
            found: str = self._api.subscriptions.retrieve(subscription_id)["items"].data[0].id
        return found

    def _price(self, offer: Offer) -> str:
        """The id of Stripe's price for an offer, which is made when it is first asked for."""
        key = f"callwright-{offer.id}"
        with _words():
            if found := self._api.prices.list(params={"lookup_keys": [key]}).data:
                return found[0].id
            return self._api.prices.create(
                params={
                    "lookup_key": key,
                    "unit_amount": cents(offer.price),
                    "currency": CURRENCY,
                    "recurring": {"interval": "month"},
                    "product_data": {"name": offer.name},
                    "metadata": {"offer": offer.id},
                },
                options=_once(f"price-{offer.id}"),
            ).id

    # --- charges

    def charge(self, *, customer_id: str, amount: int, payment_id: str, organization_id: str) -> Attempt:
        method = self._card_id(customer_id)
        if not method:
            return Attempt(outcome=Outcome.FAILED, reference="", reason="There is no stored card.")
        try:
            with _words():
                intent = self._api.payment_intents.create(
                    params={
                        "amount": cents(amount),
                        "currency": CURRENCY,
                        "customer": customer_id,
                        "payment_method": method,
                        "off_session": True,
                        "confirm": True,
                        "metadata": {"organization": organization_id, "payment": payment_id},
                    },
                    options=_once(f"charge-{payment_id}"),
                )
        except CardRefused as refused:
            return refused.attempt
        return _attempt(intent)

    def attempt(self, reference: str) -> Attempt:
        with _words():
            return _attempt(self._api.payment_intents.retrieve(reference))

    def card(self, customer_id: str) -> Card | None:
        method = self._card_id(customer_id)
        if not method:
            return None
        with _words():
            found = self._api.payment_methods.retrieve(method)
        if found.card is None:
            return Card(brand=found.type.replace("_", " "), last4="", expires="")
        return Card(
            brand=found.card.brand,
            last4=found.card.last4,
            expires=f"{found.card.exp_month:02}/{found.card.exp_year % 100:02}",
        )

    def _card_id(self, customer_id: str) -> str:
        """The method that the customer prefers, or else the newest; "" when there is none."""
        with _words():
            customer = self._api.customers.retrieve(customer_id)
            preferred = customer.invoice_settings and customer.invoice_settings.default_payment_method
            if preferred:
                return _id(preferred)
            methods = self._api.customers.payment_methods.list(customer_id, params={"limit": 1}).data
        return methods[0].id if methods else ""


class CardRefused(GatewayError):
    """The bank said no; `attempt` tells how."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__(attempt.reason)
        self.attempt = attempt


@contextmanager
def _words() -> Iterator[None]:
    """Stripe's errors as ours."""
    try:
        yield
    except stripe.CardError as error:
        outcome = Outcome.ACTION_REQUIRED if error.code == "authentication_required" else Outcome.FAILED
        intent = getattr(error.error, "payment_intent", None)
        reference = intent["id"] if intent else ""
        reason = error.user_message or "The card was refused."
        raise CardRefused(Attempt(outcome=outcome, reference=reference, reason=reason)) from error
    except stripe.AuthenticationError as error:
        raise GatewayError("Stripe does not accept the key of this installation (STRIPE_SECRET_KEY).") from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise GatewayError("Stripe could not be reached. Nothing was charged; try again in a minute.") from error
    except stripe.StripeError as error:
        raise GatewayError(f"Stripe refused: {error.user_message or error}") from error


def _once(key: str) -> stripe.RequestOptions:
    return {"idempotency_key": f"callwright-{key}"}


def _id(thing: Any) -> str:
    """The id of what Stripe gives as an id or, expanded, as a whole."""
    return thing if isinstance(thing, str) else str(thing.id)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _remote(subscription: stripe.Subscription) -> RemoteSubscription:
    item = subscription["items"].data[0]
    latest = subscription.latest_invoice
    open_invoice = latest if isinstance(latest, stripe.Invoice) and latest.status == "open" else None
    return RemoteSubscription(
        id=subscription.id,
        customer_id=_id(subscription.customer),
        organization_id=_metadata(subscription).get("organization", ""),
        offer_id=_metadata(item.price).get("offer", ""),
        status=_STATUS.get(subscription.status, RemoteStatus.PAST_DUE),
        period_start=_moment(item.current_period_start),
        period_end=_moment(item.current_period_end),
        ends_with_period=subscription.cancel_at_period_end,
        pay_url=(open_invoice.hosted_invoice_url or "") if open_invoice else "",
    )


def _metadata(thing: Any) -> dict[str, str]:
    return dict(thing.metadata.to_dict()) if thing.metadata else {}


def _items(invoice: stripe.Invoice) -> tuple[Item, ...]:
    return tuple(
        Item(text=line.description or "", amount=line.amount * CENT, id=_added(line)) for line in invoice.lines.data
    )


def _added(line: stripe.InvoiceLineItem) -> str:
    """The id of the item that a line was made of, "" where it is the subscription's."""
    details = line.parent.invoice_item_details if line.parent else None
    return details.invoice_item if details else ""


def _attempt(intent: stripe.PaymentIntent) -> Attempt:
    error = intent.last_payment_error
    return Attempt(
        outcome=_OUTCOME.get(intent.status, Outcome.FAILED),
        reference=intent.id,
        reason=(error.message or "") if error else "",
    )
