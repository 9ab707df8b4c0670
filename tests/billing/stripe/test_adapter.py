"""What Stripe is asked for, and what its answers mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from billing.payments.gateway import Customer, GatewayError, Offer, Outcome, RemoteStatus, RemoteSubscription
from billing.stripe.adapter import StripeGateway
from core.money import DOLLAR
from tests.billing.stripe_fake import Stripe
from tests.billing.stripe_fake.state import DAY, DECLINED, GOOD, NEEDS_3DS

BACK = "https://agents.example.org/billing/"
ACME = Customer(id="", organization_id="org_1", name="Acme", email="owner@example.org")
PRO = Offer(id="pro-1", name="Pro", price=5 * DOLLAR)
STARTUP = Offer(id="startup-1", name="Startup", price=49 * DOLLAR)


def session_id(url: str) -> str:
    return url.rpartition("/")[2]


def subscribed(stripe: Stripe, gateway: StripeGateway, offer: Offer = PRO, card: str = GOOD) -> RemoteSubscription:
    customer = gateway.customer(ACME)
    url = gateway.subscribe(customer_id=customer, organization_id="org_1", offer=offer, back=BACK)
    stripe.pay_checkout(session_id(url), card)
    return gateway.subscription(stripe.state.all("subscription")[-1]["id"])


def at_the_fakes_time(stripe: Stripe) -> datetime:
    return datetime.fromtimestamp(stripe.state.now, UTC)


def change_at(stripe: Stripe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the adapter's clock be the fake's."""
    monkeypatch.setattr("billing.stripe.adapter.timezone.now", lambda: at_the_fakes_time(stripe))


def test_a_customer_is_made_once_and_then_kept_up_to_date(stripe: Stripe, gateway: StripeGateway) -> None:
    first = gateway.customer(ACME)
    assert gateway.customer(ACME) == first  # asked twice before the first answer was stored
    renamed = Customer(id=first, organization_id="org_1", name="Acme Ltd", email="bills@example.org")
    assert gateway.customer(renamed) == first
    assert [each["name"] for each in stripe.state.all("customer")] == ["Acme Ltd"]


def test_somebody_subscribes_on_stripes_page(stripe: Stripe, gateway: StripeGateway) -> None:
    remote = subscribed(stripe, gateway)
    assert (remote.organization_id, remote.offer_id, remote.status) == ("org_1", "pro-1", RemoteStatus.ACTIVE)
    assert remote.period_start == at_the_fakes_time(stripe)
    assert not remote.ends_with_period
    assert stripe.state.all("invoice")[0]["amount_paid"] == 500


def test_a_price_is_made_once_for_all_who_subscribe(stripe: Stripe, gateway: StripeGateway) -> None:
    for _ in range(2):
        subscribed(stripe, gateway)
    assert [price["lookup_key"] for price in stripe.state.all("price")] == ["callwright-pro-1"]


def test_an_upgrade_costs_what_its_preview_said(
    stripe: Stripe, gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = subscribed(stripe, gateway)
    stripe.advance(10 * DAY)
    change_at(stripe, monkeypatch)
    preview = gateway.preview(subscription_id=remote.id, offer=STARTUP)
    assert [item.text for item in preview.items] == ["Unused time on Pro", "Remaining time on Startup"]
    assert sum(item.amount for item in preview.items) == preview.due_now > 0
    stripe.advance(60)  # the person reads before they agree
    changed = gateway.upgrade(subscription_id=remote.id, offer=STARTUP, at=preview.at, key="once")
    assert changed.offer_id == "startup-1"
    assert stripe.state.all("invoice")[-1]["amount_paid"] * 10_000 == preview.due_now


def test_an_upgrade_that_the_bank_wants_to_ask_about_waits(
    stripe: Stripe, gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = subscribed(stripe, gateway)
    stripe.use_card(remote.customer_id, NEEDS_3DS)
    change_at(stripe, monkeypatch)
    at = at_the_fakes_time(stripe)
    waiting = gateway.upgrade(subscription_id=remote.id, offer=STARTUP, at=at, key="once")
    assert waiting.offer_id == "pro-1"
    assert waiting.pay_url
    stripe.pay_invoice(stripe.state.all("invoice")[-1]["id"])
    after = gateway.subscription(remote.id)
    assert (after.offer_id, after.pay_url) == ("startup-1", "")


def test_a_downgrade_charges_nothing_and_renews_cheaper(stripe: Stripe, gateway: StripeGateway) -> None:
    remote = subscribed(stripe, gateway, STARTUP)
    changed = gateway.renew_with(subscription_id=remote.id, offer=PRO)
    assert (changed.offer_id, changed.period_end) == ("pro-1", remote.period_end)
    assert len(stripe.state.all("invoice")) == 1
    stripe.advance(35 * DAY)
    assert [each["amount_paid"] for each in stripe.state.all("invoice")] == [4900, 500]


def test_a_subscription_ends_with_its_period_unless_one_thinks_better_of_it(
    stripe: Stripe, gateway: StripeGateway
) -> None:
    remote = subscribed(stripe, gateway)
    assert gateway.renew_with(subscription_id=remote.id, offer=None).ends_with_period
    assert not gateway.renew_with(subscription_id=remote.id, offer=PRO).ends_with_period
    gateway.renew_with(subscription_id=remote.id, offer=None)
    stripe.advance(35 * DAY)
    assert gateway.subscription(remote.id).status is RemoteStatus.ENDED
    gateway.end(remote.id)  # it has ended already


@pytest.mark.parametrize(("card", "credit"), [(GOOD, 500), (DECLINED, 0)])
def test_what_is_left_of_a_month_comes_back_if_it_was_paid(
    stripe: Stripe, gateway: StripeGateway, card: str, credit: int
) -> None:
    remote = subscribed(stripe, gateway)
    stripe.use_card(remote.customer_id, card)
    stripe.advance(round(remote.period_end.timestamp()) - stripe.state.now + 3600)
    gateway.end(remote.id)
    gateway.end(remote.id)
    assert stripe.state.all("customer")[0]["balance"] == pytest.approx(-credit, abs=1)


def test_usage_beyond_the_budget_is_on_the_renewals_invoice(stripe: Stripe, gateway: StripeGateway) -> None:
    remote = subscribed(stripe, gateway)
    stripe.advance(round(remote.period_end.timestamp()) - stripe.state.now + 60)
    draft = gateway.invoice(stripe.state.all("invoice")[-1]["id"])
    assert (draft.draft, draft.paid, draft.subscription_id) == (True, False, remote.id)
    for _ in range(2):  # a webhook that comes twice
        reference = gateway.add_to_invoice(
            subscription_id=remote.id, invoice_id=draft.id, amount=1_230_000, text="Usage", key="inv_1"
        )
        assert reference == draft.id
    stripe.advance(2 * 3600)
    paid = gateway.invoice(draft.id)
    assert paid.paid
    assert [(item.text, item.amount) for item in paid.items] == [("1 x Pro", 5 * DOLLAR), ("Usage", 1_230_000)]


def test_usage_that_comes_too_late_is_kept_for_the_next_invoice(stripe: Stripe, gateway: StripeGateway) -> None:
    remote = subscribed(stripe, gateway)
    sent = stripe.state.all("invoice")[-1]["id"]
    reference = gateway.add_to_invoice(
        subscription_id=remote.id, invoice_id=sent, amount=1_230_000, text="Usage", key="inv_1"
    )
    assert gateway.invoice(sent).total == 5 * DOLLAR
    stripe.advance(32 * DAY)
    following = gateway.invoice(stripe.state.all("invoice")[-1]["id"])
    assert (following.paid, following.total) == (True, 6_230_000)
    assert [item.id for item in following.items] == ["", reference]


@pytest.mark.parametrize(
    ("card", "outcome", "words"),
    [
        (GOOD, Outcome.SUCCEEDED, ""),
        (DECLINED, Outcome.FAILED, "declined"),
        (NEEDS_3DS, Outcome.ACTION_REQUIRED, "auth"),
    ],
)
def test_the_stored_card_is_charged_while_nobody_is_there(
    stripe: Stripe, gateway: StripeGateway, card: str, outcome: Outcome, words: str
) -> None:
    remote = subscribed(stripe, gateway)
    stripe.use_card(remote.customer_id, card)
    asked: dict[str, Any] = {"customer_id": remote.customer_id, "amount": 10 * DOLLAR, "organization_id": "org_1"}
    attempt = gateway.charge(payment_id="pay_1", **asked)
    assert attempt.outcome is outcome
    assert words in attempt.reason
    assert gateway.attempt(attempt.reference).reference == attempt.reference
    assert gateway.charge(payment_id="pay_1", **asked).reference == attempt.reference
    assert len([each for each in stripe.state.all("payment_intent") if each["amount"] == 1000]) == 1


def test_the_card_of_a_top_up_is_kept_for_later(stripe: Stripe, gateway: StripeGateway) -> None:
    customer = gateway.customer(ACME)
    assert gateway.card(customer) is None
    asked: dict[str, Any] = {"customer_id": customer, "organization_id": "org_1"}
    refused = gateway.charge(payment_id="pay_0", amount=DOLLAR, **asked)
    assert (refused.outcome, refused.reason) == (Outcome.FAILED, "There is no stored card.")
    url = gateway.top_up(payment_id="pay_1", amount=20 * DOLLAR, back=BACK, **asked)
    stripe.pay_checkout(session_id(url))
    card = gateway.card(customer)
    assert card is not None
    assert (card.brand, card.last4, card.expires) == ("visa", "4242", "12/30")
    assert gateway.charge(payment_id="pay_2", amount=DOLLAR, **asked).outcome is Outcome.SUCCEEDED


def test_the_portal_leads_back(stripe: Stripe, gateway: StripeGateway) -> None:
    url = gateway.portal(customer_id=gateway.customer(ACME), back=BACK)
    assert url.startswith(stripe.url)
    assert stripe.state.all("billing_portal.session")[0]["return_url"] == BACK


def test_a_request_that_fails_on_the_way_is_made_again_and_counts_once(stripe: Stripe, gateway: StripeGateway) -> None:
    stripe.outages = [500, 503]
    gateway.customer(ACME)
    assert len(stripe.state.all("customer")) == 1


@pytest.mark.parametrize(
    ("outages", "words"), [([400], "Stripe refused"), ([401], "STRIPE_SECRET_KEY"), ([429] * 3, "could not be reached")]
)
def test_errors_are_words_for_people(stripe: Stripe, gateway: StripeGateway, outages: list[int], words: str) -> None:
    stripe.outages = outages
    with pytest.raises(GatewayError, match=words):
        gateway.customer(ACME)
