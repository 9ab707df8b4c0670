"""The step and the tool that send a text message, in whole calls, with a carrier that does not always take it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.voice.fakes import FakeControl, FakeLlm
from tests.voice.flow.calls import call, flow, said, steps
from voice import events
from voice.providers.api import Api
from voice.providers.base import TextMessage, ToolRequest
from voice.tools import ToolError, ToolPolicy
from voice.tools.sms import SmsTool

PHONE = {"system__caller_id": "+1 (415) 555-0100", "name": "Jo"}
OUTCOMES = (
    {"kind": "end", "id": "good", "say": "It is on its way."},
    {"kind": "end", "id": "bad", "say": "It did not work."},
)
SERVICE = "MG" + "0" * 32
POLICY = ToolPolicy(timeout=10.0, cancellable=False)


class Carrier:
    """Speaks HTTP as carriers do, and answers with these statuses, one after the other; "silence" never answers."""

    name = "Carrier"

    def __init__(self, *answers: int | str) -> None:
        self.sent: list[dict[str, str]] = []
        self._answers = list(answers or (201,))
        transport = httpx.MockTransport(self._answer)
        self._api = Api("Carrier", "https://carrier.test", client=httpx.AsyncClient(transport=transport))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(json.loads(request.content))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, str):
            await asyncio.Event().wait()
        status = int(answer)
        return httpx.Response(status, json={"id": "m1"} if status < 300 else {"message": f"No. {status}"})

    async def send(self, message: TextMessage) -> str:
        body = {"from": message.sender, "to": message.to, "text": message.text}
        async with self._api.open("POST", "/messages", what="text message", repeatable=False, json=body) as response:
            return str((await self._api.parsed(response))["id"])

    async def close(self) -> None:
        await self._api.close()


def tool(carrier: Carrier, **settings: Any) -> SmsTool:
    made = {"name": "sms_tell", "description": "", "sender": "+14155550199", "policy": POLICY, **settings}
    return SmsTool(texting=carrier, **made)


def tell(**settings: Any) -> dict[str, Any]:
    text = "Hello {{name}},\nsee you at 17:30."
    return {"kind": "sms", "id": "tell", "wait": True, "text": text, "next": "good", "failure": "bad", **settings}


def test_the_caller_gets_the_message_and_the_call_goes_on() -> None:
    carrier = Carrier()
    result = call(flow(tell(), *OUTCOMES), tools=[tool(carrier)], variables=PHONE)
    assert carrier.sent == [{"from": "+14155550199", "to": "+14155550100", "text": "Hello Jo,\nsee you at 17:30."}]
    assert steps(result) == ["tell", "good"]
    assert said(result) == ["It is on its way."]
    (called,), (returned,) = result.all(events.ToolCalled), result.all(events.ToolReturned)
    assert (called.name, called.arguments["recipient"]) == ("sms_tell", "+1 (415) 555-0100")
    assert (returned.error, "+14155550100" in returned.result) == ("", True)


@pytest.mark.parametrize(
    ("carrier", "variables", "why"),
    [
        (Carrier(400), PHONE, "No. 400"),
        (Carrier(401), PHONE, "API key is wrong"),
        (Carrier(429), PHONE, "accepts no more requests"),
        (Carrier(500), PHONE, "The server failed"),
        (Carrier("silence"), PHONE, "longer than 10 s"),
        (Carrier(), {"name": "Jo"}, "There is no number to send to"),
        (Carrier(), {"system__caller_id": "sip:jo@example.org"}, "no phone number with a country code"),
        (Carrier(), {"system__caller_id": "0170 1234567"}, "no phone number with a country code"),
    ],
)
def test_a_message_that_cannot_be_sent_takes_the_way_of_failure(
    carrier: Carrier, variables: dict[str, object], why: str
) -> None:
    result = call(flow(tell(), *OUTCOMES), tools=[tool(carrier)], variables=variables)
    assert steps(result) == ["tell", "bad"]
    (entered,) = [event for event in result.all(events.StepEntered) if event.step == "bad"]
    assert why in entered.because
    assert why in result.all(events.ToolReturned)[0].error


def test_beside_the_call_nobody_waits_for_it_and_the_model_never_sees_it() -> None:
    carrier = Carrier("silence")
    talk = {"kind": "conversation", "id": "talk", "say": "You get a message."}
    result = call(flow(tell(wait=False, next="talk"), talk), "Thanks.", tools=[tool(carrier)], variables=PHONE)
    assert len(carrier.sent) == 1
    assert steps(result) == ["tell", "talk"]
    assert result.all(events.AgentSpeechStarted)[0].at < 1.0
    assert "sms_tell" not in result.all(events.ModelRequested)[0].tools
    assert result.tasks_left == []


def test_what_was_collected_is_written_to() -> None:
    made = flow(
        {"kind": "collect", "id": "ask", "slots": [{"name": "mobile", "type": "phone"}], "next": "tell"},
        tell(recipient="{{mobile}}", text="Hi"),
        *OUTCOMES,
    )
    carrier = Carrier()
    call(made, "Four one five, five five five, two six seven one.", tools=[tool(carrier)])
    assert [sent["to"] for sent in carrier.sent] == ["+14155552671"]


# --- as a tool of the model


def test_a_plain_agent_writes_to_the_caller_and_to_nobody_else() -> None:
    carrier = Carrier()
    texts = tool(carrier, name="text_the_link", recipient="{{system__caller_id}}")
    assert list(texts.schema.parameters["properties"]) == ["text"]
    asked = ToolRequest("t1", "text_the_link", '{"text": "Here: example.org", "recipient": "+19005550000"}')
    llm = FakeLlm(asked, "I have sent it.")
    result = call(flow({"kind": "conversation", "id": "talk"}), "Send it.", llm=llm, tools=[texts], variables=PHONE)
    assert [(sent["to"], sent["text"]) for sent in carrier.sent] == [("+14155550100", "Here: example.org")]
    assert said(result)[-1] == "I have sent it."


async def test_what_the_tool_does_not_say_the_model_writes() -> None:
    carrier = Carrier()
    free = tool(carrier)
    assert free.schema.parameters["required"] == ["recipient", "text"]
    await free.run({"recipient": "+49 30 123456", "text": "Hi"}, FakeControl())
    assert carrier.sent[0]["to"] == "+4930123456"


async def test_a_pool_of_numbers_is_sent_from_as_it_is_named() -> None:
    carrier = Carrier()
    await tool(carrier, sender=SERVICE, pools=r"MG\d+").run({"recipient": "+4930123456", "text": "Hi"}, FakeControl())
    assert carrier.sent[0]["from"] == SERVICE
    with pytest.raises(ToolError, match="send from"):
        await tool(carrier, sender="Salon", pools=r"MG\d+").run(
            {"recipient": "+4930123456", "text": "Hi"}, FakeControl()
        )


@pytest.mark.parametrize(("text", "why"), [("  ", "says nothing"), ("x" * 1601, "longer than 1600")])
async def test_a_message_has_words_and_not_too_many(text: str, why: str) -> None:
    carrier = Carrier()
    with pytest.raises(ToolError, match=why):
        await tool(carrier, text=text).run({"recipient": "+4930123456"}, FakeControl())
    assert carrier.sent == []
