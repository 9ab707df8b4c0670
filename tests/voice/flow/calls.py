"""Whole calls with an agent that has a flow, on the virtual clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.voice.fakes import FakeLlm, Result, Step, Types, agent, chat_model, hold_call
from voice import events
from voice.flow.runner import agent_brain
from voice.flow.spec import Flow
from voice.knowledge import Knowledge

BEGUN = {"system__time_utc": "2026-11-26T13:05:00Z"}
"""The calls begin on a Thursday."""
SECONDS = 14.0
"""Between the turns of a caller who types: time enough for the agent to say all it has to."""


def flow(*steps: Mapping[str, Any], **settings: Any) -> Flow:
    return Flow.model_validate({"steps": steps, **settings})


def call(
    made: Flow,
    *script: str | Step,
    llm: FakeLlm | None = None,
    knowledge: Knowledge | None = None,
    spec: Mapping[str, Any] | None = None,
    variables: Mapping[str, object] | None = None,
    ends_after: float = SECONDS,
    **options: Any,
) -> Result:
    """Hold a call in which the caller types what are texts in the script, one after the other."""
    typed = [line if not isinstance(line, str) else Types(SECONDS * (at + 1), line) for at, line in enumerate(script)]
    llm = llm or FakeLlm("I see.")
    return hold_call(
        *typed,
        spec=agent(**{"greeting": "", "flow": made, "inactivity": {"check_in_after": 1000.0}, **(spec or {})}),
        llm=llm,
        brain=agent_brain([chat_model(llm)], knowledge=knowledge),
        variables={**BEGUN, **(variables or {})},
        ends_at=SECONDS * (len(script) + 1) + ends_after - SECONDS,
        **options,
    )


def said(result: Result) -> list[str]:
    """What the agent said, turn by turn."""
    return [words for who, words in result.transcript if who == "agent"]


def steps(result: Result) -> list[str]:
    return [event.step for event in result.all(events.StepEntered)]


def variables(result: Result) -> dict[str, Any]:
    return {event.name: event.value for event in result.all(events.VariableSet)}


def verdicts(result: Result) -> list[tuple[str, str]]:
    return [(event.slot, event.verdict) for event in result.all(events.SlotHeard)]


def judged(line: int) -> str:
    """What a model says when it is asked which line is true."""
    return f'{{"line": {line}}}'
