"""Ink in both its forms, against servers that speak the real protocols over real sockets."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.voice.providers.caller import Caller, calling
from tests.voice.providers.fake_socket import FakeSocketServer, Peer, serving_sockets
from voice.media import SAMPLE_RATE
from voice.providers import listening
from voice.providers.cartesia import CartesiaStt, stt

KEY = "sk_car_secret-0123456789"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BACKOFF_SECONDS", (0.0, 0.0, 0.0))


def ink(server: FakeSocketServer, model: str = "ink-2") -> CartesiaStt:
    return CartesiaStt(server.url.replace("ws", "http"), KEY, model, name="Ours")


def manual(server: FakeSocketServer) -> CartesiaStt:
    return ink(server, "ink-2/manual")


def transcript(text: str, *, final: bool = True) -> dict[str, Any]:
    return {"type": "transcript", "is_final": final, "text": text, "request_id": "r-1"}


FLUSHED = {"type": "flush_done", "request_id": "r-1"}


def turn(kind: str, text: str | None = None) -> dict[str, Any]:
    return {"type": f"turn.{kind}", "request_id": "r-1"} | ({} if text is None else {"transcript": text})


def refusal(status: int, message: str) -> dict[str, Any]:
    return {"type": "error", "status_code": status, "title": "No", "message": message, "request_id": "r-1"}


def speech(peer: Peer) -> float:
    """Seconds of speech in what the peer was sent."""
    return sum(message.count(b"\1") for message in peer.received if isinstance(message, bytes)) / (2 * SAMPLE_RATE)


async def stay(peer: Peer) -> None:
    while True:
        await peer.read()


async def hears_speech(peer: Peer) -> None:
    await peer.read_until(lambda message: isinstance(message, bytes) and b"\1" in message)


# --- manual


async def finalized(peer: Peer) -> None:
    await peer.read_until(lambda message: message == "finalize")


async def test_manual_asks_for_the_words_at_a_pause_and_joins_them_as_they_come() -> None:
    async def script(peer: Peer) -> None:
        await hears_speech(peer)
        await peer.send(transcript("Good mor", final=False))
        await finalized(peer)
        await peer.send(transcript("Good morn"), transcript("ing to you."), FLUSHED)
        await stay(peer)

    async with serving_sockets(script) as server, calling(manual(server)) as caller:
        caller.silence(1.0)
        caller.speak(0.6)
        await caller.until_partial("Good mor")
        caller.pause()
        told = await caller.understood()
        assert told.text == "Good morning to you."
        assert told.audio_seconds == pytest.approx(1.0, abs=0.1)
        peer = server.peers[0]
        assert speech(peer) == pytest.approx(0.6)
        # Of the silence before it, only a little is sent and paid for.
        assert caller.stream.billed_seconds == pytest.approx(1.0, abs=0.1)
        address = urlsplit(peer.path)
        assert address.path == "/stt/websocket"
        assert parse_qs(address.query) == {
            "model": ["ink-2"],
            "encoding": ["pcm_s16le"],
            "sample_rate": ["16000"],
            "language": ["en"],
        }
        assert peer.headers["Authorization"] == f"Bearer {KEY}"
        assert peer.headers["Cartesia-Version"]


async def test_manual_answers_each_pause_with_the_words_of_the_whole_turn() -> None:
    async def script(peer: Peer) -> None:
        for text in ("I would like", " a table.", "For two."):
            await finalized(peer)
            await peer.send(transcript(text), FLUSHED)
        await stay(peer)

    async with serving_sockets(script) as server, calling(manual(server)) as caller:
        caller.speak()
        caller.pause()
        assert (await caller.understood()).text == "I would like"
        caller.speak()
        caller.pause()
        assert (await caller.understood()).text == "I would like a table."
        caller.stream.commit()
        caller.speak()
        caller.pause()
        assert (await caller.understood()).text == "For two."


async def test_manual_answers_no_pause_that_the_caller_ended_by_going_on() -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await finalized(peer)
        await go_on.wait()
        await peer.send(transcript("One"), FLUSHED)
        await finalized(peer)
        await peer.send(transcript(" two."), FLUSHED)
        await stay(peer)

    async with serving_sockets(script) as server, calling(manual(server)) as caller:
        caller.speak()
        caller.pause()
        caller.speak()
        go_on.set()
        caller.pause()
        assert (await caller.understood()).text == "One two."
        assert caller.waits


async def test_key_terms_are_told_as_far_as_the_server_takes_them() -> None:
    terms = ["Callwright", "Strawberry Lane", *("x" * 100 for _ in range(20))]
    async with serving_sockets(stay) as server, calling(manual(server), keyterms=terms) as caller:
        await server.came.wait()
        sent = parse_qs(urlsplit(server.peers[0].path).query)["keyterm"]
        assert sent[:2] == ["Callwright", "Strawberry Lane"]
        assert sum(map(len, sent)) <= 1200
        assert caller.waits


async def test_whisper_is_used_manually() -> None:
    async with serving_sockets(stay) as server, calling(ink(server, "ink-whisper")):
        await server.came.wait()
        assert server.peers[0].path.startswith("/stt/websocket?model=ink-whisper&")


# --- turns


async def test_turns_takes_the_servers_own_opinion_of_the_end_of_a_turn() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"type": "connected", "request_id": "r-1"})
        await hears_speech(peer)
        await peer.send(turn("start"), turn("update", "Good morning"))
        await silence_after_speech(peer)
        await peer.send(turn("eager_end", "Good morning to you."))
        await stay(peer)

    async with serving_sockets(script) as server, calling(ink(server), keyterms=["Ink"]) as caller:
        caller.silence()
        caller.speak()
        await caller.until_partial("Good morning")
        caller.pause()
        caller.silence()
        told = await caller.understood()
        assert (told.text, told.turn_ended) == ("Good morning to you.", True)
        # Its judgement needs the silence, which is paid for.
        assert caller.stream.billed_seconds == pytest.approx(1.2, abs=0.2)
        address = urlsplit(server.peers[0].path)
        assert address.path == "/stt/turns/websocket"
        assert parse_qs(address.query) == {
            "model": ["ink-2"],
            "encoding": ["pcm_s16le"],
            "sample_rate": ["16000"],
            "keyterm": ["Ink"],
        }


async def test_turns_answers_a_pause_that_ends_no_turn_with_the_words_that_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stt, "SETTLE_SECONDS", 0.02)

    async def script(peer: Peer) -> None:
        await hears_speech(peer)
        await peer.send(turn("start"), turn("update", "My number is"))
        await stay(peer)

    async with serving_sockets(script) as server, calling(ink(server)) as caller:
        caller.speak()
        await caller.until_partial("My number is")
        caller.pause()
        told = await caller.understood()
        assert (told.text, told.turn_ended) == ("My number is", None)


async def test_turns_waits_longer_for_the_first_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stt, "SETTLE_SECONDS", 0.0)

    async def script(peer: Peer) -> None:
        await silence_after_speech(peer)
        await asyncio.sleep(0.05)
        await peer.send(turn("start"), turn("update", "Yes."), turn("end", "Yes."))
        await stay(peer)

    async with serving_sockets(script) as server, calling(ink(server)) as caller:
        caller.speak()
        caller.pause()
        caller.silence()
        assert (await caller.understood()).text == "Yes."


async def test_turns_goes_on_with_a_turn_that_was_not_over() -> None:
    async def script(peer: Peer) -> None:
        await hears_speech(peer)
        await peer.send(turn("start"), turn("update", "My number is"))
        await silence_after_speech(peer)
        await peer.send(turn("eager_end", "My number is"))
        await hears_speech(peer)
        await peer.send(turn("resume"), turn("update", "My number is five"))
        await silence_after_speech(peer)
        await peer.send(turn("end", "My number is five."))
        await stay(peer)

    async with serving_sockets(script) as server, calling(ink(server)) as caller:
        await speak_and_pause(caller, "My number is")
        assert (await caller.understood()).text == "My number is"
        await speak_and_pause(caller, "My number is five")
        told = await caller.understood()
        assert (told.text, told.turn_ended) == ("My number is five.", True)


async def test_turns_joins_the_servers_turns_to_one_of_ours() -> None:
    async def script(peer: Peer) -> None:
        for text in ("Yes.", "And one more thing."):
            await hears_speech(peer)
            await peer.send(turn("start"), turn("update", text))
            await silence_after_speech(peer)
            await peer.send(turn("end", text))
        await stay(peer)

    async with serving_sockets(script) as server, calling(ink(server)) as caller:
        await speak_and_pause(caller, "Yes.")
        assert (await caller.understood()).text == "Yes."
        await speak_and_pause(caller, "Yes. And one more thing.")
        assert (await caller.understood()).text == "Yes. And one more thing."


@pytest.mark.parametrize("so_far", ["Yes please And the bill", "Yes, please. And the bill"])
async def test_turns_keeps_words_that_were_taken_out_of_the_next_turn(
    monkeypatch: pytest.MonkeyPatch, so_far: str
) -> None:
    monkeypatch.setattr(stt, "SETTLE_SECONDS", 0.02)
    committed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await hears_speech(peer)
        await peer.send(turn("start"), turn("update", "Yes please"))
        await committed.wait()
        await hears_speech(peer)
        await peer.send(turn("update", so_far))
        await silence_after_speech(peer)
        await peer.send(turn("end", f"{so_far}."))
        await stay(peer)

    async with serving_sockets(script) as server, calling(ink(server)) as caller:
        await speak_and_pause(caller, "Yes please")
        assert (await caller.understood()).text == "Yes please"
        caller.stream.commit()
        caller.silence()
        await asyncio.sleep(0.1)  # what the server may still say of the last turn
        committed.set()
        await speak_and_pause(caller, "And the bill")
        assert (await caller.understood()).text == "And the bill."


# --- faults, which both forms share


@pytest.mark.parametrize("leave", ["cut", "goodbye"])
async def test_a_lost_connection_loses_no_words(leave: str) -> None:
    async def lost(peer: Peer) -> None:
        await hears_speech(peer)
        if leave == "cut":
            peer.cut()
        else:
            await peer.close()

    async def script(peer: Peer) -> None:
        await finalized(peer)
        await peer.send(transcript("All of it."), FLUSHED)
        await stay(peer)

    async with serving_sockets(lost, script) as server, calling(manual(server)) as caller:
        caller.speak(0.5)
        await server.gone.wait()
        caller.speak(0.5)
        caller.pause()
        assert (await caller.understood()).text == "All of it."
        assert speech(server.peers[1]) == pytest.approx(1.0)


async def test_a_new_connection_hears_no_words_again_that_a_turn_of_the_server_had() -> None:
    async def lost(peer: Peer) -> None:
        await hears_speech(peer)
        await peer.send(turn("start"), turn("update", "Yes."))
        await silence_after_speech(peer)
        await peer.send(turn("eager_end", "Yes."), turn("end", "Yes."), turn("start"), turn("update", "And"))
        await hears_speech(peer)
        peer.cut()

    async def script(peer: Peer) -> None:
        await silence_after_speech(peer)
        await peer.send(turn("start"), turn("end", "And the bill."))
        await stay(peer)

    async with serving_sockets(lost, script) as server, calling(ink(server)) as caller:
        await speak_and_pause(caller, "Yes.")
        assert (await caller.understood()).text == "Yes."
        await caller.until_partial("Yes. And")
        caller.speak()
        await server.gone.wait()
        caller.pause()
        caller.silence()
        assert (await caller.understood()).text == "Yes. And the bill."
        assert speech(server.peers[1]) == pytest.approx(0.4)


@pytest.mark.parametrize("model", ["ink-2", "ink-2/manual"])
async def test_a_wrong_key_is_told_without_the_key(model: str) -> None:
    refused = {"title": "Unauthorized", "message": f"Invalid API key {KEY}"}
    async with serving_sockets(stay, refuse=401, refuse_with=refused) as server, calling(ink(server, model)) as caller:
        caller.speak()
        error = await caller.failed()
        assert "key is wrong" in str(error)
        assert KEY not in str(error)
        assert error.provider == "Ours"


@pytest.mark.parametrize("model", ["ink-2", "ink-2/manual"])
async def test_an_error_of_the_server_is_told_in_words(model: str) -> None:
    async def refuse(peer: Peer) -> None:
        await hears_speech(peer)
        await peer.send(refusal(402, "You are out of credits."))
        await stay(peer)

    async with serving_sockets(refuse) as server, calling(ink(server, model)) as caller:
        caller.speak()
        error = await caller.failed()
        assert "no credit left" in str(error)
        assert "out of credits" in str(error)


async def test_a_server_that_is_busy_for_a_moment_is_asked_again() -> None:
    async def busy(peer: Peer) -> None:
        await peer.send(refusal(429, "Too many concurrent requests"))
        await stay(peer)

    async def script(peer: Peer) -> None:
        await finalized(peer)
        await peer.send(transcript("Hello."), FLUSHED)
        await stay(peer)

    async with serving_sockets(busy, script) as server, calling(manual(server)) as caller:
        caller.speak()
        caller.pause()
        assert (await caller.understood()).text == "Hello."


@pytest.mark.parametrize(
    ("model", "garbage"),
    [
        ("ink-2", "<html>"),
        ("ink-2", {"type": "turn.update"}),
        ("ink-2/manual", [1]),
        ("ink-2/manual", {"hello": 1}),
        ("ink-2/manual", {"type": "transcript"}),
    ],
)
async def test_garbage_is_told_as_garbage(model: str, garbage: Any) -> None:
    async def babble(peer: Peer) -> None:
        await hears_speech(peer)
        await peer.send(garbage)
        await stay(peer)

    async with serving_sockets(babble) as server, calling(ink(server, model)) as caller:
        caller.speak()
        assert "not understood" in str(await caller.failed())


async def test_what_the_server_has_to_say_besides_is_passed_over() -> None:
    async def script(peer: Peer) -> None:
        await finalized(peer)
        await peer.send(b"\0\1", {"type": "weather"}, transcript("Hello."), FLUSHED)
        await stay(peer)

    async with serving_sockets(script) as server, calling(manual(server)) as caller:
        caller.speak()
        caller.pause()
        assert (await caller.understood()).text == "Hello."


async def test_many_calls_are_listened_to_at_the_same_time() -> None:
    async def script(peer: Peer) -> None:
        await finalized(peer)
        await peer.send(transcript(f"{speech(peer):.1f}"), FLUSHED)
        await stay(peer)

    async with serving_sockets(script) as server:
        stt = manual(server)
        callers = [Caller(stt) for _ in range(8)]
        for number, caller in enumerate(callers, 3):
            caller.speak(number / 10)
            caller.pause()
        assert [(await caller.understood()).text for caller in callers] == [f"{n / 10:.1f}" for n in range(3, 11)]
        await stt.close()
        assert len(server.peers) == 8


# --- what the scripts wait for


async def silence_after_speech(peer: Peer) -> None:
    await peer.read_until(lambda message: isinstance(message, bytes) and message.endswith(bytes(640)))


async def speak_and_pause(caller: Caller, words: str) -> None:
    caller.speak()
    await caller.until_partial(words)
    caller.pause()
    caller.silence()
