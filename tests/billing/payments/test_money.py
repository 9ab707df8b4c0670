"""Top-ups, the automatic recharge, and money that goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail

from billing.ledger.selectors import balance
from billing.payments import recharge, services
from billing.payments.models import AutoRecharge, Payment
from billing.plans.models import Plan
from core.money import DOLLAR
from tests.billing.payments.conftest import Payer
from tests.billing.stripe_fake.state import DECLINED, GOOD, NEEDS_3DS, Object

pytestmark = pytest.mark.django_db


@pytest.fixture
def recharging(payer: Payer) -> Payer:
    """Has a card, $1 of the monthly budget and $5 prepaid; below $4 they want $20 more."""
    payer.top_up(5 * DOLLAR)
    payer.hear()
    services.recharge_set(
        organization=payer.organization, actor=payer.actor, enabled=True, threshold=4 * DOLLAR, amount=20 * DOLLAR
    )
    return payer


def spend_below(payer: Payer) -> None:
    payer.use(2500)  # $2.50


def recharges(payer: Payer) -> list[str]:
    rows = Payment.objects.filter(organization=payer.organization, kind="recharge").order_by("created_at")
    return [row.status for row in rows]


def test_a_top_up_is_in_the_balance_and_has_its_invoice(payer: Payer) -> None:
    payer.top_up(20 * DOLLAR)
    assert balance(payer.organization).prepaid == 0  # until Stripe has told
    payer.hear()
    assert balance(payer.organization).prepaid == 20 * DOLLAR
    assert payer.invoices == [("top_up", "paid", 20 * DOLLAR)]


def test_told_three_times_it_is_added_once(payer: Payer) -> None:
    payer.top_up(20 * DOLLAR)
    events = payer.stripe.new_events()
    payer.hear([*reversed(events), *events, *events])
    assert balance(payer.organization).prepaid == 20 * DOLLAR
    assert len(payer.invoices) == 1


def test_a_refused_card_adds_nothing_and_another_one_may_be_tried(payer: Payer) -> None:
    session = payer.top_up(20 * DOLLAR, DECLINED)
    payer.hear()
    assert balance(payer.organization).prepaid == 0
    payer.stripe.pay_checkout(session, GOOD)
    payer.hear()
    assert balance(payer.organization).prepaid == 20 * DOLLAR


def test_debts_are_paid_first(payer: Payer) -> None:
    payer.use(3000)  # two dollars more than Free has
    payer.top_up(20 * DOLLAR)
    payer.hear()
    money = balance(payer.organization)
    assert (money.owed, money.prepaid) == (0, 18 * DOLLAR)


def test_a_refund_takes_the_money_back_once(payer: Payer) -> None:
    payer.top_up(20 * DOLLAR)
    payer.hear()
    intent = payer.stripe.state.all("payment_intent")[-1]

    def refunded(cents: int) -> Object:
        charge = {"id": "ch_1", "object": "charge", "payment_intent": intent["id"], "currency": "usd"}
        payer.stripe.state.tell("charge.refunded", {**charge, "amount_refunded": cents, "metadata": {}})
        return payer.stripe.new_events()[-1]

    first, both = refunded(500), refunded(800)
    payer.hear([first, first, both, first])  # Stripe tells how much went back in all
    assert balance(payer.organization).prepaid == 12 * DOLLAR


def test_a_low_balance_is_recharged_once(recharging: Payer) -> None:
    recharge.recharges_run()
    assert recharges(recharging) == []
    spend_below(recharging)
    recharge.recharges_run()
    recharge.recharges_run()
    recharging.hear()
    assert recharges(recharging) == ["succeeded"]
    assert recharging.left == 23_500_000
    assert recharging.invoices[-1] == ("top_up", "paid", 20 * DOLLAR)


def test_two_workers_begin_one_recharge(recharging: Payer) -> None:
    assert recharge.recharge_start(organization=recharging.organization) is not None
    assert recharge.recharge_start(organization=recharging.organization) is None
    assert recharges(recharging) == ["started"]


def test_a_recharge_that_was_cut_short_takes_the_money_once(recharging: Payer) -> None:
    spend_below(recharging)
    payment = recharge.recharge_start(organization=recharging.organization)
    assert payment is not None
    services.the_gateway().charge(  # and then the worker died
        customer_id=recharging.account.customer_id,
        amount=payment.amount,
        payment_id=payment.pk,
        organization_id=recharging.organization.pk,
    )
    recharge.recharges_run()
    assert recharging.left == 23_500_000
    assert len([each for each in recharging.stripe.state.all("payment_intent") if each["amount"] == 2000]) == 1


def test_while_stripe_is_away_nothing_is_lost(recharging: Payer) -> None:
    spend_below(recharging)
    recharging.stripe.outages = [400]
    assert recharge.recharges_run() == 0
    assert recharges(recharging) == ["started"]
    recharge.recharges_run()
    assert recharges(recharging) == ["succeeded"]


@pytest.mark.parametrize("card", [DECLINED, NEEDS_3DS])
def test_a_refused_recharge_waits_and_after_three_is_switched_off(
    recharging: Payer, clock: time_machine.Traveller, card: str, django_capture_on_commit_callbacks: object
) -> None:
    recharging.use_card(card)
    recharging.stripe.state.get(recharging.account.customer_id, "customer")["_cards"] = [card]
    spend_below(recharging)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        for _ in range(10):
            recharge.recharges_run()
            recharge.recharges_run()
            clock.shift(timedelta(hours=4))
    assert recharges(recharging) == ["failed"] * 3
    state = AutoRecharge.objects.get(organization=recharging.organization)
    assert (state.enabled, state.failures) == (False, 3)
    assert len(mail.outbox) == 3
    assert "switched off" in mail.outbox[-1].body
    assert recharging.left == 3_500_000


def test_without_limit_nothing_is_recharged(recharging: Payer) -> None:
    enterprise = Plan.objects.get(pk="enterprise")
    services.plan_assign(organization=recharging.organization, actor=recharging.actor, plan=enterprise)
    spend_below(recharging)
    recharge.recharges_run()
    assert recharges(recharging) == []
