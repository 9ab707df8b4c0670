"""The plans: what each costs and allows. Static data; metering and charging do not live here.

Prices are micro-dollars (1 000 000 = $1). The published plans are those of Cartesia's price page as of August 2026,
https://cartesia.ai/pricing, whose meters we speak. None stands for "without limit"; in the Enterprise plan, whose price
is None too, for "what the contract says". Two budgets are kept apart: credits pay for models, the agent budget pays for
minutes of calls.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.money import DOLLAR

AGENT_MINUTE = 60_000
"""$0.06 for a minute of a call with a voice agent."""
TELEPHONY_MINUTE = 14_000
"""$0.014 more for a minute on a number of the platform; calls by one's own carrier pay that carrier instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One plan. Credits and budget are monthly; the budget and the price are micro-dollars."""

    id: str
    name: str
    price: int | None
    credits: int | None
    agent_budget: int | None
    concurrent_calls: int | None
    agent_slots: int | None
    number_slots: int | None
    members: int | None = None
    commercial_use: bool = True


FREE = Plan(
    id="free",
    name="Free",
    price=0,
    credits=20_000,
    agent_budget=1 * DOLLAR,
    concurrent_calls=8,
    agent_slots=1,
    number_slots=1,
    members=1,
    commercial_use=False,
)
PRO = Plan(
    id="pro",
    name="Pro",
    price=5 * DOLLAR,
    credits=100_000,
    agent_budget=5 * DOLLAR,
    concurrent_calls=12,
    agent_slots=3,
    number_slots=3,
    members=1,
)
STARTUP = Plan(
    id="startup",
    name="Startup",
    price=49 * DOLLAR,
    credits=1_250_000,
    agent_budget=49 * DOLLAR,
    concurrent_calls=20,
    agent_slots=5,
    number_slots=5,
)
SCALE = Plan(
    id="scale",
    name="Scale",
    price=299 * DOLLAR,
    credits=8_000_000,
    agent_budget=299 * DOLLAR,
    concurrent_calls=60,
    agent_slots=10,
    number_slots=10,
)
ENTERPRISE = Plan(
    id="enterprise",
    name="Enterprise",
    price=None,
    credits=None,
    agent_budget=None,
    concurrent_calls=None,
    agent_slots=None,
    number_slots=None,
)
UNLIMITED = Plan(
    id="unlimited",
    name="Unlimited",
    price=0,
    credits=None,
    agent_budget=None,
    concurrent_calls=None,
    agent_slots=None,
    number_slots=None,
)

DEFAULT = UNLIMITED
"""Whoever runs Callwright on their own machine owes nobody anything."""
PLANS = (FREE, PRO, STARTUP, SCALE, ENTERPRISE, UNLIMITED)


def plan(plan_id: str) -> Plan:
    """The plan of that id. Raises KeyError when there is none."""
    return _BY_ID[plan_id]


_BY_ID = {each.id: each for each in PLANS}
