"""Facts of calls, recorded and charged as the end of a call does it."""

from __future__ import annotations

from typing import Any

from billing.usage.meters import AGENT_SECONDS
from billing.usage.models import UsageEvent
from billing.usage.services import Fact, usage_charge, usage_record
from telephony.models import Call

# What a minute of talking takes: 40 s of hearing, 3,000 tokens read and 150 written, 600 characters spoken.
MINUTE: list[dict[str, Any]] = [
    {"meter": "stt_ms", "quantity": 40_000, "capability": "stt", "vendor": "deepgram", "model": "nova-3"},
    {
        "meter": "llm_input_token",
        "quantity": 3_000,
        "capability": "llm",
        "vendor": "openai",
        "model": "gpt-4.1-mini",
        "own_key": True,
    },
    {
        "meter": "llm_output_token",
        "quantity": 150,
        "capability": "llm",
        "vendor": "openai",
        "model": "gpt-4.1-mini",
        "own_key": True,
    },
    {"meter": "tts_character", "quantity": 600, "capability": "tts", "vendor": "cartesia", "model": "sonic-3.6"},
]


def used(call: Call, *, seconds: int = 60, number: str = "", direction: str = "web", **fields: Any) -> list[UsageEvent]:
    """The facts of a call of so many seconds that used of each provider what a minute takes, charged."""
    shared = {
        "occurred_at": call.started_at,
        "call_id": call.pk,
        "agent_id": call.agent_id,
        "version_id": call.version_id,
        "number": number,
        "direction": direction,
        **fields,
    }
    parts: list[dict[str, Any]] = [{"meter": AGENT_SECONDS, "quantity": seconds, "capability": "agent"}, *MINUTE]
    if number:
        parts.append({"meter": "telephony_seconds", "quantity": seconds, "capability": "telephony"})
    facts = [Fact(key=f"call:{call.pk}:{part['meter']}", **{**shared, **part}) for part in parts]
    events = usage_record(organization=call.organization, facts=facts)
    usage_charge(organization=call.organization, events=events)
    return events
