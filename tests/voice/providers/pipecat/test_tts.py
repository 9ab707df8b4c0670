"""Speech by Pipecat's services: one of our own, and Cartesia's against a fake of its server."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.voice.providers.fake_http import Exchange, serving
from tests.voice.providers.fake_socket import Peer, serving_sockets
from voice.media import seconds
from voice.providers.base import Audio, ProviderError, WordTime
from voice.providers.pipecat import PipecatTts, ServiceSpec

OURS = "tests.voice.providers.pipecat.services."


@asynccontextmanager
async def speaking(kind: str = "Speaker", **params: Any) -> AsyncIterator[PipecatTts]:
    tts = PipecatTts(ServiceSpec(path=OURS + kind, params=params), name="Ours")
    try:
        yield tts
    finally:
        await tts.close()


async def spoken(tts: PipecatTts, text: str, **how: Any) -> list[Audio]:
    asked: dict[str, Any] = {"voice": "", "speed": 1.0, "language": "en"} | how
    return [audio async for audio in tts.speak(text, **asked)]


def words(pieces: list[Audio]) -> list[WordTime]:
    return [word for piece in pieces for word in piece.words]


def length(pieces: list[Audio]) -> float:
    return seconds(sum(len(piece.pcm) for piece in pieces))


async def test_audio_comes_at_our_rate_with_the_times_of_its_words(services: Any) -> None:
    async with speaking() as tts:
        pieces = await spoken(tts, "one two three")
    assert length(pieces) == pytest.approx(0.6, abs=0.001)
    found = words(pieces)
    assert [word.text for word in found] == ["one", "two", "three"]
    assert [word.start for word in found] == pytest.approx([0.0, 0.2, 0.4])
    assert [word.end for word in found] == pytest.approx([0.2, 0.4, 0.6], abs=0.001)


async def test_the_times_of_every_piece_begin_at_nought(services: Any) -> None:
    async with speaking() as tts:
        for _ in range(3):
            assert [word.start for word in words(await spoken(tts, "one two"))] == pytest.approx([0.0, 0.2])
    assert len(services.Speaker.made) == 1


async def test_a_service_that_tells_no_words_is_heard_all_the_same(services: Any) -> None:
    async with speaking("Talker") as tts:
        for _ in range(2):
            pieces = await spoken(tts, "one two")
            assert length(pieces) == pytest.approx(0.4, abs=0.001)
            assert words(pieces) == []


async def test_the_voice_the_language_and_the_speed_of_a_piece_are_passed_on(services: Any) -> None:
    async with speaking() as tts:
        await spoken(tts, "one", voice="Ann", speed=1.2, language="de")
        await spoken(tts, "two", voice="", language="en")
    (service,) = services.Speaker.made
    assert service.said == [("one", "Ann", "de", 1.2), ("two", "Ann", "en", 1.0)]


async def test_settings_of_the_spec_are_those_of_the_service(services: Any) -> None:
    async with speaking(settings={"voice": "Bob"}) as tts:
        await spoken(tts, "one")
    assert services.Speaker.made[0].said[0][1] == "Bob"


async def test_pieces_at_the_same_time_have_a_service_each_which_is_used_again(services: Any) -> None:
    async with speaking() as tts:
        await asyncio.gather(spoken(tts, "one two"), spoken(tts, "three four"))
        await spoken(tts, "five")
        assert len(services.Speaker.made) == 2
    assert all(service.stopped for service in services.Speaker.made)


async def test_an_interruption_reaches_the_service_and_nothing_of_the_old_piece_is_heard_later(services: Any) -> None:
    async with speaking() as tts:
        stream = tts.speak("stuck here", voice="", speed=1.0, language="en")
        first = await anext(stream)
        assert first.pcm
        await stream.aclose()  # type: ignore[attr-defined]
        (service,) = services.Speaker.made
        assert len(service.interrupted) == 1
        assert [word.text for word in words(await spoken(tts, "one two"))] == ["one", "two"]
    assert len(services.Speaker.made) == 1


async def test_cancelling_before_the_first_sound_interrupts_too(services: Any) -> None:
    async with speaking() as tts:
        task = asyncio.ensure_future(spoken(tts, "stuck"))
        await services.Speaker.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert length(await spoken(tts, "one")) == pytest.approx(0.2, abs=0.001)


async def test_an_error_is_told_and_the_service_is_replaced(services: Any) -> None:
    async with speaking() as tts:
        with pytest.raises(ProviderError, match="The voice is hoarse") as failed:
            await spoken(tts, "broken")
        assert failed.value.provider == "Ours"
        assert failed.value.retryable
        await spoken(tts, "one")
        first, second = services.Speaker.made
    assert first.stopped
    assert second.stopped


async def test_a_silent_service_is_given_up(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from voice.providers.pipecat import host

    monkeypatch.setattr(host, "PATIENCE_SECONDS", 0.2)
    async with speaking() as tts:
        with pytest.raises(ProviderError, match="silent for too long"):
            await spoken(tts, "stuck")


@pytest.mark.parametrize(
    ("kind", "params", "text"),
    [
        ("Nobody", {}, "There is no Nobody"),
        ("Ear", {}, "Ear is no TTSService"),
        ("Speaker", {"colour": "red"}, "Speaker has no parameter named 'colour'"),
        ("Moody", {"api_key": "sk-1"}, r"Moody could not be made: \[the key\] displeases me"),
    ],
)
async def test_a_service_that_cannot_be_made_says_why(services: Any, kind: str, params: Any, text: str) -> None:
    async with speaking(kind, **params) as tts:
        with pytest.raises(ProviderError, match=text) as failed:
            await spoken(tts, "one")
    assert "sk-1" not in str(failed.value)


async def test_a_class_whose_vendors_library_is_absent_says_so() -> None:
    tts = PipecatTts(ServiceSpec(path="pipecat.services.piper.tts.PiperTTSService"))
    with pytest.raises(ProviderError, match=r"PiperTTSService cannot be used: .*piper"):
        await spoken(tts, "one")


async def test_closing_while_a_service_starts_stops_it(services: Any) -> None:
    async with speaking("Slow") as tts:
        task = asyncio.ensure_future(spoken(tts, "one"))
        await services.Slow.starting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (service,) = services.Speaker.made
    assert service.stopped


# --- OpenAI's class, which speaks at one rate whatever it is asked for


async def test_openais_class_speaks_over_http_and_is_resampled() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(200, b"\1\0" * 24000, Content_Type="audio/pcm")

    async with serving(handle) as server:
        params = {"base_url": server.url, "settings": {"voice": "ash"}}
        spec = ServiceSpec(path="pipecat.services.openai.tts.OpenAITTSService", params=params, api_key="sk-openai")
        tts = PipecatTts(spec)
        assert length(await spoken(tts, "Hello there.", voice="nova")) == pytest.approx(1.0, abs=0.001)
        await tts.close()
    (request,) = server.requests
    assert (request.body["input"], request.body["voice"]) == ("Hello there.", "nova")
    assert request.headers["authorization"] == "Bearer sk-openai"


async def test_a_failure_of_openais_server_is_told() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(401, {"error": {"message": "Incorrect key sk-openai"}})

    async with serving(handle) as server:
        params = {"base_url": server.url}
        spec = ServiceSpec(path="pipecat.services.openai.tts.OpenAITTSService", params=params, api_key="sk-openai")
        tts = PipecatTts(spec)
        with pytest.raises(ProviderError, match="401") as failed:
            await spoken(tts, "Hello there.")
        await tts.close()
    assert "sk-openai" not in str(failed.value)


# --- Cartesia's class


@asynccontextmanager
async def cartesia(*scripts: Any, refuse: int = 0) -> AsyncIterator[tuple[PipecatTts, Any]]:
    async with serving_sockets(*scripts, refuse=refuse) as server:
        params = {"sample_rate": 16000, "url": f"{server.url}/tts/websocket"}
        text = json.dumps({"class": "pipecat.services.cartesia.tts.CartesiaTTSService", "params": params})
        tts = PipecatTts(ServiceSpec.parse(text, provider="Ours", api_key="sk-cartesia"), name="Ours")
        try:
            yield tts, server
        finally:
            await tts.close()


async def _serve_one(peer: Peer) -> str:
    """Speak one piece as Cartesia does, in two chunks; the id of its context."""
    asked = await peer.read_until(lambda message: message.get("transcript"))
    context = asked["context_id"]
    said = asked["transcript"].split()
    times = {"words": said, "start": [0.1 * place for place in range(len(said))], "end": [0.1] * len(said)}
    chunk = {"type": "chunk", "context_id": context, "data": base64.b64encode(b"\1\0" * 1600).decode(), "done": False}
    await peer.send({"type": "timestamps", "context_id": context, "word_timestamps": times}, chunk, chunk)
    return str(context)


async def test_cartesias_class_speaks_over_its_own_protocol() -> None:
    async def script(peer: Peer) -> None:
        while True:
            context = await _serve_one(peer)
            await peer.send({"type": "done", "context_id": context, "done": True})

    async with cartesia(script) as (tts, server):
        for text in ("Hello there.", "Good bye."):
            pieces = await spoken(tts, text, voice="voice-1", language="en-US")
            assert length(pieces) == pytest.approx(0.2)
            assert [word.text for word in words(pieces)] == text.split()
            assert [word.start for word in words(pieces)] == pytest.approx([0.0, 0.1])
        (peer,) = server.peers
    assert peer.headers["X-API-Key"] == "sk-cartesia"
    first = next(message for message in peer.received if message.get("transcript"))
    assert first["voice"]["id"] == "voice-1"
    assert (first["language"], first["output_format"]["sample_rate"]) == ("en-US", 16000)


async def test_an_interruption_cancels_cartesias_context() -> None:
    async def script(peer: Peer) -> None:
        context = await _serve_one(peer)
        await peer.read_until(lambda message: message.get("cancel") and message["context_id"] == context)
        context = await _serve_one(peer)
        await peer.send({"type": "done", "context_id": context, "done": True})
        await peer.read_until(lambda message: False)

    async with cartesia(script) as (tts, server):
        stream = tts.speak("Hello there.", voice="v", speed=1.0, language="en")
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        assert [word.text for word in words(await spoken(tts, "Good bye."))] == ["Good", "bye."]
        assert len(server.peers) == 1


async def test_a_connection_that_is_refused_is_told() -> None:
    async with cartesia(lambda peer: peer.read(), refuse=401) as (tts, _):
        with pytest.raises(ProviderError, match="API key is wrong") as failed:
            await spoken(tts, "Hello.")
    assert not failed.value.retryable
    assert "sk-cartesia" not in str(failed.value)
