from __future__ import annotations

from typing import Any

import pytest

from telephony import transcript
from telephony.models import CallEvent
from telephony.transcript import AgentSaid, CallerSaid, Notice, ToolUse
from voice import events
from voice.events import Word


def asked(turn: int = 1, text: str = "When are you open?", at: float = 3.0) -> events.CallerTurn:
    return events.CallerTurn(at=at + 0.2, turn=turn, text=text, started=at - 1.0, ended=at)


def test_a_turn_holds_what_both_said_in_order_of_time() -> None:
    [greeting, turn] = transcript.turns(
        [
            events.AgentSpeechStarted(at=0.4, turn=0, playout_delay=0.1),
            events.AgentHeard(at=0.9, turn=0, words=[Word("Hello.", 0.5, 0.9)]),
            events.AgentTurn(at=1.0, turn=0, text="Hello.", started=0.5, ended=1.0),
            asked(),
            events.AgentSpeechStarted(at=4.0, turn=1),
            events.AgentHeard(at=4.5, turn=1, words=[Word("At", 4.0, 4.2)]),
            events.AgentHeard(at=4.9, turn=1, words=[Word("nine.", 4.2, 4.6)]),
            events.AgentTurn(at=5.0, turn=1, text="At nine.", started=4.0, ended=5.0),
        ]
    )
    assert (greeting.number, turn.number) == (0, 1)
    [said] = greeting.items
    assert isinstance(said, AgentSaid)
    assert (said.text, said.at, said.end, said.finished) == ("Hello.", 0.5, 1.0, True)
    caller, answer = turn.items
    assert isinstance(caller, CallerSaid)
    assert [word.text for word in caller.words] == ["When", "are", "you", "open?"]
    assert (caller.words[0].start, caller.words[-1].end) == (2.0, 3.0)
    assert isinstance(answer, AgentSaid)
    assert [word.text for word in answer.words] == ["At", "nine."]
    assert turn.latency is not None
    assert turn.latency.total == 1.0


def test_an_interruption_shows_what_was_not_heard() -> None:
    [turn] = transcript.turns(
        [
            asked(),
            events.AgentTurn(
                at=5.0, turn=1, text="At", started=4.0, ended=4.5, interrupted=True, unheard="nine o'clock."
            ),
        ]
    )
    said = turn.items[-1]
    assert isinstance(said, AgentSaid)
    assert (said.text, said.interrupted, said.unheard) == ("At", True, "nine o'clock.")


def test_a_call_that_breaks_off_keeps_what_was_heard_and_half_said() -> None:
    turns = transcript.turns(
        [
            asked(),
            events.AgentSpeechStarted(at=4.0, turn=1),
            events.AgentHeard(at=4.5, turn=1, words=[Word("At", 4.0, 4.2)]),
            events.CallerPartial(at=5.0, turn=2, text="And on"),
            events.CallerPartial(at=5.4, turn=2, text="And on Sunday"),
        ]
    )
    heard, half = turns[0].items[-1], turns[1].items[-1]
    assert isinstance(heard, AgentSaid)
    assert (heard.text, heard.finished) == ("At", False)
    assert isinstance(half, CallerSaid)
    assert (half.text, half.finished) == ("And on Sunday", False)


def test_partial_words_of_a_finished_turn_are_not_shown_twice() -> None:
    [turn] = transcript.turns([events.CallerPartial(at=2.5, turn=1, text="When"), asked()])
    assert len(turn.items) == 1


def test_two_things_that_the_agent_says_in_one_turn_are_two_items() -> None:
    [turn] = transcript.turns(
        [
            asked(),
            events.AgentSpeechStarted(at=4.0, turn=1),
            events.AgentTurn(at=5.0, turn=1, text="At nine.", started=4.0, ended=5.0),
            events.InactivityNoticed(at=17.0, step="check_in", silent_for=12.0),
            events.AgentSpeechStarted(at=17.1, turn=1),
            events.AgentHeard(at=18.0, turn=1, words=[Word("Still?", 17.1, 18.0)]),
            events.AgentTurn(at=18.0, turn=1, text="Still?", started=17.1, ended=18.0),
        ]
    )
    texts = [item.text for item in turn.items if isinstance(item, AgentSaid | Notice)]
    assert texts == ["At nine.", "The caller was silent for 12 s: the agent asked.", "Still?"]


def test_a_tool_shows_what_it_was_given_and_what_came_back() -> None:
    [turn] = transcript.turns(
        [
            asked(),
            events.ToolCalled(at=3.5, turn=1, tool_call="a", name="hours", arguments={"day": "Sünday"}),
            events.ToolReturned(at=3.9, turn=1, tool_call="a", name="hours", result="closed", took=0.4),
            events.ToolCalled(at=4.0, turn=1, tool_call="b", name="end_call", arguments={}),
        ]
    )
    first, second = (item for item in turn.items if isinstance(item, ToolUse))
    assert (first.arguments, first.result, first.took) == ('{\n  "day": "Sünday"\n}', "closed", 0.4)
    assert second.took is None


def test_trouble_is_told_where_it_happened() -> None:
    [turn] = transcript.turns(
        [
            asked(),
            events.ProviderSlow(at=5.5, turn=1, role="llm", provider="Groq", waited=2.5),
            events.ProviderFailed(
                at=6.0, turn=1, role="llm", provider="Groq", error="No answer.", then="asking the caller again"
            ),
            events.InterruptionIgnored(at=7.0, turn=2, text="mm-hm", reason="backchannel"),
        ]
    )[:1]
    notices = [(item.tone, item.text) for item in turn.items if isinstance(item, Notice)]
    assert notices == [
        ("warning", "The language model (Groq) was slow: 2.5 s so far."),
        ("error", "The language model (Groq) failed: No answer. Then: asking the caller again."),
    ]


def test_what_the_model_was_sent_stands_beside_its_answer() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You are Ada."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]},
    ]
    [turn] = transcript.turns(
        [
            events.ModelRequested(
                at=3.0, turn=1, request="r1", provider="local", model="qwen", messages=messages, tools=["end_call"]
            ),
            events.ModelFirstToken(at=3.25, turn=1, request="r1"),
            events.ModelFinished(at=3.75, turn=1, request="r1", text="At nine.", finish="stop", output_tokens=4),
            events.ModelRequested(
                at=4.0, turn=1, request="r2", provider="local", model="qwen", messages=[], tools=[], speculative=True
            ),
        ]
    )
    first, second = turn.requests
    assert (first.first_token, first.took, first.finish, first.text) == (0.25, 0.75, "stop", "At nine.")
    assert [(message.role, message.content) for message in first.messages] == [
        ("system", "You are Ada."),
        ("assistant", ""),
    ]
    assert '"id": "a"' in first.messages[1].tool_calls
    assert (second.took, second.finish, second.speculative) == (None, "", True)


def test_the_waterfall_fits_its_width() -> None:
    [turn] = transcript.turns(
        [
            asked(),
            events.ModelRequested(at=3.2, turn=1, request="r", provider="p", model="m", messages=[], tools=[]),
            events.ModelFinished(at=3.6, turn=1, request="r", text="", finish="stop"),
            events.AgentSpeechStarted(at=4.0, turn=1, playout_delay=0.2),
        ]
    )
    assert turn.latency is not None
    assert sum(part.percent for part in turn.latency.parts) == pytest.approx(100, abs=0.05)
    assert min(span.x for span in turn.latency.spans) == 0
    assert max(span.x + span.width for span in turn.latency.spans) == pytest.approx(100, abs=0.05)


def test_an_event_of_another_version_is_passed_over() -> None:
    assert transcript.decoded(CallEvent(at=1.0, type="call.teleported", data={})) is None
    assert transcript.decoded(CallEvent(at=1.0, type="call.ended", data={"reason": "x", "mood": "fine"})) is None


def test_a_call_without_events_has_no_turns() -> None:
    assert transcript.turns([]) == []
