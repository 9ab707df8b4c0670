"""Recognition by Pipecat's services: two of our own, and Cartesia's against a fake of its server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.voice.providers.caller import Caller, calling
from tests.voice.providers.fake_socket import Peer, serving_sockets
from voice.providers.pipecat import PipecatStt, ServiceSpec

OURS = "tests.voice.providers.pipecat.services."


@asynccontextmanager
async def listening(services: Any, **params: Any) -> AsyncIterator[tuple[Caller, Any]]:
    """A caller, and the service that listens to them."""
    stt = PipecatStt(ServiceSpec(path=OURS + "Ear", params=params), name="Ours")
    # A service that is never made, or never told, must not make a test wait for ever.
    async with asyncio.timeout(20), calling(stt, "de", ["Callwright"]) as caller:
        caller.speak()
        while not services.Ear.made:
            caller.silence(0.02)
            await _moment()
        ear = services.Ear.made[0]
        assert await ear.heard.get() == "started"
        yield caller, ear


async def _moment() -> None:
    await asyncio.sleep(0.01)


async def test_words_come_while_they_are_spoken_and_are_final_when_the_service_says_so(services: Any) -> None:
    async with listening(services) as (caller, ear):
        await ear.guess("hel")
        await ear.guess("hello th")
        await ear.understand("Hello there.")
        await ear.guess("how are")
        assert caller.partials == ["hel", "hello th", "Hello there.", "Hello there. how are"]
        caller.pause()
        assert await ear.heard.get() == "stopped"
        await ear.understand("How are you?", finalized=True)
        told = await caller.understood()
    assert (told.text, told.turn_ended) == ("Hello there. How are you?", None)
    assert told.audio_seconds >= 0.4


async def test_a_service_that_marks_nothing_answers_when_no_more_words_come(services: Any) -> None:
    async with listening(services) as (caller, ear):
        caller.pause()
        await ear.understand("Hello")
        await ear.understand("there.")
        assert (await caller.understood()).text == "Hello there."


async def test_a_service_that_says_nothing_in_its_time_has_understood_what_it_guessed(services: Any) -> None:
    async with listening(services) as (caller, ear):
        await ear.guess("hello")
        caller.pause()
        assert (await caller.understood()).text == "hello"
        caller.stream.commit()
        # The words come late: they are no words of the next turn.
        await ear.understand("Hello.")
        caller.speak()
        caller.pause()
        await ear.understand("Bye.", finalized=True)
        assert (await caller.understood()).text == "Bye."


async def test_silence_is_answered_with_no_words(services: Any) -> None:
    async with listening(services) as (caller, _):
        caller.pause()
        assert (await caller.understood()).text == ""


async def test_a_question_is_withdrawn_when_the_caller_goes_on(services: Any) -> None:
    async with listening(services) as (caller, ear):
        await ear.understand("I would like")
        caller.pause()
        caller.speak()
        await ear.understand("a table.", finalized=True)
        assert caller.waits
        caller.pause()
        await ear.understand("For two.", finalized=True)
        assert (await caller.understood()).text == "I would like a table. For two."


async def test_a_new_turn_begins_with_no_words(services: Any) -> None:
    async with listening(services) as (caller, ear):
        for text in ("One.", "Two."):
            caller.speak()
            caller.pause()
            await ear.understand(text, finalized=True)
            assert (await caller.understood()).text == text
            caller.stream.commit()


async def test_a_service_that_knows_the_end_of_a_turn_tells_it(services: Any) -> None:
    async with listening(services) as (caller, ear):
        await ear.understand("That is all.")
        await ear.propose_end()
        caller.pause()
        told = await caller.understood()
    assert (told.text, told.turn_ended) == ("That is all.", True)


async def test_the_language_and_the_words_to_expect_go_to_the_service(services: Any) -> None:
    async with listening(services) as (_, ear):
        assert ear.settings.language == "de"
        assert ear.settings.keyterm == ["Callwright"]


async def test_all_audio_reaches_the_service_and_is_billed(services: Any) -> None:
    async with listening(services) as (caller, ear):
        caller.silence(1.0)
        caller.pause()
        while (await ear.heard.get()) != "stopped":
            pass
        assert ear.audio >= 1.4 * 32000
        assert caller.stream.billed_seconds == pytest.approx(ear.audio / 32000)


async def test_a_failure_loses_the_turn_and_the_next_one_gets_a_new_service(services: Any) -> None:
    async with listening(services) as (caller, ear):
        await ear.understand("Hello.")
        await ear.push_error("The key was withdrawn.", force_treat_as_permanent=True)
        failed = await caller.failed()
        assert failed.provider == "Ours"
        assert "The key was withdrawn" in str(failed)
        caller.silence()
        await _moment()
        caller.speak()
        while len(services.Ear.made) < 2:
            await _moment()
        second = services.Ear.made[1]
        assert await second.heard.get() == "started"
        caller.pause()
        await second.understand("Again.", finalized=True)
        assert (await caller.understood()).text == "Again."


async def test_a_failure_between_turns_is_not_told(services: Any) -> None:
    async with listening(services) as (caller, ear):
        caller.pause()
        await ear.understand("Hello.", finalized=True)
        await caller.understood()
        caller.stream.commit()
        await ear.push_error("A hiccup.")
        await _moment()
        assert caller.waits


async def test_a_service_for_segments_hears_each_and_only_these_are_billed(services: Any) -> None:
    async with calling(PipecatStt(ServiceSpec(path=OURS + "Segments")), "en") as caller:
        caller.silence(2.0)
        caller.speak(0.5)
        caller.pause()
        told = await caller.understood()
        # A second from before the speech was noticed goes along.
        assert told.text == "1.5 seconds"
        assert caller.stream.billed_seconds == pytest.approx(1.5)


# --- Cartesia's class


def cartesia(url: str) -> PipecatStt:
    text = '{"class": "pipecat.services.cartesia.stt.CartesiaSTTService", "params": {"base_url": "%s"}}'
    return PipecatStt(ServiceSpec.parse(text % url, provider="Ours", api_key="sk-cartesia"), name="Ours")


async def test_cartesias_class_listens_over_its_own_protocol() -> None:
    async def script(peer: Peer) -> None:
        for text in ("Hello there.", "Good bye."):
            while not isinstance(await peer.connection.recv(), bytes):
                pass
            await peer.send({"type": "transcript", "text": text.lower(), "is_final": False})
            while await peer.connection.recv() != "finalize":
                pass
            await peer.send({"type": "transcript", "text": text, "is_final": True})
        await peer.connection.wait_closed()

    async with serving_sockets(script) as server, calling(cartesia(server.url), "en-US") as caller:
        for text in ("Hello there.", "Good bye."):
            caller.speak()
            await caller.until_partial(text.lower())
            caller.pause()
            assert (await caller.understood()).text == text
            caller.stream.commit()
        (peer,) = server.peers
    assert peer.headers["X-API-Key"] == "sk-cartesia"
    assert "sample_rate=16000" in peer.path
    assert "language=en" in peer.path


async def test_a_refused_key_is_told_when_the_caller_speaks() -> None:
    async with serving_sockets(lambda peer: peer.read(), refuse=401) as server, calling(cartesia(server.url)) as caller:
        caller.speak()
        failed = await caller.failed()
    assert "API key is wrong" in str(failed)
    assert not failed.retryable
