from __future__ import annotations

import dataclasses

import pytest

from billing import plans
from core.money import format_micro


@pytest.mark.parametrize(
    ("plan_id", "price", "budget", "limits"),
    [
        ("free", "$0", "$1", (20_000, 8, 1, 1, 1)),
        ("pro", "$5", "$5", (100_000, 12, 3, 3, 1)),
        ("startup", "$49", "$49", (1_250_000, 20, 5, 5, None)),
        ("scale", "$299", "$299", (8_000_000, 60, 10, 10, None)),
    ],
)
def test_the_published_plans_are_as_published(
    plan_id: str, price: str, budget: str, limits: tuple[int | None, ...]
) -> None:
    plan = plans.plan(plan_id)
    assert (format_micro(plan.price or 0, places=0), format_micro(plan.agent_budget or 0, places=0)) == (price, budget)
    assert (plan.credits, plan.concurrent_calls, plan.agent_slots, plan.number_slots, plan.members) == limits


def test_ten_minutes_on_a_number_of_the_platform_cost_74_cents() -> None:
    assert format_micro(10 * (plans.AGENT_MINUTE + plans.TELEPHONY_MINUTE)) == "$0.74"


def test_a_minute_s_rates_are_whole_micro_dollars_and_the_agent_s_also_by_the_second() -> None:
    assert plans.AGENT_MINUTE % 60 == 0
    assert plans.TELEPHONY_MINUTE % 60 != 0  # so by the second it needs a rounding rule


def test_the_installation_of_one_s_own_costs_nothing_and_blocks_nothing() -> None:
    assert plans.DEFAULT.id == "unlimited"
    assert plans.DEFAULT.price == 0
    limits = dataclasses.asdict(plans.DEFAULT)
    assert {limits[name] for name in limits if name not in ("id", "name", "price", "commercial_use")} == {None}
    assert plans.DEFAULT.commercial_use


def test_only_the_enterprise_price_is_left_to_a_contract() -> None:
    assert [plan.id for plan in plans.PLANS if plan.price is None] == ["enterprise"]


def test_only_the_free_plan_is_for_private_use() -> None:
    assert [plan.id for plan in plans.PLANS if not plan.commercial_use] == ["free"]


def test_an_unknown_plan_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        plans.plan("gold")


def test_every_plan_has_an_id_of_its_own() -> None:
    assert [plans.plan(plan.id) for plan in plans.PLANS] == list(plans.PLANS)
