"""Speech from a server that speaks the real protocol over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving
from voice.providers import api
from voice.providers.base import Audio, ProviderError
from voice.providers.openai import OpenAiTts, tts

KEY = "sk-secret-0123456789"
TLS = httpx.create_ssl_context()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SHORT_WAIT", 0.01)


@contextlib.asynccontextmanager
async def speaking(server: FakeServer, **kwargs: Any) -> AsyncIterator[OpenAiTts]:
    client = httpx.AsyncClient(verify=TLS, trust_env=False)
    made = OpenAiTts(server.url, KEY, "gpt-4o-mini-tts", client=client, **kwargs)
    try:
        yield made
    finally:
        await made.close()


def speak(made: OpenAiTts, voice: str = "alloy", speed: float = 1.0) -> AsyncIterator[Audio]:
    return made.speak("Hello there.", voice=voice, speed=speed, language="en")


async def spoken(made: OpenAiTts) -> bytes:
    return b"".join([audio.pcm async for audio in speak(made)])


def tone(rate: int, seconds: float = 0.5) -> bytes:
    """A tone of 400 Hz."""
    time = np.arange(round(rate * seconds)) / rate
    return (8000 * np.sin(2 * np.pi * 400 * time)).astype("<i2").tobytes()


def playing(pcm: bytes, piece: int = 4801, kind: str = "audio/pcm") -> Handler:
    async def handle(exchange: Exchange) -> None:
        await exchange.begin(kind)
        for begin in range(0, len(pcm), piece):
            await exchange.part(pcm[begin : begin + piece])
        await exchange.end()

    return handle


# --- what works


@pytest.mark.parametrize(
    ("rate", "kind"), [(24_000, "audio/pcm"), (22_050, "audio/pcm; rate=22050"), (16_000, "audio/L16;rate=16000")]
)
async def test_speech_is_the_same_sound_at_the_rate_of_calls(rate: int, kind: str) -> None:
    async with serving(playing(tone(rate), kind=kind)) as server, speaking(server) as made:
        heard = np.frombuffer(await spoken(made), "<i2").astype(float)
    wanted = np.frombuffer(tone(16_000), "<i2").astype(float)
    assert len(heard) == len(wanted)
    assert np.abs(heard - wanted)[400:-400].max() < 100


async def test_it_is_asked_for_as_raw_audio_in_the_voice_and_speed_wanted() -> None:
    async with serving(playing(tone(24_000))) as server, speaking(server) as made:
        [_ async for _ in speak(made, voice="coral", speed=9.0)]
        request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/audio/speech")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "gpt-4o-mini-tts",
        "input": "Hello there.",
        "voice": "coral",
        "response_format": "pcm",
        "speed": 4.0,
    }


async def test_a_voice_of_the_accounts_own_is_named_by_its_id() -> None:
    async with serving(playing(tone(24_000))) as server, speaking(server) as made:
        [_ async for _ in speak(made, voice="voice_1234")]
        assert server.requests[0].body["voice"] == {"id": "voice_1234"}


async def test_audio_is_heard_while_the_rest_is_still_made() -> None:
    go_on = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await exchange.begin("audio/pcm")
        await exchange.part(tone(24_000))
        await go_on.wait()
        await exchange.part(tone(24_000))
        await exchange.end()

    async with serving(slow) as server, speaking(server) as made:
        pieces = speak(made)
        assert len((await anext(pieces)).pcm) > 10_000
        go_on.set()
        [_ async for _ in pieces]


async def test_many_calls_speak_at_the_same_time() -> None:
    async with serving(playing(tone(24_000))) as server, speaking(server) as made:
        lengths = {len(pcm) for pcm in await asyncio.gather(*(spoken(made) for _ in range(10)))}
    assert lengths == {16_000}


async def test_closing_the_iterator_stops_the_model() -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.begin("audio/pcm")
        while True:
            await exchange.part(tone(24_000))
            await asyncio.sleep(0.01)

    async with serving(endless) as server, speaking(server) as made:
        pieces = speak(made)
        await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]
        await server.hung_up.wait()


# --- faults


async def test_a_wrong_key_is_told_without_the_key() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})

    async with serving(refuse) as server, speaking(server, name="Ours") as made:
        with pytest.raises(ProviderError, match="key is wrong") as failure:
            await spoken(made)
    assert KEY not in str(failure.value)
    assert failure.value.provider == "Ours"


async def test_a_short_wait_that_the_server_asks_for_is_kept() -> None:
    async def busy(exchange: Exchange) -> None:
        await exchange.answer(429, {"error": {"message": "Slow down"}}, Retry_After="0.01")

    async with serving(busy, playing(tone(24_000))) as server, speaking(server) as made:
        assert len(await spoken(made)) == 16_000


async def test_a_long_wait_that_the_server_asks_for_is_told() -> None:
    async def busy(exchange: Exchange) -> None:
        await exchange.answer(429, {"error": {"message": "Slow down"}}, Retry_After="20")

    async with serving(busy) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="accepts no more requests") as failure:
            await spoken(made)
        assert failure.value.retryable
        assert len(server.requests) == 1


async def test_an_unknown_voice_or_model_is_named() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(404, {"error": {"message": "No such model"}})

    async with serving(refuse) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="There is no model gpt-4o-mini-tts with the voice alloy"):
            await spoken(made)


async def test_a_first_byte_that_does_not_come_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tts, "FIRST_SECONDS", 0.05)

    async def silent(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with serving(silent) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="silent for too long"):
            await spoken(made)


async def test_speech_that_stops_coming_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "GAP_SECONDS", 0.05)

    async def stuck(exchange: Exchange) -> None:
        await exchange.begin("audio/pcm")
        await exchange.part(tone(24_000))
        await asyncio.sleep(60)

    async with serving(stuck) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="silent for too long"):
            await spoken(made)


async def test_a_connection_lost_in_the_middle_of_speech_is_told() -> None:
    async def cut(exchange: Exchange) -> None:
        await exchange.begin("audio/pcm")
        await exchange.part(tone(24_000))
        exchange.cut()

    async with serving(cut) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="hung up in the middle"):
            await spoken(made)


async def test_an_answer_without_a_sound_is_a_failure() -> None:
    async with serving(playing(b"")) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="before it had begun"):
            await spoken(made)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"<html>Welcome</html>", "text/html"), (b'{"ok": true}', "application/json"), (b"RIFF____WAVE", "audio/wav")],
)
async def test_what_is_not_raw_audio_is_not_played(content: bytes, kind: str) -> None:
    async with serving(playing(content, kind=kind)) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="not understood"):
            await spoken(made)
