from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone

from accounts.models import Organization, User
from billing.ledger.selectors import balance
from billing.ledger.services import prepaid_add
from billing.limits.budgets import budget_save
from billing.limits.leases import leases_renew
from billing.limits.models import Budget, BudgetAlert, CallLease
from billing.limits.pace import pace_take
from billing.plans.models import Plan, Subscription
from billing.plans.services import plan_version_create, subscription_settings
from builder import services as builder
from core import webhooks
from core.errors import ApiError, ErrorCode
from core.money import DOLLAR
from tests.billing.conftest import NOW, admit, settle
from tests.conftest import AgentFactory

pytestmark = pytest.mark.django_db

OnPlan = Callable[[str], Organization]


def refusal(organization: Organization, call_id: str = "refused", **options: Any) -> ApiError:
    with pytest.raises(ApiError) as refused:
        admit(organization, call_id, **options)
    assert not CallLease.objects.filter(pk=call_id).exists()
    return refused.value


def budget(organization: Organization, actor: User, **values: object) -> Budget:
    plain = {
        "name": "Calls", "scope": "workspace", "target": "", "window": "day", "limit": 30_000, "hard_stop": True,
        "thresholds": [], "emails": [], "webhook_url": "",
    }  # fmt: skip
    return budget_save(organization=organization, actor=actor, values={**plain, **values}, budget=None)


# --- holds


def test_a_call_holds_its_first_minute_and_gives_back_what_it_did_not_use(on_plan: OnPlan) -> None:
    pro = on_plan("pro")
    before = balance(pro).available
    assert admit(pro, on_platform_number=True).seconds is None
    assert (balance(pro).held, balance(pro).available) == (74_000, before - 74_000)
    settle(pro, 10, on_platform_number=True)
    assert (balance(pro).held, balance(pro).available) == (0, before - 12_333)


def test_heartbeats_hold_more_when_little_is_left(on_plan: OnPlan) -> None:
    pro = on_plan("pro")
    admit(pro)
    assert leases_renew(call_ids=["call_1"], now=NOW + timedelta(seconds=20)) == {}
    assert balance(pro).held == 60_000
    (cover,) = leases_renew(call_ids=["call_1"], now=NOW + timedelta(seconds=40)).values()
    assert cover.seconds is None
    assert balance(pro).held == 100_000


def test_a_call_is_told_when_its_money_ends(unfunded: Organization) -> None:
    prepaid_add(organization=unfunded, amount=75_000, key="top-up")
    assert admit(unfunded).seconds is None
    (cover,) = leases_renew(call_ids=["call_1"], now=NOW + timedelta(seconds=40)).values()
    assert (cover.seconds, cover.grace) == (75, 30)
    assert "Top up" in cover.reason
    prepaid_add(organization=unfunded, amount=DOLLAR, key="more")
    (cover,) = leases_renew(call_ids=["call_1"], now=NOW + timedelta(seconds=50)).values()
    assert cover.seconds is None


def test_a_call_that_could_not_be_paid_for_ten_seconds_does_not_begin(unfunded: Organization) -> None:
    prepaid_add(organization=unfunded, amount=9_999, key="top-up")
    assert refusal(unfunded).code == ErrorCode.QUOTA_EXCEEDED
    prepaid_add(organization=unfunded, amount=1, key="a little more")
    assert admit(unfunded).seconds == 10


def test_what_one_call_holds_another_cannot_have(unfunded: Organization) -> None:
    prepaid_add(organization=unfunded, amount=65_000, key="top-up")
    admit(unfunded)
    assert refusal(unfunded).status == 402


def test_with_overage_calls_go_on(unfunded: Organization, owner: User) -> None:
    subscription_settings(organization=unfunded, actor=owner, overage=True, grace_seconds=0)
    assert admit(unfunded).seconds is None
    settle(unfunded, 60)
    assert balance(unfunded).owed == 60_000


def test_without_limit_calls_go_on_and_are_owed(on_plan: OnPlan) -> None:
    enterprise = on_plan("enterprise")
    prepaid_add(organization=enterprise, amount=20_000, key="top-up")
    assert admit(enterprise).seconds is None
    settle(enterprise, 60)
    assert (balance(enterprise).prepaid, balance(enterprise).owed) == (0, 40_000)
    assert admit(enterprise, "another").seconds is None


def test_where_usage_is_only_measured_nothing_ends_a_call(on_plan: OnPlan) -> None:
    unlimited = on_plan("unlimited")
    for number in range(30):
        assert admit(unlimited, f"call_{number}").seconds is None


def test_a_plan_that_is_not_paid_takes_no_calls(on_plan: OnPlan) -> None:
    pro = on_plan("pro")
    Subscription.objects.update(status=Subscription.Status.PAST_DUE)
    admit(pro)
    Subscription.objects.update(status=Subscription.Status.UNPAID)
    assert refusal(pro).status == 402


# --- places


def test_a_plan_holds_so_many_calls_at_once(on_plan: OnPlan) -> None:
    free = on_plan("free")
    for number in range(8):
        admit(free, f"call_{number}")
    refused = refusal(free)
    assert (refused.code, refused.status) == (ErrorCode.CONCURRENCY_LIMITED, 429)
    assert "8 calls at once" in refused.message
    settle(free, 1, "call_3")
    admit(free, "call_8")


def test_a_place_that_is_not_renewed_is_given_to_another(on_plan: OnPlan) -> None:
    free = on_plan("free")
    for number in range(8):
        admit(free, f"call_{number}")
    CallLease.objects.filter(pk="call_0").update(expires_at=timezone.now() - timedelta(seconds=1))
    admit(free, "call_8")
    leases_renew(call_ids=["call_0"])
    assert refusal(free).code == ErrorCode.CONCURRENCY_LIMITED


@pytest.mark.django_db(transaction=True)
def test_of_many_that_ask_at_once_as_many_get_a_place_as_there_are(on_plan: OnPlan) -> None:
    free = on_plan("free")
    gate = threading.Barrier(12)

    def ask(number: int) -> str:
        gate.wait(timeout=10)
        try:
            admit(free, f"call_{number}")
        except ApiError as error:
            return str(error.code)
        finally:
            connections.close_all()
        return "admitted"

    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(ask, range(12)))
    assert sorted(results) == ["admitted"] * 8 + ["concurrency_limited"] * 4


def test_outbound_calls_keep_their_pace(on_plan: OnPlan) -> None:
    free = on_plan("free")
    admit(free, outbound=True)
    refused = refusal(free, outbound=True)
    assert (refused.code, refused.status) == (ErrorCode.RATE_LIMITED, 429)
    admit(free, "inbound")


def test_a_pace_lets_one_through_in_each_of_its_steps() -> None:
    moments = [NOW + timedelta(seconds=0.25 * step) for step in range(9)]
    through = [step for step, moment in enumerate(moments) if pace_take("x", per_second=2, now=moment) == 0.0]
    assert through == [0, 2, 4, 6, 8]


def test_agents_beyond_the_plan_s_slots_stay_drafts(on_plan: OnPlan, agent_factory: AgentFactory, owner: User) -> None:
    on_plan("free")
    first, second = agent_factory("One"), agent_factory("Two")
    builder.agent_publish(agent=first, actor=owner)
    with pytest.raises(ApiError, match="room for 1 published agents"):
        builder.agent_publish(agent=second, actor=owner)
    builder.agent_delete(agent=first, actor=owner)
    builder.agent_publish(agent=second, actor=owner)


# --- budgets


def test_a_hard_stop_ends_calls_and_refuses_others(on_plan: OnPlan, owner: User) -> None:
    unlimited = on_plan("unlimited")
    budget(unlimited, owner, limit=30_000)
    cover = admit(unlimited)
    assert cover.seconds == 30
    settle(unlimited, 25)
    refused = refusal(unlimited)
    assert refused.status == 402
    assert "The budget Calls of $0.03 is used up" in refused.message


@pytest.mark.parametrize(
    ("scope", "target", "others"), [("agent", "agent_1", {"agent_id": "agent_2"}), ("campaign", "c1", {})]
)
def test_a_budget_limits_whom_it_is_for(
    on_plan: OnPlan, owner: User, scope: str, target: str, others: dict[str, Any]
) -> None:
    unlimited = on_plan("unlimited")
    budget(unlimited, owner, scope=scope, target=target, limit=5_000)
    assert refusal(unlimited, campaign_id="c1").status == 402
    assert admit(unlimited, "other", **others).seconds is None


def test_a_budget_of_each_call_limits_each_alike(on_plan: OnPlan, owner: User) -> None:
    unlimited = on_plan("unlimited")
    budget(unlimited, owner, scope="call", limit=20_000)
    for number in range(3):
        assert admit(unlimited, f"call_{number}").seconds == 20


def test_a_threshold_is_told_once(on_plan: OnPlan, owner: User, django_capture_on_commit_callbacks: object) -> None:
    unlimited = on_plan("unlimited")
    budget(unlimited, owner, limit=100_000, hard_stop=False, thresholds=[50, 100], emails=["boss@example.org"])
    for number, seconds in enumerate([30, 30, 30]):
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            settle(unlimited, seconds, f"call_{number}")
    assert [message.subject for message in mail.outbox] == ["50 % of the budget Calls is used"]
    assert "has used $0.06 of $0.10" in mail.outbox[0].body
    assert BudgetAlert.objects.get().mailed_at is not None


def test_alerts_are_sent_to_an_address_and_signed(
    on_plan: OnPlan, owner: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    sent = []
    monkeypatch.setattr(webhooks, "deliver", lambda **message: sent.append(message))
    unlimited = on_plan("unlimited")
    made = budget(unlimited, owner, limit=10_000, thresholds=[80], webhook_url="https://ops.example.org/hook")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        settle(unlimited, 9)
    (message,) = sent
    assert message["url"] == "https://ops.example.org/hook"
    assert message["secret"] == made.webhook_secret
    assert message["data"]["data"] | {"name": "Calls", "threshold": 80, "spent_micro": 9_000} == message["data"]["data"]


def test_a_webhook_is_signed_as_the_standard_says() -> None:
    # The example of https://github.com/standard-webhooks/standard-webhooks
    signed = webhooks.headers(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        body=b'{"test": 2432232314}',
        timestamp=1614265330,
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_terms_are_those_under_which_the_call_began(on_plan: OnPlan, owner: User) -> None:
    pro = on_plan("pro")
    admit(pro)
    plan = Plan.objects.get(pk="pro")
    plan_version_create(plan=plan, actor=owner, effective_from=timezone.now(), values={"agent_minute": 90_000})
    assert [charge.amount for charge in settle(pro, 60)] == [60_000]
