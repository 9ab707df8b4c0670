"""The plans that an installation begins with. From then on they are rows, which an administrator changes.

The published ones are those of Cartesia's price page as of August 2026, https://cartesia.ai/pricing, whose meters we
speak.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.money import DOLLAR

AGENT_MINUTE = 60_000
"""$0.06 for a minute of a call with a voice agent."""
TELEPHONY_MINUTE = 14_000
"""$0.014 more for a minute on a number of the platform; calls by one's own carrier pay that carrier instead."""

UNLIMITED = "unlimited"
"""Whoever runs Callwright on their own machine owes nobody anything."""

ENTITLEMENTS: Mapping[str, str] = {
    "commercial_use": "Commercial use",
    "instant_clone": "Instant voice clones",
    "pro_clone": "Professional voice clones",
    "organizations": "Teams",
    "priority_support": "Priority support",
    "sso": "Single sign-on",
    "compliance": "DPA, BAA and zero retention",
}
_CHEAP = ["commercial_use", "instant_clone"]
_TEAM = [*_CHEAP, "pro_clone", "organizations"]
_ALL = list(ENTITLEMENTS)


def _version(
    price: int | None,
    credit: int | None,
    budget: int | None,
    *,
    calls: int | None,
    slots: int | None,
    entitlements: list[str],
    members: int | None = None,
    pace: int | None = 1,
    metered_only: bool = False,
) -> dict[str, Any]:
    """`price` and `budget` are dollars; `slots` are those of agents and those of numbers."""
    return {
        "price": None if price is None else price * DOLLAR,
        "credits": credit,
        "agent_budget": None if budget is None else budget * DOLLAR,
        "concurrent_calls": calls,
        "agent_slots": slots,
        "number_slots": slots,
        "members": members,
        "outbound_per_second": pace,
        "agent_minute": AGENT_MINUTE,
        "telephony_minute": TELEPHONY_MINUTE,
        "entitlements": entitlements,
        "metered_only": metered_only,
    }


PLANS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "free": ("Free", _version(0, 20_000, 1, calls=8, slots=1, members=1, entitlements=[])),
    "pro": ("Pro", _version(5, 100_000, 5, calls=12, slots=3, members=1, entitlements=_CHEAP)),
    "startup": ("Startup", _version(49, 1_250_000, 49, calls=20, slots=5, entitlements=_TEAM)),
    "scale": ("Scale", _version(299, 8_000_000, 299, calls=60, slots=10, entitlements=[*_TEAM, "priority_support"])),
    "enterprise": ("Enterprise", _version(None, None, None, calls=None, slots=None, pace=None, entitlements=_ALL)),
    UNLIMITED: (
        "Unlimited",
        _version(0, None, None, calls=None, slots=None, pace=None, entitlements=_ALL, metered_only=True),
    ),
}
"""Name and first version of each plan, by id, in the order in which they are shown."""
