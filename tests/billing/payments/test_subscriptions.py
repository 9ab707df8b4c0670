"""Subscribing, changing, renewing and falling behind, with Stripe as it is told of by its messages."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from billing.ledger.selectors import balance
from billing.payments import services
from billing.payments.gateway import GatewayError
from billing.payments.settlement import subscription_synced
from billing.plans.models import Plan, PlanVersion, Subscription
from billing.plans.services import periods_roll, plan_version_create
from billing.stripe.adapter import StripeGateway
from core.errors import ApiError
from core.money import DOLLAR
from tests.billing.payments.conftest import START, Payer
from tests.billing.stripe_fake.state import DAY, DECLINED, GOOD, NEEDS_3DS

pytestmark = pytest.mark.django_db

WEEK = 7 * DAY
Status = Subscription.Status


def test_who_pays_has_the_plan_and_its_whole_budget(payer: Payer) -> None:
    payer.choose("pro")
    assert (payer.plan, payer.left) == ("pro", 5 * DOLLAR)
    assert payer.paid == [500]
    assert payer.invoices == [("start", "paid", 5 * DOLLAR)]


def test_who_does_not_pay_has_not(payer: Payer) -> None:
    payer.choose("pro", DECLINED)
    assert payer.account.subscription_id == ""
    assert not Subscription.objects.filter(plan_version__plan="pro").exists()
    assert payer.invoices == []


def test_an_upgrade_begins_at_once_and_costs_the_rest_of_the_month(payer: Payer) -> None:
    payer.choose("pro")
    payer.wait(15 * DAY)
    payer.use(600)  # sixty cents
    preview = services.change_preview(organization=payer.organization, plan=Plan.objects.get(pk="startup"))
    assert preview.preview is not None
    due = preview.preview.due_now
    payer.choose("startup")
    assert payer.plan == "startup"
    assert due == 22 * DOLLAR  # half of $49 for half of $5, as November has thirty days
    assert payer.invoices[-1] == ("change", "paid", due)
    # and half of what the budgets differ by comes on top of what is left
    assert payer.left == pytest.approx(5 * DOLLAR - 600_000 + 22 * DOLLAR, abs=5_000)


def test_an_upgrade_whose_payment_the_bank_asks_about_waits_for_it(payer: Payer) -> None:
    payer.choose("pro")
    payer.use_card(NEEDS_3DS)
    url = payer.choose("startup")
    assert url.startswith("https://invoice.example/")
    assert (payer.plan, payer.account.pay_url) == ("pro", url)
    payer.stripe.pay_invoice(url.rpartition("/")[2], GOOD)
    payer.hear()
    assert (payer.plan, payer.account.pay_url) == ("startup", "")
    assert payer.invoices[-1][:2] == ("change", "paid")


def test_a_downgrade_waits_for_the_end_of_what_was_paid(payer: Payer) -> None:
    payer.choose("startup")
    payer.choose("pro")
    assert (payer.plan, payer.left) == ("startup", 49 * DOLLAR)
    assert payer.next_plan == "pro"
    payer.wait(31 * DAY)
    assert (payer.plan, payer.left, payer.next_plan) == ("pro", 5 * DOLLAR, "")
    assert payer.paid == [4900, 500]


def test_a_change_of_mind_keeps_the_plan(payer: Payer) -> None:
    payer.choose("startup")
    payer.choose("free")
    assert payer.next_plan == "free"
    with pytest.raises(ApiError, match="Another change is under way"):
        payer.choose("scale")
    services.keep_plan(organization=payer.organization, actor=payer.actor)
    payer.hear()
    payer.wait(31 * DAY)
    assert (payer.plan, payer.next_plan, payer.paid) == ("startup", "", [4900, 4900])


def test_who_leaves_has_the_plan_until_its_month_is_over(payer: Payer) -> None:
    payer.choose("pro")
    payer.choose("free")
    payer.wait(29 * DAY)
    assert payer.plan == "pro"
    payer.wait(2 * DAY)
    assert (payer.plan, payer.left, payer.account.subscription_id) == ("free", DOLLAR, "")
    assert payer.paid == [500]
    payer.choose("pro")  # and may come back
    assert payer.plan == "pro"


def test_a_month_s_invoice_has_its_usage_and_the_next_month(payer: Payer) -> None:
    payer.choose("pro")
    payer.use(6007)  # $6.007: a dollar and seven tenths of a cent beyond the budget
    assert payer.left == -1_007_000
    payer.wait(31 * DAY)
    assert payer.paid == [500, 601]
    assert payer.invoices[-1] == ("period", "paid", 6_010_000)
    lines = payer.organization.invoices.latest("number").lines.values_list("text", "amount")
    assert list(lines) == [
        ("Plan Pro, one month", 5 * DOLLAR),
        ("Agent time", 6_007_000),
        ("From the monthly budget", -5 * DOLLAR),
        ("Rounded to cents", 3_000),
    ]
    assert balance(payer.organization).owed == 0
    assert payer.left == 5 * DOLLAR


def test_usage_is_collected_even_if_the_message_of_the_renewal_is_late(payer: Payer) -> None:
    payer.choose("pro")
    payer.use(6000)
    payer.wait(31 * DAY, heard=False)
    payer.hear()
    # Stripe has taken the plan's price, and not the usage.
    assert payer.paid == [500, 500]
    assert payer.invoices[1:] == [("period", "open", 6 * DOLLAR)]
    assert balance(payer.organization).owed == DOLLAR
    payer.wait(31 * DAY)
    assert payer.paid == [500, 500, 600]
    assert payer.invoices[1:] == [("period", "paid", 6 * DOLLAR), ("period", "paid", 5 * DOLLAR)]
    assert balance(payer.organization).owed == 0
    payer.wait(31 * DAY)
    assert payer.paid[3:] == [500]


def test_months_follow_stripe_s_calendar(payer: Payer) -> None:
    payer.wait(5 * DAY)  # the first of December
    payer.choose("pro")
    for _ in range(4):
        payer.wait(30 * DAY + 12 * 3600)
        remote = payer.stripe.state.get(payer.account.subscription_id, "subscription")["items"]["data"][0]
        subscription = payer.subscription
        assert int(subscription.period_start.timestamp()) == remote["current_period_start"]
        assert int(subscription.period_end.timestamp()) == remote["current_period_end"]


def test_our_month_may_begin_a_moment_before_stripe_s(payer: Payer, clock: time_machine.Traveller) -> None:
    payer.choose("pro")
    ours = payer.subscription.period_end
    clock.move_to(ours)
    periods_roll()
    payer.stripe.state.tell("customer.subscription.updated", payer.stripe.state.all("subscription")[0])
    payer.hear()  # Stripe is in the old month still
    assert (payer.subscription.period_start, payer.left) == (ours, 5 * DOLLAR)
    payer.wait(31 * DAY)
    assert payer.subscription.period_start == ours
    assert payer.invoices == [("start", "paid", 5 * DOLLAR), ("period", "paid", 5 * DOLLAR)]


def test_who_leaves_has_left_even_a_moment_before_stripe_knows(payer: Payer, clock: time_machine.Traveller) -> None:
    payer.choose("pro")
    payer.choose("free")
    clock.move_to(payer.subscription.period_end)
    periods_roll()
    payer.stripe.state.tell("customer.subscription.updated", payer.stripe.state.all("subscription")[0])
    payer.hear()
    assert (payer.plan, payer.left) == ("free", DOLLAR)
    payer.wait(31 * DAY)
    assert (payer.plan, payer.left, payer.paid) == ("free", DOLLAR, [500])


# --- falling behind ---------------------------------------------------------------------------------------------------


@pytest.fixture
def behind(payer: Payer) -> Payer:
    """Pro, whose renewal was refused an hour ago."""
    payer.choose("pro")
    payer.use_card(DECLINED)
    payer.wait(30 * DAY + 2 * 3600)
    return payer


def test_a_refused_renewal_stops_nothing_yet(behind: Payer) -> None:
    assert behind.subscription.status == Status.PAST_DUE
    assert behind.left == 5 * DOLLAR
    assert behind.account.pay_url


def test_a_better_card_makes_it_good(behind: Payer) -> None:
    behind.use_card(GOOD)
    behind.wait(2 * DAY)
    assert (behind.subscription.status, behind.account.past_due_since) == (Status.ACTIVE, None)
    assert behind.paid == [500, 500]
    assert behind.invoices[-1] == ("period", "paid", 5 * DOLLAR)


def test_after_the_grace_calls_stop_until_it_is_paid(behind: Payer, settings: LazySettings) -> None:
    settings.BILLING_GRACE_DAYS = 1
    behind.wait(30 * 3600)
    assert behind.subscription.status == Status.UNPAID
    behind.stripe.pay_invoice(behind.stripe.state.all("invoice")[-1]["id"], GOOD)
    behind.hear()
    assert behind.subscription.status == Status.ACTIVE
    assert behind.left == 5 * DOLLAR


def test_when_stripe_gives_up_the_workspace_is_on_free_and_owes_no_plan(behind: Payer) -> None:
    behind.wait(5 * DAY)
    assert (behind.plan, behind.subscription.status) == ("free", Status.ACTIVE)
    assert behind.account.subscription_id == ""
    assert behind.invoices[-1][:2] == ("period", "void")
    assert behind.left == DOLLAR


# --- messages ---------------------------------------------------------------------------------------------------------


def test_messages_in_any_order_and_twice_come_to_the_same(payer: Payer) -> None:
    dice = random.Random(7)
    payer.choose("pro")
    payer.use(6000)
    payer.stripe.advance(1)
    services.change_plan(
        organization=payer.organization, actor=payer.actor, plan=Plan.objects.get(pk="startup"), at=None, back=""
    )
    payer.wait(DAY, heard=False)
    events = payer.stripe.new_events() * 3
    dice.shuffle(events)
    payer.hear(events)
    assert payer.plan == "startup"
    assert [kind for kind, _, _ in payer.invoices] == ["start", "change"]
    assert payer.left == pytest.approx(49 * DOLLAR - 6 * DOLLAR, abs=5_000 + 2 * DOLLAR)


def test_an_old_answer_does_not_undo_a_new_one(payer: Payer) -> None:
    payer.choose("pro")
    gateway = services.the_gateway()
    asked_at, old = timezone.now(), gateway.subscription(payer.account.subscription_id)
    payer.wait(3600)
    payer.choose("startup")
    subscription_synced(remote=old, asked_at=asked_at)
    assert payer.plan == "startup"


def test_two_subscriptions_at_once_become_one(payer: Payer) -> None:
    plan = Plan.objects.get(pk="pro")
    urls = [
        services.change_plan(organization=payer.organization, actor=payer.actor, plan=plan, at=None, back="")
        for _ in range(2)
    ]
    for url in urls:
        payer.stripe.pay_checkout(url.rpartition("/")[2])
    payer.hear()
    assert payer.subscriptions == ["canceled", "active"]
    assert payer.plan == "pro"
    payer.wait(31 * DAY)
    assert sum(payer.paid) == 1000  # the second month was paid with the first
    assert payer.plan == "pro"


def test_the_first_of_two_subscriptions_ends_even_if_stripe_is_away_just_then(
    payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan.objects.get(pk="pro")
    urls = [
        services.change_plan(organization=payer.organization, actor=payer.actor, plan=plan, at=None, back="")
        for _ in range(2)
    ]
    payer.stripe.pay_checkout(urls[0].rpartition("/")[2])
    payer.hear()
    payer.stripe.pay_checkout(urls[1].rpartition("/")[2])
    events = payer.stripe.new_events()

    def away(*_: object) -> None:
        raise GatewayError("Stripe could not be reached.")

    with monkeypatch.context() as patched:
        patched.setattr(StripeGateway, "end", away)
        for event in events:
            with suppress(GatewayError):
                payer.deliver(event)
    payer.hear(events)  # sent again
    assert payer.subscriptions == ["canceled", "active"]
    assert payer.account.subscription_id == payer.stripe.state.all("subscription")[1]["id"]


def test_an_old_answer_does_not_begin_again_what_has_ended(payer: Payer) -> None:
    payer.choose("pro")
    gateway = services.the_gateway()
    asked_at, old = timezone.now(), gateway.subscription(payer.account.subscription_id)
    payer.wait(3600)
    gateway.end(old.id)
    payer.hear()
    subscription_synced(remote=old, asked_at=asked_at)
    assert (payer.plan, payer.account.subscription_id) == ("free", "")


@pytest.mark.parametrize(
    "signing", [{"secret": "whsec_of_somebody_else"}, {"at": 0.0}, {"at": START.timestamp() - 400}]
)
def test_what_stripe_did_not_sign_lately_is_refused(payer: Payer, signing: dict[str, object]) -> None:
    payer.stripe.state.tell("invoice.paid", {"id": "in_1", "object": "invoice"})
    assert payer.deliver(payer.stripe.new_events()[0], **signing) == 400


def test_what_fails_is_sent_again_and_handled_then(payer: Payer) -> None:
    payer.use(60)
    url = services.change_plan(
        organization=payer.organization, actor=payer.actor, plan=Plan.objects.get(pk="pro"), at=None, back=""
    )
    payer.stripe.pay_checkout(url.rpartition("/")[2])
    events = payer.stripe.new_events()
    payer.stripe.outages = [400] * len(events)
    for event in events:
        if event["type"].startswith("customer.subscription"):
            with pytest.raises(GatewayError):
                payer.deliver(event)
    payer.stripe.outages = []
    payer.hear(events)
    assert payer.plan == "pro"


def test_a_new_price_of_a_plan_is_paid_from_the_next_month(payer: Payer) -> None:
    payer.choose("pro")
    plan = Plan.objects.get(pk="pro")
    plan_version_create(
        plan=plan,
        actor=payer.actor,
        effective_from=payer.subscription.period_start,
        values={"price": 7 * DOLLAR, "agent_budget": 7 * DOLLAR},
    )
    payer.wait(31 * DAY)
    assert payer.paid == [500, 700]
    assert payer.left == 7 * DOLLAR
    assert PlanVersion.objects.filter(plan=plan).count() == 2


def test_without_a_gateway_it_is_said_who_can_change_the_plan(payer: Payer, settings: LazySettings) -> None:
    settings.PAYMENT_GATEWAY = ""
    with pytest.raises(ApiError, match="Ask whoever runs it"):
        payer.choose("pro")
