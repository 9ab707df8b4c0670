"""Sonic against a server that speaks the real protocol over real sockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.voice.providers.fake_socket import FakeSocketServer, Peer, serving_sockets
from voice.providers.base import Audio, ProviderError, WordTime
from voice.providers.cartesia import CartesiaTts, contexts, tts

KEY = "sk_car_secret-0123456789"
VOICE = "f786b574-daa5-4673-aa0c-cbe3e8534c02"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tts, "BUSY_SECONDS", 0.0)


@contextlib.asynccontextmanager
async def speaking(server: FakeSocketServer) -> AsyncIterator[CartesiaTts]:
    made = CartesiaTts(server.url.replace("ws", "http"), KEY, "sonic-3.6", name="Ours")
    try:
        yield made
    finally:
        await made.close()


def speak(made: CartesiaTts, text: str = "Hello there.", speed: float = 1.0) -> AsyncIterator[Audio]:
    return made.speak(text, voice=VOICE, speed=speed, language="en-US")


async def spoken(made: CartesiaTts, text: str = "Hello there.") -> bytes:
    return b"".join([audio.pcm async for audio in speak(made, text)])


def chunk(context: str, pcm: bytes) -> dict[str, Any]:
    data = base64.b64encode(pcm).decode()
    return {"type": "chunk", "data": data, "done": False, "status_code": 206, "step_time": 5, "context_id": context}


def times(context: str, *words: tuple[str, float, float]) -> dict[str, Any]:
    names, starts, ends = zip(*words, strict=True)
    stamps = {"words": list(names), "start": list(starts), "end": list(ends)}
    return {"type": "timestamps", "done": False, "status_code": 206, "context_id": context, "word_timestamps": stamps}


def done(context: str) -> dict[str, Any]:
    return {"type": "done", "done": True, "status_code": 200, "context_id": context}


def refusal(context: str | None, status: int, title: str, message: str, code: str) -> dict[str, Any]:
    said = {"title": title, "message": message, "error_code": code, "request_id": "r-1"}
    return {"type": "error", "done": True, "status_code": status, "context_id": context, **said}


async def echo(peer: Peer) -> None:
    """Makes of each text the audio that is its bytes."""
    while True:
        asked = await peer.read()
        if "cancel" not in asked:
            await peer.send(chunk(asked["context_id"], _pcm(asked["transcript"])), done(asked["context_id"]))


def _pcm(text: str) -> bytes:
    return text.encode("utf-16-le")


# --- what works


async def test_a_piece_is_spoken_as_it_was_asked_for() -> None:
    async with serving_sockets(echo) as server, speaking(server) as made:
        assert await spoken(made) == _pcm("Hello there.")
        peer = server.peers[0]
        assert peer.path == "/tts/websocket"
        assert peer.headers["Authorization"] == f"Bearer {KEY}"
        assert peer.headers["Cartesia-Version"]
        asked = peer.received[0]
        assert asked.pop("context_id")
        assert asked == {
            "model_id": "sonic-3.6",
            "transcript": "Hello there.",
            "voice": {"mode": "id", "id": VOICE},
            "language": "en",
            "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 16000},
            "generation_config": {"speed": 1.0},
            "add_timestamps": True,
            "continue": False,
        }


@pytest.mark.parametrize(("wanted", "asked"), [(0.2, 0.6), (1.2, 1.2), (3.0, 1.5)])
async def test_the_speed_stays_within_what_the_model_can(wanted: float, asked: float) -> None:
    async with serving_sockets(echo) as server, speaking(server) as made:
        async for _ in speak(made, speed=wanted):
            pass
        assert server.peers[0].received[0]["generation_config"] == {"speed": asked}


async def test_audio_is_heard_before_the_piece_is_done() -> None:
    go_on = asyncio.Event()

    async def slow(peer: Peer) -> None:
        context = (await peer.read())["context_id"]
        await peer.send(chunk(context, b"1122"))
        await go_on.wait()
        await peer.send(chunk(context, b"3344"), done(context))

    async with serving_sockets(slow) as server, speaking(server) as made:
        pieces = speak(made)
        assert (await anext(pieces)).pcm == b"1122"
        go_on.set()
        assert [audio.pcm async for audio in pieces] == [b"3344"]


async def test_the_times_of_all_words_come_with_the_audio() -> None:
    async def timed(peer: Peer) -> None:
        context = (await peer.read())["context_id"]
        await peer.send(
            times(context, ("Hello", 0.0, 0.4)),
            chunk(context, b"11"),
            times(context, ("there.", 0.5, 0.9)),
            chunk(context, b"22"),
            {"type": "flush_done", "done": False, "flush_done": True, "flush_id": 1, "context_id": context},
            done(context),
        )

    async with serving_sockets(timed) as server, speaking(server) as made:
        heard = [audio async for audio in speak(made)]
    words = (WordTime("Hello", 0.0, 0.4), WordTime("there.", 0.5, 0.9))
    assert heard == [Audio(b"11"), Audio(b"22", words)]


async def test_times_that_come_after_the_audio_are_told_as_well() -> None:
    async def late(peer: Peer) -> None:
        context = (await peer.read())["context_id"]
        await peer.send(chunk(context, b"11"), times(context, ("Hello", 0.0, 0.4)), done(context))

    async with serving_sockets(late) as server, speaking(server) as made:
        heard = [audio async for audio in speak(made)]
    assert heard == [Audio(b"11"), Audio(b"", (WordTime("Hello", 0.0, 0.4),))]


async def test_many_calls_speak_over_one_socket() -> None:
    async def mixed(peer: Peer) -> None:
        asked = [await peer.read() for _ in range(20)]
        for part in range(2):
            for one in asked:
                half = len(one["transcript"]) // 2
                text = one["transcript"][half:] if part else one["transcript"][:half]
                await peer.send(chunk(one["context_id"], _pcm(text)))
        for one in asked:
            await peer.send(done(one["context_id"]))

    async with serving_sockets(mixed) as server, speaking(server) as made:
        texts = [f"This is call {number}." for number in range(20)]
        assert await asyncio.gather(*(spoken(made, text) for text in texts)) == [_pcm(text) for text in texts]
        assert len(server.peers) == 1


# --- interruption


async def test_closing_the_iterator_cancels_only_that_piece() -> None:
    cancelled = asyncio.Event()

    async def script(peer: Peer) -> None:
        first = (await peer.read())["context_id"]
        await peer.send(chunk(first, b"11"))
        assert await peer.read() == {"context_id": first, "cancel": True}
        cancelled.set()
        await peer.send(chunk(first, b"22"), done(first))  # it was on its way
        await echo(peer)

    async with serving_sockets(script) as server, speaking(server) as made:
        pieces = speak(made)
        await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]
        await cancelled.wait()
        assert await spoken(made, "Next.") == _pcm("Next.")
        assert len(server.peers) == 1


async def test_a_piece_that_is_done_is_not_cancelled() -> None:
    async with serving_sockets(echo) as server, speaking(server) as made:
        await spoken(made, "One.")
        await spoken(made, "Two.")
        assert [message["transcript"] for message in server.peers[0].received] == ["One.", "Two."]


async def test_a_caller_who_leaves_while_the_socket_is_opened_spoils_it_for_nobody() -> None:
    async with serving_sockets(echo) as server, speaking(server) as made:
        leaving = asyncio.create_task(spoken(made, "One."))
        staying = asyncio.create_task(spoken(made, "Two."))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == _pcm("Two.")
        assert len(server.peers) == 1


# --- faults


async def test_a_socket_that_the_server_closed_is_opened_again() -> None:
    async def once(peer: Peer) -> None:
        asked = await peer.read()
        await peer.send(chunk(asked["context_id"], b"11"), done(asked["context_id"]))

    async with serving_sockets(once, echo) as server, speaking(server) as made:
        assert await spoken(made) == b"11"
        await server.gone.wait()
        assert await spoken(made, "Again.") == _pcm("Again.")


async def test_a_piece_whose_socket_broke_before_a_sound_is_made_on_another() -> None:
    async def cut(peer: Peer) -> None:
        await peer.read()
        peer.cut()

    async with serving_sockets(cut, echo) as server, speaking(server) as made:
        assert await spoken(made) == _pcm("Hello there.")
        assert len(server.peers) == 2


async def test_a_socket_that_spoke_garbage_is_not_used_again() -> None:
    async def babble(peer: Peer) -> None:
        await peer.read()
        await peer.send("<html>")
        await peer.read()

    async with serving_sockets(babble, echo) as server, speaking(server) as made:
        assert await spoken(made) == _pcm("Hello there.")
        assert len(server.peers) == 2


async def test_a_socket_that_breaks_in_the_middle_of_speech_is_told() -> None:
    async def cut(peer: Peer) -> None:
        await peer.send(chunk((await peer.read())["context_id"], b"11"))
        peer.cut()

    async with serving_sockets(cut) as server, speaking(server) as made:
        pieces = speak(made)
        assert (await anext(pieces)).pcm == b"11"
        with pytest.raises(ProviderError, match="hung up in the middle") as failure:
            await anext(pieces)
        assert failure.value.retryable
        assert failure.value.provider == "Ours"
        assert len(server.peers) == 1


async def test_a_goodbye_before_the_answer_is_tried_once_more_and_then_told() -> None:
    async def leave(peer: Peer) -> None:
        await peer.read()
        await peer.close()

    async with serving_sockets(leave) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="hung up"):
            await spoken(made)
        assert len(server.peers) == 2


async def test_a_first_sound_that_does_not_come_is_told_and_the_next_piece_has_a_new_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contexts, "FIRST_SECONDS", 0.05)

    async def silent(peer: Peer) -> None:
        while True:
            await peer.read()

    async with serving_sockets(silent, echo) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="silent for too long"):
            await spoken(made)
        monkeypatch.setattr(contexts, "FIRST_SECONDS", 5.0)
        assert await spoken(made, "Again.") == _pcm("Again.")
        assert len(server.peers) == 2


async def test_speech_that_stops_coming_is_told_and_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "GAP_SECONDS", 0.05)
    given_up = asyncio.Event()

    async def stuck(peer: Peer) -> None:
        await peer.send(chunk((await peer.read())["context_id"], b"11"))
        await peer.read_until(lambda message: message.get("cancel"))
        given_up.set()

    async with serving_sockets(stuck) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="silent for too long"):
            await spoken(made)
        await given_up.wait()


async def test_a_wrong_key_is_told_without_the_key() -> None:
    refused = {"title": "Unauthorized", "message": f"Invalid API key {KEY}"}
    async with serving_sockets(echo, refuse=401, refuse_with=refused) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="key is wrong") as failure:
            await spoken(made)
        assert KEY not in str(failure.value)
        assert not failure.value.retryable


async def test_an_account_that_is_busy_for_a_moment_is_asked_again() -> None:
    async def busy(peer: Peer) -> None:
        asked = await peer.read()
        said = "Too many concurrent requests"
        await peer.send(refusal(asked["context_id"], 429, said, said, "concurrency_limited"))
        await echo(peer)

    async with serving_sockets(busy) as server, speaking(server) as made:
        assert await spoken(made) == _pcm("Hello there.")
        assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (400, "The model is not valid.", "refused the request"),
        (402, "You are out of credits.", "no credit left"),
        (404, "No such voice.", f"There is no voice {VOICE}"),
        (429, "Too many concurrent requests", "accepts no more requests"),
    ],
)
async def test_a_refusal_is_told_in_words(status: int, said: str, told: str) -> None:
    async def refuse(peer: Peer) -> None:
        while True:
            await peer.send(refusal((await peer.read())["context_id"], status, "No", said, "code"))

    async with serving_sockets(refuse) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match=told) as failure:
            await spoken(made)
        assert said.rstrip(".") in str(failure.value)


async def test_an_error_of_the_socket_itself_reaches_every_piece() -> None:
    async def refuse(peer: Peer) -> None:
        await peer.read()
        await peer.read()
        await peer.send(refusal(None, 400, "Invalid event", "What is this?", "invalid_event"))
        await peer.read()

    async with serving_sockets(refuse) as server, speaking(server) as made:
        failures = await asyncio.gather(spoken(made, "A."), spoken(made, "B."), return_exceptions=True)
        assert ["What is this?" in str(failure) for failure in failures] == [True, True]


async def test_garbage_is_told_as_garbage() -> None:
    async def babble(peer: Peer) -> None:
        await peer.read()
        await peer.send("<html>Welcome</html>")

    async with serving_sockets(babble) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match=r"not understood.*Welcome"):
            await spoken(made)


@pytest.mark.parametrize(
    "event", [{"type": "chunk", "data": "%%%"}, {"type": "chunk"}, {"type": "timestamps", "word_timestamps": [1]}]
)
async def test_an_event_that_is_none_is_told_as_garbage(event: dict[str, Any]) -> None:
    async def babble(peer: Peer) -> None:
        await peer.send(event | {"context_id": (await peer.read())["context_id"]})
        await peer.read()

    async with serving_sockets(babble) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="not understood"):
            await spoken(made)


async def test_a_piece_without_a_sound_is_a_failure() -> None:
    async def mute(peer: Peer) -> None:
        await peer.send(done((await peer.read())["context_id"]))
        await peer.read()

    async with serving_sockets(mute) as server, speaking(server) as made:
        with pytest.raises(ProviderError, match="before it had begun"):
            await spoken(made)


async def test_closing_the_adapter_ends_what_is_being_spoken_and_hangs_up() -> None:
    asked = asyncio.Event()

    async def silent(peer: Peer) -> None:
        await peer.read()
        asked.set()
        await peer.read()

    async with serving_sockets(silent, echo) as server, speaking(server) as made:
        speech = asyncio.create_task(spoken(made))
        await asked.wait()
        await made.close()
        await server.gone.wait()
        speech.cancel()
        await asyncio.wait({speech})
