"""Deepgram's two families of recognition. What they share with others is in `test_listening`."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.voice.providers.deepgram.fake import KEY, Flux, account, flux, nova
from tests.voice.providers.fake_socket import Peer, serving_sockets
from tests.voice.providers.hearing import Ear
from voice.providers import listening
from voice.providers.deepgram import deepgram_stt


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BACKOFF_SECONDS", (0.01, 0.01, 0.01))


async def test_nova_is_asked_for_raw_audio_and_partial_words() -> None:
    async with serving_sockets(nova) as server:
        stt = deepgram_stt(account(server.url), "nova-3")
        await Ear(stt).says("one")
        peer = server.peers[0]
        assert urlsplit(peer.path).path == "/v1/listen"
        query = parse_qs(urlsplit(peer.path).query)
        assert query["model"] == ["nova-3"]
        assert (query["encoding"], query["sample_rate"]) == (["linear16"], ["16000"])
        assert query["interim_results"] == ["true"]
        assert peer.headers["Authorization"] == f"Token {KEY}"
        await stt.close()


async def test_older_models_are_told_keywords() -> None:
    async with serving_sockets(nova) as server:
        stt = deepgram_stt(account(server.url), "nova-2-phonecall")
        await Ear(stt, keyterms=["Callwright"]).says("one")
        query = parse_qs(urlsplit(server.peers[0].path).query)
        assert query["keywords"] == ["Callwright"]
        assert "keyterm" not in query
        await stt.close()


async def test_an_error_that_deepgram_reports_is_told_in_its_words() -> None:
    async def failing(peer: Peer) -> None:
        await peer.read()
        await peer.send({"type": "Error", "description": f"No audio for {KEY}.", "variant": "X"})
        await peer.close(1011)

    async with serving_sockets(failing) as server:
        stt = deepgram_stt(account(server.url), "nova-3")
        ear = Ear(stt)
        await ear.speaks("one two")
        error = str(await ear.error())
        assert "No audio for" in error
        assert KEY not in error
        await stt.close()


async def test_a_model_that_does_not_exist_is_named() -> None:
    refusal = {"err_code": "INVALID_QUERY_PARAMETER", "err_msg": "No such model/language/tier combination found."}
    async with serving_sockets(nova, refuse=400, refuse_with=refusal) as server:
        stt = deepgram_stt(account(server.url), "nova-9")
        ear = Ear(stt)
        await ear.speaks("one")
        error = str(await ear.error())
        assert "nova-9" in error
        assert "No such model/language/tier combination found" in error
        await stt.close()


async def test_flux_answers_a_pause_with_the_report_that_reaches_it() -> None:
    async with serving_sockets(flux) as server:
        stt = deepgram_stt(account(server.url), "flux-general-en")
        ear = Ear(stt, keyterms=["Callwright"])
        await ear.speaks("one")
        await ear.until(lambda: bool(ear.partials))
        assert ear.partials[0].text == "one"
        await ear.speaks("two")
        await ear.pauses()
        await ear.quiet(5)
        final = await ear.final(1)
        assert final.text == "one two"
        assert final.turn_ended is False
        peer = server.peers[0]
        assert urlsplit(peer.path).path == "/v2/listen"
        query = parse_qs(urlsplit(peer.path).query)
        assert (query["model"], query["keyterm"]) == (["flux-general-en"], ["Callwright"])
        assert "language_hint" not in query
        await stt.close()


async def test_flux_says_that_the_speaker_has_finished() -> None:
    async with serving_sockets(flux) as server:
        stt = deepgram_stt(account(server.url), "flux-general-en")
        ear = Ear(stt)
        await ear.speaks("one two")
        await ear.quiet(16)
        ear.stream.speech_stopped()
        await ear.quiet(12)
        final = await ear.final(1)
        assert final.text == "one two"
        assert final.turn_ended is True
        await stt.close()


async def test_words_that_flux_puts_into_several_turns_are_one_turn_of_ours() -> None:
    async with serving_sockets(flux) as server:
        stt = deepgram_stt(account(server.url), "flux-general-en")
        ear = Ear(stt)
        await ear.speaks("one two")
        await ear.quiet(30)
        await ear.speaks("three")
        await ear.pauses()
        await ear.quiet(5)
        assert (await ear.final(1)).text == "one two three"
        await stt.close()


async def test_flux_is_made_to_end_a_turn_that_we_have_taken() -> None:
    async with serving_sockets(flux) as server:
        stt = deepgram_stt(account(server.url), "flux-general-en")
        ear = Ear(stt)
        await ear.speaks("one two")
        await ear.pauses()
        await ear.quiet(5)
        await ear.final(1)
        ear.stream.commit()
        await ear.quiet(5)
        await ear.speaks("three")
        await ear.pauses()
        await ear.quiet(5)
        assert (await ear.final(2)).text == "three"
        assert {"type": "ForceEndTurn"} in server.peers[0].received
        await stt.close()


async def test_flux_hears_silence_too_and_it_is_billed() -> None:
    async with serving_sockets(flux) as server:
        stt = deepgram_stt(account(server.url), "flux-general-en")
        ear = Ear(stt)
        await ear.speaks("one")
        await ear.pauses()
        await ear.quiet(50)
        await ear.final(1)
        assert ear.stream.billed_seconds > 1
        await stt.close()


async def test_what_flux_hears_while_nobody_speaks_to_us_is_no_turn() -> None:
    told = asyncio.Event()

    async def hears_voices(peer: Peer) -> None:
        heard = Flux(peer)
        heard.audio += await peer.read()
        heard.words = "nine nine"
        await heard.tell("StartOfTurn")
        await heard.end("model")
        told.set()
        await heard.run()

    async with serving_sockets(hears_voices) as server:
        stt = deepgram_stt(account(server.url), "flux-general-en")
        ear = Ear(stt)
        await ear.quiet(10)
        await asyncio.wait_for(told.wait(), 5)
        await ear.speaks("one")
        await ear.pauses()
        await ear.quiet(5)
        assert (await ear.final(1)).text == "one"
        assert all("nine" not in partial.text for partial in ear.partials)
        await stt.close()


async def test_a_flux_connection_that_is_lost_in_a_turn_loses_no_words() -> None:
    async def cut(peer: Peer) -> None:
        for _ in range(3):
            await peer.read()
        peer.cut()

    async with serving_sockets(cut, flux) as server:
        stt = deepgram_stt(account(server.url), "flux-general-en")
        ear = Ear(stt)
        await ear.speaks("one two three")
        await ear.pauses()
        await ear.quiet(5)
        assert (await ear.final(1)).text == "one two three"
        assert ear.errors == []
        await stt.close()


async def test_the_multilingual_flux_is_told_the_language() -> None:
    async with serving_sockets(flux) as server:
        stt = deepgram_stt(account(server.url), "flux-general-multi")
        ear = Ear(stt, language="es")
        await ear.speaks("one")
        await ear.pauses()
        await ear.quiet(5)
        await ear.final(1)
        assert parse_qs(urlsplit(server.peers[0].path).query)["language_hint"] == ["es"]
        await stt.close()
