"""Tools that ask the caller's application, a knowledge base, or leave a message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.voice.fakes import FakeControl, FakeLlm, FarEnd, Speaks, Step, hold_call
from voice import events
from voice.conversation import Conversation, EndReason
from voice.knowledge import Passage
from voice.providers.base import ToolRequest, ToolSchema
from voice.tools import ToolError, ToolPolicy
from voice.tools.client import ClientTool
from voice.tools.knowledge import KnowledgeTool
from voice.tools.voicemail import VoicemailTool

SHOW = ToolSchema("show", "Shows a product.", {"type": "object", "properties": {"id": {"type": "string"}}})


# --- the caller's application


async def test_the_caller_s_application_answers() -> None:
    control = FakeControl()
    control.client_answer = "It is on the screen."
    tool = ClientTool(SHOW, policy=ToolPolicy(timeout=3.0))
    assert (await tool.run({"id": "1"}, control)).text == "It is on the screen."


async def test_the_caller_s_application_is_only_told() -> None:
    control = FakeControl()
    control.client_answer = ""
    tool = ClientTool(SHOW, policy=ToolPolicy(), expects_response=False)
    assert (await tool.run({"id": "1"}, control)).text == "Sent to the caller's application."
    assert control.done == [("client", {"type": "tool_call", "name": "show", "arguments": {"id": "1"}})]


@pytest.mark.parametrize("expects_response", [True, False])
async def test_a_caller_without_an_application_is_told(expects_response: bool) -> None:
    tool = ClientTool(SHOW, policy=ToolPolicy(), expects_response=expects_response)
    with pytest.raises(ToolError, match="does not take such requests"):
        await tool.run({}, FakeControl())


class App(FarEnd):
    """A far end with an application, which answers after `takes` seconds."""

    call: Conversation
    takes = 1.0

    def send_message(self, message: Mapping[str, Any]) -> bool:
        answer = {"type": "tool_result", "id": message["id"], "result": "Shown."}
        asyncio.get_running_loop().call_later(self.takes, lambda: self.call.on_message(answer))
        return True


@pytest.mark.parametrize(("takes", "told"), [(1.0, "Shown."), (9.0, "Error: It took longer than 3 s")])
def test_a_call_waits_for_the_application_as_long_as_it_may(
    takes: float, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App()
    app.takes = takes
    begin = Conversation._begin

    def connect(call: Conversation) -> None:
        app.call = call
        begin(call)

    monkeypatch.setattr(Conversation, "_begin", connect)
    llm = FakeLlm([ToolRequest("t1", "show", '{"id": "1"}')], "Look at it.")
    tool = ClientTool(SHOW, policy=ToolPolicy(timeout=3.0))
    hold_call(Speaks(2.0, "Show it."), llm=llm, far_end=app, tools=[tool], ends_at=14.0)
    assert llm.asked[-1][-1]["content"].startswith(told)


# --- the knowledge base


class Shelf:
    def __init__(self, *passages: Passage, failure: Exception | None = None) -> None:
        self.passages = passages
        self.failure = failure

    async def search(self, query: str, *, most: int = 3) -> Sequence[Passage]:
        if self.failure:
            raise self.failure
        return self.passages[:most]


async def test_passages_are_told_with_where_they_stand() -> None:
    tool = KnowledgeTool(Shelf(Passage("We open at nine.", "hours.md", 0.9)), about="our hours")
    assert "our hours" in tool.schema.description
    assert (await tool.run({"query": "hours"}, FakeControl())).text == "- We open at nine. (hours.md)"


async def test_what_is_not_known_is_not_guessed() -> None:
    assert "Do not guess" in (await KnowledgeTool(Shelf(), about="x").run({"query": "y"}, FakeControl())).text


async def test_a_knowledge_base_that_breaks_is_told() -> None:
    tool = KnowledgeTool(Shelf(failure=OSError("disk")), about="x")
    with pytest.raises(ToolError, match="cannot be searched now: disk"):
        await tool.run({"query": "y"}, FakeControl())


# --- voicemail


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        (
            VoicemailTool("This is Ada of Lakeside. Please call us back."),
            "{}",
            "This is Ada of Lakeside. Please call us back.",
        ),
        (VoicemailTool(), '{"message": "Ada here, I call again."}', "Ada here, I call again."),
    ],
)
def test_a_message_is_left_and_the_call_ends_as_voicemail(tool: VoicemailTool, arguments: str, message: str) -> None:
    script: list[Step] = [Speaks(2.0, "You have reached the voicemail of Ann. Leave a message.", 3.0)]
    llm = FakeLlm([ToolRequest("t1", "leave_voicemail", arguments)])
    call = hold_call(*script, llm=llm, tools=[tool])
    assert call.transcript[-1] == ("agent", message)
    assert (call.end.reason, call.end.detail) == (EndReason.VOICEMAIL, "A message was left on a voicemail.")
    assert call.all(events.AgentTurn)[-1].ended <= call.end.at
