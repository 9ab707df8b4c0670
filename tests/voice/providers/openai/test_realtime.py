"""Speech-to-speech against a server that speaks the real protocol over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from tests.voice.fakes import FarEnd, agent
from tests.voice.providers.fake_socket import FakeSocketServer, Peer, serving_sockets
from tests.voice.providers.openai.realtime_server import Session, playing, text_of
from voice import events
from voice.calls import make_call
from voice.media import FRAME_BYTES, SILENCE
from voice.media.pacer import Pacer
from voice.providers.base import ProviderError, ToolSchema
from voice.providers.openai import OpenAiRealtime, realtime, realtime_link
from voice.providers.realtime import RealtimeSession, RealtimeSettings, ReplyDone
from voice.services import RealtimeServices
from voice.speech import PhraseCache

KEY = "sk-secret-0123456789"
TOOL = ToolSchema("look_up", "Looks it up.", {"type": "object", "properties": {}})
SETTINGS = RealtimeSettings(instructions="You are Ada.", language="en-US", tools=[TOOL], silence=0.5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime_link, "BACKOFF_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(realtime_link, "LEAVE_SECONDS", 0.1)


@dataclass
class Listener:
    """Keeps what it is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    heard: dict[str, bytes] = field(default_factory=dict)
    text: dict[str, str] = field(default_factory=dict)
    done: dict[str, ReplyDone] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    interrupt: Callable[[], None] = lambda: None

    def speech_started(self, ago: float) -> None:
        self.interrupt()
        self._tell("speech_started", ago)

    def speech_stopped(self, said: str, ago: float) -> None:
        self._tell("speech_stopped", said, ago)

    def understood(self, said: str, text: str, *, final: bool) -> None:
        self._tell("understood", said, text, final)

    def not_understood(self, said: str, error: ProviderError) -> None:
        self._tell("not_understood", said, str(error))

    def began(self, reply: str) -> None:
        self._tell("began", reply)

    def wrote(self, reply: str, item: str, text: str) -> None:
        self.text[item] = self.text.get(item, "") + text

    def spoke(self, reply: str, item: str, pcm: bytes) -> None:
        self.heard[item] = self.heard.get(item, b"") + pcm
        self._tell("spoke", item)

    def finished(self, reply: str, done: ReplyDone) -> None:
        self.done[reply] = done
        self._tell("finished", reply, done.finish)

    def trouble(self, error: ProviderError) -> None:
        self._tell("trouble", str(error))

    def lost(self, error: ProviderError) -> None:
        self._tell("lost", str(error))

    async def until(self, *wanted: Any) -> tuple[Any, ...]:
        """The first thing told that begins so."""
        while True:
            for told in self.told:
                if told[: len(wanted)] == wanted:
                    return told
            self.news.clear()
            await self.news.wait()

    def all(self, kind: str) -> list[tuple[Any, ...]]:
        return [told for told in self.told if told[0] == kind]

    def _tell(self, *told: Any) -> None:
        self.told.append(told)
        self.news.set()


def adapter(server: FakeSocketServer, **options: Any) -> OpenAiRealtime:
    return OpenAiRealtime(f"{server.url.replace('ws', 'http')}/v1", KEY, "gpt-realtime-2.1", name="Ours", **options)


Script = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def session(
    *scripts: Script, settings: RealtimeSettings = SETTINGS, **options: Any
) -> AsyncIterator[tuple[RealtimeSession, Listener, FakeSocketServer]]:
    """A session with a scripted server; at its end nothing of it may be left."""
    async with asyncio.timeout(20), serving_sockets(*scripts) as server:
        before = asyncio.all_tasks()
        listener, model = Listener(), adapter(server, **options)
        opened = model.open(settings, listener)
        try:
            yield opened, listener, server
        finally:
            await model.close()
        left = {task.get_name() for task in asyncio.all_tasks() - before if "realtime" in task.get_name()}
        assert left == set()


async def nothing(session: Session) -> None:
    """Only stay."""


def items(server: FakeSocketServer, peer: int = 0) -> list[str]:
    created = (m["item"] for m in server.peers[peer].received if m["type"] == "conversation.item.create")
    return [text_of(item) for item in created]


async def received(server: FakeSocketServer, kind: str, peer: int = 0) -> dict[str, Any]:
    """The first message of a kind that the server has received."""
    while True:
        if len(server.peers) > peer:
            for message in server.peers[peer].received:
                if message["type"] == kind:
                    return dict(message)
        await asyncio.sleep(0.002)


# --- what works


async def test_the_session_is_as_the_call_wants_it() -> None:
    settings = RealtimeSettings(
        instructions="You are Ada.", language="en-US", keyterms=["Lane"], tools=[TOOL], voice="marin", speed=1.2
    )
    async with session(playing(nothing), settings=settings) as (_, _, server):
        asked = await received(server, "session.update")
        audio = {"type": "audio/pcm", "rate": 24000}
        transcription = {"model": "gpt-4o-mini-transcribe", "language": "en", "prompt": "Lane"}
        detection = {
            "type": "server_vad", "prefix_padding_ms": 300, "silence_duration_ms": 500,
            "create_response": True, "interrupt_response": True,
        }  # fmt: skip
        assert asked["session"] == {
            "type": "realtime",
            "instructions": "You are Ada.",
            "output_modalities": ["audio"],
            "audio": {
                "input": {"format": audio, "transcription": transcription, "turn_detection": detection},
                "output": {"format": audio, "voice": "marin", "speed": 1.2},
            },
            "tools": [
                {
                    "type": "function",
                    "name": "look_up",
                    "description": "Looks it up.",
                    "parameters": {"type": "object", "properties": {}},
                }
            ],
            "tool_choice": "auto",
        }
        assert server.peers[0].path == "/v1/realtime?model=gpt-realtime-2.1"
        assert server.peers[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_turns_can_be_told_by_their_sense() -> None:
    async with session(playing(nothing), detection="semantic_vad") as (_, _, server):
        asked = await received(server, "session.update")
        detection = asked["session"]["audio"]["input"]["turn_detection"]
        assert (detection["type"], detection["eagerness"]) == ("semantic_vad", "auto")


async def test_fixed_words_are_asked_for_without_tools() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Hello there.", metadata=asked["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, server):
        reply = opened.respond(say="Hello there.")
        await listener.until("finished", reply, "stop")
        asked = (await received(server, "response.create"))["response"]
        assert asked["instructions"].endswith("\nHello there.")
        assert asked["tool_choice"] == "none"
        assert list(listener.text.values()) == ["Hello there."]
        usage = listener.done[reply].usage
        assert (usage.input_tokens, usage.cached_tokens, usage.cached_audio_tokens) == (100, 64, 40)
        assert (usage.input_audio_tokens, usage.output_audio_tokens) == (80, 40)


async def test_speech_arrives_at_our_rate_and_whole() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Hello.", metadata=asked["response"]["metadata"], seconds=0.5)

    async with session(playing(play)) as (opened, listener, _):
        await listener.until("finished", opened.respond(), "stop")
        samples = np.frombuffer(listener.heard["item_resp_1"], "<i2")
        assert len(samples) == pytest.approx(0.5 * 16_000, abs=2)
        assert samples[2000:6000].mean() == pytest.approx(8000, abs=10)


async def test_the_caller_is_heard_and_their_turn_is_told_with_its_times() -> None:
    async def play(server: Session) -> None:
        while len(server.heard) < 2 * 24_000 * 1.9:
            await server.peer.read()
        await server.caller_speaks("item_1", start_ms=200)
        await server.caller_stops("item_1", "When are you open?", end_ms=1800)
        await server.respond("At nine.")

    async with session(playing(play)) as (opened, listener, server):
        for _ in range(100):
            opened.feed(b"\1\1" * (FRAME_BYTES // 2))
        # Of two seconds the speech was from 0.5 (after what the server puts before it) to 1.3 (before its silence).
        assert (await listener.until("speech_started"))[1] == pytest.approx(1.5, abs=0.05)
        assert (await listener.until("speech_stopped", "item_1"))[2] == pytest.approx(0.7, abs=0.05)
        await listener.until("understood", "item_1", "When", False)
        await listener.until("understood", "item_1", "When are you open?", True)
        await listener.until("finished", "resp_1", "stop")
        heard = np.frombuffer(Session(server.peers[0]).heard, "<i2")
        assert len(heard) / 24_000 == pytest.approx(2.0, abs=0.01)
        assert heard[1000:-1000].mean() == pytest.approx(0x0101, abs=3)


async def test_a_tool_is_asked_for_and_its_result_given_back() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        call = {"call_id": "call_1", "name": "look_up", "arguments": '{"day": "Friday"}'}
        await server.respond("Let me see.", metadata=asked["response"]["metadata"], call=call)
        asked = await server.wait("response.create")
        await server.respond("At nine.", metadata=asked["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, server):
        reply = opened.respond()
        await listener.until("finished", reply, "tool_calls")
        request = listener.done[reply].requests[0]
        assert (request.id, request.name, request.arguments) == ("call_1", "look_up", '{"day": "Friday"}')
        opened.give_result("call_1", "Nine.")
        await listener.until("finished", opened.respond(), "stop")
        assert items(server) == ["function_call_output: Nine."]


async def test_one_reply_is_asked_for_after_the_other() -> None:
    async def play(server: Session) -> None:
        for number in range(2):
            asked = await server.wait("response.create")
            await asyncio.sleep(0.02)
            assert len(server.of("response.create")) == number + 1
            await server.respond(f"Number {number}.", metadata=asked["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, _):
        opened.respond(say="Number 0.")
        await listener.until("finished", opened.respond(say="Number 1."), "stop")
        assert list(listener.text.values()) == ["Number 0.", "Number 1."]


async def test_an_aside_leaves_no_trace_and_waits_for_nobody() -> None:
    async def play(server: Session) -> None:
        main = await server.wait("response.create")
        aside = await server.wait("response.create")
        await server.respond("One moment.", metadata=aside["response"]["metadata"])
        await server.respond("At nine.", metadata=main["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, server):
        main = opened.respond()
        await listener.until("finished", opened.respond(say="One moment.", aside=True), "stop")
        await listener.until("finished", main, "stop")
        asked = server.peers[0].received[-1]["response"]
        assert (asked["conversation"], asked["input"]) == ("none", [])


async def test_a_server_that_gives_no_names_back_is_understood() -> None:
    async def play(server: Session) -> None:
        await server.wait("response.create")
        await server.respond("Hello.")

    async with session(playing(play)) as (opened, listener, _):
        await listener.until("finished", opened.respond(say="Hello."), "stop")


# --- interruptions


async def test_what_was_not_heard_is_cut_off() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("A long story of old.", metadata=asked["response"]["metadata"], seconds=1.0)

    async with session(playing(play)) as (opened, listener, server):
        await listener.until("finished", opened.respond(), "stop")
        opened.truncate("item_resp_1", 0.4567, "A long")
        cut = await received(server, "conversation.item.truncate")
        assert (cut["item_id"], cut["content_index"], cut["audio_end_ms"]) == ("item_resp_1", 0, 456)


async def test_the_server_is_never_asked_to_cut_after_the_end() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Short.", metadata=asked["response"]["metadata"], seconds=0.3)

    async with session(playing(play)) as (opened, listener, server):
        await listener.until("finished", opened.respond(), "stop")
        opened.truncate("item_resp_1", 5.0, "Short.")
        assert (await received(server, "conversation.item.truncate"))["audio_end_ms"] == 300


async def test_words_of_which_nothing_was_heard_are_deleted() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Short.", metadata=asked["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, server):
        await listener.until("finished", opened.respond(), "stop")
        opened.truncate("item_resp_1", 0.0, "")
        assert (await received(server, "conversation.item.delete"))["item_id"] == "item_resp_1"


async def test_a_reply_is_cancelled_only_while_it_is_being_made() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        name = await server.respond("Hello there.", metadata=asked["response"]["metadata"], seconds=1.0, stop_at=3)
        await server.wait("response.cancel")
        await server.done(
            name, "cancelled", metadata=asked["response"]["metadata"], details={"reason": "client_cancelled"}
        )

    async with session(playing(play)) as (opened, listener, server):
        opened.cancel()
        reply = opened.respond()
        await listener.until("spoke")
        opened.cancel()
        await listener.until("finished", reply, "cancelled")
        opened.cancel()
        await asyncio.sleep(0.02)
        cancelled = [m for m in server.peers[0].received if m["type"] == "response.cancel"]
        assert [message["response_id"] for message in cancelled] == ["resp_1"]


async def test_what_the_caller_interrupts_is_stopped_by_the_server_itself() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        name = await server.respond("Hello there.", metadata=asked["response"]["metadata"], seconds=1.0, stop_at=3)
        await server.caller_speaks("item_1")
        await server.done(
            name, "cancelled", metadata=asked["response"]["metadata"], details={"reason": "turn_detected"}
        )
        await server.caller_stops("item_1", "Stop.")
        await server.respond("All right.")

    async with session(playing(play)) as (opened, listener, server):
        listener.interrupt = opened.cancel
        opened.respond()
        await listener.until("finished", "resp_2", "stop")
        assert not [m for m in server.peers[0].received if m["type"] == "response.cancel"]


async def test_a_reply_that_is_unwanted_before_it_begins_is_not_heard() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.wait("conversation.item.create")
        name = await server.respond("Hello there.", metadata=asked["response"]["metadata"], seconds=1.0, stop_at=3)
        await server.wait("response.cancel")
        await server.done(name, "cancelled", metadata=asked["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, server):
        opened.respond()
        await received(server, "response.create")
        opened.cancel()
        opened.add("Never mind.")
        await received(server, "response.cancel")
        assert listener.all("began") == listener.all("spoke") == []


async def test_an_agent_that_may_not_be_interrupted_asks_for_the_answers_itself() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        name = await server.respond("A long story.", metadata=asked["response"]["metadata"], seconds=1.0, stop_at=3)
        await server.caller_speaks("item_1")
        await server.caller_stops("item_1", "And Friday?")
        await asyncio.sleep(0.02)
        assert len(server.of("response.create")) == 1
        await server.done(name, metadata=asked["response"]["metadata"])
        asked = await server.wait("response.create")
        await server.respond("Yes.", metadata=asked["response"]["metadata"])

    settings = RealtimeSettings(instructions="", language="en", interruptible=False)
    async with session(playing(play), settings=settings) as (opened, listener, server):
        opened.respond()
        await listener.until("finished", "reply-2", "stop")
        detection = server.peers[0].received[0]["session"]["audio"]["input"]["turn_detection"]
        assert (detection["create_response"], detection["interrupt_response"]) == (False, False)


# --- faults


async def lost(listener: Listener) -> str:
    return str((await listener.until("lost"))[1])


async def test_a_wrong_key_is_told_without_the_key() -> None:
    refused = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    async with serving_sockets(playing(nothing), refuse=401, refuse_with=refused) as server:
        listener, model = Listener(), adapter(server)
        model.open(SETTINGS, listener)
        told = await lost(listener)
        await model.close()
        assert "key is wrong" in told
        assert KEY not in told


async def test_a_session_that_is_refused_is_told_in_words() -> None:
    async def refuse(server: Session) -> None:
        await server.wait("session.update")
        await server.error("The model does not exist.", code="model_not_found")

    async with session(playing(refuse, ready=False)) as (_, listener, _):
        assert "There is no model gpt-realtime-2.1" in await lost(listener)


async def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, "READY_SECONDS", 0.02)
    async with session(playing(nothing, ready=False)) as (_, listener, server):
        assert "silent for too long" in await lost(listener)
        assert len(server.peers) == 2


@pytest.mark.parametrize("garbage", ["<html>", {"hello": 1}, {"type": "response.created"}, [1]])
async def test_garbage_is_told_as_garbage(garbage: Any) -> None:
    async def babble(server: Session) -> None:
        await server.peer.send(garbage)

    async with session(playing(babble)) as (_, listener, _):
        assert "not understood" in await lost(listener)


async def test_a_connection_lost_in_the_middle_goes_on_with_what_was_said() -> None:
    async def cut(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Hello there.", metadata=asked["response"]["metadata"])
        await server.caller_speaks("item_1")
        await server.caller_stops("item_1", "When are you open?")
        call = {"call_id": "call_1", "name": "look_up", "arguments": "{}"}
        await server.respond("Let me see.", call=call)
        await server.wait("response.create")
        await server.respond("We open at", name="resp_9", seconds=1.0, stop_at=2)
        server.peer.cut()

    async def again(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("At nine.", metadata=asked["response"]["metadata"])

    async with session(playing(cut), playing(again)) as (opened, listener, server):
        opened.respond(say="Hello there.")
        await listener.until("finished", "resp_2", "tool_calls")
        opened.give_result("call_1", "Nine.")
        reply = opened.respond()
        assert (await listener.until("finished", reply))[2] == "error"
        assert "hung up in the middle" in str(listener.done[reply].error)
        opened.truncate("item_resp_9", 0.1, "We open")
        await listener.until("finished", opened.respond(), "stop")
        assert items(server, 1) == [
            "assistant: Hello there.",
            "user: When are you open?",
            "assistant: Let me see.",
            'function_call: {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": "{}"}',
            "function_call_output: Nine.",
            "assistant: We open",
        ]


async def test_a_caller_who_speaks_while_the_connection_is_lost_is_heard_and_answered() -> None:
    async def cut(server: Session) -> None:
        while len(server.heard) < 24_000:
            await server.peer.read()
        await server.caller_speaks("item_1")
        await asyncio.sleep(0.01)
        server.peer.cut()

    async def again(server: Session) -> None:
        while len(server.heard) < 2 * 24_000:
            await server.peer.read()
        await server.caller_speaks("item_2")
        await server.caller_stops("item_2", "When are you open?")
        await server.respond("At nine.")

    async with session(playing(cut), playing(again)) as (opened, listener, _):
        for _ in range(30):
            opened.feed(SILENCE)
        await listener.until("trouble")
        for _ in range(30):
            opened.feed(SILENCE)
        await listener.until("finished", "resp_1", "stop")
        assert len(listener.all("speech_started")) == 1
        assert listener.all("speech_stopped")[0][1] == "item_2"


async def test_an_answer_that_was_owed_is_asked_for_on_the_next_connection() -> None:
    async def cut(server: Session) -> None:
        await server.caller_speaks("item_1")
        await server.caller_stops("item_1")
        await asyncio.sleep(0.01)
        server.peer.cut()

    async def again(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Pardon?", metadata=asked["response"]["metadata"])

    async with session(playing(cut), playing(again)) as (_, listener, server):
        await listener.until("finished", "reply-1", "stop")
        await listener.until("not_understood", "item_1")
        assert items(server, 1) == ["user: [The caller said something here that was not written down.]"]


async def test_a_reply_that_had_not_begun_is_asked_for_again() -> None:
    async def cut(server: Session) -> None:
        await server.wait("response.create")
        server.peer.cut()

    async def again(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Hello there.", metadata=asked["response"]["metadata"])

    async with session(playing(cut), playing(again)) as (opened, listener, _):
        await listener.until("finished", opened.respond(say="Hello there."), "stop")


async def expire(server: Session) -> None:
    await server.error("Your session hit the maximum duration of 60 minutes.", code="session_expired")
    await server.peer.close(1001, "Your session hit the maximum duration of 60 minutes.")


async def leave(server: Session) -> None:
    await server.peer.close()


@pytest.mark.parametrize("end", [expire, leave])
async def test_a_session_that_is_over_is_begun_again(end: Callable[[Session], Awaitable[None]]) -> None:
    async def over(server: Session) -> None:
        await server.caller_speaks("item_1")
        await server.caller_stops("item_1", "Hello?")
        await server.respond("Hello.")
        await end(server)

    async def again(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Still here.", metadata=asked["response"]["metadata"])

    async with session(playing(over), playing(again)) as (opened, listener, server):
        await listener.until("trouble")
        await listener.until("finished", opened.respond(), "stop")
        assert items(server, 1) == ["user: Hello?", "assistant: Hello."]


async def test_a_server_that_keeps_hanging_up_is_given_up() -> None:
    async with session(playing(leave)) as (_, listener, server):
        assert "closed the connection" in await lost(listener)
        assert len(server.peers) == 4


async def test_a_server_that_is_gone_without_a_word_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime_link, "PING_SECONDS", 0.02)
    monkeypatch.setattr(realtime_link, "PONG_SECONDS", 0.02)

    async def vanish(server: Session) -> None:
        server.peer.connection.transport.pause_reading()

    async with session(playing(vanish), playing(nothing)) as (_, listener, server):
        await listener.until("trouble")
        await received(server, "session.update", peer=1)
        server.peers[0].cut()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"type": "server_error", "code": None, "message": "Oh no."}, "The server failed"),
        ({"type": "x", "code": "insufficient_quota", "message": "Your quota is empty."}, "quota is used up"),
        ({"type": "x", "code": "rate_limit_exceeded", "message": "Try again in 20 s."}, "accepts no more requests"),
    ],
)
async def test_a_reply_that_fails_is_told_in_words(error: dict[str, Any], told: str) -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        name = await server.respond("Hello", metadata=asked["response"]["metadata"], stop_at=1)
        await server.done(name, "failed", details={"type": "failed", "error": error})

    async with session(playing(play)) as (opened, listener, _):
        reply = opened.respond()
        await listener.until("finished", reply, "error")
        assert told in str(listener.done[reply].error)


async def test_a_reply_that_is_refused_is_told_and_the_next_one_is_made() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.error("Instructions are too long.", event_id=asked["event_id"])
        asked = await server.wait("response.create")
        await server.respond("Hello.", metadata=asked["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, _):
        first, second = opened.respond(say="Hello " * 100), opened.respond()
        await listener.until("finished", first, "error")
        await listener.until("finished", second, "stop")


async def test_a_reply_asked_for_while_another_is_made_is_asked_for_again() -> None:
    async def play(server: Session) -> None:
        await server.caller_speaks("item_1")
        await server.caller_stops("item_1", "When?")
        asked = await server.wait("response.create")
        busy = "Conversation already has an active response in progress: resp_1."
        name = await server.respond("At nine.", stop_at=1)
        await server.error(busy, code="conversation_already_has_active_response", event_id=asked["event_id"])
        await server.done(name)
        asked = await server.wait("response.create")
        await server.respond("Hello there.", metadata=asked["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, server):
        opened._replies._named = True  # type: ignore[attr-defined]
        await listener.until("understood", "item_1", "When?", True)
        await listener.until("finished", opened.respond(say="Hello there."), "stop")
        assert len([m for m in server.peers[0].received if m["type"] == "response.create"]) == 2


async def test_words_that_could_not_be_transcribed_are_told() -> None:
    async def play(server: Session) -> None:
        await server.caller_speaks("item_1")
        await server.caller_stops("item_1")
        error = {"type": "server_error", "code": "audio_unintelligible", "message": "Too much noise."}
        kind = "conversation.item.input_audio_transcription.failed"
        await server.send(kind, item_id="item_1", content_index=0, error=error)

    async with session(playing(play)) as (_, listener, _):
        assert "Too much noise" in (await listener.until("not_understood", "item_1"))[2]


async def test_an_error_that_concerns_nothing_of_importance_ends_nothing() -> None:
    async def play(server: Session) -> None:
        await server.error("Cancellation failed: no active response found", event_id="trifle")
        await server.error("Something is odd.", event_id=None)
        asked = await server.wait("response.create")
        await server.respond("Hello.", metadata=asked["response"]["metadata"])

    async with session(playing(play)) as (opened, listener, _):
        await listener.until("finished", opened.respond(), "stop")
        assert [told[1].endswith("Something is odd)") for told in listener.all("trouble")] == [True]


# --- a whole call


async def held(play: Callable[[Session], Awaitable[None]]) -> tuple[list[events.Event], Peer]:
    """A whole call, whose caller's line is open; its events, and what the server received."""
    found: list[events.Event] = []
    async with asyncio.timeout(20), serving_sockets(playing(play)) as server:
        model = adapter(server)
        services = RealtimeServices(realtime=model, pacer=Pacer(), phrases=PhraseCache())
        call = make_call(call_id="c1", spec=agent(), services=services, transport=FarEnd(), sink=found.append)

        async def caller() -> None:
            while True:
                call.on_audio(SILENCE)
                await asyncio.sleep(0.01)

        speaking = asyncio.create_task(caller())
        await call.run()
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        await model.close()
    return found, server.peers[0]


async def test_a_call_is_held_with_it() -> None:
    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        await server.respond("Hello there.", metadata=asked["response"]["metadata"], seconds=0.4)
        while len(server.heard) < 24_000:
            await server.peer.read()
        await server.caller_speaks("item_1", start_ms=100)
        await server.caller_stops("item_1", "That is all, bye.", end_ms=900)
        await server.respond("Goodbye.", call={"call_id": "call_1", "name": "end_call", "arguments": "{}"})

    found, _ = await held(play)
    said = [(e.type, e.text) for e in found if isinstance(e, events.CallerTurn | events.AgentTurn)]
    assert said[-2:] == [("caller.turn", "That is all, bye."), ("agent.turn", "Goodbye.")]
    assert [e.reason for e in found if isinstance(e, events.CallEnded)] == ["agent_ended"]


async def test_a_caller_who_interrupts_stops_it_at_the_word_that_they_heard() -> None:
    story = "Once upon a time there was a king who had three daughters, and one of them was fair."

    async def play(server: Session) -> None:
        asked = await server.wait("response.create")
        name = await server.respond(story, metadata=asked["response"]["metadata"], seconds=5.0)
        so_far = len(server.heard)
        while len(server.heard) < so_far + 24_000:
            await server.peer.read()
        await server.caller_speaks("item_1")
        cut = await server.wait("conversation.item.truncate")
        await server.send("conversation.item.truncated", **{k: v for k, v in cut.items() if k.endswith(("id", "ms"))})
        assert cut["item_id"] == f"item_{name}"
        await server.caller_stops("item_1", "Stop, please.")
        await server.respond("Bye.", call={"call_id": "call_1", "name": "end_call", "arguments": "{}"})

    found, server = await held(play)
    cut = next(message for message in server.received if message["type"] == "conversation.item.truncate")
    turn = next(e for e in found if isinstance(e, events.AgentTurn))
    assert turn.interrupted
    assert f"{turn.text} {turn.unheard}" == story
    assert cut["audio_end_ms"] == pytest.approx(1000 * (turn.ended - turn.started), abs=40)
    assert not [message for message in server.received if message["type"] == "response.cancel"]
