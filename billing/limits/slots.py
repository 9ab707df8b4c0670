"""How many agents, numbers and members a plan has room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from accounts.models import Organization
from billing.ledger.services import ledger_lock
from billing.plans.selectors import entitlements
from core.errors import ApiError, ErrorCode

Slot = Literal["agent", "number", "member"]

_WORDS = {"agent": "published agents", "number": "numbers", "member": "members"}


def slot_require(*, organization: Organization, slot: Slot, taken: Callable[[], int]) -> None:
    """Raises ApiError (quota exceeded) where the plan has no room for one more. `taken` counts those that there are:
    nobody else takes a slot from then on until the transaction ends."""
    plan = entitlements(organization)
    limit = {"agent": plan.agent_slots, "number": plan.number_slots, "member": plan.members}[slot]
    if limit is None:
        return
    ledger_lock(organization)
    if taken() >= limit:
        message = f"The plan {plan.plan_name} has room for {limit} {_WORDS[slot]}. Remove one, or choose a larger plan."
        raise ApiError(ErrorCode.QUOTA_EXCEEDED, "The plan has no room for more", message)


def agent_slot_require(*, organization: Organization, live_agents: Callable[[], int]) -> None:
    """Of `BEFORE_AGENT_GOES_LIVE` in the settings: an agent that callers can reach takes a slot."""
    slot_require(organization=organization, slot="agent", taken=live_agents)
