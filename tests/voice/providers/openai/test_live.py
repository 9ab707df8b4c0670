"""Live recognition against a server that speaks the real protocol over real sockets."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import pytest

from tests.voice.providers.caller import Caller, calling
from tests.voice.providers.fake_socket import FakeSocketServer, Peer, serving_sockets
from voice.providers import listening
from voice.providers.openai import OpenAiStt, live

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BACKOFF_SECONDS", (0.0, 0.0, 0.0))


def stt(server: FakeSocketServer, model: str = "gpt-live-transcribe") -> OpenAiStt:
    return OpenAiStt(f"{server.url.replace('ws', 'http')}/v1", KEY, model, name="Ours")


async def ready(peer: Peer) -> None:
    await peer.send({"type": "session.created", "session": {}})
    asked = await peer.read()
    assert asked["type"] == "session.update"
    await peer.send({"type": "session.updated", "session": asked["session"]})


async def committed(peer: Peer, item: str) -> None:
    await peer.read_until(lambda message: message["type"] == "input_audio_buffer.commit")
    await peer.send({"type": "input_audio_buffer.committed", "item_id": item, "previous_item_id": None})


async def stay(peer: Peer) -> None:
    while True:
        await peer.read()


def transcription(kind: str, item: str, **content: Any) -> dict[str, Any]:
    event = f"conversation.item.input_audio_transcription.{kind}"
    return {"type": event, "item_id": item, "content_index": 0, **content}


def completed(item: str, text: str) -> dict[str, Any]:
    return transcription("completed", item, transcript=text)


def delta(item: str, text: str) -> dict[str, Any]:
    return transcription("delta", item, delta=text)


def audio(peer: Peer) -> bytes:
    parts = (message for message in peer.received if message["type"] == "input_audio_buffer.append")
    return b"".join(base64.b64decode(part["audio"]) for part in parts)


# --- what works


async def test_what_was_said_is_recognised_at_a_pause() -> None:
    async def script(peer: Peer) -> None:
        await ready(peer)
        await committed(peer, "item-1")
        await peer.send(delta("item-1", "Good "), delta("item-1", "morning"), completed("item-1", "Good morning."))
        await stay(peer)

    async with serving_sockets(script) as server, calling(stt(server)) as caller:
        caller.silence(1.0)
        caller.speak(0.6)
        caller.pause()
        told = await caller.understood()
        assert (told.text, told.turn_ended) == ("Good morning.", None)
        assert caller.partials == ["Good", "Good morning"]
        peer = server.peers[0]
        assert peer.path == "/v1/realtime?intent=transcription"
        assert peer.headers["Authorization"] == f"Bearer {KEY}"
        heard = np.frombuffer(audio(peer), "<i2")
        # 24 kHz: the speech, and a little of what was before it.
        assert len(heard) / 24_000 == pytest.approx(1.0, abs=0.01)
        assert heard[-4000:].mean() == pytest.approx(0x0101, abs=3)
        assert caller.stream.billed_seconds == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("gpt-live-transcribe", {"keywords": ["Callwright", "Lane"]}),
        ("gpt-4o-transcribe", {"prompt": "Callwright, Lane"}),
        ("gpt-realtime-whisper", {}),
        ("Systran/whisper/live", {"prompt": "Callwright, Lane"}),
    ],
)
async def test_a_session_is_set_up_for_our_own_pauses(model: str, asked: dict[str, Any]) -> None:
    is_ready = asyncio.Event()

    async def script(peer: Peer) -> None:
        await ready(peer)
        is_ready.set()
        await stay(peer)

    async with serving_sockets(script) as server, calling(stt(server, model), keyterms=["Callwright", "Lane"]):
        await is_ready.wait()
        assert server.peers[0].received[0]["session"] == {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": {"model": model.removesuffix("/live"), "language": "en", **asked},
                    "turn_detection": None,
                }
            },
        }


async def test_words_are_told_while_the_caller_speaks_where_the_model_has_them() -> None:
    async def script(peer: Peer) -> None:
        await ready(peer)
        await peer.read()
        await peer.send(delta("item-1", "I am"), delta("item-1", " still"))
        await stay(peer)

    async with serving_sockets(script) as server, calling(stt(server)) as caller:
        caller.speak()
        await caller.until_partial("I am still")


async def test_a_turn_with_pauses_is_told_as_a_whole_and_the_next_one_begins_anew() -> None:
    async def script(peer: Peer) -> None:
        await ready(peer)
        for number, text in enumerate(("I would like", "a table.", "For two.")):
            await committed(peer, f"item-{number}")
            await peer.send(completed(f"item-{number}", text))
        await stay(peer)

    async with serving_sockets(script) as server, calling(stt(server)) as caller:
        assert await said(caller) == "I would like"
        assert await said(caller) == "I would like a table."
        caller.stream.commit()
        assert await said(caller) == "For two."


async def test_items_that_are_recognised_in_another_order_are_told_in_theirs() -> None:
    async def script(peer: Peer) -> None:
        await ready(peer)
        await committed(peer, "item-1")
        await committed(peer, "item-2")
        await peer.send(delta("item-2", "two."), delta("item-1", "One,"))
        await peer.send(completed("item-2", "two."), completed("item-1", "One,"))
        await stay(peer)

    async with serving_sockets(script) as server, calling(stt(server)) as caller:
        caller.speak()
        caller.pause()
        assert await said(caller) == "One, two."
        assert caller.partials == ["two.", "One, two."]
        assert caller.waits


async def test_a_pause_after_hardly_a_sound_is_answered_with_no_words() -> None:
    async def script(peer: Peer) -> None:
        await ready(peer)
        await peer.read_until(lambda message: message["type"] == "input_audio_buffer.commit")
        said = {"type": "invalid_request_error", "code": "input_audio_buffer_commit_empty", "message": "Too small."}
        await peer.send({"type": "error", "error": said})
        await stay(peer)

    async with serving_sockets(script) as server, calling(stt(server)) as caller:
        assert await said(caller) == ""


# --- faults


async def test_a_lost_connection_loses_no_words() -> None:
    async def lost(peer: Peer) -> None:
        await ready(peer)
        await committed(peer, "item-1")
        peer.cut()

    async def script(peer: Peer) -> None:
        await ready(peer)
        await committed(peer, "item-9")
        await peer.send(completed("item-9", "All of it."))
        await stay(peer)

    async with serving_sockets(lost, script) as server, calling(stt(server)) as caller:
        assert await said(caller) == "All of it."
        assert len(audio(server.peers[1])) == len(audio(server.peers[0]))


async def test_a_session_that_is_over_is_begun_again() -> None:
    async def over(peer: Peer) -> None:
        await ready(peer)
        await peer.read()
        said = {"type": "server_error", "code": "session_expired", "message": "Your session hit the maximum duration."}
        await peer.send({"type": "error", "error": said})
        await peer.close()

    async def script(peer: Peer) -> None:
        await ready(peer)
        await committed(peer, "item-1")
        await peer.send(completed("item-1", "Hello."))
        await stay(peer)

    async with serving_sockets(over, script) as server, calling(stt(server)) as caller:
        assert await said(caller) == "Hello."


async def test_a_wrong_key_is_told_without_the_key() -> None:
    refused = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    async with serving_sockets(stay, refuse=401, refuse_with=refused) as server, calling(stt(server)) as caller:
        caller.speak()
        error = await caller.failed()
        assert "key is wrong" in str(error)
        assert KEY not in str(error)
        assert error.provider == "Ours"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"type": "invalid_request_error", "message": "Unknown model."}, "refused the request for the model gpt-live"),
        ({"type": "x", "code": "insufficient_quota", "message": "Your quota is empty."}, "quota is used up"),
        ({"type": "server_error", "message": "Oh no."}, "The server failed"),
        ({}, "The server failed"),
    ],
)
async def test_a_session_that_is_refused_is_told_in_words_and_left(said: dict[str, Any], told: str) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.read()
        await peer.send({"type": "error", "error": said})
        await stay(peer)

    async with serving_sockets(refuse) as server, calling(stt(server)) as caller:
        caller.speak()
        assert told in str(await caller.failed())
        await server.gone.wait()


async def test_a_session_that_does_not_begin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "READY_SECONDS", 0.02)
    async with serving_sockets(stay) as server, calling(stt(server)) as caller:
        caller.speak()
        assert "silent for too long" in str(await caller.failed())


async def test_speech_that_could_not_be_recognised_is_told() -> None:
    async def script(peer: Peer) -> None:
        await ready(peer)
        await committed(peer, "item-1")
        await peer.send(transcription("failed", "item-1", error={"type": "invalid_request_error", "message": "Noise."}))
        await stay(peer)

    async with serving_sockets(script) as server, calling(stt(server)) as caller:
        caller.speak()
        caller.pause()
        assert "Noise" in str(await caller.failed())


@pytest.mark.parametrize("garbage", ["<html>", {"hello": 1}, {"type": "input_audio_buffer.committed"}])
async def test_garbage_is_told_as_garbage(garbage: Any) -> None:
    async def babble(peer: Peer) -> None:
        await ready(peer)
        await peer.read()
        await peer.send(garbage)
        await stay(peer)

    async with serving_sockets(babble) as server, calling(stt(server)) as caller:
        caller.speak()
        assert "not understood" in str(await caller.failed())


async def said(caller: Caller) -> str:
    """Speaks and pauses; what was understood of the turn."""
    caller.speak()
    caller.pause()
    return (await caller.understood()).text
