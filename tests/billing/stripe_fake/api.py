"""The endpoints of the fake Stripe, and what a person does at its pages."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from typing import Any

from tests.billing.stripe_fake import state as money
from tests.billing.stripe_fake import subscriptions
from tests.billing.stripe_fake.errors import StripeError
from tests.billing.stripe_fake.state import GOOD, Object, State

WEBHOOK_SECRET = "whsec_of_the_fake"
KEY = "sk_test_of_the_fake"

Params = dict[str, Any]
Endpoint = Callable[["Stripe", Params, str], Object]
_ENDPOINTS: list[tuple[str, re.Pattern[str], Endpoint]] = []


def endpoint(method: str, path: str) -> Callable[[Endpoint], Endpoint]:
    def register(function: Endpoint) -> Endpoint:
        _ENDPOINTS.append((method, re.compile(path.replace("ID", r"(\w+)") + r"\Z"), function))
        return function

    return register


class Stripe:
    """One account. `url` is where it is served."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.state = State()
        self.requests: list[tuple[str, str]] = []
        self.outages: list[int] = []
        """Status codes with which the next requests fail, whatever they ask for."""
        self._answers: dict[str, tuple[str, Object | StripeError]] = {}
        self._told = 0

    # --- the API

    def answer(self, method: str, path: str, params: Params, headers: dict[str, str]) -> tuple[Object, dict[str, str]]:
        """The answer to a request and its headers. Raises StripeError."""
        self.requests.append((method, path))
        if self.outages:
            raise StripeError(self.outages.pop(0), "api_error", "Something went wrong at Stripe.")
        if headers.get("authorization") != f"Bearer {KEY}":
            raise StripeError(401, "invalid_request_error", "Invalid API Key provided.")
        key = headers.get("idempotency-key", "") if method == "POST" else ""
        asked = json.dumps([path, params], sort_keys=True)
        if key in self._answers:
            before, known = self._answers[key]
            if before != asked:
                raise StripeError(400, "idempotency_error", "Keys for idempotent requests can only be used once.")
            if isinstance(known, StripeError):
                raise known
            return known, {"Idempotent-Replayed": "true"}
        answer: Object | StripeError
        try:
            answer = self._dispatch(method, path, params)
        except StripeError as error:
            answer = error
        if key:
            self._answers[key] = (asked, answer)
        if isinstance(answer, StripeError):
            raise answer
        return answer, {}

    def _dispatch(self, method: str, path: str, params: Params) -> Object:
        for allowed, pattern, function in _ENDPOINTS:
            if method == allowed and (match := pattern.match(path)):
                # As on the wire: later changes do not reach an answer that was given.
                copy: Object = json.loads(json.dumps(function(self, params, *match.groups() or ("",))))
                return copy
        raise StripeError(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")

    # --- what people do

    def pay_checkout(self, session_id: str, card: str = GOOD) -> Object:
        """Somebody fills in the page of a checkout session; with a bad card the session stays open."""
        session = self.state.get(session_id, "checkout.session")
        customer = session["customer"]
        if session["mode"] == "subscription":
            made = subscriptions.begin(
                self.state, customer=customer, price=session["_price"], method=card, metadata=session["_data"]
            )
            paid = made["status"] == "active"
            session["subscription"] = made["id"] if paid else None
        else:
            amount = session["amount_total"]
            intent = money.new_intent(self.state, customer=customer, amount=amount, metadata=session["_data"])
            money.confirm(self.state, intent, card, off_session=False)
            session["payment_intent"] = intent["id"]
            paid = intent["status"] == "succeeded"
        if paid:
            self.state.get(customer, "customer")["_cards"].insert(0, card)
            session |= {"status": "complete", "payment_status": "paid"}
            self.state.tell("checkout.session.completed", session)
        return session

    def use_card(self, customer: str, card: str) -> None:
        """Somebody chooses a card in the portal."""
        self.state.get(customer, "customer")["invoice_settings"]["default_payment_method"] = card
        for subscription in self.state.all("subscription"):
            if subscription["customer"] == customer:
                subscription["default_payment_method"] = card

    def pay_invoice(self, invoice_id: str, card: str = GOOD) -> None:
        """Somebody pays an open invoice at its page, with the authentication that a bank may want."""
        invoice = self.state.get(invoice_id, "invoice")
        money.pay_invoice(self.state, invoice, card, off_session=False)
        subscription = self.state.get(invoice["parent"]["subscription_details"]["subscription"], "subscription")
        if invoice["status"] == "paid":
            subscriptions.settle_update(self.state, subscription)

    def advance(self, seconds: int) -> None:
        subscriptions.advance(self.state, self.state.now + seconds)

    def advance_a_step(self, until: int) -> None:
        """To the next thing that happens by itself, which then happens, or to `until`."""
        subscriptions.advance(self.state, max(self.state.now, subscriptions.next_due(self.state, until)))

    # --- webhooks

    def new_events(self) -> list[Object]:
        """Those that have happened since this was last asked."""
        fresh = self.state.events[self._told :]
        self._told = len(self.state.events)
        return fresh

    def signed(self, event: Object, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> tuple[bytes, str]:
        """The body of a webhook and its `Stripe-Signature`."""
        body = json.dumps(event).encode()
        moment = int(time.time() if at is None else at)
        signature = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
        return body, f"t={moment},v1={signature}"


# --- customers, prices ------------------------------------------------------------------------------------------------


@endpoint("POST", "/v1/customers")
def create_customer(stripe: Stripe, params: Params, _: str) -> Object:
    return stripe.state.new(
        "customer", "cus", invoice_settings={"default_payment_method": None}, balance=0, _cards=[], **params
    )


@endpoint("POST", "/v1/customers/ID")
def update_customer(stripe: Stripe, params: Params, customer: str) -> Object:
    found = stripe.state.get(customer, "customer")
    found["invoice_settings"] |= params.pop("invoice_settings", {})
    found.update(params)
    return found


@endpoint("GET", "/v1/customers/ID")
def get_customer(stripe: Stripe, params: Params, customer: str) -> Object:
    return _expanded(stripe.state.get(customer, "customer"), params)


@endpoint("GET", "/v1/customers/ID/payment_methods")
def list_payment_methods(stripe: Stripe, params: Params, customer: str) -> Object:
    cards = stripe.state.get(customer, "customer")["_cards"][: int(params.get("limit", 10))]
    return {"object": "list", "url": "/v1/payment_methods", "has_more": False, "data": [_card(card) for card in cards]}


@endpoint("GET", "/v1/payment_methods/ID")
def get_payment_method(stripe: Stripe, params: Params, method: str) -> Object:
    return _card(method)


@endpoint("GET", "/v1/prices")
def list_prices(stripe: Stripe, params: Params, _: str) -> Object:
    wanted = params.get("lookup_keys", [])
    found = [price for price in stripe.state.all("price") if price["lookup_key"] in wanted]
    return {"object": "list", "url": "/v1/prices", "has_more": False, "data": found}


@endpoint("POST", "/v1/prices")
def create_price(stripe: Stripe, params: Params, _: str) -> Object:
    if any(price["lookup_key"] == params["lookup_key"] for price in stripe.state.all("price")):
        raise StripeError(400, "invalid_request_error", "A price already uses that lookup key.", param="lookup_key")
    name = params.pop("product_data")["name"]
    amount = int(params.pop("unit_amount"))
    product = stripe.state.new("product", "prod", name=name)
    return stripe.state.new("price", "price", unit_amount=amount, product=product["id"], **{"nickname": name, **params})


# --- checkout, portal -------------------------------------------------------------------------------------------------


@endpoint("POST", "/v1/checkout/sessions")
def create_session(stripe: Stripe, params: Params, _: str) -> Object:
    state = stripe.state
    state.get(params["customer"], "customer")
    item = params["line_items"][0]
    price = state.get(item["price"], "price") if "price" in item else {"unit_amount": item["price_data"]["unit_amount"]}
    data = params.get("subscription_data") or params.get("payment_intent_data") or {}
    session = state.new(
        "checkout.session",
        "cs",
        mode=params["mode"],
        customer=params["customer"],
        amount_total=int(price["unit_amount"]),
        currency="usd",
        status="open",
        payment_status="unpaid",
        subscription=None,
        payment_intent=None,
        metadata=params.get("metadata", {}),
        success_url=params["success_url"],
        cancel_url=params["cancel_url"],
        _price=price,
        _data=data.get("metadata", {}),
    )
    session["url"] = f"{stripe.url}/pay/{session['id']}"
    return session


@endpoint("GET", "/v1/checkout/sessions/ID")
def get_session(stripe: Stripe, params: Params, session: str) -> Object:
    return stripe.state.get(session, "checkout.session")


@endpoint("POST", "/v1/billing_portal/sessions")
def create_portal_session(stripe: Stripe, params: Params, _: str) -> Object:
    stripe.state.get(params["customer"], "customer")
    made = stripe.state.new("billing_portal.session", "bps", **params)
    made["url"] = f"{stripe.url}/portal/{made['id']}"
    return made


# --- subscriptions, invoices, payments --------------------------------------------------------------------------------


@endpoint("GET", "/v1/subscriptions/ID")
def get_subscription(stripe: Stripe, params: Params, subscription: str) -> Object:
    found = dict(stripe.state.get(subscription, "subscription"))
    if "latest_invoice" in params.get("expand", []) and found["latest_invoice"]:
        found["latest_invoice"] = stripe.state.get(found["latest_invoice"], "invoice")
    return found


@endpoint("POST", "/v1/subscriptions/ID")
def update_subscription(stripe: Stripe, params: Params, subscription: str) -> Object:
    subscriptions.change(stripe.state, stripe.state.get(subscription, "subscription"), params)
    return get_subscription(stripe, params, subscription)


@endpoint("DELETE", "/v1/subscriptions/ID")
def cancel_subscription(stripe: Stripe, params: Params, subscription: str) -> Object:
    found = stripe.state.get(subscription, "subscription")
    return subscriptions.cancel(stripe.state, found, prorate=params.get("prorate") == "true")


@endpoint("POST", "/v1/invoices/create_preview")
def preview_invoice(stripe: Stripe, params: Params, _: str) -> Object:
    return subscriptions.preview(stripe.state, params)


@endpoint("GET", "/v1/invoices/ID")
def get_invoice(stripe: Stripe, params: Params, invoice: str) -> Object:
    return stripe.state.get(invoice, "invoice")


@endpoint("POST", "/v1/invoiceitems")
def create_invoice_item(stripe: Stripe, params: Params, _: str) -> Object:
    if "invoice" not in params:  # it waits for the subscription's next invoice
        return stripe.state.new("invoiceitem", "ii", invoice=None, **params)
    invoice = stripe.state.get(params["invoice"], "invoice")
    if invoice["status"] != "draft":
        raise StripeError(400, "invalid_request_error", "This invoice is no longer editable.")
    item = stripe.state.new("invoiceitem", "ii", **params)
    start, end = invoice["period_start"], invoice["period_end"]
    added = money.line(item["description"], int(item["amount"]), start=start, end=end, item=item)
    invoice["lines"]["data"].append(added)
    money.add_up(invoice)
    return item


@endpoint("POST", "/v1/payment_intents")
def create_payment_intent(stripe: Stripe, params: Params, _: str) -> Object:
    state = stripe.state
    amount, metadata = int(params["amount"]), params.get("metadata", {})
    intent = money.new_intent(state, customer=params["customer"], amount=amount, metadata=metadata)
    if params.get("confirm") == "true":
        money.confirm(state, intent, params["payment_method"], off_session=params.get("off_session") == "true")
        if error := intent["last_payment_error"]:
            raise StripeError(402, "card_error", error["message"], code=error["code"], payment_intent=intent)
    return intent


@endpoint("GET", "/v1/payment_intents/ID")
def get_payment_intent(stripe: Stripe, params: Params, intent: str) -> Object:
    return stripe.state.get(intent, "payment_intent")


def _expanded(customer: Object, params: Params) -> Object:
    method = customer["invoice_settings"]["default_payment_method"]
    if method and "invoice_settings.default_payment_method" in params.get("expand", []):
        return {**customer, "invoice_settings": {"default_payment_method": _card(method)}}
    return customer


def _card(method: str) -> Object:
    card = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030}
    return {"id": method, "object": "payment_method", "type": "card", "card": card}
