"""Whatever happens in whatever order, to three workers at once, the books are right.

`pytest --hypothesis-profile=thorough tests/billing/test_interleavings.py` tries ten times as much.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from accounts.models import Organization
from billing.ledger.models import Account
from billing.ledger.selectors import balance
from billing.ledger.services import prepaid_add
from billing.limits.leases import leases_renew
from billing.limits.models import CallLease
from billing.plans.models import Plan, PlanVersion
from billing.plans.selectors import current_version
from billing.plans.services import subscription_change
from billing.reconcile import reconcile
from billing.usage.models import Charge, UsageEvent
from billing.usage.rating import seconds_begun
from billing.usage.services import usage_refund, usage_rerate
from core.errors import ApiError
from tests.billing.conftest import NOW, admit, settle

CALLS = [f"call_{number}" for number in range(4)]
calls = st.sampled_from(CALLS)
durations = st.sampled_from([0.0, 0.4, 1.0, 59.0, 60.0, 61.0, 333.3, 4000.0])


def terms() -> list[PlanVersion]:
    """The plan's own, and two others to correct by."""
    pro = Plan.objects.get(pk="pro")
    for number, rate in ((2, 90_000), (3, 12_345)):
        if not pro.versions.filter(number=number).exists():
            fields = {
                name: getattr(current_version("pro"), name)
                for name in ("price", "credits", "agent_budget", "telephony_minute", "entitlements")
            }
            # In force long after these tests: nobody subscribes to it.
            later = NOW + timedelta(days=3650)
            PlanVersion.objects.create(plan=pro, number=number, effective_from=later, agent_minute=rate, **fields)
    return list(pro.versions.order_by("number"))


class Billing:
    """What may happen to the calls of a workspace. Everything may be done again, by anybody."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.terms = terms()

    def start(self, call: str, phone: bool) -> None:
        if CallLease.objects.filter(pk=call).exists():
            return
        # No money, or another worker was faster.
        with suppress(ApiError, IntegrityError):
            admit(self.organization, call, on_platform_number=phone)

    def beat(self, call: str, after: float) -> None:
        leases_renew(call_ids=[call], now=NOW + timedelta(seconds=after))

    def end(self, call: str, seconds: float) -> None:
        lease = CallLease.objects.filter(pk=call).first()
        if lease is not None:
            settle(self.organization, seconds, call, on_platform_number=lease.on_platform_number)

    def crash(self, call: str, seconds: float) -> None:
        """A process dies while it settles a call; somebody else finishes it, with what they know."""
        try:
            with transaction.atomic():
                self.end(call, seconds)
                raise InterruptedError
        except InterruptedError:
            pass
        self.end(call, seconds + 2.5)

    def refund(self, call: str, amount: int | None) -> None:
        for event in UsageEvent.objects.filter(call_id=call).select_related("plan_version"):
            usage_refund(organization=self.organization, event=event, amount=amount, reason="test")

    def rerate(self, call: str, number: int) -> None:
        events = list(UsageEvent.objects.filter(call_id=call).select_related("plan_version"))
        usage_rerate(organization=self.organization, events=events, reason="test", terms=self.terms[number])

    def pay(self, number: int) -> None:
        prepaid_add(organization=self.organization, amount=500_000, key=f"payment {number}")

    def check(self) -> None:
        """The books are right."""
        assert [str(difference) for difference in reconcile(self.organization)] == []
        assert not CallLease.objects.filter(held__lt=0).exists()
        for kind in ("allowance", "prepaid", "usage"):
            assert not Account.objects.filter(organization=self.organization, kind=kind, balance__lt=0).exists()
        facts = UsageEvent.objects.filter(organization=self.organization)
        keys = list(facts.values_list("call_id", "meter"))
        assert len(keys) == len(set(keys)), "A call has two facts of one meter"
        charges = Charge.objects.filter(organization=self.organization)
        assert charges.filter(kind="rating").count() == facts.count(), "A fact is charged twice, or not at all"
        assert balance(self.organization).used == sum(charges.values_list("amount", flat=True))


class Machine(RuleBasedStateMachine):
    """One after the other, in any order, checked after each step."""

    billing: Billing
    made: Callable[[], Billing]

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.atomic()
        self.point.__enter__()
        self.billing = type(self).made()
        self.settled: dict[str, float] = {}

    @rule(call=calls, phone=st.booleans())
    def start(self, call: str, phone: bool) -> None:
        self.billing.start(call, phone)

    @rule(call=calls, after=st.integers(0, 4000))
    def beat(self, call: str, after: int) -> None:
        self.billing.beat(call, after)

    @rule(call=calls, seconds=durations)
    def end(self, call: str, seconds: float) -> None:
        self._first(call, seconds)
        self.billing.end(call, seconds)

    @rule(call=calls, seconds=durations)
    def crash(self, call: str, seconds: float) -> None:
        self._first(call, seconds + 2.5)
        self.billing.crash(call, seconds)

    def _first(self, call: str, seconds: float) -> None:
        """What a call is billed for: the first end that is more than nothing."""
        if seconds and CallLease.objects.filter(pk=call).exists():
            self.settled.setdefault(call, seconds)

    @precondition(lambda self: self.settled)
    @rule(call=calls, amount=st.none() | st.integers(1, 100_000))
    def refund(self, call: str, amount: int | None) -> None:
        self.billing.refund(call, amount)

    @precondition(lambda self: self.settled)
    @rule(call=calls, number=st.integers(0, 2))
    def rerate(self, call: str, number: int) -> None:
        self.billing.rerate(call, number)

    @rule(number=st.integers(0, 2))
    def pay(self, number: int) -> None:
        self.billing.pay(number)

    @invariant()
    def the_books_are_right(self) -> None:
        self.billing.check()
        for call, seconds in self.settled.items():
            (fact,) = UsageEvent.objects.filter(call_id=call, meter="agent_seconds")
            assert fact.quantity == seconds_begun(timedelta(seconds=seconds))

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.point.__exit__(None, None, None)


@pytest.mark.slow
@pytest.mark.django_db
def test_in_any_order_the_books_are_right(workspace: Organization) -> None:
    def made() -> Billing:
        subscription_change(organization=workspace, plan=Plan.objects.get(pk="free"), actor=None)
        return Billing(workspace)

    machine = type("Machine", (Machine,), {"made": staticmethod(made)})
    steps = settings(
        max_examples=settings().max_examples // 4,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    run_state_machine_as_test(machine, settings=steps)


step = st.one_of(
    st.tuples(st.just("start"), calls, st.booleans()),
    st.tuples(st.just("beat"), calls, st.integers(0, 4000)),
    st.tuples(st.just("end"), calls, durations),
    st.tuples(st.just("crash"), calls, durations),
    st.tuples(st.just("refund"), calls, st.none() | st.integers(1, 100_000)),
    st.tuples(st.just("rerate"), calls, st.integers(0, 2)),
    st.tuples(st.just("pay"), st.integers(0, 2)),
)


@pytest.mark.django_db(transaction=True)
def test_three_workers_at_once_keep_the_books_right(workspace: Organization) -> None:
    subscription_change(organization=workspace, plan=Plan.objects.get(pk="free"), actor=None)
    billing = Billing(workspace)

    def work(steps: list[tuple[Any, ...]], gate: threading.Barrier) -> None:
        try:
            gate.wait(timeout=30)
            for name, *arguments in steps:
                getattr(billing, name)(*arguments)
        finally:
            connections.close_all()

    # Each try goes on with the books of the one before: rows that are final cannot be cleared away.
    @settings(
        max_examples=settings().max_examples // 12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.lists(st.lists(step, min_size=4, max_size=10), min_size=3, max_size=3))
    def at_once(work_lists: list[list[tuple[Any, ...]]]) -> None:
        gate = threading.Barrier(len(work_lists))
        with ThreadPoolExecutor(len(work_lists)) as pool:
            for done in [pool.submit(work, steps, gate) for steps in work_lists]:
                done.result()
        billing.check()

    at_once()
    for call in CALLS:
        billing.end(call, 10.0)
    billing.check()
    assert balance(workspace).held == 0
