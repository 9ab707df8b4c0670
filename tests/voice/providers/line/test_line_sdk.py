"""Whole calls with agents on the real Line SDK, unmodified: what the caller hears, and what the agent knows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.voice.providers.line.fake_claude import LONG, FakeClaude
from tests.voice.providers.phone import Phone, calling
from voice import events
from voice.brain import Brains
from voice.providers.line import LineApp, LineCall, line_brain
from voice.spec import Languages, Phrases, Voice

pytestmark = pytest.mark.slow

PHRASES = Phrases(trouble="Trouble.", giving_up="Giving up.", goodbye="So long.")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def brain_at(url: str, client: httpx.AsyncClient, **call: object) -> Brains:
    return line_brain(LineApp(url, client=client), LineCall(agent_id="agent_1", caller="Ann", **call))  # type: ignore[arg-type]


# --- an agent without a language model


@pytest.fixture
async def phone(obeying: str, client: httpx.AsyncClient) -> AsyncIterator[Phone]:
    languages = Languages(voices={"es": Voice(id="spanish")})
    async with calling(brain_at(obeying, client), languages=languages, phrases=PHRASES) as phone:
        # The name comes from what the agent's own handler has added to the call.
        await phone.hears("Hello Ann.")
        yield phone


async def test_the_agents_code_chooses_the_voice_of_the_first_word(phone: Phone) -> None:
    assert [event.voice for event in phone.all(events.SpeechRequested)] == ["chosen"]


async def test_a_spoken_turn_is_answered_with_the_words_that_the_agent_streams(phone: Phone) -> None:
    phone.speaks("Hours?")
    turn = await phone.until(events.AgentTurn, lambda turn: turn.text.startswith("We are open"))
    assert turn.text == LONG
    assert phone.all(events.CallerTurn)[0].source == "speech"


async def test_an_interrupted_agent_knows_what_was_heard_of_it(phone: Phone) -> None:
    phone.types("Hours?")
    await phone.until(events.AgentHeard, lambda heard: heard.turn == 1)
    phone.speaks("What did you say?")
    cut = await phone.until(events.AgentTurn, lambda turn: turn.interrupted)
    assert cut.unheard
    turn = await phone.until(events.AgentTurn, lambda turn: turn.text.startswith("I said:"))
    assert turn.text == f"I said: Hello Ann. {cut.text}"


async def test_what_the_agent_finds_out_later_is_said_unasked(phone: Phone) -> None:
    phone.types("Look it up.")
    await phone.hears("I will look.")
    await phone.hears("It is there.")
    assert not phone.all(events.ProviderSlow)


async def test_words_that_must_be_heard_are_heard_whatever_the_caller_says(phone: Phone) -> None:
    phone.types("Warn me.")
    await phone.until(events.AgentHeard, lambda heard: heard.turn == 1)
    phone.speaks("Hours?")
    assert (await phone.ended()).reason == "agent_ended"
    assert not (await phone.hears("This call is recorded, as the law wants it.")).interrupted


async def test_keys_reach_the_agent(phone: Phone) -> None:
    for digit in "42#":
        phone.call.on_digit(digit)
    await phone.hears("You pressed 42#.")


async def test_the_agent_presses_keys_and_says_nothing(phone: Phone) -> None:
    phone.types("Press one.")
    await phone.until(events.DigitsSent)
    phone.types("Hours?")
    await phone.hears(LONG)
    assert [event.digits for event in phone.all(events.DigitsSent)] == ["1"]
    assert not phone.all(events.ProviderFailed)


async def test_the_agent_transfers_when_it_has_spoken(phone: Phone) -> None:
    phone.types("A person, please.")
    assert (await phone.ended()).reason == "transferred"
    assert [to.address for to in phone.line.transferred] == ["+14155550123"]
    await phone.hears("One moment.")


async def test_the_agent_hangs_up_when_it_has_spoken(phone: Phone) -> None:
    phone.types("Goodbye.")
    assert (await phone.ended()).reason == "agent_ended"
    await phone.hears("Bye now.")


async def test_the_agent_and_the_callers_application_send_messages(phone: Phone) -> None:
    phone.call.on_message({"type": "custom", "metadata": {"page": "the menu"}})
    await phone.hears("I see the menu.")
    phone.types("Show me.")
    await phone.hears("There.")
    assert phone.line.messages == [{"type": "custom", "metadata": {"page": "prices"}}]


async def test_the_agent_changes_language_and_voice(phone: Phone) -> None:
    phone.types("Hola.")
    await phone.hears("Hola.")
    changed = [(event.name, event.value) for event in phone.all(events.SettingChanged)]
    assert changed == [("voice", "chosen"), ("language", "es"), ("voice", "other")]
    assert phone.all(events.SpeechRequested)[-1].voice == "other"


async def test_tools_measurements_and_notes_are_in_the_log(phone: Phone) -> None:
    phone.types("Who am I?")
    await phone.hears("You are Ann.")
    (called,), (returned,) = phone.all(events.ToolCalled), phone.all(events.ToolReturned)
    assert (called.turn, called.name, called.arguments) == (1, "look_up", {"number": "Ann"})
    assert (returned.tool_call, returned.result) == (called.tool_call, "Ann")
    noted = {event.name: event for event in phone.all(events.AgentLogged)}
    assert noted["seconds"].value == 1.5
    assert (noted["found"].text, noted["found"].data) == ("It is Ann.", {"id": 7})


async def test_an_agent_that_breaks_is_told_in_words_and_ends_the_call(phone: Phone) -> None:
    phone.types("Break.")
    await phone.hears("Trouble.")
    phone.types("Hours?")
    ended = await phone.ended()
    assert ended.reason == "error"
    assert "RuntimeError: The agent's code is wrong" in ended.detail
    await phone.hears("Giving up.")
    assert "in obey" in next(event.text for event in phone.all(events.AgentLogged) if event.name == "error")


async def test_a_call_that_the_agents_code_rejects_ends_with_words(obeying: str, client: httpx.AsyncClient) -> None:
    async with calling(brain_at(obeying, client, metadata={"wish": "reject"}), phrases=PHRASES) as phone:
        assert (await phone.ended()).reason == "rejected"
        await phone.hears("So long.")


async def test_a_handler_that_breaks_is_told_in_words(obeying: str, client: httpx.AsyncClient) -> None:
    async with calling(brain_at(obeying, client, metadata={"wish": "break"}), phrases=PHRASES) as phone:
        await phone.hears("Trouble.")
        failed = phone.all(events.ProviderFailed)[0]
        assert "Server error in call processing" in failed.error
        phone.types("Hello?")
        assert (await phone.ended()).reason == "error"


# --- an agent with a language model


async def test_the_sdks_own_agent_holds_a_call(chatting: str, client: httpx.AsyncClient, claude: FakeClaude) -> None:
    async with calling(brain_at(chatting, client)) as phone:
        await phone.hears("Hey! What is it?")
        phone.speaks("When are you open?")
        await phone.until(events.AgentHeard, lambda heard: heard.turn == 1)
        phone.speaks("And what about Sunday?", 0.9)
        cut = await phone.until(events.AgentTurn, lambda turn: turn.interrupted)
        await phone.hears("Certainly.")
        phone.speaks("Good bye.")
        assert (await phone.ended()).reason == "agent_ended"
        await phone.hears("Goodbye to you.")
    told = str([message["content"] for message in claude.asked[-1]["messages"] if message["role"] == "assistant"])
    assert cut.text in told
    assert cut.unheard not in told
    assert [event.name for event in phone.all(events.ToolCalled)] == ["end_call"]
    assert {event.name for event in phone.all(events.AgentLogged)} >= {"llm_first_text_ms", "agent_turn_ms"}


async def test_the_prompt_and_the_introduction_may_come_from_here(
    chatting: str, client: httpx.AsyncClient, claude: FakeClaude
) -> None:
    brain = brain_at(chatting, client, system_prompt="You sell bread.", introduction="Good morning!")
    async with calling(brain) as phone:
        await phone.hears("Good morning!")
        phone.types("Do you have rolls?")
        await phone.hears("Certainly.")
    assert "You sell bread." in str(claude.asked[-1]["system"])
