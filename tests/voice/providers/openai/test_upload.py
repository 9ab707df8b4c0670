"""Recognition of recordings against a server that speaks the real protocol over real sockets."""

from __future__ import annotations

import asyncio
import io
import wave
from email.message import Message
from email.parser import BytesParser
from typing import Any

import httpx
import pytest

from tests.voice.providers.caller import Caller, calling
from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving
from voice.providers import api
from voice.providers.openai import OpenAiStt, upload
from voice.providers.openai.stt import is_live

KEY = "sk-secret-0123456789"
TLS = httpx.create_ssl_context()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SHORT_WAIT", 0.01)


def stt(server: FakeServer, model: str = "whisper-1") -> OpenAiStt:
    client = httpx.AsyncClient(verify=TLS, trust_env=False)
    return OpenAiStt(server.url, KEY, model, client=client, name="Ours")


def words(text: str) -> Handler:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(200, {"text": text})

    return handle


def form(exchange: Exchange) -> dict[str, bytes]:
    """The fields of what was uploaded."""
    head = f"Content-Type: {exchange.headers['content-type']}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + exchange.body)
    return {_name(part): bytes(part.get_payload(decode=True) or b"") for part in whole.walk() if part is not whole}


def _name(part: Message) -> str:
    return str(part.get_param("name", header="Content-Disposition"))


def seconds(exchange: Exchange) -> float:
    """How long the recording is that was uploaded."""
    with wave.open(io.BytesIO(form(exchange)["file"])) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return file.getnframes() / 16_000


# --- what works


@pytest.mark.parametrize(
    ("model", "live"),
    [
        ("gpt-live-transcribe", True),
        ("gpt-4o-mini-transcribe", True),
        ("gpt-4o-mini-transcribe/upload", False),
        ("whisper-1", False),
        ("Systran/faster-whisper-small", False),
        ("Systran/faster-whisper-small/live", True),
    ],
)
def test_the_models_name_says_whether_it_listens_live(model: str, live: bool) -> None:
    assert is_live(model) == live


async def test_what_was_said_is_uploaded_at_a_pause() -> None:
    async with serving(words(" Good morning. ")) as server:
        async with calling(stt(server, "gpt-4o-transcribe/upload"), keyterms=["Callwright", "Lane"]) as caller:
            caller.silence(1.0)
            caller.speak(0.6)
            caller.pause()
            told = await caller.understood()
            assert told.text == "Good morning."
            assert told.audio_seconds == pytest.approx(0.9)
            assert caller.stream.billed_seconds == pytest.approx(0.9)
        request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/audio/transcriptions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert seconds(request) == pytest.approx(0.9)
    fields = form(request)
    fields.pop("file")
    assert fields == {
        "model": b"gpt-4o-transcribe",
        "response_format": b"json",
        "language": b"en",
        "prompt": b"Callwright, Lane",
    }


async def test_a_caller_who_goes_on_is_heard_as_a_whole() -> None:
    async with serving(words("One."), words("One, two."), words("Three.")) as server:
        async with calling(stt(server)) as caller:
            assert await said(caller) == "One."
            caller.silence(2.0)
            assert await said(caller) == "One, two."
            caller.stream.commit()
            assert await said(caller) == "Three."
        lengths = [seconds(request) for request in server.requests]
    # Of the two seconds of silence, what follows the first words and what comes before the second are kept.
    assert lengths == pytest.approx([0.4, 1.4, 0.7])


async def test_what_is_long_and_known_is_not_uploaded_again() -> None:
    async with serving(words("A long story."), words("And its end.")) as server:
        async with calling(stt(server)) as caller:
            assert await said(caller, 11.0) == "A long story."
            caller.silence()
            caller.speak()
            caller.pause()
            told = await caller.understood()
            assert told.text == "A long story. And its end."
            assert told.audio_seconds == pytest.approx(11.3 + 0.7)
        assert seconds(server.requests[1]) == pytest.approx(0.7)


async def test_what_is_long_and_not_yet_known_is_uploaded_as_a_whole() -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with serving(words("Well."), slow, words("Well. A long story.")) as server:
        async with calling(stt(server)) as caller:
            assert await said(caller) == "Well."
            caller.speak(11.0)
            caller.pause()
            while len(server.requests) < 2:  # noqa: ASYNC110 -- the server has no event for its second request
                await asyncio.sleep(0.001)
            assert await said(caller) == "Well. A long story."
        assert seconds(server.requests[2]) == pytest.approx(11.8)


async def test_a_caller_who_goes_on_takes_back_the_question() -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with serving(slow, words("Both parts.")) as server, calling(stt(server)) as caller:
        caller.speak()
        caller.pause()
        await server.asked.wait()
        caller.speak()
        await server.hung_up.wait()
        caller.pause()
        assert (await caller.understood()).text == "Both parts."
        assert caller.waits


async def test_many_calls_are_listened_to_at_the_same_time() -> None:
    async def length(exchange: Exchange) -> None:
        await exchange.answer(200, {"text": f"{seconds(exchange):.1f}"})

    async with serving(length) as server:
        made = stt(server)
        callers = [Caller(made) for _ in range(8)]
        for number, caller in enumerate(callers, 3):
            caller.speak(number / 10)
            caller.pause()
        assert [(await caller.understood()).text for caller in callers] == [f"{n / 10:.1f}" for n in range(3, 11)]
        await made.close()


async def test_nothing_is_told_of_a_call_that_is_over() -> None:
    async with serving(words("Too late.")) as server, calling(stt(server)) as caller:
        caller.speak()
        caller.pause()
        caller.stream.close()
        caller.silence()
        await asyncio.sleep(0.05)
        assert caller.waits


# --- faults


async def test_a_wrong_key_is_told_without_the_key() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}})

    async with serving(refuse, words("Next.")) as server, calling(stt(server)) as caller:
        caller.speak()
        caller.pause()
        error = await caller.failed()
        assert "key is wrong" in str(error)
        assert KEY not in str(error)
        assert error.provider == "Ours"
        caller.stream.commit()
        assert await said(caller) == "Next."


async def test_a_short_wait_that_the_server_asks_for_is_kept() -> None:
    async def busy(exchange: Exchange) -> None:
        await exchange.answer(429, {"error": {"message": "Slow down"}}, Retry_After="0.01")

    async with serving(busy, words("Hello.")) as server, calling(stt(server)) as caller:
        assert await said(caller) == "Hello."


async def test_an_answer_that_does_not_come_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "ANSWER_SECONDS", 0.05)

    async def silent(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with serving(silent) as server, calling(stt(server)) as caller:
        caller.speak()
        caller.pause()
        assert "silent for too long" in str(await caller.failed())


async def test_a_connection_that_is_lost_twice_is_told() -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.cut()

    async with serving(cut) as server, calling(stt(server)) as caller:
        caller.speak()
        caller.pause()
        assert "hung up" in str(await caller.failed())
        assert len(server.requests) == 2


@pytest.mark.parametrize("answer", [b"<html>", [], {"words": []}, {"text": None}])
async def test_garbage_is_told_as_garbage(answer: Any) -> None:
    async def babble(exchange: Exchange) -> None:
        await exchange.answer(200, answer)

    async with serving(babble) as server, calling(stt(server)) as caller:
        caller.speak()
        caller.pause()
        assert "not understood" in str(await caller.failed())


async def said(caller: Caller, length: float = 0.4) -> str:
    """Speaks and pauses; what was understood of the turn."""
    caller.speak(length)
    caller.pause()
    return (await caller.understood()).text
