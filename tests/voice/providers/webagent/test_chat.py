"""Programs that are asked over HTTP, in OpenAI's shape or in plain text, with their faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving, stop, text, tool
from tests.voice.providers.phone import calling
from tests.voice.providers.talk import Talk, said
from voice import events
from voice.brain import Ask
from voice.providers import api
from voice.providers.base import ProviderError
from voice.providers.webagent import TextLlm, WebCall, chat_brain, text_brain
from voice.tools import EndCall, Transfer

SECRET = "s3cret-0123456789"
CALL = WebCall(caller="+15550100", called="+15550111", metadata={"customer": 7})


@asynccontextmanager
async def chatting(*handlers: Handler, early: bool = False) -> AsyncIterator[tuple[Talk, FakeServer]]:
    """A talk with a program in OpenAI's shape."""
    async with (
        serving(*handlers) as server,
        httpx.AsyncClient(trust_env=False) as client,
        Talk(chat_brain(server.url, SECRET, client=client, call=CALL, early=early)) as talk,
    ):
        yield talk, server


@asynccontextmanager
async def texting(*handlers: Handler, path: str = "/agent/") -> AsyncIterator[tuple[Talk, FakeServer]]:
    """A talk with a program behind plain HTTP."""
    async with serving(*handlers) as server, httpx.AsyncClient(trust_env=False) as client:
        llm = TextLlm(server.url + path, client=client, headers={"X-Secret": SECRET}, secret=SECRET)
        async with Talk(text_brain(llm, call=CALL)) as talk:
            yield talk, server


def replying(*chunks: dict[str, Any]) -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.stream(*chunks)

    return handler


def answering(body: bytes | dict[str, Any], kind: str = "application/json", status: int = 200) -> Handler:
    async def handler(exchange: Exchange) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        await exchange.answer(status, content, **{"Content-Type": kind})

    return handler


# --- OpenAI's shape


async def test_the_program_is_told_of_the_call_besides_the_conversation() -> None:
    async with chatting(replying(text("Hello."), stop())) as (talk, server):
        assert said(await talk.ask("Hi.")) == "Hello."
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.body["call"] == {
        "id": "call_1",
        "type": "inboundPhoneCall",
        "customer": {"number": "+15550100"},
        "phoneNumber": {"number": "+15550111"},
    }
    assert request.body["metadata"] == {"customer": 7}
    assert request.body["messages"][-1] == {"role": "user", "content": "Hi."}
    assert {one["function"]["name"] for one in request.body["tools"]} >= {"endCall", "transferCall"}


@pytest.mark.parametrize(
    ("name", "arguments", "action"),
    [
        ("endCall", {}, EndCall()),
        ("transferCall", {"destination": "+15550123"}, Transfer(to="+15550123")),
        ("transferCall", {"destination": {"type": "number", "number": "+15550123"}}, Transfer(to="+15550123")),
        ("transferCall", {"destination": {"type": "sip", "sipUri": "sip:a@b.org"}}, Transfer(to="sip:a@b.org")),
    ],
)
async def test_the_program_ends_or_transfers_the_call(name: str, arguments: Any, action: Any) -> None:
    call = tool({"index": 0, "id": "t1", "function": {"name": name, "arguments": json.dumps(arguments)}})
    async with chatting(replying(text("Bye."), call, stop("tool_calls"))) as (talk, _):
        assert (await talk.ask("Bye."))[-1] == action


async def test_a_transfer_to_nowhere_is_told_to_the_program() -> None:
    call = tool({"index": 0, "id": "t1", "function": {"name": "transferCall", "arguments": '{"destination": "Bob"}'}})
    async with chatting(replying(call, stop("tool_calls")), replying(text("To whom?"), stop())) as (talk, server):
        assert said(await talk.ask("Bob, please.")) == "To whom?"
    assert "neither a phone number" in server.requests[-1].body["messages"][-1]["content"]


async def test_a_program_is_not_asked_for_a_turn_that_is_not_certain() -> None:
    async with chatting(replying(text("Hello."), stop())) as (talk, server):
        talk.brain.hearing("I would")
        reply = asyncio.ensure_future(anext(aiter(talk.brain.reply(Ask(1, "I would", asyncio.Event())))))
        await asyncio.sleep(0.1)
        reply.cancel()
        assert not server.requests


async def test_a_program_that_only_writes_may_be_asked_early() -> None:
    async with chatting(replying(text("Hello."), stop()), early=True) as (talk, _):
        outputs = talk.brain.reply(Ask(1, "I would", asyncio.Event()))
        assert said([output async for output in outputs]) == "Hello."


# --- plain HTTP


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"text": "Grüß Gott."}, "application/json"),
        ("Grüß Gott.".encode(), "text/plain; charset=utf-8"),
        ('data: {"text": "Grüß "}\n\ndata: {"text": "Gott."}\n\ndata: [DONE]\n\n'.encode(), "text/event-stream"),
    ],
)
async def test_text_comes_in_any_of_its_forms(body: bytes | dict[str, Any], kind: str) -> None:
    async with texting(answering(body, kind)) as (talk, server):
        assert said(await talk.ask("Hi.")) == "Grüß Gott."
    (request,) = server.requests
    assert (request.path, request.headers["x-secret"]) == ("/v1/agent/", SECRET)
    assert (request.body["text"], request.body["call"]["id"]) == ("Hi.", "call_1")
    assert request.body["messages"][-1] == {"role": "user", "content": "Hi."}


async def test_a_letter_may_be_cut_in_two() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.begin("text/plain")
        for part in (b"Gr\xc3", b"\xbc\xc3", b"\x9f Gott."):
            await exchange.part(part)
        await exchange.end()

    async with texting(handler) as (talk, _):
        assert said(await talk.ask("Hi.")) == "Grüß Gott."


@pytest.mark.parametrize(
    ("answer", "action"),
    [({"text": "Bye.", "endCall": True}, EndCall()), ({"transferCall": "+15550123"}, Transfer(to="+15550123"))],
)
async def test_plain_answers_end_or_transfer_the_call(answer: dict[str, Any], action: Any) -> None:
    async with texting(answering(answer)) as (talk, _):
        assert (await talk.ask("Bye."))[-1] == action


async def test_a_whole_call_is_held_and_only_what_was_heard_is_sent_back() -> None:
    long = "We are open from nine to five on weekdays. On Saturday we close at noon."
    handlers = (answering({"text": long}), answering({"text": "Yes.", "endCall": True}))
    async with serving(*handlers) as server, httpx.AsyncClient(trust_env=False) as client:
        brain = text_brain(TextLlm(server.url, client=client), call=CALL)
        async with calling(brain, greeting="Hello.") as phone:
            await phone.hears("Hello.")
            phone.types("When are you open?")
            await phone.until(events.AgentHeard, lambda heard: heard.turn == 1)
            phone.types("On Friday?")
            cut = await phone.until(events.AgentTurn, lambda turn: turn.interrupted)
            assert (await phone.ended()).reason == "agent_ended"
    assert [message["content"] for message in server.requests[1].body["messages"][1:]] == [
        "Hello.",
        "When are you open?",
        f"{cut.text} —",
        "On Friday?",
    ]


# --- faults


async def slow(exchange: Exchange) -> None:
    await asyncio.sleep(60)


async def cut(exchange: Exchange) -> None:
    await exchange.begin("text/plain")
    await exchange.part(b"At nine")
    exchange.cut()


FAULTS = [
    (slow, "silent for too long"),
    (cut, "hung up in the middle"),
    (answering({"error": f"wrong: {SECRET}"}, status=401), "key is wrong"),
    (answering({"error": "too many"}, status=429), "no more requests"),
    (answering({"detail": "bug"}, status=500), "The server failed"),
    (answering({"error": {"message": "no table"}}), "no table"),
    (answering(b"<html>", "text/html"), "not understood"),
    (answering(b"[1]"), "not understood"),
    (answering(b"data: At nine.\n\n", "text/event-stream"), "not understood"),
]


@pytest.mark.parametrize(("handler", "words"), FAULTS)
async def test_faults_are_told_in_words(handler: Handler, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_timeout", lambda patience: httpx.Timeout(0.3))
    async with texting(handler) as (talk, _):
        with pytest.raises(ProviderError, match=words) as told:
            await talk.ask("Hi.")
    assert SECRET not in str(told.value)
