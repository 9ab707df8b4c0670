"""What callers say, read as values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.flow.slots import Reading, aloud, keyed, question, read, read_keys, said, yes_or_no
from voice.flow.spec import Slot

THURSDAY = date(2026, 11, 26)


def value(kind: str, text: str, **settings: Any) -> Any:
    return read(Slot(name="it", type=kind, **settings), text, today=THURSDAY).value


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("next tuesday", "2026-12-01"),
        ("Tuesday, please.", "2026-12-01"),
        ("thursday", "2026-12-03"),
        ("this thursday", "2026-11-26"),
        ("saturday next week", "2026-12-05"),
        ("next saturday", "2026-12-05"),
        ("tomorrow", "2026-11-27"),
        ("the day after tomorrow", "2026-11-28"),
        ("in two weeks", "2026-12-10"),
        ("three days from now", "2026-11-29"),
        ("a week from friday", "2026-12-04"),
        ("December 1st", "2026-12-01"),
        ("december first", "2026-12-01"),
        ("the first of december", "2026-12-01"),
        ("the twenty first of january twenty twenty seven", "2027-01-21"),
        ("friday the fourth of december", "2026-12-04"),
        ("may the fourth", "2027-05-04"),
        ("may I come on monday", "2026-11-30"),
        ("the fourteenth", "2026-12-14"),
        ("the thirty first", "2026-12-31"),
        ("on the third, no, the fourth", "2026-12-04"),
        ("12/1", "2026-12-01"),
        ("february twenty ninth", "2028-02-29"),
        ("christmas eve", "2026-12-24"),
        ("the thirtieth of february", None),
        ("next week", None),
        ("I don't know", None),
    ],
)
def test_a_day_to_come_is_understood(text: str, day: str | None) -> None:
    assert value("date", text, period="future") == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("march third nineteen eighty five", "1985-03-03"),
        ("the third of march two thousand five", "2005-03-03"),
        ("may fifth nineteen oh five", "1905-05-05"),
        ("oh three twelve nineteen eighty five", "1985-03-12"),
        ("twelve thirty one ninety nine", "1999-12-31"),
        ("April fifth, eighty five", "1985-04-05"),
        ("3/12/85", "1985-03-12"),
        ("last tuesday", "2026-11-24"),
        ("the fourteenth", "2026-11-14"),
    ],
)
def test_a_birthday_is_understood(text: str, day: str) -> None:
    assert value("date", text, period="past") == day


def test_a_day_on_the_wrong_side_of_today_is_told() -> None:
    slot = Slot(name="day", type="date", period="future")
    assert read(slot, "yesterday", today=THURSDAY).problem == "Wednesday, November 25 is in the past."


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("two fifteen pm", "14:15"),
        ("2:15 p.m.", "14:15"),
        ("half past two", "14:30"),
        ("quarter to three", "14:45"),
        ("ten to eight in the evening", "19:50"),
        ("twenty past six", "18:20"),
        ("seven o'clock", "07:00"),
        ("seven in the evening", "19:00"),
        ("nine oh five", "09:05"),
        ("fourteen thirty", "14:30"),
        ("a party of 4 at 7:30", "07:30"),
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("twelve thirty", "12:30"),
        ("whenever you like", None),
    ],
)
def test_a_time_of_day_is_understood(text: str, clock: str | None) -> None:
    assert value("time", text) == clock


def test_the_opening_hours_decide_which_half_of_the_day_is_meant() -> None:
    assert value("time", "seven", earliest="17:00", latest="22:00") == "19:00"
    slot = Slot(name="time", type="time", earliest="17:00", latest="22:00")
    assert read(slot, "eleven pm", today=THURSDAY).problem == "It cannot be after 10:00 PM."


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("four one five, five five five, oh one double nine", "+14155550199"),
        ("it's 415 555 0199", "+14155550199"),
        ("(415) 555-0100", "+14155550100"),
        ("area code four one five, five five five, zero one zero zero", "+14155550100"),
        ("eight hundred five five five one two one two", "+18005551212"),
        ("four one five, five five five, twenty one fifty", "+14155552150"),
        ("plus four nine three oh nine oh one eight two oh", "+4930901820"),
        ("I'd rather not", None),
    ],
)
def test_a_phone_number_is_understood(text: str, number: str | None) -> None:
    assert value("phone", text) == number


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("555-0123", "I need the number with its area code."),
        ("double five five, oh one", "There seem to be digits missing."),
        ("five five five one two three four five six seven eight nine", "That has too many digits for a phone number."),
    ],
)
def test_a_phone_number_that_cannot_be_one_is_told(text: str, problem: str) -> None:
    assert read(Slot(name="phone", type="phone"), text, today=THURSDAY) == Reading(problem=problem)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("jane dot doe at gmail dot com", "jane.doe@gmail.com"),
        ("my email is jane underscore doe ninety nine at yahoo dot co dot uk", "jane_doe99@yahoo.co.uk"),
        ("it's j a n e at example dot org", "jane@example.org"),
        ("j as in john o h n at outlook dot com", "john@outlook.com"),
        ("Jane.Doe@Example.com", "jane.doe@example.com"),
        ("sure, it's bob at gmail", "bob@gmail.com"),
        ("info at the-shop dot com, thank you", "info@the-shop.com"),
        ("I don't use email", None),
        ("jane at home", None),
    ],
)
def test_an_address_is_understood(text: str, address: str | None) -> None:
    assert value("email", text) == address


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my name is jane doe", "Jane Doe"),
        ("This is Jane Doe speaking.", "Jane Doe"),
        ("hi, my name is Priya Raghunathan", "Priya Raghunathan"),
        ("you can call me Al", "Al"),
        ("my name is o'brien", "O'Brien"),
        ("Ludwig van Beethoven", "Ludwig van Beethoven"),
        ("Jane Smith. That's S M Y T H.", "Jane Smyth"),
        ("my last name is Kowalsky k o w a l s k i", "Kowalski"),
        ("book it under Miller please", "Miller"),
        ("what do you need it for?", None),
        ("I want to speak to a human", None),
        ("no", None),
    ],
)
def test_a_name_is_understood(text: str, name: str | None) -> None:
    assert value("name", text) == name


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a party of four", 4),
        ("there will be twenty one of us", 21),
        ("a couple", 2),
        ("a dozen", 12),
        ("a hundred and five", 105),
        ("one thousand two hundred and fifty", 1250),
        ("1,250.50", 1250.5),
        ("two and a half", 2.5),
        ("three point five", 3.5),
        ("minus five", -5),
        ("four, no, five", 5),
        ("just me", None),
    ],
)
def test_a_number_is_understood(text: str, number: float | None) -> None:
    assert value("number", text) == number


def test_of_several_numbers_none_is_taken() -> None:
    assert read(Slot(name="n", type="number"), "four or five", today=THURSDAY).problem == "I heard several numbers."


def test_a_number_out_of_its_range_is_told() -> None:
    slot = Slot(name="guests", type="number", least=1, most=12, whole=True)
    assert read(slot, "thirty", today=THURSDAY).problem == "It can be at most 12."
    assert read(slot, "zero", today=THURSDAY).problem == "It has to be at least 1."
    assert read(slot, "two and a half", today=THURSDAY).problem == "It has to be a whole number."


def test_digits_keep_their_zeros_and_their_length() -> None:
    slot = Slot(name="account", type="digits", least=5, most=5)
    assert read(slot, "oh four seven one one", today=THURSDAY).value == "04711"
    assert read(slot, "four seven", today=THURSDAY).problem == "It has 5 digits, and I heard 2."


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("the window table please", "window table"),
        ("by the window", "window table"),
        ("the second one", "bar"),
        ("outdor", "outdoor"),
        ("the last one", "outdoor"),
        ("a bar seat or a window table", None),
        ("whatever", None),
    ],
)
def test_one_of_several_is_understood(text: str, chosen: str | None) -> None:
    assert value("choice", text, choices=("window table", "bar", "outdoor")) == chosen


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Yes.", (True, "")),
        ("yeah, that's right", (True, "")),
        ("uh, yes please", (True, "")),
        ("well yes, but at eight", (True, "but at eight")),
        ("no thanks", (False, "")),
        ("not quite", (False, "")),
        ("no, the fourteenth", (False, "the fourteenth")),
        ("that's not right, it's five", (False, "it's five")),
        ("what?", (None, "what?")),
    ],
)
def test_yes_and_no_are_understood_with_what_comes_behind(text: str, answer: tuple[bool | None, str]) -> None:
    assert yes_or_no(text) == answer


def test_a_code_fits_its_pattern_however_it_was_recognised() -> None:
    for text in ("AB123", "a b 1 2 3", "A B one two three."):
        assert value("text", text, pattern="[A-Z]{2}[0-9]{3}") == "AB123"
    assert value("text", "nonsense", pattern="[A-Z]{2}[0-9]{3}") is None


@pytest.mark.parametrize(
    ("kind", "keys", "expected"),
    [
        ("number", "12", 12),
        ("number", "2*5", 2.5),
        ("phone", "4155550100", "+14155550100"),
        ("digits", "0047", "0047"),
        ("date", "12012026", "2026-12-01"),
        ("time", "1930", "19:30"),
        ("yes_no", "2", False),
        ("choice", "2", "bar"),
        ("choice", "9", None),
        ("name", "5263", None),
    ],
)
def test_keys_say_values_too(kind: str, keys: str, expected: Any) -> None:
    slot = Slot(name="it", type=kind, choices=("table", "bar"))
    assert read_keys(slot, keys, today=THURSDAY).value == expected


def test_the_turns_of_the_keypad_are_told_from_words() -> None:
    assert keyed("[keyed in: 12#]") == "12#"
    assert keyed("I keyed in 12") is None


@pytest.mark.parametrize(
    ("kind", "settings", "stored", "words"),
    [
        ("date", {}, "2026-12-01", "Tuesday, December 1"),
        ("date", {}, "2028-02-29", "Tuesday, February 29, 2028"),
        ("date", {"period": "past"}, "1985-03-03", "March 3, 1985"),
        ("time", {}, "14:15", "2:15 PM"),
        ("phone", {}, "+14155550199", "4 1 5, 5 5 5, 0 1 9 9"),
        ("phone", {}, "+4930901820", "plus 4 9, 3 0, 9 0 1 8 2 0"),
        ("email", {}, "jane.doe@gmail.com", "jane dot doe at gmail dot com"),
        ("digits", {}, "04711", "0 4 7, 1 1"),
        ("number", {}, 2.5, "2.5"),
        ("yes_no", {}, True, "yes"),
    ],
)
def test_a_value_is_read_back_so_that_it_can_be_checked(
    kind: str, settings: dict[str, Any], stored: Any, words: str
) -> None:
    assert said(Slot(name="it", type=kind, **settings), stored, today=THURSDAY) == words


def test_a_slot_without_a_question_has_one() -> None:
    assert question(Slot(name="first_name", type="name")) == "What is your first name?"
    assert (
        question(Slot(name="seat", type="choice", choices=("bar", "table")))
        == "Which seat would you like: bar or table?"
    )


KINDS = st.sampled_from(["name", "date", "time", "phone", "email", "number", "digits", "choice", "yes_no", "text"])
SPOKEN = st.lists(
    st.sampled_from(
        "the first of may twenty six oh double at dot com no yes half past next tuesday in weeks from a hundred and "
        "minus point J a.m. 5 12 2026 31st december quarter to is my name , . ? - @ + one thousand".split()
    ),
    max_size=9,
).map(" ".join)


@given(KINDS, SPOKEN | st.text(max_size=60), st.sampled_from(["any", "future", "past"]))
def test_whatever_is_said_a_value_can_be_read_back_or_there_is_none(kind: Any, text: str, period: Any) -> None:
    slot = Slot(name="it", type=kind, choices=("bar", "table"), period=period)
    found = read(slot, text, today=THURSDAY)
    if found.value is not None:
        assert isinstance(said(slot, found.value, today=THURSDAY), str)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("date", "2026-12-01", "Tuesday, December 1"),
        ("date", "tomorrow", "tomorrow"),
        ("time", "14:30", "2:30 PM"),
        ("phone", "+14155550132", "4 1 5, 5 5 5, 0 1 3 2"),
        ("phone", "the desk", "the desk"),
        ("digits", 12, "12"),
        ("yes_no", False, "no"),
        ("yes_no", "maybe", "maybe"),
    ],
)
def test_a_value_is_said_as_people_say_it_and_one_of_another_kind_as_it_is(
    kind: Any, value: object, words: str
) -> None:
    assert aloud(Slot(name="field", type=kind), value, today=THURSDAY) == words
