"""Programs that speak Twilio's ConversationRelay, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.voice.providers.fake_socket import FakeSocketServer, Peer, serving_sockets
from tests.voice.providers.talk import Talk, said
from voice import events
from voice.brain import Say, Silence
from voice.providers import remote
from voice.providers.base import ProviderError
from voice.providers.webagent import RelayApp, WebCall, relay_brain
from voice.tools import EndCall

SECRET = "s3cret-0123456789"
CALL = WebCall(caller="+15550100", called="+15550111", metadata={"customer": 7})
Script = Callable[[Peer], Awaitable[None]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "QUIET_SECONDS", 0.2)


@asynccontextmanager
async def talking(*scripts: Script, **server: Any) -> AsyncIterator[tuple[Talk, FakeSocketServer]]:
    async with serving_sockets(*scripts, **server) as sockets:
        app = RelayApp(f"{sockets.url}/relay", headers={"X-Secret": SECRET}, secret=SECRET)
        async with Talk(relay_brain(app, CALL)) as talk:
            yield talk, sockets


async def prompt(peer: Peer) -> str:
    return str((await peer.read_until(lambda message: message["type"] == "prompt"))["voicePrompt"])


def text(token: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "token": token, "last": False, **fields}


async def stay(peer: Peer) -> None:
    while True:
        await peer.read()


def answering(*messages: Any) -> Script:
    async def script(peer: Peer) -> None:
        await prompt(peer)
        await peer.send(*messages)
        await stay(peer)

    return script


async def over(talk: Talk, sockets: FakeSocketServer) -> None:
    async with asyncio.timeout(5):
        await talk.brain.close()
        await sockets.gone.wait()


async def test_the_program_is_told_who_calls_and_is_sent_the_secret() -> None:
    async with talking(answering(text("Yes.", last=True))) as (talk, sockets):
        await talk.ask("Hello?")
    peer = sockets.peers[0]
    assert (peer.path, peer.headers["X-Secret"]) == ("/relay", SECRET)
    setup, asked = peer.received
    assert {name: setup[name] for name in ("type", "sessionId", "from", "to", "direction", "customParameters")} == {
        "type": "setup",
        "sessionId": "call_1",
        "from": "+15550100",
        "to": "+15550111",
        "direction": "inbound",
        "customParameters": {"customer": "7"},
    }
    assert asked == {"type": "prompt", "voicePrompt": "Hello?", "lang": "en", "last": True}


async def test_an_answer_comes_in_tokens_until_the_last() -> None:
    async with talking(answering(text("At "), text("nine.", interruptible=False), text("", last=True))) as (talk, _):
        assert await talk.ask("When?") == [Say("At "), Say("nine.", interruptible=False), Silence()]


async def test_a_program_that_forgets_the_last_token_has_finished_when_it_is_silent() -> None:
    async with talking(answering(text("At nine."))) as (talk, _):
        assert said(await talk.ask("When?")) == "At nine."


async def test_a_welcome_asks_for_the_floor() -> None:
    async def script(peer: Peer) -> None:
        await peer.read()
        await peer.send(text("Welcome."), text("", last=True))
        await stay(peer)

    async with talking(script) as (talk, _):
        assert said(await talk.unasked()) == "Welcome."


async def test_an_interruption_says_what_was_heard_and_the_rest_of_the_answer_is_dropped() -> None:
    heard = asyncio.Event()

    async def script(peer: Peer) -> None:
        await prompt(peer)
        await peer.send(text("From nine to five."))
        await peer.read_until(lambda message: message["type"] == "interrupt")
        await peer.send(text("Too late."), text("", last=True))
        heard.set()
        await prompt(peer)
        await peer.send(text("On Friday too.", last=True))
        await stay(peer)

    async with talking(script) as (talk, sockets):
        await talk.ask("When?")
        talk.hear("From", "nine", cut="to five.")
        await heard.wait()
        await asyncio.sleep(0.05)
        assert said(await talk.ask("And on Friday?")) == "On Friday too."
    assert sockets.peers[0].received[2] == {
        "type": "interrupt",
        "utteranceUntilInterrupt": "From nine",
        "durationUntilInterruptMs": 1500,
    }


async def test_an_answer_that_was_never_heard_is_interrupted_too() -> None:
    async with talking(answering(text("Well."))) as (talk, sockets):
        await talk.ask("I want")
        talk.brain.keep(1, "I want", "", whole=False)
        await over(talk, sockets)
    assert sockets.peers[0].received[-1]["utteranceUntilInterrupt"] == ""


async def test_keys_are_no_prompt_and_may_be_left_unanswered() -> None:
    async def script(peer: Peer) -> None:
        await peer.read_until(lambda message: message["type"] == "dtmf" and message["digit"] == "2")
        await peer.send(text("Four two.", last=True))
        await stay(peer)

    async with talking(script) as (talk, sockets):
        talk.press("42")
        assert said(await talk.ask("[keyed in: 42]", "keypad")) == "Four two."
        talk.press("1")
        assert await talk.ask("[keyed in: 1]", "keypad") == [Silence()]
    assert [message["type"] for message in sockets.peers[0].received] == ["setup", "dtmf", "dtmf", "dtmf"]


async def test_the_program_ends_the_call_and_leaves_word() -> None:
    async with talking(answering(text("Bye.", last=False), {"type": "end", "handoffData": '{"to": 1}'})) as (talk, _):
        assert (await talk.ask("Bye."))[:2] == [Say("Bye."), EndCall()]
        assert talk.control.variables["handoffData"] == '{"to": 1}'


async def test_the_program_presses_keys_and_changes_the_language() -> None:
    script = answering(
        {"type": "sendDigits", "digits": "12w#"},
        {"type": "language", "ttsLanguage": "es-ES", "transcriptionLanguage": "es-ES"},
        text("Hola.", last=True),
    )
    async with talking(script) as (talk, _):
        assert said(await talk.ask("Hola.")) == "Hola."
        assert sorted(talk.control.done) == [("digits", "12w#"), ("language", "es")]


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ({"type": "language", "ttsLanguage": "fr-FR"}, "does not speak fr"),
        ({"type": "sendDigits", "digits": "?"}, "Invalid message"),
        ({"type": "novelty"}, "Invalid message"),
    ],
)
async def test_what_cannot_be_done_is_told_to_the_program_and_noted(message: Any, complaint: str) -> None:
    async with talking(answering(message, text("So.", last=True))) as (talk, sockets):
        assert said(await talk.ask("Go.")) == "So."
        await over(talk, sockets)
    error = sockets.peers[0].received[-1]
    assert error["type"] == "error"
    assert complaint in error["description"]
    assert complaint in talk.all(events.AgentLogged)[-1].text


async def test_what_it_plays_is_not_played_and_noted() -> None:
    play = {"type": "play", "source": "https://example.org/a.mp3"}
    async with talking(answering(play, text("So.", last=True))) as (talk, _):
        assert said(await talk.ask("Go.")) == "So."
        assert "https://example.org/a.mp3" in talk.all(events.AgentLogged)[-1].text


# --- faults


@pytest.mark.parametrize(("status", "words"), [(401, "key is wrong"), (429, "no more requests"), (500, "failed")])
async def test_a_refusal_is_told_in_words(status: int, words: str) -> None:
    async with talking(stay, refuse=status, refuse_with={"error": f"not with {SECRET}"}) as (talk, _):
        with pytest.raises(ProviderError, match=words) as told:
            await talk.unasked()
        assert SECRET not in str(told.value)


@pytest.mark.parametrize("goodbye", [True, False])
async def test_a_session_lost_in_an_answer_fails_it_and_is_opened_again_for_the_next(goodbye: bool) -> None:
    async def script(peer: Peer) -> None:
        await prompt(peer)
        await peer.send(text("At nine"))
        if goodbye:
            await peer.close()
        else:
            peer.cut()

    async with talking(script, answering(text("Again: at nine.", last=True))) as (talk, sockets):
        with pytest.raises(ProviderError):
            await talk.ask("When?")
        talk.brain.keep(1, "When?", "At nine", whole=False)
        assert said(await talk.ask("Sorry?")) == "Again: at nine."
    assert [peer.received[0]["sessionId"] for peer in sockets.peers] == ["call_1", "call_1"]


async def test_a_session_lost_between_turns_is_opened_again_without_a_word() -> None:
    async def script(peer: Peer) -> None:
        await prompt(peer)
        await peer.send(text("At nine.", last=True))
        await asyncio.sleep(0.05)
        peer.cut()

    async with talking(script, answering(text("Yes.", last=True))) as (talk, sockets):
        await talk.ask("When?")
        async with asyncio.timeout(5):
            await sockets.gone.wait()
        await asyncio.sleep(0.05)
        assert said(await talk.ask("Sure?")) == "Yes."
        assert not talk.wants_floor.is_set()
        assert [event.name for event in talk.all(events.AgentLogged)] == ["session"]


async def test_garbage_is_told_in_words() -> None:
    async with talking(answering("<html>")) as (talk, _):
        with pytest.raises(ProviderError, match="not understood"):
            await talk.ask("When?")
