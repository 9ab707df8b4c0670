"""The harness protocol, held by a scripted app: what it is told, in which order, and what becomes of its frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.voice.providers.fake_http import Exchange, Handler, serving
from tests.voice.providers.fake_socket import FakeSocketServer, Peer, serving_sockets
from tests.voice.providers.talk import Talk, said
from voice import events
from voice.brain import Ask, Output, Say, Silence
from voice.providers import remote
from voice.providers.base import ProviderError
from voice.providers.line import LineApp, LineCall, line_brain
from voice.providers.line import session as line_session
from voice.tools import EndCall, Transfer

VERSION = {"cartesia_version": "2026-04-03"}
Frame = dict[str, Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(remote, "PAUSE_SECONDS", 0.1)


def creating(sockets: FakeSocketServer, path: str = "/ws", **answer: Any) -> Handler:
    async def create(exchange: Exchange) -> None:
        await exchange.answer(200, {"websocket_url": f"{sockets.url}{path}", **answer})

    return create


@asynccontextmanager
async def talking(
    script: Callable[[Peer], Awaitable[None]], *before: Handler, call: LineCall | None = None, **answer: Any
) -> AsyncIterator[tuple[Talk, FakeSocketServer]]:
    """A talk with an app that plays `script`. Requests for a chat are answered by `before` first."""
    async with (
        serving_sockets(script) as sockets,
        serving(*before, creating(sockets, **(answer or VERSION))) as http,
        httpx.AsyncClient(trust_env=False) as client,
        Talk(line_brain(LineApp(http.url, client=client), call or LineCall(agent_id="agent_1"))) as talk,
    ):
        yield talk, sockets


async def over(talk: Talk, sockets: FakeSocketServer) -> None:
    """The call is over, and the app has read all that it was told."""
    await talk.brain.close()
    async with asyncio.timeout(5):
        await sockets.gone.wait()


async def idle(peer: Peer) -> str:
    """Wait for the end of the caller's turn; the id to answer to."""
    frame = await peer.read_until(lambda frame: frame.get("value") == "idle" and frame["type"] == "user_state")
    return str(frame["event_id"])


async def answer(peer: Peer, to: str, *texts: str, **fields: Any) -> None:
    for text in texts:
        await peer.send({"type": "message", "content": text, "responding_to": to, **fields})
    await peer.send({"type": "response_end", "responding_to": to})


async def stay(peer: Peer) -> None:
    while True:
        await peer.read()


def answering(*frames: Frame) -> Callable[[Peer], Awaitable[None]]:
    """A script that answers the first turn with frames, and ends its reply."""

    async def script(peer: Peer) -> None:
        to = await idle(peer)
        await peer.send(*({"responding_to": to, **frame} for frame in frames))
        await peer.send({"type": "response_end", "responding_to": to})
        await stay(peer)

    return script


def kinds(peer: Peer) -> list[str]:
    """The frames that the app has received, in short."""
    return [":".join(filter(None, [f["type"], str(f.get("value") or f.get("content") or "")])) for f in peer.received]


# --- the beginning


async def test_the_app_is_told_of_the_call_twice_and_its_own_metadata_comes_back() -> None:
    call = LineCall(
        agent_id="agent_1", caller="+15550100", called="+15550111", introduction="", metadata={"customer": "c1"}
    )
    asked: list[Any] = []

    async def create(exchange: Exchange) -> None:
        asked.append((exchange.method, exchange.path, exchange.body))
        await exchange.answer(
            200, {"websocket_url": f"{sockets.url}/ws", **VERSION, "metadata": {"customer": "c1", "tier": "gold"}}
        )

    async with (
        serving_sockets(stay) as sockets,
        serving(create) as http,
        httpx.AsyncClient() as client,
        Talk(line_brain(LineApp(http.url, client=client), call)) as talk,
    ):
        await over(talk, sockets)
    ((method, path, body),) = asked
    assert (method, path) == ("POST", "/v1/chats")
    assert (body["from_"], body["from"], body["to"], body["call_id"]) == (
        "+15550100",
        "+15550100",
        "+15550111",
        "call_1",
    )
    assert body["agent"] == {"id": "agent_1", "system_prompt": None, "introduction": ""}
    start = sockets.peers[0].received[0]
    assert (start["type"], start["from"], start["to"]) == ("start", "+15550100", "+15550111")
    assert start["metadata"] == {
        "agent_id": "agent_1",
        "template": "user_code",
        "customer": "c1",
        "tier": "gold",
    }


async def test_the_introduction_asks_for_the_floor() -> None:
    async def script(peer: Peer) -> None:
        await peer.read()
        await answer(peer, "a-uuid", "Hello, ", "this is Ada.")
        await stay(peer)

    async with talking(script) as (talk, _):
        assert said(await talk.unasked()) == "Hello, this is Ada."


async def test_the_answer_to_the_request_may_set_voice_and_language() -> None:
    config = {"tts": {"voice_id": "v1"}, "language": "es"}
    async with talking(stay, cartesia_version="2026-04-03", config=config) as (talk, _):
        assert talk.control.done == [("language", "es"), ("voice", "v1")]


async def test_an_old_app_has_the_call_in_its_address_and_ends_its_reply_by_silence() -> None:
    async def script(peer: Peer) -> None:
        await idle(peer)
        await peer.send({"type": "message", "content": "It is"}, {"type": "message", "content": " nine."})
        await stay(peer)

    async with talking(script, path="/ws?call_id=call_1&from=%2B1555") as (talk, sockets):
        assert said(await talk.ask("When?")) == "It is nine."
    peer = sockets.peers[0]
    assert peer.path == "/ws?call_id=call_1&from=%2B1555"
    assert kinds(peer) == ["user_state:speaking", "message:When?", "user_state:idle"]


# --- turns


async def test_a_turn_is_told_whole_and_answered_until_the_app_ends_its_reply() -> None:
    async def script(peer: Peer) -> None:
        await answer(peer, await idle(peer), "At ", "nine.")
        await answer(peer, await idle(peer), "Yes.")
        await stay(peer)

    async with talking(script) as (talk, sockets):
        assert await talk.ask("When?") == [Say("At "), Say("nine."), Silence()]
        assert said(await talk.ask("Sure?")) == "Yes."
    peer = sockets.peers[0]
    assert kinds(peer)[1:4] == ["user_state:speaking", "message:When?", "user_state:idle"]
    ids = [frame["event_id"] for frame in peer.received[1:]]
    assert len(set(ids)) == len(ids)


async def test_the_app_hears_nothing_of_a_turn_that_is_not_certain() -> None:
    async with talking(answering({"type": "message", "content": "Yes."})) as (talk, sockets):
        ask = Ask(1, "I would", asyncio.Event())
        reply = asyncio.ensure_future(anext(aiter(talk.brain.reply(ask))))
        await asyncio.sleep(0.1)
        reply.cancel()
        assert said(await talk.ask("I would like a table.")) == "Yes."
    assert "message:I would" not in kinds(sockets.peers[0])


async def test_the_app_may_answer_with_nothing() -> None:
    async with talking(answering()) as (talk, _):
        assert await talk.ask("Hm.") == [Silence()]


async def test_what_is_said_after_the_reply_asks_for_the_floor() -> None:
    async def script(peer: Peer) -> None:
        to = await idle(peer)
        await peer.send({"type": "message", "content": "I will look.", "responding_to": to})
        await asyncio.sleep(0.5)
        await answer(peer, to, "It is booked.")
        await stay(peer)

    async with talking(script) as (talk, _):
        assert said(await talk.ask("Book it.")) == "I will look."
        assert said(await talk.unasked()) == "It is booked."


async def test_a_sentence_is_not_held_back_for_what_may_follow() -> None:
    goes_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        to = await idle(peer)
        await peer.send({"type": "message", "content": "I will look.", "responding_to": to})
        await goes_on.wait()
        await answer(peer, to, " It is booked.")
        await stay(peer)

    async with talking(script) as (talk, _):
        outputs = aiter(talk.brain.reply(talk.asked("Book it.")))
        assert [await anext(outputs), await anext(outputs)] == [Say("I will look."), Say("", pause=True)]
        goes_on.set()
        assert await anext(outputs) == Say(" It is booked.")


async def test_keys_are_told_in_their_turn() -> None:
    async with talking(answering({"type": "message", "content": "Four two."})) as (talk, sockets):
        talk.press("42")
        assert said(await talk.ask("[keyed in: 42]", "keypad")) == "Four two."
    frames = sockets.peers[0].received[1:]
    assert [frame.get("button") or frame.get("value") for frame in frames] == ["speaking", "4", "2", "idle"]


async def test_a_message_of_the_callers_application_reaches_the_app() -> None:
    async with talking(answering()) as (talk, sockets):
        talk.message({"type": "custom", "metadata": {"page": 1}})
        talk.message({"page": 2})
        await talk.ask("So?")
    customs = [frame["metadata"] for frame in sockets.peers[0].received if frame["type"] == "custom"]
    assert customs == [{"page": 1}, {"page": 2}]


# --- what was heard


async def test_the_app_is_told_the_words_heard_and_only_its_own() -> None:
    async with talking(answering({"type": "message", "content": "At *nine*  in the\nmorning. 🌞"})) as (talk, sockets):
        await talk.ask("When?")
        talk.hear("One", "moment,", "please.", "At", "nine", "in", "the", "morning.")
        await over(talk, sockets)
    assert kinds(sockets.peers[0])[4:] == [
        "agent_state:speaking",
        *(f"agent_speech:{word}" for word in ("At", "*nine*", "in", "the", "morning.", "🌞")),
        "agent_state:idle",
    ]


async def test_words_that_are_not_the_agents_are_not_told() -> None:
    async with talking(answering()) as (talk, sockets):
        talk.hear("Are", "you", "there?")
        await talk.ask("Yes.")
    assert not [kind for kind in kinds(sockets.peers[0]) if kind.startswith("agent")]


async def test_an_interruption_is_told_before_the_new_words_and_late_answers_are_dropped() -> None:
    async def script(peer: Peer) -> None:
        first = await idle(peer)
        await answer(peer, first, "From nine to five.")
        second = await idle(peer)
        await answer(peer, first, "Too late.")
        await answer(peer, second, "On Friday too.")
        await stay(peer)

    async with talking(script) as (talk, sockets):
        await talk.ask("When?")
        talk.hear("From", "nine", cut="to five.")
        assert said(await talk.ask("And on Friday?")) == "On Friday too."
    assert kinds(sockets.peers[0])[4:] == [
        "agent_state:speaking",
        "agent_speech:From",
        "agent_speech:nine",
        "user_state:speaking",
        "agent_state:idle",
        "message:And on Friday?",
        "user_state:idle",
    ]


async def test_an_introduction_that_was_cut_off_does_not_come_back() -> None:
    cut = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read()
        await peer.send({"type": "message", "content": "Hello, ", "responding_to": "a-uuid"})
        await cut.wait()
        await answer(peer, "a-uuid", "this is Ada.")
        await answer(peer, await idle(peer), "Yes?")
        await stay(peer)

    async with talking(script) as (talk, _):
        assert said(await talk.unasked()) == "Hello, "
        talk.hear("Hello,", cut="")
        cut.set()
        assert said(await talk.ask("Wait.")) == "Yes?"


async def test_an_answer_that_was_never_heard_is_cut_off_too() -> None:
    async with talking(answering({"type": "message", "content": "Well."})) as (talk, sockets):
        await talk.ask("I want")
        talk.brain.keep(1, "I want", "", whole=False)
        await over(talk, sockets)
    assert kinds(sockets.peers[0])[-1] == "user_state:speaking"


# --- what the app does


@pytest.mark.parametrize(
    ("frame", "action"),
    [
        ({"type": "end_call", "reason": "agent_ended"}, EndCall()),
        ({"type": "end_call"}, EndCall()),
        (
            {"type": "end_call", "reason": "voicemail_detected"},
            EndCall("The agent found a voicemail box.", "voicemail"),
        ),
        ({"type": "end_call", "reason": "rude"}, EndCall("rude")),
        ({"type": "transfer", "target_phone_number": "+15550123"}, Transfer(to="+15550123")),
        ({"type": "transfer", "transfer_destination": {"type": "phone", "value": "+1555"}}, Transfer(to="+1555")),
        ({"type": "transfer", "transfer_destination": {"type": "sip_uri", "value": "sip:a@b"}}, Transfer(to="sip:a@b")),
    ],
)
async def test_the_app_ends_or_transfers_the_call(frame: Frame, action: Output) -> None:
    async with talking(answering({"type": "message", "content": "Bye."}, frame)) as (talk, _):
        assert (await talk.ask("Bye."))[:2] == [Say("Bye."), action]


async def test_words_and_actions_may_be_guarded_against_interruptions() -> None:
    script = answering(
        {"type": "message", "content": "This call is recorded.", "interruptible": False},
        {"type": "end_call", "interruptible": False},
    )
    async with talking(script) as (talk, _):
        outputs = await talk.ask("Yes?")
    assert outputs[:3] == [Say("This call is recorded.", interruptible=False), Say("", interruptible=False), EndCall()]


async def test_the_app_presses_keys_changes_the_call_and_tells_the_application() -> None:
    script = answering(
        {"type": "dtmf", "button": "#"},
        {"type": "config", "tts": {"voice_id": "v2", "language": None}, "stt": None, "language": None},
        {"type": "custom", "metadata": {"page": 3}},
    )
    async with talking(script) as (talk, _):
        talk.control.client_answer = "there"
        await talk.ask("Go.")
        assert sorted(talk.control.done, key=str) == [
            ("client", {"type": "custom", "metadata": {"page": 3}}),
            ("digits", "#"),
            ("voice", "v2"),
        ]


async def test_a_tool_that_failed_is_told_as_such() -> None:
    call = {"type": "tool_call", "name": "book", "arguments": {"day": 1}, "id": None}
    async with talking(answering({**call, "result": None}, {**call, "result": "error: full"})) as (talk, _):
        await talk.ask("Book it.")
    (called,), (returned,) = talk.all(events.ToolCalled), talk.all(events.ToolReturned)
    assert (returned.tool_call, returned.error, returned.result) == (called.tool_call, "full", "")


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ({"type": "config", "language": "fr"}, "does not speak fr"),
        ({"type": "config", "tts": {"pronunciation_dict_id": "p"}}, "cannot be changed"),
        ({"type": "custom", "metadata": {}}, "no application"),
        ({"type": "transfer"}, "'transfer'"),
        ({"type": "dtmf", "button": "x"}, "'dtmf'"),
        ({"type": "novelty"}, "'novelty'"),
        ({}, "None"),
    ],
)
async def test_what_cannot_be_done_is_told_to_the_app_and_noted(frame: Frame, complaint: str) -> None:
    async with talking(answering(frame, {"type": "message", "content": "So."})) as (talk, sockets):
        assert said(await talk.ask("Go.")) == "So."
        await over(talk, sockets)
    (told,) = [frame for frame in sockets.peers[0].received if frame["type"] == "validation_error"]
    assert complaint in told["error_message"]
    assert complaint in talk.all(events.AgentLogged)[-1].text


# --- faults


def refusing(status: int, detail: str = "") -> Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(status, {"detail": detail})

    return handler


async def html(exchange: Exchange) -> None:
    await exchange.answer(200, b"<html>")


async def incomplete(exchange: Exchange) -> None:
    await exchange.answer(200, {"cartesia_version": "2026-04-03"})


async def test_a_rejected_call_ends_whatever_is_asked() -> None:
    async with talking(stay, refusing(403, "Call rejected")) as (talk, sockets):
        rejected = [EndCall("The agent's code rejected the call.", "rejected")]
        assert await talk.unasked() == rejected
        assert await talk.ask("Hello?") == rejected
    assert not sockets.peers


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (refusing(500, "Server error in call processing"), "Server error in call processing"),
        (refusing(404), "No Line agent answers at"),
        (refusing(401), "wants a secret"),
        (html, "not understood"),
        (incomplete, "not understood"),
    ],
)
async def test_an_app_that_was_not_reached_is_told_in_words_and_tried_again(handler: Handler, words: str) -> None:
    async with talking(answering({"type": "message", "content": "Here I am."}), handler) as (talk, _):
        with pytest.raises(ProviderError, match=words):
            await talk.unasked()
        assert said(await talk.ask("Hello?")) == "Here I am."


async def test_an_app_that_is_not_there_fails_every_turn() -> None:
    async with serving(refusing(500)) as http:
        url = http.url
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        Talk(line_brain(LineApp(url, client=client), LineCall())) as talk,
    ):
        with pytest.raises(ProviderError, match="Nothing listens at"):
            await talk.unasked()
        with pytest.raises(ProviderError, match="Nothing listens at"):
            await talk.ask("Hello?")


async def test_an_app_that_does_not_wake_up_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_session, "WAKE_SECONDS", 0.1)

    async def asleep(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with talking(stay, asleep) as (talk, _):
        with pytest.raises(ProviderError, match="silent for too long"):
            await talk.unasked()


async def lose(peer: Peer) -> None:
    peer.cut()


async def leave(peer: Peer) -> None:
    await peer.close()


async def break_off(peer: Peer) -> None:
    trace = "Error in agent.process: Traceback:\n  File 'main.py'\nValueError: no table"
    await peer.send({"type": "error", "content": trace})
    await peer.close()


async def rave(peer: Peer) -> None:
    await peer.send("[1")


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lose, "hung up in the middle"),
        (leave, "ended the conversation"),
        (break_off, "ValueError: no table"),
        (rave, "not understood"),
    ],
)
async def test_an_app_that_is_lost_fails_its_reply_and_all_that_follow(
    end: Callable[[Peer], Awaitable[None]], words: str
) -> None:
    async def script(peer: Peer) -> None:
        to = await idle(peer)
        await peer.send({"type": "message", "content": "At nine", "responding_to": to})
        await end(peer)
        await asyncio.sleep(0.1)

    async with talking(script) as (talk, sockets):
        reply = talk.brain.reply(talk.asked("When?"))
        assert await anext(aiter(reply)) == Say("At nine")
        with pytest.raises(ProviderError, match=words):
            await anext(aiter(reply))
        talk.brain.keep(1, "When?", "At nine", whole=False)
        with pytest.raises(ProviderError, match=words):
            await talk.ask("Hello?")
    assert len(sockets.peers) == 1


async def test_an_app_that_is_lost_between_turns_is_told_at_once() -> None:
    async def script(peer: Peer) -> None:
        await peer.read()
        await peer.close()

    async with talking(script) as (talk, _):
        with pytest.raises(ProviderError, match="ended the conversation"):
            await talk.unasked()
