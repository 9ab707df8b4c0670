"""What the fake Stripe remembers, and how money moves in it."""

from __future__ import annotations

import calendar
import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.billing.stripe_fake.errors import StripeError

Object = dict[str, Any]

GOOD = "pm_card_visa"
DECLINED = "pm_card_chargeDeclined"
NEEDS_3DS = "pm_card_authenticationRequired"
HOUR = 3600
DAY = 24 * HOUR
RETRIES = 3
"""So often a renewal is tried again, a day apart, before the subscription is cancelled."""


def add_month(moment: int) -> int:
    """The same day of the next month, or its last one."""
    then = datetime.fromtimestamp(moment, UTC)
    year, month = (then.year + 1, 1) if then.month == 12 else (then.year, then.month + 1)
    day = min(then.day, calendar.monthrange(year, month)[1])
    return int(then.replace(year=year, month=month, day=day).timestamp())


@dataclass
class State:
    """Every object by its id, the events so far, and the time."""

    now: int = field(default_factory=lambda: int(time.time()))
    objects: dict[str, Object] = field(default_factory=dict)
    events: list[Object] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def new(self, kind: str, prefix: str, /, **fields: Any) -> Object:
        made = {"id": f"{prefix}_{next(self._numbers):06}", "object": kind, "created": self.now, **fields}
        self.objects[made["id"]] = made
        return made

    def get(self, identifier: str, kind: str) -> Object:
        found = self.objects.get(identifier)
        if found is None or found["object"] != kind:
            raise StripeError(404, "invalid_request_error", f"No such {kind}: '{identifier}'", code="resource_missing")
        return found

    def all(self, kind: str) -> list[Object]:
        return [each for each in self.objects.values() if each["object"] == kind]

    def tell(self, event_type: str, thing: Object) -> None:
        """Note an event, with the object as it is at this moment."""
        event = {"type": event_type, "data": {"object": _copy(thing)}, "api_version": "2026-10-28.endive"}
        self.events.append(self.new("event", "evt", livemode=False, **event))


def _copy(thing: Any) -> Any:
    if isinstance(thing, dict):
        return {key: _copy(value) for key, value in thing.items()}
    return [_copy(each) for each in thing] if isinstance(thing, list) else thing


# --- payments ---------------------------------------------------------------------------------------------------------


def confirm(state: State, intent: Object, method: str, *, off_session: bool) -> None:
    """Try to take the money of `intent` from a card. Off session nobody is there to authenticate."""
    intent["payment_method"] = method
    if method == DECLINED:
        fail(state, intent, "card_declined", "Your card was declined.", decline="generic_decline")
    elif method == NEEDS_3DS and off_session:
        fail(state, intent, "authentication_required", "Your card requires authentication.")
    elif method == NEEDS_3DS:
        intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk"}}
        state.tell("payment_intent.requires_action", intent)
    else:
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
        intent["next_action"] = None
        state.tell("payment_intent.succeeded", intent)


def fail(state: State, intent: Object, code: str, message: str, decline: str = "") -> None:
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {"code": code, "message": message, "decline_code": decline or code}
    state.tell("payment_intent.payment_failed", intent)


def new_intent(state: State, *, customer: str, amount: int, metadata: Object) -> Object:
    return state.new(
        "payment_intent",
        "pi",
        customer=customer,
        amount=amount,
        amount_received=0,
        currency="usd",
        status="requires_confirmation",
        payment_method=None,
        last_payment_error=None,
        next_action=None,
        metadata=metadata,
    )


def card_of(state: State, customer: str, subscription: Object | None = None) -> str:
    """The card that is charged when nobody is asked; "" when there is none."""
    own = subscription["default_payment_method"] if subscription else None
    default = state.get(customer, "customer")["invoice_settings"]["default_payment_method"]
    return str(own or default or "")


# --- invoices ---------------------------------------------------------------------------------------------------------


def line(
    description: str, amount: int, *, start: int, end: int, proration: bool = False, item: Object | None = None
) -> Object:
    """A line of the subscription, or of an invoice item that was added."""
    added = {"invoice_item": item["id"], "proration": False, "subscription": item.get("subscription")} if item else None
    return {
        "object": "line_item",
        "description": description,
        "amount": amount,
        "currency": "usd",
        "period": {"start": start, "end": end},
        "parent": {
            "type": "invoice_item_details" if item else "subscription_item_details",
            "invoice_item_details": added,
            "subscription_item_details": None if item else {"proration": proration},
        },
    }


def new_invoice(state: State, subscription: Object, reason: str, lines: list[Object], *, draft: bool) -> Object:
    invoice = state.new(
        "invoice",
        "in",
        customer=subscription["customer"],
        status="draft",
        billing_reason=reason,
        currency="usd",
        lines={"object": "list", "data": lines, "has_more": False},
        amount_paid=0,
        attempt_count=0,
        next_payment_attempt=None,
        hosted_invoice_url=None,
        period_start=subscription["items"]["data"][0]["current_period_start"],
        period_end=subscription["items"]["data"][0]["current_period_end"],
        parent={"type": "subscription_details", "subscription_details": {"subscription": subscription["id"]}},
        metadata={},
    )
    add_up(invoice)
    subscription["latest_invoice"] = invoice["id"]
    state.tell("invoice.created", invoice)
    if not draft:
        finalize(state, invoice)
    return invoice


def add_up(invoice: Object) -> None:
    total = sum(each["amount"] for each in invoice["lines"]["data"])
    invoice |= {"total": total, "amount_due": max(0, total)}


def finalize(state: State, invoice: Object) -> None:
    """What is due is fixed. A credit (a balance below zero) pays first, and an invoice below zero is one."""
    customer = state.get(invoice["customer"], "customer")
    due = invoice["total"] + customer["balance"]
    customer["balance"] = min(0, due)
    invoice["amount_due"] = max(0, due)
    invoice |= {"status": "open", "hosted_invoice_url": f"https://invoice.example/{invoice['id']}"}
    state.tell("invoice.finalized", invoice)


def pay_invoice(state: State, invoice: Object, method: str, *, off_session: bool) -> Object:
    """Try to take what is due; the payment intent says how it went."""
    intent = new_intent(state, customer=invoice["customer"], amount=invoice["amount_due"], metadata={})
    invoice["attempt_count"] += 1
    if not invoice["amount_due"]:
        intent["status"] = "succeeded"
    elif method:
        confirm(state, intent, method, off_session=off_session)
    else:
        fail(state, intent, "missing_payment_method", "There is no payment method.")
    if intent["status"] == "succeeded":
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "next_payment_attempt": None}
        state.tell("invoice.paid", invoice)
    elif intent["status"] == "requires_action" or (intent["last_payment_error"] or {}).get("code") == (
        "authentication_required"
    ):
        state.tell("invoice.payment_action_required", invoice)
        state.tell("invoice.payment_failed", invoice)
    else:
        state.tell("invoice.payment_failed", invoice)
    return intent
