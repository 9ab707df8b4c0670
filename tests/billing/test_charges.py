from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Organization, User
from billing.ledger.models import Account, Transfer
from billing.ledger.selectors import balance
from billing.ledger.services import owed_pay, prepaid_add, prepaid_take_back
from billing.plans.models import Plan
from billing.plans.selectors import current_version
from billing.plans.services import plan_version_create
from billing.reconcile import reconcile
from billing.services import price_set
from billing.usage.models import Charge, Unit, UsageEvent
from billing.usage.services import Fact, usage_charge, usage_record, usage_refund, usage_rerate
from core.money import DOLLAR
from core.rows import AppendOnly, RowIsFinal
from tests.billing.conftest import NOW, settle

pytestmark = pytest.mark.django_db

OnPlan = Callable[[str], Organization]


def proved() -> bool:
    return [str(difference) for difference in reconcile()] == []


def used(
    organization: Organization, quantity: int = 1000, meter: str = "tts_characters", **facts: object
) -> UsageEvent:
    fact = Fact(key=f"{meter}:{quantity}", meter=meter, quantity=quantity, occurred_at=NOW, **facts)  # type: ignore[arg-type]
    (event,) = usage_record(organization=organization, facts=[fact])
    usage_charge(organization=organization, events=[event])
    return event


# --- the rule


@pytest.mark.parametrize(
    ("seconds", "agent", "telephony"),
    [
        (0.2, 1_000, 233),
        (1, 1_000, 233),
        (59, 59_000, 13_767),
        (60, 60_000, 14_000),
        (60.001, 61_000, 14_233),
        (61, 61_000, 14_233),
        (600, 600_000, 140_000),
    ],
)
def test_a_call_is_charged_by_the_second_as_the_rule_says(
    on_plan: OnPlan, seconds: float, agent: int, telephony: int
) -> None:
    pro = on_plan("pro")
    before = balance(pro).available
    charges = settle(pro, seconds, on_platform_number=True)
    assert [charge.amount for charge in charges] == [agent, telephony]
    assert before - balance(pro).available == balance(pro).used == agent + telephony
    assert proved()


def test_without_a_number_of_the_platform_there_is_no_telephony(on_plan: OnPlan) -> None:
    pro = on_plan("pro")
    assert [(c.event.meter, c.amount) for c in settle(pro, 600)] == [("agent_seconds", 600_000)]


def test_a_call_that_never_ran_is_charged_nothing(on_plan: OnPlan) -> None:
    pro = on_plan("pro")
    assert settle(pro, 0.0) == []
    assert not UsageEvent.objects.exists()


def test_a_call_that_is_settled_again_is_charged_once(on_plan: OnPlan) -> None:
    pro = on_plan("pro")
    settle(pro, 60)
    assert settle(pro, 60) == []
    assert settle(pro, 999) == []
    assert balance(pro).used == 60_000


# --- who pays


def test_the_month_s_budget_is_spent_first_then_what_was_bought_and_the_rest_is_owed(on_plan: OnPlan) -> None:
    free = on_plan("free")
    prepaid_add(organization=free, amount=500_000, key="top-up 1")
    left = balance(free).allowance
    settle(free, 3600, "call_1")
    now = balance(free)
    assert (now.allowance, now.prepaid) == (0, 0)
    assert now.owed == 3_600_000 - left - 500_000
    assert proved()


def test_a_plan_that_only_measures_takes_nothing_from_anybody(on_plan: OnPlan) -> None:
    unlimited = on_plan("unlimited")
    settle(unlimited, 3600)
    now = balance(unlimited)
    assert (now.used, now.owed, now.prepaid, now.allowance) == (3_600_000, 0, 0, 0)
    assert proved()


def test_money_that_comes_pays_what_is_owed_first(on_plan: OnPlan) -> None:
    unfunded = on_plan("enterprise")
    settle(unfunded, 60)
    assert balance(unfunded).owed == 60_000
    assert prepaid_add(organization=unfunded, amount=100_000, key="top-up")
    assert not prepaid_add(organization=unfunded, amount=100_000, key="top-up")
    now = balance(unfunded)
    assert (now.owed, now.prepaid, now.available) == (0, 40_000, 40_000)
    assert proved()


def test_a_top_up_that_is_disputed_after_it_was_spent_is_owed(on_plan: OnPlan) -> None:
    unfunded = on_plan("enterprise")
    prepaid_add(organization=unfunded, amount=100_000, key="top-up")
    settle(unfunded, 60)
    assert prepaid_take_back(organization=unfunded, amount=100_000, key="dispute")
    assert not prepaid_take_back(organization=unfunded, amount=100_000, key="dispute")
    assert (balance(unfunded).prepaid, balance(unfunded).owed) == (0, 60_000)
    assert owed_pay(organization=unfunded, amount=60_000, key="invoice")
    assert not owed_pay(organization=unfunded, amount=60_000, key="invoice")
    assert balance(unfunded).owed == 0
    assert proved()


def test_what_one_pays_a_vendor_oneself_is_noted_and_not_charged(on_plan: OnPlan, owner: User) -> None:
    pro = on_plan("pro")
    before = balance(pro).available
    price_set(organization=pro, actor=owner, vendor="openai", model="gpt-9", unit="llm_input_token", price=2 * DOLLAR)
    fact = Fact(
        key="a",
        meter="llm_input_token",
        quantity=1_500,
        occurred_at=NOW + timedelta(days=1),
        own_key=True,
        vendor="openai",
        model="gpt-9",
        capability="llm",
    )
    usage_charge(organization=pro, events=usage_record(organization=pro, facts=[fact]))
    assert Charge.objects.get().amount == 3_000
    assert balance(pro).available == before
    assert Account.objects.get(kind=Account.Kind.VENDORS).balance == -3_000
    assert proved()


def test_tokens_that_the_platform_pays_are_passed_through(on_plan: OnPlan) -> None:
    pro = on_plan("pro")
    used(pro, 1_000_000, "llm_output_token", vendor="openai", model="gpt-5.4-mini")
    assert balance(pro).used == 4_500_000


@pytest.mark.parametrize(
    ("meter", "quantity", "cost"),
    [
        ("tts_characters", 7, 7),
        ("tts_pro_characters", 3, 5),  # 4.5
        ("stt_stream_ms", 1_500, 5),  # 4.5
        ("stt_batch_ms", 3_000, 2),  # 1.5
        ("stt_batch_ms", 2_000, 1),
        ("infill_requests", 1, 300),
        ("pro_clone_trainings", 1, 1_000_000),
    ],
)
def test_models_cost_credits_and_no_money(on_plan: OnPlan, meter: str, quantity: int, cost: int) -> None:
    startup = on_plan("startup")
    before = balance(startup)
    used(startup, quantity, meter)
    assert balance(startup, Unit.CREDIT).used == cost
    assert balance(startup) == before
    assert proved()


# --- corrections


def test_another_rate_makes_corrections_and_facts_stay(on_plan: OnPlan, owner: User) -> None:
    pro = on_plan("pro")
    before = balance(pro).allowance
    settle(pro, 60)
    (event,) = UsageEvent.objects.all()
    plan = Plan.objects.get(pk="pro")
    cheaper = plan_version_create(plan=plan, actor=owner, effective_from=NOW, values={"agent_minute": 50_000})
    usage_rerate(organization=pro, events=[event], reason="As agreed.", terms=cheaper)
    assert usage_rerate(organization=pro, events=[event], reason="As agreed.", terms=cheaper) == []
    assert [(c.kind, c.amount) for c in Charge.objects.all()] == [("rating", 60_000), ("correction", -10_000)]
    assert (balance(pro).allowance, balance(pro).used) == (before - 50_000, 50_000)
    usage_rerate(organization=pro, events=[event], reason="Back again.")
    assert balance(pro).used == 60_000
    assert proved()


def test_what_is_given_back_goes_where_it_came_from(on_plan: OnPlan) -> None:
    free = on_plan("free")
    prepaid_add(organization=free, amount=1_000_000, key="top-up")
    allowance = balance(free).allowance
    settle(free, 1800)
    (event,) = UsageEvent.objects.all()
    prepaid = balance(free).prepaid
    assert usage_refund(organization=free, event=event, amount=100_000, reason="Noise.") == 100_000
    assert balance(free).prepaid == prepaid + 100_000
    assert usage_refund(organization=free, event=event, amount=None, reason="All of it.") == 1_700_000
    assert usage_refund(organization=free, event=event, amount=1, reason="More.") == 0
    assert (balance(free).allowance, balance(free).prepaid, balance(free).used) == (allowance, 1_000_000, 0)
    assert proved()


def test_who_was_refunded_gets_no_more_back_than_it_cost(on_plan: OnPlan, owner: User) -> None:
    pro = on_plan("pro")
    settle(pro, 60)
    (event,) = UsageEvent.objects.all()
    usage_refund(organization=pro, event=event, amount=50_000, reason="Noise.")
    plan = Plan.objects.get(pk="pro")
    free = plan_version_create(plan=plan, actor=owner, effective_from=NOW, values={"agent_minute": 20_000})
    usage_rerate(organization=pro, events=[event], reason="Cheaper.", terms=free)
    assert balance(pro).used == 0
    assert proved()


# --- rows that are final


def test_final_rows_can_be_neither_changed_nor_deleted(on_plan: OnPlan) -> None:
    settle(on_plan("pro"), 60)
    for model in (UsageEvent, Charge, Transfer):
        row = model.objects.latest("pk")
        for change in (row.save, row.delete, model.objects.all().delete, lambda m=model: m.objects.update(id=1)):
            with pytest.raises(RowIsFinal):
                change()


@pytest.mark.parametrize("model", AppendOnly.__subclasses__(), ids=lambda model: model.__name__)
@pytest.mark.parametrize("deed", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_refuses_it_too(on_plan: OnPlan, model: type[AppendOnly], deed: str) -> None:
    settle(on_plan("pro"), 60)
    usage_refund(organization=on_plan("pro"), event=UsageEvent.objects.get(), amount=1, reason="")
    assert model.objects.exists()
    with pytest.raises(DatabaseError, match="final"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed.format(model._meta.db_table))


# --- the proof


def test_the_proof_finds_what_does_not_fit(on_plan: OnPlan) -> None:
    pro = on_plan("pro")
    settle(pro, 60)
    Account.objects.filter(kind=Account.Kind.USAGE).update(balance=59_999)
    terms = current_version("pro")
    event = UsageEvent.objects.create(
        organization=pro, key="x", meter="agent_seconds", quantity=10, occurred_at=NOW, plan_version=terms
    )
    Charge.objects.create(
        organization=pro,
        event=event,
        number=0,
        kind="rating",
        unit="usd",
        rate=60_000,
        per=60,
        amount=9_999,
        rate_id=f"{terms.pk}:agent_minute",
    )
    found = [str(difference) for difference in reconcile(pro)]
    assert len(found) == 4
    assert "the sum of its charges" in found[0]
    assert "is 9,999 and should be 10,000" in found[0]
    assert "what was moved for it is 0 and should be 9,999" in found[1]
    assert "account usage (usd): its balance is 59,999 and should be 60,000" in found[2]
    assert "day" in found[3]
