"""Whole calls with tools on the virtual clock: what the caller hears meanwhile, and what the model is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.voice.fakes import Answer, FakeLlm, Result, Speaks, agent, hold_call
from tests.voice.test_brain import calls_without_results
from tests.voice.test_toolbox import Slow
from voice import events
from voice.conversation import EndReason
from voice.providers.base import ToolRequest
from voice.tools import CallControl, Outcome

LONG = "We are open from nine to five on weekdays. On Saturday we close at noon. On Sunday we are closed all day."


def ask_for(*names: str) -> list[Any]:
    return [ToolRequest(f"{name}-{index}", name, "{}") for index, name in enumerate(names)]


def call_with(*script: Any, tools: list[Slow], answers: list[Answer], ends_at: float = 14.0, **more: Any) -> Result:
    call = hold_call(*script, llm=FakeLlm(*answers), tools=tools, ends_at=ends_at, **more)
    for asked in call.llm.asked:
        assert calls_without_results(asked) == [], "a tool call without a result was sent"
    assert call.tasks_left == []
    return call


def heard_at(call: Result, text: str) -> float:
    """When a word was first heard."""
    return next(word.start for e in call.all(events.AgentHeard) for word in e.words if word.text == text)


def test_words_before_a_tool_are_heard_while_it_runs() -> None:
    call = call_with(
        Speaks(2.0, "Is a table free?"),
        tools=[Slow("look", "Yes, one.", takes=2.0)],
        answers=[["Let me check.", *ask_for("look")], "One is free."],
    )
    returned = call.all(events.ToolReturned)[0]
    assert heard_at(call, "check.") < returned.at - 0.5
    assert call.transcript[-1] == ("agent", "Let me check. One is free.")


def test_a_tool_has_words_of_its_own_for_the_wait() -> None:
    call = call_with(
        Speaks(2.0, "Is a table free?"),
        tools=[Slow("look", takes=2.0, speech="I'll look in the book.")],
        answers=[ask_for("look"), "One is free."],
    )
    assert call.transcript[-1] == ("agent", "I'll look in the book. One is free.")
    assert heard_at(call, "book.") < call.all(events.ToolReturned)[0].at


def test_a_model_that_speaks_by_itself_is_not_spoken_over() -> None:
    call = call_with(
        Speaks(2.0, "Is a table free?"),
        tools=[Slow("look", speech="I'll look in the book.")],
        answers=[["Let me check.", *ask_for("look")], "One is free."],
    )
    assert call.transcript[-1] == ("agent", "Let me check. One is free.")


def test_a_slow_tool_makes_the_agent_ask_for_a_moment() -> None:
    call = call_with(
        Speaks(2.0, "Is a table free?"),
        tools=[Slow("look", takes=5.0)],
        answers=[ask_for("look"), "One is free."],
    )
    assert call.transcript[-1] == ("agent", "One moment, please. One is free.")


def test_a_tool_that_breaks_is_answered_in_words() -> None:
    call = call_with(
        Speaks(2.0, "Is a table free?"),
        tools=[Slow("look", ZeroDivisionError("by zero"))],
        answers=[ask_for("look"), "I can't look it up now."],
    )
    assert call.transcript[-1] == ("agent", "I can't look it up now.")
    assert call.llm.asked[-1][-1]["content"].startswith("Error: The tool broke")


# --- the result comes later


def test_the_agent_tells_a_late_result_as_soon_as_nobody_speaks() -> None:
    call = call_with(
        Speaks(2.0, "Order a taxi."),
        tools=[Slow("taxi", "It comes at six.", takes=5.0, background=True)],
        answers=[ask_for("taxi"), "I am on it.", "The taxi comes at six."],
        ends_at=14.0,
    )
    assert [text for _, text in call.transcript[2:]] == ["I am on it.", "The taxi comes at six."]
    assert call.llm.asked[-1][-1] == {"role": "user", "content": "[Result of taxi: It comes at six.]"}
    assert call.llm.asked[-1][-2] == {"role": "assistant", "content": "I am on it."}


def test_a_late_result_that_comes_in_the_middle_of_the_answer_stands_behind_it() -> None:
    call = call_with(
        Speaks(2.0, "Order a taxi."),
        tools=[Slow("taxi", "It comes at six.", takes=2.0, background=True)],
        answers=[ask_for("taxi"), LONG, "The taxi comes at six."],
    )
    assert [text for _, text in call.transcript[2:]] == [LONG, "The taxi comes at six."]
    assert [m["role"] for m in call.llm.asked[-1]] == [
        "system", "assistant", "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip


def test_a_late_result_waits_for_the_caller_who_is_speaking_and_is_in_the_answer() -> None:
    call = call_with(
        Speaks(2.0, "Order a taxi."),
        Speaks(6.5, "And tell me when you are open, please.", 3.0),
        tools=[Slow("taxi", "It comes at six.", takes=5.0, background=True)],
        answers=[ask_for("taxi"), "I am on it.", "At six, and at nine."],
        ends_at=16.0,
    )
    assert call.transcript[3:] == [
        ("caller", "And tell me when you are open, please."),
        ("agent", "At six, and at nine."),
    ]
    assert call.llm.asked[-1][-1]["content"] == (
        "[Result of taxi: It comes at six.] And tell me when you are open, please."
    )


def test_a_late_result_does_not_come_between_a_caller_s_pause_and_their_answer() -> None:
    call = call_with(
        Speaks(2.0, "Order a taxi."),
        Speaks(6.5, "And when are you open?", 1.0),
        tools=[Slow("taxi", "It comes at six.", takes=4.2, background=True)],
        answers=[ask_for("taxi"), "I am on it.", "At six, and at nine."],
        stt_delay=0.5,
        ends_at=14.0,
    )
    returned = call.all(events.ToolReturned)[0].at
    asked = call.all(events.CallerTurn)[1].at
    assert asked - 0.6 < returned < asked, "the result must come while the words are being recognised"
    assert call.transcript[3:] == [("caller", "And when are you open?"), ("agent", "At six, and at nine.")]


# --- interruptions


@pytest.mark.parametrize("takes", [1.2, 6.0])
def test_an_interruption_stops_a_tool_and_the_model_knows(takes: float) -> None:
    tool = Slow("look", takes=takes)
    call = call_with(
        Speaks(2.0, "Is a table free?"),
        Speaks(4.0, "Stop, I have changed my mind.", 1.5),
        tools=[tool],
        answers=[["Let me check in our book, one moment please.", *ask_for("look")], "All right."],
        ends_at=12.0,
    )
    told = next(m["content"] for m in call.llm.asked[-1] if m["role"] == "tool")
    assert told == ("look done" if tool.finished else "Not done: the caller interrupted before it was finished.")
    assert call.transcript[-1] == ("agent", "All right.")


def test_a_payment_goes_on_after_an_interruption_and_is_told() -> None:
    tool = Slow("pay", "Paid.", takes=6.0, cancellable=False)
    call = call_with(
        Speaks(2.0, "Pay my bill."),
        Speaks(4.0, "Are you still there?", 1.5),
        tools=[tool],
        answers=[["One moment, I am paying your bill now.", *ask_for("pay")], "I am.", "It is paid."],
        ends_at=16.0,
    )
    assert [text for who, text in call.transcript if who == "agent"][-2:] == ["I am.", "It is paid."]
    assert call.llm.asked[-1][-1] == {"role": "user", "content": "[Result of pay: Paid.]"}


def test_a_call_that_ends_while_a_tool_runs_lets_go_of_it() -> None:
    tool = Slow("pay", takes=20.0, cancellable=False)
    call = call_with(Speaks(2.0, "Pay."), tools=[tool], answers=[ask_for("pay")], ends_at=6.0)
    assert tool.finished == 0
    assert call.all(events.ToolReturned)[0].error.startswith("Not done")


# --- what a tool does to the call


class Remember(Slow):
    """Sets a variable and ends nothing."""

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        await asyncio.sleep(0.1)
        return Outcome("Noted.", variables={"name": "Ann"})


def test_what_a_tool_finds_out_becomes_a_variable() -> None:
    call = call_with(
        Speaks(2.0, "I am Ann."), tools=[Remember("remember")], answers=[ask_for("remember"), "Hi Ann."], ends_at=9.0
    )
    assert [(e.name, e.value, e.by) for e in call.all(events.VariableSet)] == [("name", "Ann", "remember")]


def test_a_goodbye_that_the_caller_interrupts_does_not_hang_up() -> None:
    goodbye: Any = ["Thank you for calling us today, and goodbye.", ToolRequest("end", "end_call", "{}")]
    call = call_with(
        Speaks(2.0, "That is all."),
        Speaks(4.2, "Wait, one more thing!", 1.0),
        tools=[],
        answers=[goodbye, "Yes?"],
        ends_at=10.0,
        spec=agent(),
    )
    assert call.transcript[-1] == ("agent", "Yes?")
    assert call.end.reason == EndReason.CALLER
