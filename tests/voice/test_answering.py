"""Who answered an outbound call, told from what is heard."""

from __future__ import annotations

import asyncio

import pytest

from voice.answering import Answered, AnsweringWatch, LeaveMessage, Verdict, classify
from voice.clock import CallClock, run_virtual

# What the far end does: (time, "on" | "off" | "beep" | words). Words with a trailing "..." are not final.
Script = list[tuple[float, str]]


def watch(script: Script, until: float = 40.0) -> list[tuple[float, str, str]]:
    """What a watch says of a call: the time, the verdict or "leave", and why."""

    async def scenario() -> list[tuple[float, str, str]]:
        clock = CallClock(asyncio.get_running_loop())
        told: list[tuple[float, str, str]] = []

        def verdict(found: Verdict) -> None:
            told.append((round(clock.now(), 2), str(found.answered), found.reason))

        def leave(found: LeaveMessage) -> None:
            told.append((round(clock.now(), 2), "leave", found.after))

        watching = AnsweringWatch(on_verdict=verdict, on_leave_message=leave, clock=clock)
        for at, what in script:
            await asyncio.sleep(at - clock.now())
            if what in ("on", "off"):
                watching.speech(what == "on", at)
            elif what == "beep":
                watching.beep(at)
            else:
                watching.words(what.removesuffix("..."), not what.endswith("..."))
        await asyncio.sleep(until - clock.now())
        watching.close()
        return told

    return run_virtual(scenario())


def test_a_word_and_then_silence_is_a_person() -> None:
    assert watch([(1.0, "on"), (1.6, "off")]) == [(2.1, "human", "short_greeting")]


def test_a_short_pause_in_a_greeting_is_no_silence() -> None:
    script = [(1.0, "on"), (1.5, "off"), (1.8, "on"), (2.4, "off")]
    assert watch(script) == [(2.9, "human", "short_greeting")]


def test_long_speech_and_then_silence_is_a_machine_that_records() -> None:
    script = [(0.5, "on"), (5.5, "off")]
    assert watch(script) == [(7.0, "machine_voicemail", "long_greeting"), (7.0, "leave", "silence")]


def test_pauses_do_not_make_a_long_greeting_short() -> None:
    script = [(0.5, "on"), (2.0, "off"), (2.3, "on"), (5.0, "off"), (5.9, "on"), (8.0, "off"), (8.2, "beep")]
    assert watch(script) == [(8.2, "machine_voicemail", "beep"), (8.2, "leave", "beep")]


def test_nothing_said_for_ten_seconds_tells_nothing() -> None:
    assert watch([]) == [(10.0, "uncertain", "no_speech")]


def test_a_mailbox_that_comes_after_a_long_silence_is_one() -> None:
    assert watch([(11.0, "on"), (14.0, "off"), (14.4, "beep")])[1:] == [
        (14.4, "machine_voicemail", "beep"),
        (14.4, "leave", "beep"),
    ]


def test_somebody_who_talks_on_and_on_tells_nothing_in_twenty_seconds() -> None:
    assert watch([(1.0, "on")]) == [(20.0, "uncertain", "time_is_up")]


def test_words_tell_a_machine_before_it_pauses_and_the_message_waits_for_the_beep() -> None:
    script = [
        (0.5, "on"),
        (2.0, "You've reached..."),
        (4.0, "You've reached Bob, leave..."),
        (6.0, "off"),
        (6.4, "You've reached Bob, leave a message after the tone."),
        (6.9, "beep"),
    ]
    assert watch(script) == [(2.0, "machine_voicemail", "words"), (6.9, "leave", "beep")]


def test_without_a_beep_the_message_waits_for_silence() -> None:
    script = [(0.5, "on"), (3.0, "Please leave a message."), (6.0, "off"), (6.8, "on"), (9.0, "off")]
    assert watch(script) == [(3.0, "machine_voicemail", "words"), (10.5, "leave", "silence")]


def test_a_beep_alone_is_a_machine() -> None:
    assert watch([(1.5, "beep")]) == [(1.5, "machine_voicemail", "beep"), (1.5, "leave", "beep")]


def test_a_beep_that_comes_late_begins_the_message_again_and_the_one_that_ends_the_recording_does_not() -> None:
    script = [(0.5, "on"), (3.0, "Leave a message."), (4.0, "off"), (8.0, "beep"), (30.0, "beep")]
    assert watch(script)[1:] == [(5.5, "leave", "silence"), (8.0, "leave", "beep")]


def test_a_greeting_that_goes_on_begins_the_message_again() -> None:
    script = [
        (0.5, "on"),
        (3.0, "You've reached Bob."),
        (3.5, "off"),
        (6.0, "on"),
        (8.0, "Leave a message after the tone."),
        (8.5, "off"),
        (8.9, "beep"),
    ]
    assert watch(script) == [(3.0, "machine_voicemail", "words"), (5.0, "leave", "silence"), (8.9, "leave", "beep")]


def test_words_of_the_greeting_that_come_late_do_not_begin_the_message_again() -> None:
    script = [(0.5, "on"), (4.0, "off"), (6.0, "I can't come to the phone."), (6.5, "Leave your name.")]
    assert watch(script) == [(5.5, "machine_voicemail", "long_greeting"), (5.5, "leave", "silence")]


def test_words_that_come_late_do_not_make_a_person_of_a_machine() -> None:
    script = [(0.5, "on"), (4.0, "off"), (6.0, "This is Bob and I am out fishing.")]
    assert watch(script) == [(5.5, "machine_voicemail", "long_greeting"), (5.5, "leave", "silence")]


def test_somebody_who_picks_up_while_the_message_is_left_is_a_person() -> None:
    script = [(1.0, "Leave a message."), (1.5, "beep"), (4.0, "on"), (5.0, "off"), (5.4, "Sorry, I was upstairs.")]
    assert watch(script)[-1] == (5.4, "human", "picked_up")


def test_somebody_who_picks_up_during_the_greeting_is_a_person() -> None:
    script = [(0.5, "on"), (3.0, "You've reached Bob."), (4.0, "off"), (4.4, "on"), (4.9, "off"), (5.2, "Hello?")]
    assert watch(script) == [(3.0, "machine_voicemail", "words"), (5.2, "human", "picked_up")]


def test_words_correct_a_person_who_was_a_machine_with_a_pause() -> None:
    script = [(0.5, "on"), (1.5, "off"), (2.2, "on"), (4.0, "Hi, Bob here. Leave a message..."), (5.0, "off")]
    assert watch(script) == [
        (2.0, "human", "short_greeting"),
        (4.0, "machine_voicemail", "words"),
        (6.5, "leave", "silence"),
    ]


def test_a_beep_corrects_a_person_who_said_nothing_since() -> None:
    assert watch([(0.5, "on"), (1.5, "off"), (3.0, "beep")])[1:] == [
        (3.0, "machine_voicemail", "beep"),
        (3.0, "leave", "beep"),
    ]
    assert watch([(0.5, "on"), (1.5, "off"), (3.0, "on"), (4.0, "off"), (5.0, "beep")]) == [
        (2.0, "human", "short_greeting")
    ]


@pytest.mark.parametrize("text", ["She is not available right now.", "Can you call again later?", "I can't talk."])
def test_what_people_say_of_themselves_does_not_make_machines_of_them(text: str) -> None:
    script = [(0.5, "on"), (1.0, "off"), (1.3, "Hello?"), (4.0, "on"), (6.0, "off"), (6.3, text)]
    assert watch(script) == [(1.5, "human", "short_greeting")]


def test_a_person_stays_one_after_twenty_seconds_whatever_they_say() -> None:
    script = [(0.5, "on"), (1.0, "off"), (25.0, "on"), (27.0, "off"), (27.3, "Will you leave a message for him?")]
    assert watch(script) == [(1.0 + 0.5, "human", "short_greeting")]


def test_a_long_greeting_that_asks_how_to_help_is_a_person() -> None:
    script = [(0.5, "on"), (4.0, "Acme and Sons, this is Robert, how can I help you?"), (4.2, "off")]
    assert watch(script) == [(4.7, "human", "words")]


def test_a_menu_is_no_voicemail_until_a_mailbox_is_behind_it() -> None:
    script = [
        (0.5, "on"),
        (3.0, "Thank you for calling. For sales, press one."),
        (6.0, "off"),
        (15.0, "on"),
        (18.0, "Please leave a message after the tone."),
        (18.5, "off"),
        (19.0, "beep"),
    ]
    assert watch(script) == [
        (3.0, "machine_ivr", "words"),
        (18.0, "machine_voicemail", "words"),
        (19.0, "leave", "beep"),
    ]


def test_nothing_is_left_in_a_full_mailbox() -> None:
    script = [(0.5, "on"), (3.0, "You've reached Bob."), (5.0, "The mailbox is full."), (6.0, "off"), (7.0, "beep")]
    assert watch(script) == [(3.0, "machine_voicemail", "words"), (5.0, "machine_unavailable", "words")]


def test_a_closed_watch_says_nothing() -> None:
    async def scenario() -> list[object]:
        clock = CallClock(asyncio.get_running_loop())
        told: list[object] = []
        watching = AnsweringWatch(on_verdict=told.append, on_leave_message=told.append, clock=clock)
        watching.speech(True, 0.5)
        watching.close()
        watching.words("Leave a message.", True)
        await asyncio.sleep(60.0)
        assert watching.verdict is not None
        return told

    assert run_virtual(scenario()) == []


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("Please leave your message after the beep.", Answered.VOICEMAIL),
        ("I can\N{RIGHT SINGLE QUOTATION MARK}t come to the phone right now", Answered.VOICEMAIL),
        ("The person you are trying to reach is not available. At the tone, please", Answered.VOICEMAIL),
        ("When you have finished recording, hang up or press 1 for more. After the tone", Answered.VOICEMAIL),
        ("Your call has been forwarded to an automatic voice message system.", Answered.VOICEMAIL),
        ("Hi, if you record your name and reason for calling, I'll see if this person is available.", Answered.IVR),
        ("Press one to leave a message, or press two to speak to us.", Answered.IVR),
        ("For billing, press 2.", Answered.IVR),
        ("If you know your party's extension, dial it now.", Answered.IVR),
        ("Please listen carefully, as our menu options have changed.", Answered.IVR),
        ("The mailbox is full and cannot accept any messages.", Answered.UNAVAILABLE),
        ("The number you have dialed is not in service.", Answered.UNAVAILABLE),
        ("The mailbox you are trying to reach is full.", Answered.UNAVAILABLE),
        ("All circuits are busy now. Please try your call again later.", Answered.UNAVAILABLE),
        ("We're sorry, your call cannot be completed as dialed.", Answered.UNAVAILABLE),
        ("This subscriber has a voicemail box that has not been set up yet.", Answered.UNAVAILABLE),
        ("Hello?", Answered.HUMAN),
        ("Hello, who is this?", Answered.HUMAN),
        ("Miller and Company, how may I help you today?", Answered.HUMAN),
        ("Anna Miller speaking.", Answered.HUMAN),
        ("This is she.", Answered.HUMAN),
        ("I'm in a meeting, call me back later.", None),
        ("No thanks, I'm not interested.", None),
        ("I already left a message for you yesterday.", None),
        ("I went to the market yesterday.", None),
        ("", None),
    ],
)
def test_words_tell_who_speaks(text: str, answered: Answered | None) -> None:
    assert classify(text)[0] is answered
