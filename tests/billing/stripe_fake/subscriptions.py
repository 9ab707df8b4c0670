"""Subscriptions of the fake Stripe: beginning, changing with proration, renewing, falling behind, ending."""

from __future__ import annotations

from typing import Any

from tests.billing.stripe_fake import state as money
from tests.billing.stripe_fake.errors import StripeError
from tests.billing.stripe_fake.state import DAY, HOUR, RETRIES, Object, State


def begin(state: State, *, customer: str, price: Object, method: str, metadata: Object) -> Object:
    """A subscription whose first invoice is paid at once."""
    end = money.add_month(state.now)
    item = {"current_period_start": state.now, "current_period_end": end, "price": price, "quantity": 1}
    subscription = state.new(
        "subscription",
        "sub",
        customer=customer,
        status="incomplete",
        items={"object": "list", "data": [{"id": f"si_{customer}", "object": "subscription_item", **item}]},
        cancel_at_period_end=False,
        default_payment_method=method,
        latest_invoice=None,
        pending_update=None,
        metadata=metadata,
    )
    state.tell("customer.subscription.created", subscription)
    first = money.line(f"1 x {price['nickname']}", price["unit_amount"], start=state.now, end=end)
    invoice = money.new_invoice(state, subscription, "subscription_create", [first], draft=False)
    if money.pay_invoice(state, invoice, method, off_session=False)["status"] == "succeeded":
        _to(state, subscription, "active")
    return subscription


def change(state: State, subscription: Object, params: dict[str, Any]) -> Object:
    """`POST /v1/subscriptions/<id>`: another price, or whether it ends with its period."""
    if subscription["status"] == "canceled":
        raise StripeError(400, "invalid_request_error", "A canceled subscription can only update its metadata.")
    if "cancel_at_period_end" in params:
        subscription["cancel_at_period_end"] = params["cancel_at_period_end"] == "true"
    if "default_payment_method" in params:
        subscription["default_payment_method"] = params["default_payment_method"]
    if "items" in params:
        _change_price(state, subscription, params)
    state.tell("customer.subscription.updated", subscription)
    return subscription


def _change_price(state: State, subscription: Object, params: dict[str, Any]) -> None:
    new = state.get(params["items"][0]["price"], "price")
    item = _item(subscription, params["items"][0]["id"])
    behaviour = params.get("proration_behavior", "create_prorations")
    if behaviour == "none":
        item["price"] = new
        return
    if behaviour != "always_invoice":
        raise StripeError(400, "invalid_request_error", "The fake knows proration at once, and none.")
    lines = proration_lines(subscription, new, int(params.get("proration_date", state.now)))
    invoice = money.new_invoice(state, subscription, "subscription_update", lines, draft=False)
    card = money.card_of(state, subscription["customer"], subscription)
    paid = money.pay_invoice(state, invoice, card, off_session=False)["status"] == "succeeded"
    if paid:
        item["price"] = new
    elif params.get("payment_behavior") == "pending_if_incomplete":
        subscription["pending_update"] = {
            "expires_at": state.now + 23 * HOUR,
            "subscription_items": [{"id": item["id"], "price": new}],
        }
    else:
        raise StripeError(402, "card_error", "Your card was declined.", code="card_declined")


def proration_lines(subscription: Object, new: Object, at: int) -> list[Object]:
    """What has not been used of the old price comes back, and the rest of the period costs the new one."""
    old = subscription["items"]["data"][0]["price"]
    return [
        _rest(subscription, old, at, f"Unused time on {old['nickname']}", sign=-1),
        _rest(subscription, new, at, f"Remaining time on {new['nickname']}"),
    ]


def _rest(subscription: Object, price: Object, at: int, text: str, *, sign: int = 1) -> Object:
    item = subscription["items"]["data"][0]
    start, end = item["current_period_start"], item["current_period_end"]
    amount = sign * round(price["unit_amount"] * (end - at) / (end - start))
    return money.line(text, amount, start=at, end=end, proration=True)


def preview(state: State, params: dict[str, Any]) -> Object:
    """`POST /v1/invoices/create_preview`: the invoice that a change would make; nothing is kept."""
    subscription = state.get(params["subscription"], "subscription")
    details = params["subscription_details"]
    new = state.get(details["items"][0]["price"], "price")
    _item(subscription, details["items"][0]["id"])
    lines = proration_lines(subscription, new, int(details.get("proration_date", state.now)))
    invoice = {"object": "invoice", "currency": "usd", "lines": {"object": "list", "data": lines, "has_more": False}}
    money.add_up(invoice)
    return invoice


def cancel(state: State, subscription: Object, *, prorate: bool = False) -> Object:
    """End it now; `prorate`: with an invoice that gives back what is left of the month, whether it was paid or not."""
    subscription |= {"status": "canceled", "ended_at": state.now, "cancel_at_period_end": False}
    state.tell("customer.subscription.deleted", subscription)
    if prorate:
        price = subscription["items"]["data"][0]["price"]
        unused = _rest(subscription, price, state.now, f"Unused time on {price['nickname']}", sign=-1)
        invoice = money.new_invoice(state, subscription, "subscription_update", [unused], draft=False)
        money.pay_invoice(state, invoice, "", off_session=True)
    return subscription


def advance(state: State, to: int) -> None:
    """Let time pass, with all that is due on the way."""
    while due := sorted(_due(state, to), key=lambda each: (each[0], each[1])):
        moment, _, act = due[0]
        state.now = max(state.now, moment)
        act()
    state.now = to


def next_due(state: State, until: int) -> int:
    """The moment of the next thing that happens by itself, or `until`."""
    return min((moment for moment, _, _ in _due(state, until)), default=until)


def _due(state: State, to: int) -> list[tuple[int, str, Any]]:
    found: list[tuple[int, str, Any]] = []
    for subscription in state.all("subscription"):
        end = subscription["items"]["data"][0]["current_period_end"]
        if subscription["status"] in ("active", "past_due") and end <= to:
            found.append((end, subscription["id"], lambda which=subscription: _renew(state, which)))
    found += [
        (invoice["next_payment_attempt"], invoice["id"], lambda which=invoice: _attempt(state, which))
        for invoice in state.all("invoice")
        if invoice["next_payment_attempt"] and invoice["next_payment_attempt"] <= to
    ]
    return found


def _renew(state: State, subscription: Object) -> None:
    if subscription["cancel_at_period_end"]:
        cancel(state, subscription)
        return
    item = subscription["items"]["data"][0]
    start, price = item["current_period_end"], item["price"]
    item |= {"current_period_start": start, "current_period_end": money.add_month(start)}
    state.tell("customer.subscription.updated", subscription)
    whole = money.line(f"1 x {price['nickname']}", price["unit_amount"], start=start, end=item["current_period_end"])
    waiting = [
        each
        for each in state.all("invoiceitem")
        if each["invoice"] is None and each["subscription"] == subscription["id"]
    ]
    added = [
        money.line(each["description"], int(each["amount"]), start=start, end=start, item=each) for each in waiting
    ]
    invoice = money.new_invoice(state, subscription, "subscription_cycle", [whole, *added], draft=True)
    for each in waiting:
        each["invoice"] = invoice["id"]
    invoice["next_payment_attempt"] = state.now + HOUR  # until then its lines may change


def _attempt(state: State, invoice: Object) -> None:
    subscription = state.get(invoice["parent"]["subscription_details"]["subscription"], "subscription")
    if subscription["status"] == "canceled":
        invoice["next_payment_attempt"] = None
        return
    if invoice["status"] == "draft":
        money.finalize(state, invoice)
    card = money.card_of(state, subscription["customer"], subscription)
    paid = money.pay_invoice(state, invoice, card, off_session=True)["status"] == "succeeded"
    if paid:
        _to(state, subscription, "active")
    elif invoice["attempt_count"] > RETRIES:
        invoice["next_payment_attempt"] = None
        cancel(state, subscription)
    else:
        invoice["next_payment_attempt"] = state.now + DAY
        _to(state, subscription, "past_due")


def settle_update(state: State, subscription: Object) -> None:
    """A pending change has been paid for after all."""
    for pending in (subscription["pending_update"] or {}).get("subscription_items", []):
        _item(subscription, pending["id"])["price"] = pending["price"]
    subscription["pending_update"] = None
    _to(state, subscription, "active")


def _to(state: State, subscription: Object, status: str) -> None:
    subscription["status"] = status
    state.tell("customer.subscription.updated", subscription)


def _item(subscription: Object, item_id: str) -> Object:
    item: Object = subscription["items"]["data"][0]
    if item["id"] != item_id:
        raise StripeError(400, "invalid_request_error", f"No such subscription item: '{item_id}'")
    return item
