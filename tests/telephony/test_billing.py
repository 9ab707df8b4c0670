"""What calls are billed, from their admission to their end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Organization, User
from billing.ledger.models import Account
from billing.ledger.selectors import balance
from billing.limits import leases
from billing.limits.budgets import budget_save
from billing.limits.models import CallLease
from billing.plans.models import Plan, Subscription
from billing.plans.services import subscription_change, subscription_settings
from billing.reconcile import reconcile
from billing.usage.models import Charge, UsageEvent
from core.errors import ApiError, ErrorCode
from telephony import metering, services
from telephony.models import Call, CallEvent
from telephony.runtime import Runtime, in_thread
from tests.conftest import AgentFactory, CallFactory
from tests.telephony.conftest import Browser, path_of, stored
from voice import events

pytestmark = pytest.mark.django_db


@pytest.fixture
def pro(workspace: Organization) -> Organization:
    subscription_change(organization=workspace, plan=Plan.objects.get(pk="pro"), actor=None)
    return workspace


def finish(call: Call, seconds: float) -> None:
    services.call_finish(call_id=call.pk, reason="caller_ended", detail="", duration=seconds, recording_seconds=0.0)


def call_budget(workspace: Organization, owner: User, *, limit: int) -> None:
    """No call may cost more than `limit` micro-dollars."""
    values = {"name": "Tests", "scope": "call", "target": "", "window": "day", "limit": limit, "hard_stop": True}
    more = {"thresholds": [], "emails": [], "webhook_url": ""}
    budget_save(organization=workspace, actor=owner, values={**values, **more}, budget=None)


def cost(call: Call) -> int:
    return Charge.objects.filter(event__call_id=call.pk).aggregate(sum=Sum("amount"))["sum"] or 0


def test_ten_minutes_on_a_number_of_the_platform_cost_74_cents(call_factory: CallFactory, pro: Organization) -> None:
    call = call_factory(state=Call.State.LIVE, line=Call.Line.PLATFORM, direction="inbound", number="+15550100")
    finish(call, 600.0)
    finish(call, 600.0)
    assert cost(call) == 740_000
    fact = UsageEvent.objects.get(meter="telephony_seconds")
    assert (fact.quantity, fact.direction, fact.number, fact.version_id) == (
        600,
        "inbound",
        "+15550100",
        call.version_id,
    )


@pytest.mark.parametrize("line", [Call.Line.OWN, Call.Line.NONE])
def test_one_s_own_carrier_and_the_browser_pay_no_telephony(
    call_factory: CallFactory, pro: Organization, line: str
) -> None:
    call = call_factory(state=Call.State.LIVE, line=line)
    finish(call, 600.0)
    assert cost(call) == 600_000


def test_a_call_whose_process_died_is_billed_until_its_last_heartbeat(
    call_factory: CallFactory, pro: Organization
) -> None:
    beat = timezone.now() - timedelta(seconds=31)
    call = call_factory(
        state=Call.State.LIVE, process="elsewhere:1:1", started_at=beat - timedelta(seconds=45), heartbeat_at=beat
    )
    assert services.calls_recover() == [call.pk]
    assert services.calls_recover() == []
    assert cost(call) == 45_000


def test_a_call_takes_a_place_and_gives_it_back(agent_factory: AgentFactory, member: User, pro: Organization) -> None:
    call = services.call_start(agent=agent_factory(), actor=member, process="here").call
    assert balance(pro).held == 60_000
    finish(call, 12.0)
    assert (balance(pro).held, balance(pro).used) == (0, 12_000)
    assert CallLease.objects.get().closed_at == call.started_at + timedelta(seconds=12)


def test_a_call_that_is_refused_leaves_no_trace(agent_factory: AgentFactory, member: User, pro: Organization) -> None:
    agent = agent_factory()
    for _ in range(12):
        services.call_start(agent=agent, actor=member, process="here")
    with pytest.raises(ApiError) as refused:
        services.call_start(agent=agent, actor=member, process="there")
    assert refused.value.code == ErrorCode.CONCURRENCY_LIMITED
    assert Call.objects.count() == CallLease.objects.count() == 12


def test_what_providers_did_is_noted_once_and_not_charged(call_factory: CallFactory, pro: Organization) -> None:
    service = {"role": "llm", "name": "OpenAI", "vendor": "openai", "model": "gpt-5.4-mini"}
    call = call_factory(services=[service])
    happened = [
        events.ModelRequested(
            at=1.0, turn=1, request="r1", provider="OpenAI", model="gpt-5.4-mini", messages=[], tools=[]
        ),
        events.ModelFinished(
            at=2.0, turn=1, request="r1", text="Yes.", finish="stop", input_tokens=1_001, output_tokens=20
        ),
        events.ListeningFinished(at=3.0, provider="local", billed_seconds=2.5),
    ]
    CallEvent.objects.bulk_create(CallEvent.of(call.pk, n, events.encode(event)) for n, event in enumerate(happened))
    before = balance(pro)
    assert metering.call_meter(call_id=call.pk)
    assert not metering.call_meter(call_id=call.pk)
    assert {(e.meter, e.quantity) for e in UsageEvent.objects.all()} == {
        ("llm_input_token", 1_001),
        ("llm_output_token", 20),
        ("stt_ms", 2_500),
    }
    assert cost(call) == 751 + 90  # 750.75, rounded once
    assert balance(pro) == before
    assert Account.objects.get(kind=Account.Kind.VENDORS).balance == -841
    assert list(reconcile()) == []


def test_a_call_that_was_not_metered_is_found(call_factory: CallFactory) -> None:
    ended = timezone.now() - timedelta(minutes=2)
    missed = call_factory(ended_at=ended)
    call_factory(ended_at=ended, metered_at=ended)
    call_factory()
    assert metering.calls_unmetered() == [missed.pk]


async def told(user: User, path: str) -> tuple[int, str, str]:
    """With which code a call is refused in the browser, and in which words."""
    browser = Browser(user, path)
    await browser.connect()
    code = await browser.closed()
    error = browser.messages[0]["error"]
    return code, error["error_code"], f"{error['title']}. {error['message']}"


@pytest.mark.django_db(transaction=True)
async def test_a_call_that_a_budget_leaves_no_money_for_is_refused_in_words(
    agent_factory: AgentFactory, member: User, owner: User, workspace: Organization, runtime: Runtime
) -> None:
    def prepare() -> str:
        call_budget(workspace, owner, limit=9_999)
        return path_of(agent_factory())

    code, error_code, words = await told(member, await in_thread(prepare))
    assert (code, error_code) == (4402, "quota_exceeded")
    assert words == "No money for the call. The budget Tests gives each call $0.01. Raise it for longer calls."
    assert not await Call.objects.aexists()


@pytest.mark.django_db(transaction=True)
async def test_a_call_for_which_the_plan_has_no_place_is_refused_in_words(
    agent_factory: AgentFactory, member: User, workspace: Organization, runtime: Runtime
) -> None:
    def prepare() -> str:
        subscription_change(organization=workspace, plan=Plan.objects.get(pk="free"), actor=None)
        agent = agent_factory()
        for _ in range(8):
            services.call_start(agent=agent, actor=member, process="elsewhere")
        return path_of(agent)

    code, error_code, words = await told(member, await in_thread(prepare))
    assert (code, error_code) == (4429, "concurrency_limited")
    assert words == ("Too many calls at once. The plan Free allows 8 calls at once. Try again when one has ended.")


@pytest.mark.django_db(transaction=True)
async def test_a_call_under_a_plan_that_is_unpaid_is_refused_in_words(
    agent_factory: AgentFactory, member: User, workspace: Organization, runtime: Runtime
) -> None:
    def prepare() -> str:
        subscription_change(organization=workspace, plan=Plan.objects.get(pk="pro"), actor=None)
        Subscription.objects.update(status=Subscription.Status.UNPAID)
        return path_of(agent_factory())

    code, _, words = await told(member, await in_thread(prepare))
    assert code == 4402
    assert words == "The plan Pro is not paid. An invoice is unpaid. Pay it under Billing, then call again."


@pytest.mark.django_db(transaction=True)
async def test_a_call_without_money_says_so_and_ends(
    agent_factory: AgentFactory,
    member: User,
    owner: User,
    workspace: Organization,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(leases, "LEAST_SECONDS", 1)

    def prepare() -> str:
        subscription_settings(organization=workspace, actor=owner, overage=False, grace_seconds=0)
        call_budget(workspace, owner, limit=1_000)
        return path_of(agent_factory())

    browser = Browser(member, await in_thread(prepare))
    await browser.connect()
    call = await browser.message("ready")
    assert (await browser.event("call.budget_spent"))["step"] == "farewell"
    assert (await browser.message("ended"))["reason"] == "budget_spent"
    assert (await stored(call["call"]["id"])).end_reason == "budget_spent"
