"""What words say about a turn."""

from __future__ import annotations

import pytest

from voice import cues
from voice.cues import DATE, DIGITS, EMAIL, NAME, OPEN, PHONE, SPELLING, YES_NO, Expecting


@pytest.mark.parametrize("text", ["mm-hm", "Okay.", "Yeah, right.", "Uh-huh", "Thank you."])
def test_these_words_only_say_i_am_listening(text: str) -> None:
    assert cues.is_backchannel(text)


@pytest.mark.parametrize("text", ["", "Okay, but wait.", "No.", "Stop", "yeah yeah yeah yeah", "What?"])
def test_these_words_say_something(text: str) -> None:
    assert not cues.is_backchannel(text)


@pytest.mark.parametrize("text", ["I want to", "On Monday and", "um", "it's for, uh,", "So, because", "Tell me if?"])
def test_nobody_stops_after_these_words(text: str) -> None:
    assert cues.is_hanging(text)


@pytest.mark.parametrize("text", ["", "On Monday.", "What is it for?", "Yes", "five five five", "more than he was"])
def test_one_may_stop_after_these_words(text: str) -> None:
    assert not cues.is_hanging(text)


SAID = "We are open from Monday to Friday, from half past eight until half past five."


@pytest.mark.parametrize("text", ["open from Monday to Friday", "From half path eight until", "half-past five"])
def test_what_repeats_the_agent_is_an_echo_though_a_word_is_misheard(text: str) -> None:
    assert cues.is_echo(text, SAID)


def test_the_first_word_of_what_is_being_said_may_become_an_echo() -> None:
    assert cues.is_echo("open", SAID, whole=False)
    assert not cues.is_echo("wait", SAID, whole=False)


@pytest.mark.parametrize(
    "text", ["", "Friday?", "What about Sunday?", "Until five on Saturday too?", "five past Monday"]
)
def test_what_the_caller_says_of_the_same_things_is_no_echo(text: str) -> None:
    assert not cues.is_echo(text, SAID)


@pytest.mark.parametrize(
    ("question", "expecting"),
    [
        ("Thank you. What is your phone number?", PHONE),
        ("What number can we reach you at?", PHONE),
        ("Could you give me your phone number, please? Take your time.", PHONE),
        ("What's your zip code?", Expecting("digits", frozenset({5, 9}))),
        ("And the last four digits of your card?", Expecting("digits", frozenset({4}))),
        ("Please read me your member number.", DIGITS),
        ("Could you spell your last name for me?", SPELLING),
        ("What is your email address?", EMAIL),
        ("May I have your date of birth?", DATE),
        ("May I have your name?", NAME),
        ("So that's Tuesday at ten. Is that right?", YES_NO),
        ("Is your phone number still the same?", YES_NO),
        ("Great, would you like me to book that?", YES_NO),
        ("How would you like to pay?", OPEN),
        ("Lakeside Dental, how can I help you?", OPEN),
        ("We will call your number. How can I help you?", OPEN),
        ("We are open until five.", OPEN),
        ("", OPEN),
    ],
)
def test_the_agents_question_tells_what_to_expect(question: str, expecting: Expecting) -> None:
    assert cues.expected(question) == expecting


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("415-555-0123", 10),
        ("four one five", 3),
        ("five five five, 0123", 7),
        ("twenty one fifty double two", 6),
        ("oh eight triple zero", 5),
        ("On Monday.", 0),
    ],
)
def test_digits_are_counted_in_figures_and_in_words(text: str, count: int) -> None:
    assert cues.digits(text) == count


def test_where_a_number_was_asked_for_words_that_sound_like_digits_count() -> None:
    assert (cues.digits("for one too", asked=True), cues.digits("for one too")) == (3, 1)


@pytest.mark.parametrize(
    ("text", "expecting", "cue"),
    [
        ("four one five", PHONE, cues.NUMBER_SO_FAR),
        ("415 555", PHONE, cues.NUMBER_SO_FAR),
        ("My number is four one five", OPEN, cues.NUMBER_SO_FAR),
        ("415-555-0123.", PHONE, cues.NUMBER_COMPLETE),
        ("five five five zero one two three", OPEN, cues.NUMBER_COMPLETE),
        ("nine four one one zero", cues.expected("What is your zip code?"), cues.NUMBER_COMPLETE),
        ("eight two four", DIGITS, cues.NUMBER_OF_ANY_LENGTH),
        ("A table for four.", OPEN, cues.STATEMENT),
        ("I'd rather not say.", PHONE, cues.STATEMENT),
        ("T U R", SPELLING, cues.LETTERS),
        ("Teddy, yo.", SPELLING, cues.LETTERS),
        ("It's B-R-A", OPEN, cues.LETTERS),
        ("jane dot doe at", EMAIL, cues.WORDS),
        ("jane dot doe", EMAIL, cues.HALF_AN_ADDRESS),
        ("jane dot doe at example dot org", EMAIL, cues.STATEMENT),
        ("The fourth of May", DATE, cues.HALF_A_DATE),
        ("The fourth of May, nineteen eighty two.", DATE, cues.STATEMENT),
        ("On Monday and", OPEN, cues.WORDS),
        ("It was, um.", OPEN, cues.HESITATION),
        ("Let me see.", OPEN, cues.HESITATION),
        ("Yes, please.", YES_NO, cues.ANSWER),
        ("Yes.", OPEN, cues.STATEMENT),
        ("When are you open?", OPEN, cues.QUESTION),
        ("On Tuesday,", OPEN, cues.COMMA),
    ],
)
def test_words_say_whether_more_is_to_come(text: str, expecting: Expecting, cue: cues.Cue) -> None:
    assert cues.read(text, expecting) == cue


@pytest.mark.parametrize(("language", "known"), [("en", True), ("en-GB", True), ("de", False), ("multi", False)])
def test_only_english_is_read(language: str, known: bool) -> None:
    assert cues.reads(language) == known
