"""ElevenLabs' voices against a server that speaks the real protocol, and what it says of an account."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.voice.providers.elevenlabs.fake import KEY, account
from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving
from voice.providers.base import Audio, ProviderError, WordTime
from voice.providers.elevenlabs import VENDOR, ElevenLabsTts
from voice.providers.elevenlabs import tts as module

PCM = bytes(range(200)) * 8


@asynccontextmanager
async def _speaking(
    *handlers: Handler, model: str = "eleven_flash_v2_5"
) -> AsyncIterator[tuple[ElevenLabsTts, FakeServer]]:
    async with serving(*handlers) as server:
        tts = ElevenLabsTts(account(server.url.removesuffix("/v1")), model)
        yield tts, server
        await tts.close()


async def _speak(tts: ElevenLabsTts, voice: str = "v/1", speed: float = 1.0) -> list[Audio]:
    return [audio async for audio in tts.speak("Hello there.", voice=voice, speed=speed, language="en-US")]


def _line(pcm: bytes, characters: str = "", start: float = 0.0) -> dict[str, Any]:
    """A part of the answer whose characters last 0.1 s each."""
    times = [round(start + 0.1 * index, 3) for index in range(len(characters) + 1)]
    alignment = {
        "characters": list(characters),
        "character_start_times_seconds": times[:-1],
        "character_end_times_seconds": times[1:],
    }
    return {"audio_base64": b64encode(pcm).decode(), "alignment": alignment if characters else None}


async def _begin(exchange: Exchange, *lines: dict[str, Any] | str) -> None:
    await exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for line in lines:
        await exchange.part((line if isinstance(line, str) else json.dumps(line)).encode() + b"\n\n")


async def _good(exchange: Exchange) -> None:
    await _begin(exchange, _line(PCM[:801], "Hello th"), _line(PCM[801:], "ere.", 0.8), _line(b""))
    await exchange.end()


async def test_the_audio_comes_at_the_engines_rate_and_the_words_with_their_times() -> None:
    async with _speaking(_good) as (tts, server):
        pieces = await _speak(tts)
        assert b"".join(piece.pcm for piece in pieces) == PCM
        assert all(len(piece.pcm) % 2 == 0 for piece in pieces)
        words = [word for piece in pieces for word in piece.words]
        assert words == [WordTime("Hello", 0.0, 0.5), WordTime("there.", 0.6, 1.2)]
        asked = server.requests[0]
        assert urlsplit(asked.path).path == "/v1/text-to-speech/v%2F1/stream/with-timestamps"
        assert parse_qs(urlsplit(asked.path).query) == {"output_format": ["pcm_16000"]}
        assert asked.body == {"text": "Hello there.", "model_id": "eleven_flash_v2_5", "language_code": "en"}
        assert asked.headers["xi-api-key"] == KEY


async def test_a_model_that_takes_no_language_is_told_none_and_the_speed_is_kept_to_what_it_can() -> None:
    async with _speaking(_good, model="eleven_multilingual_v2") as (tts, server):
        await _speak(tts, speed=3.0)
        assert server.requests[0].body == {
            "text": "Hello there.",
            "model_id": "eleven_multilingual_v2",
            "voice_settings": {"speed": 1.2},
        }


async def test_closing_the_iterator_hangs_up() -> None:
    async def endless(exchange: Exchange) -> None:
        await _begin(exchange, _line(PCM, "Hello"))
        await asyncio.Event().wait()

    async with _speaking(endless) as (tts, server):
        speech = tts.speak("Hello there.", voice="", speed=1.0, language="en")
        await anext(speech)
        await speech.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.hung_up.wait(), 5)


async def test_a_connection_that_is_cut_in_mid_speech_is_told() -> None:
    async def cut(exchange: Exchange) -> None:
        await _begin(exchange, _line(PCM, "Hello"))
        exchange.cut()

    async with _speaking(cut) as (tts, _):
        with pytest.raises(ProviderError, match="hung up"):
            await _speak(tts)


async def test_a_first_piece_that_does_not_come_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "FIRST_SECONDS", 0.05)
    async with _speaking(slow) as (tts, _):
        with pytest.raises(ProviderError, match="silent for too long"):
            await _speak(tts)


@pytest.mark.parametrize(
    ("status", "detail", "words"),
    [
        (401, {"status": "invalid_api_key", "message": f"Invalid API key {KEY}."}, "API key is wrong"),
        (401, {"status": "quota_exceeded", "message": "This exceeds your quota of 10000."}, "quota is used up"),
        (404, {"status": "voice_not_found", "message": "A voice was not found."}, "There is no voice v/1"),
        (429, {"status": "too_many_concurrent_requests", "message": "Too many."}, "no more requests for now"),
    ],
)
async def test_a_refusal_says_what_to_do_and_not_the_key(status: int, detail: dict[str, str], words: str) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(status, {"detail": detail}, Retry_After="30")

    async with _speaking(refuse) as (tts, server):
        with pytest.raises(ProviderError, match=words) as told:
            await _speak(tts)
        assert KEY not in str(told.value)
        assert len(server.requests) == 1


async def test_a_short_not_now_is_waited_for() -> None:
    async def soon(exchange: Exchange) -> None:
        await exchange.answer(429, {"detail": "Too many."}, Retry_After="0.01")

    async with _speaking(soon, _good) as (tts, server):
        assert b"".join(piece.pcm for piece in await _speak(tts)) == PCM
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "line", ["<html>", '{"audio_base64": "?"}', '{"alignment": {"characters": ["a"]}}', '{"audio_base64": 7}']
)
async def test_an_answer_of_another_shape_is_told(line: str) -> None:
    async def strange(exchange: Exchange) -> None:
        await _begin(exchange, line)
        await exchange.end()

    async with _speaking(strange) as (tts, _):
        with pytest.raises(ProviderError, match="not understood"):
            await _speak(tts)


async def test_an_answer_without_audio_is_told() -> None:
    async def silent(exchange: Exchange) -> None:
        await _begin(exchange)
        await exchange.end()

    async with _speaking(silent) as (tts, _):
        with pytest.raises(ProviderError, match="before it had begun"):
            await _speak(tts)


async def test_the_check_counts_the_models() -> None:
    async def models(exchange: Exchange) -> None:
        await exchange.answer(200, [{"model_id": "eleven_v3"}, {"model_id": "eleven_flash_v2_5"}])

    async with serving(models) as server:
        found = await VENDOR.check(account(server.url.removesuffix("/v1")))
        assert found == "The key works; 2 models can be used."
        assert (server.requests[0].method, server.requests[0].path) == ("GET", "/v1/models")


async def test_the_check_says_that_the_key_is_wrong() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(401, {"detail": {"status": "invalid_api_key", "message": "Invalid API key"}})

    async with serving(refuse) as server:
        with pytest.raises(ProviderError, match="API key is wrong"):
            await VENDOR.check(account(server.url.removesuffix("/v1")))


async def test_all_pages_of_voices_are_listed() -> None:
    async def first(exchange: Exchange) -> None:
        labels = {"gender": "female", "language": "en", "descriptive": "calm", "use_case": "social_media"}
        voice = {"voice_id": "a", "name": "Ada", "labels": labels}
        await exchange.answer(200, {"voices": [voice], "has_more": True, "next_page_token": "p2"})

    async def second(exchange: Exchange) -> None:
        voice = {"voice_id": "b", "name": "Bo", "labels": {"gender": "non-binary", "language": "sv"}}
        await exchange.answer(200, {"voices": [voice], "has_more": False, "next_page_token": None})

    assert VENDOR.list_voices is not None
    async with serving(first, second) as server:
        ada, bo = await VENDOR.list_voices(account(server.url.removesuffix("/v1")))
        assert (ada.id, ada.label, ada.language, ada.gender) == ("a", "Ada", "en", "female")
        assert ada.styles == ("calm", "social media")
        assert (bo.id, bo.language, bo.gender, bo.styles) == ("b", "sv", "", ())
        assert "next_page_token=p2" in server.requests[1].path
