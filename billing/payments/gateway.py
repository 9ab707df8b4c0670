"""What a payment service must do for us. `billing/stripe/README.md` tells how to add another.

Money is micro-dollars here; a gateway rounds to its cents. Every method may raise `GatewayError`, whose text is for
people. Methods that move money take a `key`: asked twice with the same one, it is moved once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

CENT = 10_000
"""Micro-dollars."""


class GatewayError(Exception):
    """The payment service refused, or was not reached; `str()` says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan as a gateway sells it: `id` is that of a version of the plan, `price` is micro-dollars a month."""

    id: str
    name: str
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who pays. `id` is the gateway's, "" when it does not know them yet."""

    id: str
    organization_id: str
    name: str
    email: str


class RemoteStatus(StrEnum):
    """How a subscription is doing at the gateway."""

    PENDING = "pending"
    """Its first payment has not arrived."""
    ACTIVE = "active"
    PAST_DUE = "past_due"
    """A payment failed and will be tried again."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSubscription:
    """A subscription as the gateway has it now. `offer_id` is the offer that it renews with."""

    id: str
    customer_id: str
    organization_id: str
    offer_id: str
    status: RemoteStatus
    period_start: datetime
    period_end: datetime
    ends_with_period: bool
    pay_url: str
    """Where an open invoice can be paid; "" when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of an invoice or of a preview of one. `id`: what `add_to_invoice` gave for it, "" of every other line."""

    text: str
    amount: int
    id: str = ""


class Occasion(StrEnum):
    """What an invoice of the gateway is for."""

    START = "start"
    CHANGE = "change"
    RENEWAL = "renewal"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteInvoice:
    """An invoice of the gateway for a subscription, as it is now."""

    id: str
    subscription_id: str
    occasion: Occasion
    draft: bool
    paid: bool
    total: int
    items: tuple[Item, ...]
    pay_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a change of plan costs at once. `at` fixes the moment for which that was reckoned, for the change itself."""

    items: tuple[Item, ...]
    due_now: int
    at: datetime


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    PENDING = "pending"
    """The bank takes its time; a webhook will tell."""
    FAILED = "failed"
    ACTION_REQUIRED = "action_required"
    """The bank wants to hear from the person themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt to take money went. `reference` is the gateway's id of the payment; `reason` is for people."""

    outcome: Outcome
    reference: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    brand: str
    last4: str
    expires: str


class Gateway(Protocol):
    """A payment service."""

    id: str
    name: str

    def customer(self, customer: Customer) -> str:
        """The id of `customer` at the gateway, which gets to know them, or their new name and address."""
        ...

    def subscribe(self, *, customer_id: str, organization_id: str, offer: Offer, back: str) -> str:
        """The address of a page on which somebody subscribes to `offer`. They come back to `back`."""
        ...

    def top_up(self, *, customer_id: str, payment_id: str, organization_id: str, amount: int, back: str) -> str:
        """The address of a page on which somebody pays `amount` once."""
        ...

    def portal(self, *, customer_id: str, back: str) -> str:
        """The address of a page with cards and receipts."""
        ...

    def subscription(self, subscription_id: str) -> RemoteSubscription:
        """As it is now."""
        ...

    def invoice(self, invoice_id: str) -> RemoteInvoice:
        """As it is now."""
        ...

    def preview(self, *, subscription_id: str, offer: Offer) -> Preview:
        """What changing to `offer` at once would cost."""
        ...

    def upgrade(self, *, subscription_id: str, offer: Offer, at: datetime, key: str) -> RemoteSubscription:
        """Change to `offer` at once, and charge the difference as it was previewed for `at`.

        The change waits when the payment does: the offer is then still the old one, and `pay_url` is set.
        """
        ...

    def renew_with(self, *, subscription_id: str, offer: Offer | None) -> RemoteSubscription:
        """Go on with `offer` from the next period; None: end with this one. Nothing is charged or paid back."""
        ...

    def end(self, subscription_id: str) -> None:
        """End it at once, and credit what is left of a month that was paid. Ended twice is ended."""
        ...

    def add_to_invoice(self, *, subscription_id: str, invoice_id: str, amount: int, text: str, key: str) -> str:
        """Charge `amount` more with an invoice that the gateway is about to send, or with the one after it.

        Gives what it is paid with: `invoice_id`, or the id of the `Item` that the next one will have.
        """
        ...

    def charge(self, *, customer_id: str, amount: int, payment_id: str, organization_id: str) -> Attempt:
        """Take `amount` from the stored card while nobody is there. A refusal is an `Attempt`, not an error."""
        ...

    def attempt(self, reference: str) -> Attempt:
        """How a payment is doing now."""
        ...

    def card(self, customer_id: str) -> Card | None:
        """The stored card that is charged."""
        ...


def gateway() -> Gateway | None:
    """The payment service of this installation, or None: payments are then noted by an administrator."""
    if not settings.PAYMENT_GATEWAY:
        return None
    made: Gateway = import_string(settings.PAYMENT_GATEWAY)()
    return made


def cents(micro: int) -> int:
    """Rounded half up."""
    return (micro + CENT // 2) // CENT
