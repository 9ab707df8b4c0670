"""Recognition over a socket that may be lost at any moment, seen with Deepgram's protocol."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.voice.providers.deepgram.fake import KEY, Nova, account, nova
from tests.voice.providers.fake_socket import Peer, Script, serving_sockets
from tests.voice.providers.hearing import Ear
from voice.media import SAMPLE_RATE
from voice.providers import listening, sockets
from voice.providers.deepgram import deepgram_stt
from voice.providers.deepgram import stt as deepgram
from voice.providers.listening import ListeningStt


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BACKOFF_SECONDS", (0.01, 0.01, 0.01))


def nova_stt(url: str) -> ListeningStt:
    return deepgram_stt(account(url), "nova-3")


def _cutting(after: int) -> Script:
    """Recognises, and loses the connection when it has been sent so many messages."""

    async def script(peer: Peer) -> None:
        recognition = Nova(peer)
        for _ in range(after):
            if isinstance(await recognition.read(), bytes):
                await peer.send(recognition.results())
        peer.cut()

    return script


async def test_a_turn_is_told_in_parts_and_as_a_whole_at_the_pause() -> None:
    async with serving_sockets(nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        final = await ear.says("one two three")
        assert final.text == "one two three"
        assert final.audio_seconds == pytest.approx(0.42, abs=0.1)
        assert final.took > 0
        texts = [partial.text for partial in ear.partials]
        assert texts
        assert all("one two three".startswith(text) for text in texts)
        assert len(texts) == len(set(texts))
        assert ear.errors == []
        await stt.close()


async def test_the_first_sounds_are_heard_though_voice_activity_comes_late() -> None:
    async with serving_sockets(nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.quiet(50)
        await ear.speaks("four five six", late=11)
        await ear.pauses()
        assert (await ear.final(1)).text == "four five six"
        await stt.close()


async def test_after_a_pause_the_turn_goes_on_and_its_final_has_all_words() -> None:
    async with serving_sockets(nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        assert (await ear.says("one two")).text == "one two"
        await ear.quiet(20)
        assert (await ear.says("three")).text == "one two three"
        await stt.close()


async def test_a_committed_turn_leaves_no_words_for_the_next() -> None:
    async with serving_sockets(nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.says("one two")
        ear.stream.commit()
        assert (await ear.says("three")).text == "three"
        await stt.close()


async def test_words_said_before_a_commit_in_mid_speech_do_not_come_after_it() -> None:
    async with serving_sockets(nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one two")
        await ear.until(lambda: bool(ear.partials))
        ear.stream.commit()
        for frame in [bytes(640)] * 6:
            ear.stream.feed(frame)
        await ear.speaks("three")
        await ear.pauses()
        assert (await ear.final(1)).text == "three"
        await stt.close()


async def test_an_answer_that_comes_after_the_commit_brings_no_words_into_the_next_turn() -> None:
    asked, answering = asyncio.Event(), asyncio.Event()

    async def late(peer: Peer) -> None:
        recognition = Nova(peer)
        while await recognition.read() != {"type": "Finalize"}:
            pass
        asked.set()
        await answering.wait()
        await peer.send(recognition.results(final=True, finalize=True))
        while await recognition.read() != {"type": "Finalize"}:
            pass
        await peer.send(recognition.results(final=True, finalize=True))
        await recognition.read()

    async with serving_sockets(late) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one")
        await ear.pauses()
        await asyncio.wait_for(asked.wait(), 5)
        ear.stream.commit()
        answering.set()
        await ear.speaks("two")
        await ear.pauses()
        assert (await ear.final(1)).text == "two"
        assert all("one" not in partial.text for partial in ear.partials)
        await stt.close()


async def test_going_on_before_the_answer_withdraws_the_question() -> None:
    answering = asyncio.Event()

    async def late(peer: Peer) -> None:
        recognition = Nova(peer)
        asked = 0
        while True:
            if (await recognition.read()) == {"type": "Finalize"}:
                asked += 1
                if asked == 1:
                    await answering.wait()
                await peer.send(recognition.results(final=True, finalize=True))

    async with serving_sockets(late) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one")
        await ear.pauses()
        await ear.speaks("two")
        answering.set()
        await ear.pauses()
        assert (await ear.final(1)).text == "one two"
        assert len(ear.finals) == 1
        await stt.close()


async def test_silence_is_neither_sent_nor_billed_but_the_connection_is_kept() -> None:
    kept = asyncio.Event()

    async def listening_for_life(peer: Peer) -> None:
        await peer.read_until(lambda message: message == {"type": "KeepAlive"})
        kept.set()
        await nova(peer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deepgram.Nova, "keep_alive_seconds", 0.02)
        async with serving_sockets(listening_for_life) as server:
            stt = nova_stt(server.url)
            ear = Ear(stt)
            await ear.quiet(500)
            await asyncio.wait_for(kept.wait(), 5)
            assert not any(isinstance(message, bytes) for message in server.peers[0].received)
            assert ear.stream.billed_seconds == 0
            await ear.says("one two")
            assert 0.2 < ear.stream.billed_seconds < 1.0
            await stt.close()


@pytest.mark.parametrize("after", [0, 1, 3, 5])
async def test_a_connection_that_is_lost_in_a_turn_loses_no_words(after: int) -> None:
    async with serving_sockets(_cutting(after), nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        assert (await ear.says("one two three four five")).text == "one two three four five"
        assert ear.errors == []
        assert len(server.peers) == 2
        await stt.close()


async def test_words_that_were_fixed_before_the_loss_are_not_sent_again() -> None:
    async def first_words(peer: Peer) -> None:
        recognition = Nova(peer)
        while await recognition.read() != {"type": "Finalize"}:
            pass
        await peer.send(recognition.results(final=True, finalize=True))
        await recognition.read()
        peer.cut()

    async with serving_sockets(first_words, nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.says("one two three")
        assert (await ear.says("four five")).text == "one two three four five"
        again = b"".join(message for message in server.peers[1].received if isinstance(message, bytes))
        assert len(again) < 0.7 * 2 * SAMPLE_RATE
        await stt.close()


async def test_a_question_that_the_loss_left_unanswered_is_asked_again() -> None:
    async def never_answers(peer: Peer) -> None:
        await peer.read_until(lambda message: message == {"type": "Finalize"})
        await peer.close(1011, "NET-0001")

    async with serving_sockets(never_answers, nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        assert (await ear.says("six seven")).text == "six seven"
        assert {"type": "Finalize"} in server.peers[1].received
        assert ear.errors == []
        await stt.close()


async def test_a_connection_that_is_lost_in_silence_is_not_told() -> None:
    async with serving_sockets(_cutting(0), nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await asyncio.wait_for(server.gone.wait(), 5)
        await ear.quiet()
        assert (await ear.says("eight")).text == "eight"
        assert ear.errors == []
        await stt.close()


async def test_a_server_that_stays_away_costs_the_turn_and_serves_the_next() -> None:
    async with serving_sockets(*[_cutting(1)] * 4, nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one two three four")
        await ear.pauses()
        error = await ear.error()
        assert error.retryable
        assert "hung up" in str(error)
        assert (await ear.says("five")).text == "five"
        assert len(ear.errors) == 1
        await stt.close()


async def test_a_server_that_no_longer_answers_pings_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "PONG_SECONDS", 0.05)
    monkeypatch.setattr(deepgram.Nova, "answer_seconds", 0.05)
    monkeypatch.setattr(listening, "LEAVE_SECONDS", 0.05)

    over = asyncio.Event()

    async def falls_asleep(peer: Peer) -> None:
        await peer.read()
        peer.connection.transport.pause_reading()
        await over.wait()
        peer.cut()

    async with serving_sockets(falls_asleep, nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one two")
        await ear.pauses()
        assert (await ear.final(1)).text == "one two"
        await stt.close()
        over.set()


async def test_without_an_answer_the_words_so_far_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepgram.Nova, "answer_seconds", 0.05)

    async def no_finalize(peer: Peer) -> None:
        recognition = Nova(peer)
        while True:
            if isinstance(await recognition.read(), bytes):
                await peer.send(recognition.results())

    async with serving_sockets(no_finalize) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        assert (await ear.says("one two")).text == "one two"
        await stt.close()


async def test_a_wrong_key_is_told_when_somebody_speaks_and_not_shown() -> None:
    refusal = {"err_code": "INVALID_AUTH", "err_msg": f"Invalid credentials {KEY}."}
    async with serving_sockets(nova, refuse=401, refuse_with=refusal) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one")
        await ear.pauses()
        error = await ear.error()
        assert "API key is wrong" in str(error)
        assert "Invalid credentials" in str(error)
        assert KEY not in str(error)
        assert not error.retryable
        await stt.close()


async def test_a_server_that_does_not_open_its_door_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "CONNECT_SECONDS", 0.02)
    writers: list[asyncio.StreamWriter] = []
    listener = await asyncio.start_server(lambda reader, writer: writers.append(writer), "127.0.0.1", 0)
    stt = nova_stt(f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
    ear = Ear(stt)
    await ear.speaks("one")
    assert "silent for too long" in str(await ear.error())
    await stt.close()
    for writer in writers:
        writer.close()
    listener.close()
    await listener.wait_closed()


async def test_garbage_costs_the_turn_and_is_told() -> None:
    async def garbage(peer: Peer) -> None:
        await peer.read()
        await peer.send("<html>")
        await peer.read_until(lambda message: False)

    async with serving_sockets(garbage, nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one two")
        assert "not understood" in str(await ear.error())
        await ear.pauses()
        await ear.final(1)
        ear.stream.commit()
        assert (await ear.says("three")).text == "three"
        await stt.close()


async def test_messages_of_another_shape_are_garbage_too() -> None:
    async def strange(peer: Peer) -> None:
        await peer.read()
        await peer.send({"type": "Results", "channel": None, "is_final": True})
        await peer.read_until(lambda message: False)

    async with serving_sockets(strange) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one two")
        assert "not understood" in str(await ear.error())
        await stt.close()


async def test_a_loss_after_more_speech_than_is_kept_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "KEPT_BYTES", SAMPLE_RATE)
    async with serving_sockets(_cutting(8), nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("zero one two three four five six seven eight nine")
        await ear.error()
        await ear.pauses()
        await ear.final()
        ear.stream.commit()
        assert (await ear.says("one")).text == "one"
        await stt.close()


async def test_calls_share_an_adapter_and_hear_only_themselves() -> None:
    async with serving_sockets(nova) as server:
        stt = nova_stt(server.url)
        ears = [Ear(stt) for _ in range(8)]
        words = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
        finals = await asyncio.gather(*(ear.says(word) for ear, word in zip(ears, words, strict=True)))
        assert [final.text for final in finals] == words
        await stt.close()


async def test_a_closed_stream_says_goodbye_and_nothing_else() -> None:
    async with serving_sockets(nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt)
        await ear.speaks("one two")
        await ear.until(lambda: bool(ear.partials))
        await ear.pauses()
        ear.stream.close()
        await stt.close()
        assert server.peers[0].received[-1] == {"type": "CloseStream"}
        assert ear.finals == []


async def test_the_language_and_the_key_terms_are_told_at_the_start() -> None:
    async with serving_sockets(nova) as server:
        stt = nova_stt(server.url)
        ear = Ear(stt, language="de", keyterms=["Callwright", "São Paulo"])
        await ear.says("one")
        query = parse_qs(urlsplit(server.peers[0].path).query)
        assert query["language"] == ["de"]
        assert query["keyterm"] == ["Callwright", "São Paulo"]
        await stt.close()
