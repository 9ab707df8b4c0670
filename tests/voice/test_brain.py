"""The brain that is a language model: its history, its tools, its requests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.voice.fakes import Answer, FakeControl, FakeLlm, chat_model
from voice import events
from voice.brain import TOOL_ROUNDS, Ask, LlmBrain, Output, Say, Seat
from voice.clock import CallClock, run_virtual
from voice.events import Event
from voice.health import Health
from voice.providers.base import ProviderError, ToolRequest, ToolSchema
from voice.spec import AgentSpec
from voice.tools import CallControl, EndCall, InstantTool, Outcome, Tool, ToolError
from voice.tools.end_call import EndCallTool


class Weather(InstantTool):
    schema = ToolSchema(name="weather", description="", parameters={"type": "object", "properties": {}})

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        if arguments.get("place") == "Atlantis":
            raise ToolError("There is no such place.")
        return Outcome(f"Sunny in {arguments['place']}.")


class Talk:
    """A brain with its model and events, asked on the virtual clock."""

    def __init__(self, *answers: Answer, tools: tuple[Tool, ...] = (Weather(), EndCallTool())) -> None:
        self.llm = FakeLlm(*answers)
        self.events: list[Event] = []
        self._tools = tools

    def run(self, *turns: tuple[str, str, bool], certain: bool = True) -> list[list[Output]]:
        """Ask each turn's first text; keep it with the second (None: the answer itself), whole or not."""
        return run_virtual(self._run(turns, certain))

    async def _run(self, turns: tuple[tuple[str, str, bool], ...], certain: bool) -> list[list[Output]]:
        brain = LlmBrain(
            Seat(
                call_id="call_1",
                spec=AgentSpec(name="Ada", prompt="Be brief."),
                clock=CallClock(asyncio.get_running_loop()),
                emit=self.events.append,
                control=FakeControl(),
                tools=self._tools,
            ),
            [chat_model(self.llm)],
            health=Health(),
        )
        found = []
        for number, (text, heard, whole) in enumerate(turns, 1):
            ask = Ask(number, text, asyncio.Event())
            if certain:
                ask.certain.set()
            found.append([output async for output in brain.reply(ask)])
            brain.keep(number, text, heard, whole=whole)
        return found

    @property
    def last_messages(self) -> list[dict[str, Any]]:
        return self.llm.asked[-1]


def said(outputs: list[Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, Say))


def test_an_answer_heard_whole_is_remembered_as_the_model_wrote_it() -> None:
    talk = Talk("At *nine*.", "Yes.")
    talk.run(("When?", "At nine.", True), ("Sure?", "Yes.", True))
    assert talk.last_messages[1:] == [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "At *nine*."},
        {"role": "user", "content": "Sure?"},
    ]


def test_an_interrupted_answer_is_remembered_as_it_was_heard() -> None:
    talk = Talk("At nine in the morning.", "Yes.")
    talk.run(("When?", "At nine", False), ("Sure?", "Yes.", True))
    assert talk.last_messages[2] == {"role": "assistant", "content": "At nine —"}


def test_turns_that_were_not_answered_are_put_together() -> None:
    talk = Talk("Fine.", "Fine.")
    talk.run(("I want to come", "", False), ("on Monday.", "Fine.", True))
    assert talk.last_messages[1:] == [{"role": "user", "content": "I want to come on Monday."}]


def test_a_tool_is_run_and_its_result_is_answered_from() -> None:
    talk = Talk([ToolRequest("t1", "weather", '{"place": "Rome"}')], "It is sunny.")
    assert said(talk.run(("And in Rome?", "It is sunny.", True))[0]) == "It is sunny."
    assert talk.last_messages[-1] == {"role": "tool", "tool_call_id": "t1", "content": "Sunny in Rome."}
    returned = [event for event in talk.events if isinstance(event, events.ToolReturned)]
    assert [(event.result, event.error) for event in returned] == [("Sunny in Rome.", "")]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ('{"place": "Atlantis"}', "There is no such place."),
        ('{"place": ', "The arguments are not a JSON object."),
        ("[1]", "The arguments are not a JSON object."),
    ],
)
def test_a_tool_that_fails_is_told_to_the_model(arguments: str, error: str) -> None:
    talk = Talk([ToolRequest("t1", "weather", arguments)], "Sorry.")
    talk.run(("Weather?", "Sorry.", True))
    assert talk.last_messages[-1]["content"].startswith(f"Error: {error}")


def test_ending_the_call_stops_the_answer() -> None:
    talk = Talk(["Bye.", ToolRequest("t1", "end_call", '{"reason": "Done."}')], "Never said.")
    assert talk.run(("Bye.", "Bye.", True))[0][-1] == EndCall("Done.")
    assert len(talk.llm.asked) == 1


def test_a_model_that_only_asks_for_tools_is_stopped() -> None:
    talk = Talk([ToolRequest("t1", "weather", '{"place": "Rome"}')])
    with pytest.raises(ProviderError, match="asked for tools"):
        talk.run(("Weather?", "", True))
    assert len(talk.llm.asked) == TOOL_ROUNDS


def test_no_tool_runs_before_the_caller_has_finished() -> None:
    talk = Talk([ToolRequest("t1", "weather", '{"place": "Rome"}')], "Sunny.")
    with pytest.raises(RuntimeError, match="wait forever"):
        talk.run(("Weather?", "", True), certain=False)
    assert not [event for event in talk.events if isinstance(event, events.ToolCalled)]


def test_a_request_that_fails_has_an_end_too() -> None:
    talk = Talk(ProviderError("fake-llm", "Down."))
    with pytest.raises(ProviderError):
        talk.run(("When?", "", True))
    assert [event.finish for event in talk.events if isinstance(event, events.ModelFinished)] == ["error"]


# --- tools and the history

ROME = ToolRequest("t1", "weather", '{"place": "Rome"}')


def calls_without_results(messages: list[dict[str, Any]]) -> list[str]:
    """The tool calls that no result follows before anything else is said."""
    missing: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            missing.remove(message["tool_call_id"])
            continue
        if missing:
            return missing
        missing = [call["id"] for call in message.get("tool_calls") or ()]
    return missing


def test_several_tools_of_one_turn_are_told_in_order() -> None:
    paris = ToolRequest("t2", "weather", '{"place": "Paris"}')
    talk = Talk([ROME, paris], "Sunny in both.")
    talk.run(("Rome and Paris?", "Sunny in both.", True))
    assert [m["content"] for m in talk.last_messages if m["role"] == "tool"] == ["Sunny in Rome.", "Sunny in Paris."]


def test_of_an_interrupted_turn_the_words_heard_stay_where_they_were_said() -> None:
    talk = Talk(["Let me see.", ROME], "It is sunny in Rome all day.", "Yes.")
    talk.run(("Rome?", "Let me see. It is sunny", False), ("Sure?", "Yes.", True))
    assert [(m["role"], m["content"]) for m in talk.last_messages[1:]] == [
        ("user", "Rome?"),
        ("assistant", "Let me see."),
        ("tool", "Sunny in Rome."),
        ("assistant", "It is sunny —"),
        ("user", "Sure?"),
    ]


def test_a_goodbye_that_was_interrupted_did_not_end_the_call() -> None:
    talk = Talk(["Goodbye then.", ToolRequest("t1", "end_call", "{}")], "Of course.")
    talk.run(("Bye.", "Goodbye", False), ("Wait!", "Of course.", True))
    assert calls_without_results(talk.last_messages) == []
    assert talk.last_messages[2]["content"] == "Goodbye —"
    assert talk.last_messages[3]["content"].startswith("Not done: the caller interrupted")


def test_an_answer_of_which_nothing_was_heard_leaves_no_empty_message() -> None:
    talk = Talk("Nobody hears this.", "Yes.")
    talk.run(("When?", "", False), ("Hello?", "Yes.", True))
    assert talk.last_messages[1:] == [{"role": "user", "content": "When? Hello?"}]


def test_a_tool_call_that_is_printed_as_text_is_made_and_not_spoken() -> None:
    talk = Talk('Let me see. ```json {"name": "weather", "arguments": {"place": "Rome"}} ```', "Sunny.")
    outputs = talk.run(("Rome?", "Let me see. Sunny.", True))[0]
    assert said(outputs) == "Let me see. Sunny."
    assert talk.last_messages[-1]["content"] == "Sunny in Rome."


def test_what_else_is_printed_for_a_machine_is_dropped_and_asked_for_in_words() -> None:
    talk = Talk('{"name": "fly", "arguments": {}}', "I can't fly.", "No.")
    assert said(talk.run(("Fly!", "I can't fly.", True), ("Please?", "No.", True))[0]) == "I can't fly."
    leaks = [e for e in talk.events if isinstance(e, events.AgentLogged)]
    assert [(e.name, e.level, e.text) for e in leaks] == [
        ("speech_leak", "warning", '{"name": "fly", "arguments": {}}')
    ]
    assert "Answer the caller in words" in talk.llm.asked[1][-1]["content"]
    assert [m["content"] for m in talk.last_messages[1:]] == ["Fly!", "I can't fly.", "Please?"]
