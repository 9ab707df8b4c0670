"""What holds for every flow: it ends or waits for the caller, and never goes silent."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.fakes import FakeLlm
from tests.voice.flow.calls import call, judged, said
from voice import events
from voice.flow.spec import Flow

IDS = ["a", "b", "c", "d"]
TO = st.sampled_from([*IDS, "", "gone"])
CONDITIONS = st.sampled_from(["x > 1", "true", "false", "empty(y)", "x == y", "1 / 0 == 1"])
ROUTES = st.lists(
    st.fixed_dictionaries(
        {"to": TO, "when": st.sampled_from(["", "they agree"]), "condition": CONDITIONS | st.just("")}
    ),
    max_size=2,
)
KINDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "conversation": {
        "say": st.sampled_from(["", "Hello."]),
        "routes": ROUTES,
        "max_turns": st.none() | st.just(1),
        "too_long": TO,
    },
    "branch": {
        "cases": st.lists(st.fixed_dictionaries({"condition": CONDITIONS, "to": TO}), max_size=2),
        "otherwise": TO,
    },
    "collect": {
        "slots": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["x", "y"]), "type": st.sampled_from(["number", "text", "date", "yes_no"])}
            ),
            min_size=1,
            max_size=2,
        ),
        "next": TO,
        "failed": TO,
        "ask_again": st.booleans(),
    },
    "tool": {"tool": st.just("gone"), "success": TO, "failure": TO},
    "knowledge": {"question": st.sampled_from(["", "What?"]), "next": TO, "nothing_found": TO},
    "menu": {
        "keys": st.lists(st.fixed_dictionaries({"key": st.sampled_from("12"), "to": TO}), min_size=1, max_size=3),
        "failed": TO,
    },
    "transfer": {"failure": TO},
    "handoff": {"agent": st.sampled_from(["", "gone"]), "next": TO},
    "set": {"values": st.just([{"name": "x", "value": "number(x) + 1"}]), "next": TO},
    "post": {"wait": st.booleans(), "next": TO, "failure": TO},
    "sms": {"wait": st.booleans(), "next": TO, "failure": TO},
    "say": {"say": st.sampled_from(["", "So."]), "next": TO},
    "end": {"say": st.sampled_from(["", "Bye."])},
}
STEPS = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.fixed_dictionaries({"kind": st.just(kind), **KINDS[kind]})
)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    made = [{**draw(STEPS), "id": name} for name in draw(st.lists(st.sampled_from(IDS), unique=True, max_size=4))]
    return Flow.model_validate({"steps": made, "start": draw(TO), "routes": draw(ROUTES)})


@settings(max_examples=40)
@given(flows(), st.sampled_from([judged(0), judged(1), "I see.", "", "nonsense"]))
def test_every_flow_ends_or_waits_and_the_caller_hears_words(made: Flow, answer: str) -> None:
    result = call(made, "Hello?", "five", "yes", llm=FakeLlm(answer, "Well."), ends_after=20.0)
    assert result.end.reason in ("caller_ended", "agent_ended", "error")
    assert said(result)
    assert result.tasks_left == []
    entered = result.all(events.StepEntered)
    assert len(entered) <= 4 * 51
    if result.end.reason == "agent_ended":
        # Nobody is hung up on without a word.
        assert result.all(events.AgentTurn)[-1].text


@given(flows())
def test_every_flow_is_the_same_after_it_was_stored(made: Flow) -> None:
    assert Flow.model_validate(made.model_dump(mode="json", exclude_defaults=True)) == made
