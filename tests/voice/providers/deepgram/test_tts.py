"""Deepgram's voices against a server that speaks the real protocol, and what it says of an account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.voice.providers.deepgram.fake import KEY, account
from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving
from voice.providers import api
from voice.providers.base import Audio, ProviderError
from voice.providers.deepgram import VENDOR, DeepgramTts
from voice.providers.deepgram import tts as module

PCM = bytes(range(200)) * 8


@asynccontextmanager
async def _speaking(*handlers: Handler) -> AsyncIterator[tuple[DeepgramTts, FakeServer]]:
    async with serving(*handlers) as server:
        tts = DeepgramTts(account(server.url.removesuffix("/v1")), "aura-2")
        yield tts, server
        await tts.close()


async def _speak(tts: DeepgramTts, voice: str = "aura-2-thalia-en", speed: float = 1.0) -> list[Audio]:
    return [audio async for audio in tts.speak("Hello there.", voice=voice, speed=speed, language="en-US")]


async def _audio(exchange: Exchange, *pieces: bytes) -> None:
    await exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: audio/l16\r\nTransfer-Encoding: chunked\r\n\r\n")
    for piece in pieces:
        await exchange.part(piece)


async def _good(exchange: Exchange) -> None:
    await _audio(exchange, PCM[:3], PCM[3:800], PCM[800:])
    await exchange.end()


async def test_the_audio_comes_in_whole_samples_at_the_engines_rate() -> None:
    async with _speaking(_good) as (tts, server):
        pieces = await _speak(tts)
        assert b"".join(piece.pcm for piece in pieces) == PCM
        assert all(len(piece.pcm) % 2 == 0 for piece in pieces)
        asked = server.requests[0]
        query = parse_qs(urlsplit(asked.path).query)
        assert urlsplit(asked.path).path == "/v1/speak"
        assert query == {
            "model": ["aura-2-thalia-en"],
            "encoding": ["linear16"],
            "sample_rate": ["16000"],
            "container": ["none"],
        }
        assert asked.body == {"text": "Hello there."}
        assert asked.headers["authorization"] == f"Token {KEY}"


async def test_a_bare_name_is_a_voice_of_the_chosen_model_in_the_calls_language() -> None:
    async with _speaking(_good) as (tts, server):
        await _speak(tts, voice="apollo")
        assert "model=aura-2-apollo-en" in server.requests[0].path


async def test_a_speed_beyond_what_the_voice_can_is_the_nearest_it_can() -> None:
    async with _speaking(_good) as (tts, server):
        await _speak(tts, speed=2.0)
        assert "speed=1.5" in server.requests[0].path


async def test_closing_the_iterator_hangs_up() -> None:
    async def endless(exchange: Exchange) -> None:
        await _audio(exchange, PCM)
        await asyncio.Event().wait()

    async with _speaking(endless) as (tts, server):
        speech = tts.speak("Hello there.", voice="", speed=1.0, language="en")
        await anext(speech)
        await speech.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.hung_up.wait(), 5)


async def test_a_connection_that_is_cut_in_mid_speech_is_told() -> None:
    async def cut(exchange: Exchange) -> None:
        await _audio(exchange, PCM)
        exchange.cut()

    async with _speaking(cut) as (tts, _):
        with pytest.raises(ProviderError, match="hung up"):
            await _speak(tts)


async def test_a_first_piece_that_does_not_come_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "FIRST_SECONDS", 0.05)
    async with _speaking(slow) as (tts, _):
        with pytest.raises(ProviderError, match="silent for too long") as told:
            await _speak(tts)
        assert told.value.retryable


async def test_a_wrong_key_is_told_and_not_shown() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(401, {"err_code": "INVALID_AUTH", "err_msg": f"Invalid credentials {KEY}."})

    async with _speaking(refuse) as (tts, _):
        with pytest.raises(ProviderError, match="API key is wrong") as told:
            await _speak(tts)
        assert KEY not in str(told.value)


async def test_a_short_not_now_is_waited_for_and_a_long_one_is_told() -> None:
    async def soon(exchange: Exchange) -> None:
        await exchange.answer(429, {"err_msg": "Too many requests."}, Retry_After="0.01")

    async def later(exchange: Exchange) -> None:
        await exchange.answer(429, {"err_msg": "Too many requests."}, Retry_After="30")

    async with _speaking(soon, _good) as (tts, server):
        assert b"".join(piece.pcm for piece in await _speak(tts)) == PCM
        assert len(server.requests) == 2
    async with _speaking(later) as (tts, server):
        with pytest.raises(ProviderError, match="no more requests for now"):
            await _speak(tts)
        assert len(server.requests) == 1


async def test_an_answer_that_is_no_audio_is_told() -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.answer(200, b"<html>Welcome</html>")

    async with _speaking(page) as (tts, _):
        with pytest.raises(ProviderError, match="not understood"):
            await _speak(tts)


async def test_an_answer_without_audio_is_told() -> None:
    async def silent(exchange: Exchange) -> None:
        await _audio(exchange)
        await exchange.end()

    async with _speaking(silent) as (tts, _):
        with pytest.raises(ProviderError, match="before it had begun"):
            await _speak(tts)


async def test_a_connection_that_was_closed_without_goodbye_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SHORT_WAIT", 0.01)

    async def cut(exchange: Exchange) -> None:
        exchange.cut()

    async with _speaking(cut, _good) as (tts, server):
        assert b"".join(piece.pcm for piece in await _speak(tts)) == PCM
        assert len(server.requests) == 2


async def test_the_check_says_what_the_key_may_do() -> None:
    async def token(exchange: Exchange) -> None:
        await exchange.answer(200, {"api_key_id": "k", "scopes": ["usage:write", "project:read"]})

    async with serving(token) as server:
        found = await VENDOR.check(account(server.url.removesuffix("/v1")))
        assert found == "The key works; it may do: usage:write, project:read."
        assert (server.requests[0].method, server.requests[0].path) == ("GET", "/v1/auth/token")


async def test_the_check_says_that_the_key_is_wrong() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(401, {"err_msg": "Invalid credentials."})

    async with serving(refuse) as server:
        with pytest.raises(ProviderError, match="API key is wrong"):
            await VENDOR.check(account(server.url.removesuffix("/v1")))


async def test_the_voices_are_listed_with_what_is_known_of_them() -> None:
    async def models(exchange: Exchange) -> None:
        voices = [
            {"name": "zeus", "canonical_name": "aura-2-zeus-en", "languages": ["en", "en-US"]}
            | {"metadata": {"tags": ["masculine", "Deep"], "use_cases": ["IVR"]}},
            {"name": "celeste", "canonical_name": "aura-2-celeste-es", "languages": ["es"], "metadata": None},
        ]
        await exchange.answer(200, {"stt": [], "tts": voices})

    assert VENDOR.list_voices is not None
    async with serving(models) as server:
        first, second = await VENDOR.list_voices(account(server.url.removesuffix("/v1")))
        assert (first.id, first.label, first.language, first.gender) == ("aura-2-zeus-en", "Zeus", "en", "male")
        assert first.styles == ("deep", "ivr")
        assert (second.id, second.language, second.gender) == ("aura-2-celeste-es", "es", "")
        assert second.styles == ()
