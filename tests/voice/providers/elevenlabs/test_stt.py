"""ElevenLabs' recognition. What it shares with others is in `test_listening`."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.voice.providers.elevenlabs.fake import KEY, account, begin, chunk, scribe
from tests.voice.providers.fake_socket import Peer, serving_sockets
from tests.voice.providers.hearing import Ear
from voice.providers import listening
from voice.providers.elevenlabs import elevenlabs_stt
from voice.providers.elevenlabs import stt as module
from voice.providers.listening import ListeningStt


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BACKOFF_SECONDS", (0.01, 0.01, 0.01))


def _stt(url: str) -> ListeningStt:
    return elevenlabs_stt(account(url), "scribe_v2_realtime")


async def test_a_turn_is_told_in_parts_and_as_a_whole_at_each_pause() -> None:
    async with serving_sockets(scribe) as server:
        stt = _stt(server.url)
        ear = Ear(stt, language="en-GB", keyterms=["Callwright"])
        await ear.speaks("one")
        await ear.until(lambda: bool(ear.partials))
        assert ear.partials[0].text == "one"
        assert (await ear.says("two")).text == "one two"
        assert (await ear.says("three")).text == "one two three"
        peer = server.peers[0]
        assert urlsplit(peer.path).path == "/v1/speech-to-text/realtime"
        assert parse_qs(urlsplit(peer.path).query) == {
            "model_id": ["scribe_v2_realtime"],
            "audio_format": ["pcm_16000"],
            "commit_strategy": ["manual"],
            "language_code": ["en"],
            "keyterms": ["Callwright"],
        }
        assert peer.headers["xi-api-key"] == KEY
        await stt.close()


async def test_a_committed_turn_leaves_no_words_for_the_next() -> None:
    async with serving_sockets(scribe) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        await ear.says("one two")
        ear.stream.commit()
        assert (await ear.says("three")).text == "three"
        await stt.close()


async def test_a_connection_that_is_lost_in_a_turn_loses_no_words() -> None:
    async def cut(peer: Peer) -> None:
        await begin(peer)
        await chunk(peer)
        await chunk(peer)
        peer.cut()

    async with serving_sockets(cut, scribe) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        assert (await ear.says("one two three")).text == "one two three"
        assert ear.errors == []
        await stt.close()


async def test_a_session_that_has_run_its_time_is_followed_by_another() -> None:
    async def over(peer: Peer) -> None:
        await begin(peer)
        await chunk(peer)
        await peer.send({"message_type": "session_time_limit_exceeded", "error": "Too long."})
        await peer.close()

    async with serving_sockets(over, scribe) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        assert (await ear.says("four five")).text == "four five"
        assert ear.errors == []
        await stt.close()


@pytest.mark.parametrize("kind", ["commit_throttled", "insufficient_audio_activity"])
async def test_too_little_audio_for_a_word_is_no_words(kind: str) -> None:
    async def too_little(peer: Peer) -> None:
        await begin(peer)
        while not (await chunk(peer))[1]:
            pass
        await peer.send({"message_type": kind, "error": "Commit with more audio."})
        await scribe_on(peer)

    async def scribe_on(peer: Peer) -> None:
        while True:
            await chunk(peer)

    async with serving_sockets(too_little) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        assert (await ear.says("one")).text == ""
        assert ear.errors == []
        await stt.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("auth_error", "API key is wrong"),
        ("quota_exceeded", "no credit left"),
        ("unaccepted_terms", "not allowed"),
    ],
)
async def test_a_session_that_is_refused_says_why(kind: str, words: str) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.send({"message_type": kind, "error": f"No, not with {KEY}."})
        await peer.close(1008)

    async with serving_sockets(refuse) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one")
        error = await ear.error()
        assert words in str(error)
        assert KEY not in str(error)
        assert not error.retryable
        await stt.close()


async def test_a_key_that_is_refused_at_the_door_is_told() -> None:
    async with serving_sockets(scribe, refuse=401) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one")
        assert "API key is wrong" in str(await ear.error())
        await stt.close()


async def test_a_session_that_does_not_begin_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SESSION_SECONDS", 0.02)

    async def mute(peer: Peer) -> None:
        await peer.read()

    async with serving_sockets(mute, scribe) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        assert (await ear.says("one two")).text == "one two"
        await stt.close()


@pytest.mark.parametrize("message", ["<html>", b"\0\1", {"message_type": "partial_transcript"}])
async def test_garbage_is_told(message: object) -> None:
    async def garbage(peer: Peer) -> None:
        await begin(peer)
        await chunk(peer)
        await peer.send(message)
        await peer.read_until(lambda _: False)

    async with serving_sockets(garbage) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one two")
        assert "not understood" in str(await ear.error())
        await stt.close()


async def test_the_session_is_kept_open_with_a_little_silence_which_is_billed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.Scribe, "keep_alive_seconds", 0.02)
    kept = asyncio.Event()

    async def kept_alive(peer: Peer) -> None:
        await begin(peer)
        await chunk(peer)
        kept.set()
        await peer.read_until(lambda _: False)

    async with serving_sockets(kept_alive) as server:
        stt = _stt(server.url)
        ear = Ear(stt)
        await asyncio.wait_for(kept.wait(), 5)
        assert ear.stream.billed_seconds >= 0.1
        await stt.close()
