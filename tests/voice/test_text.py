"""What a voice is given to say."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voice.text import spoken
from voice.text.numbers import cardinal, ordinal, year

SAID = {
    "times": [
        ("We open at 9:30.", "We open at nine thirty."),
        ("It closes at 5 pm.", "It closes at five P.M."),
        ("See you at 5 p.m. on Monday.", "See you at five P.M. on Monday."),
        ("Be there by 17:00!", "Be there by five P.M.!"),
        ("9:05 am", "nine oh five A.M."),
        ("at 12:00", "at twelve o'clock"),
        ("at 00:15", "at twelve fifteen A.M."),
        ("9am-5pm", "nine A.M. to five P.M."),
        ("9:30-10:30", "nine thirty to ten thirty"),
        ("9-5 pm", "nine to five P.M."),
        ("9:30:15", "nine thirty and fifteen seconds"),
        ("nine am and five PM", "nine A.M. and five P.M."),
        ("a score of 10:90", "a score of ten to ninety"),
        ("3:1 odds", "three to one odds"),
    ],
    "phone numbers": [
        ("Call 555-0199.", "Call five five five, zero one nine nine."),
        ("+1 (555) 010-0199", "plus one, five five five, zero one zero, zero one nine nine"),
        ("555.010.0199", "five five five, zero one zero, zero one nine nine"),
        ("5550100199", "five five five, zero one zero, zero one nine nine"),
        (
            "1-800-555-0199 ext. 12",
            "one, eight zero zero, five five five, zero one nine nine, extension one two",
        ),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("SSN 123-45-6789", "S-S-N one two three, four five, six seven eight nine"),
    ],
    "dates": [
        ("2026-11-23", "November twenty-third, twenty twenty-six"),
        ("11/23/2026", "November twenty-third, twenty twenty-six"),
        ("23/11/2026", "November twenty-third, twenty twenty-six"),
        ("23.11.2026", "November twenty-third, twenty twenty-six"),
        ("Nov 3rd", "November third"),
        ("Nov. 3, 2026", "November third, twenty twenty-six"),
        ("on 3 Nov", "on November third"),
        ("on the 3rd of November", "on November third"),
        ("Nov 3-5", "November third to fifth"),
        ("March 2026", "March twenty twenty-six"),
        ("due by 11/23", "due by November twenty-third"),
        ("2026-11-23T09:30", "November twenty-third, twenty twenty-six, nine thirty A.M."),
        ("Mon-Fri 9-5", "Monday to Friday nine to five"),
        ("the 1990s", "the nineteen nineties"),
        ("back in '99", "back in ninety-nine"),
    ],
    "money": [
        ("$53.40", "fifty-three dollars and forty cents"),
        ("€5", "five euros"),
        ("5 €", "five euros"),
        ("$1", "one dollar"),
        ("$1.2M", "one point two million dollars"),
        ("$0.01", "one cent"),
        ("£3.50", "three pounds and fifty pence"),
        ("$1,200", "one thousand two hundred dollars"),
        ("-$5", "minus five dollars"),
        ("$10-$20", "ten to twenty dollars"),
        ("$5/month", "five dollars per month"),
        ("$0.014/min", "zero point zero one four dollars per minute"),
        ("20 USD", "twenty dollars"),
    ],
    "numbers": [
        ("1,234,567", "one million two hundred thirty-four thousand five hundred sixty-seven"),
        ("in 2026", "in twenty twenty-six"),
        ("in 1905", "in nineteen oh five"),
        ("since 1876", "since eighteen seventy-six"),
        ("1500 steps", "one thousand five hundred steps"),
        ("2000 people", "two thousand people"),
        ("3.5", "three point five"),
        ("0.05", "zero point zero five"),
        ("agent 007", "agent zero zero seven"),
        ("1st, 2nd, 23rd", "first, second, twenty-third"),
        ("5%", "five percent"),
        ("5-10%", "five to ten percent"),
        ("10\u201320 people", "ten to twenty people"),
        ("-5 degrees", "minus five degrees"),
        ("1/2 cup", "one half cup"),
        ("2 ½ cups", "two and a half cups"),
        ("24/7", "twenty-four seven"),
        ("#5", "number five"),
        ("No. 5", "Number five"),
        ("v2.1", "version two point one"),
        ("3 x 5", "three by five"),
    ],
    "units": [
        ("5 km", "five kilometers"),
        ("1 kg", "one kilogram"),
        ("20°C", "twenty degrees Celsius"),
        ("90 km/h", "ninety kilometers per hour"),
        ("5 min. away", "five minutes away"),
        ("5'10\"", "five feet ten inches"),
        ("100 m²", "one hundred square meters"),
    ],
    "abbreviations": [
        ("Dr. Smith", "Doctor Smith"),
        ("on Main St. near St. John's", "on Main Street near Saint John's"),
        ("12 Elm Dr., Springfield", "twelve Elm Drive, Springfield"),
        ("42nd St", "forty-second Street"),
        ("Mr. and Mrs. Lee", "Mister and Missus Lee"),
        ("fruit, e.g. apples", "fruit, for example apples"),
        ("i.e. now", "that is now"),
        ("pens, etc. We have them.", "pens, et cetera. We have them."),
        ("red vs. blue", "red versus blue"),
        ("5th Ave., Apt. 4", "fifth Avenue, Apartment four"),
        ("No. I don't.", "No. I don't."),
    ],
    "acronyms": [
        ("the FBI", "the F-B-I"),
        ("your ID", "your I-D"),
        ("PDFs", "P-D-F's"),
        ("NASA is OK", "NASA is OK"),
        ("do NOT stop", "do NOT stop"),
        ("AT&T", "A-T and T"),
        ("WE ARE OPEN TODAY", "WE ARE OPEN TODAY"),
        ("the U.S. market", "the U.S. market"),
    ],
    "codes": [
        ("AB12-C3", "A-B one two, C three"),
        ("order AB-1234", "order A-B, one two three four"),
        ("gate B12", "gate B twelve"),
        ("your code is 4821", "your code is four eight two one"),
        ("room 204", "room two zero four"),
        ("COVID-19", "COVID nineteen"),
        ("a 24-hour line", "a twenty-four-hour line"),
        ("Springfield, IL 62704", "Springfield, Illinois, six two seven zero four"),
    ],
    "addresses": [
        ("jo.smith9@example.com.", "jo dot smith nine at example dot com."),
        ("Go to https://www.example.com/help?x=1.", "Go to example dot com slash help."),
        ("Go to example.com!", "Go to example dot com!"),
    ],
    "signs": [
        ("salt & pepper", "salt and pepper"),
        ("he/she", "he or she"),
        ("and/or", "and or"),
        ("w/o sugar", "without sugar"),
        ("a -> b", "a to b"),
        ("yes — really", "yes, really"),
        ("C++", "C plus plus"),
    ],
    "markup": [
        ("**Bold**, *it* and `code`", "Bold, it and code"),
        ("# Hours\nMonday", "Hours. Monday."),
        ("- one thing\n- another", "one thing. another."),
        ("1. Unplug it\n2. Wait", "one, Unplug it. two, Wait."),
        ("[our page](https://example.com/a) has more", "our page has more"),
        ("Great! 🎉😀", "Great!"),
        ("🎉", ""),
        ("**", ""),
        ("snake_case", "snake case"),
        ("half of **a pair", "half of a pair"),
        ("<b>now</b>", "now"),
        ("a 5 * 3 grid", "a five by three grid"),
    ],
}


@pytest.mark.parametrize(
    ("written", "said"),
    [pytest.param(*pair, id=f"{kind}: {pair[0]}") for kind, pairs in SAID.items() for pair in pairs],
)
def test_it_says(written: str, said: str) -> None:
    assert spoken(written, "en") == said
    assert spoken(said, "en-US") == said


def test_other_languages_only_lose_their_markup() -> None:
    assert spoken("**Wir öffnen** um 9:30 Uhr 🎉\n- Bis bald", "de") == "Wir öffnen um 9:30 Uhr. Bis bald."


# --- properties

PIECES = st.sampled_from(
    "9:30|5 pm|17:00|$53.40|€5|10-20|555-0199|2026-11-23|11/23|Nov 3rd|3.5|1,200|AB12-C3|#5|1st|20%|5 km|Dr.|St.|e.g."
    "|etc.|No.|FBI|A|I|**|*|- |`|[x](y)|&|/|-|—|(|)|\"|'|.|,|:|;|?|!|…|\n| |  |Main|and|the|a.m.|PM|am|@|jo@x.io"
    "|x.com|_|#|>|<|~|1.|²|½|°|$|€|%|+|=|007|2026|1990s|'99|😀|é|5'10\"|x|T|Mon|Sat|by|per".split("|")
)
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.lists(PIECES, max_size=12).map(" ".join) | st.text(max_size=40)


@given(TEXTS)
def test_what_is_said_is_said_the_same_again(text: str) -> None:
    said = spoken(text, "en")
    assert spoken(said, "en") == said


@given(TEXTS)
def test_no_figure_and_no_second_line_is_left_for_the_voice(text: str) -> None:
    said = spoken(text, "en")
    assert not re.search(r"[0-9\n]", said)
    assert said == said.strip()


_VALUE = {word: str(value) for value, word in enumerate(cardinal(n) for n in range(20))}
_VALUE |= {cardinal(tens): str(tens) for tens in range(20, 100, 10)}
_VALUE |= {ordinal(n): value for word, value in list(_VALUE.items()) for n in [int(value)]}


def digits_said(text: str) -> str:
    """The digits that can be heard in number words, without zeros: "twenty twenty-six" is 2226... of 20 and 26."""
    return "".join(_VALUE.get(word, "") for word in re.findall(r"[a-z]+", text.lower())).replace("0", "")


FIGURES = st.text(alphabet="0123456789 .,-+$%#x:()ABz", max_size=24)


@given(FIGURES)
@example("1,.2.3")
def test_no_digit_is_lost(text: str) -> None:
    # Half past one in the afternoon is rightly not "thirteen", and dates name their month.
    if re.search(r"\d:\d|\d-\d+-\d|\d\.\d+\.\d{4}", text):
        return
    assert digits_said(spoken(text, "en")) == re.sub(r"[^1-9]", "", text)


@given(st.text(alphabet="0123456789", min_size=7, max_size=18).filter(lambda text: not text.endswith("000")))
def test_a_long_number_is_said_digit_by_digit(text: str) -> None:
    assert [_VALUE[word] for word in re.findall(r"[a-z]+", spoken(text, "en"))] == list(text)


@given(st.integers(0, 10**15 - 1))
def test_a_number_in_words_is_that_number(number: int) -> None:
    total, group = 0, 0
    for word in cardinal(number).replace("-", " ").split():
        if word == "hundred":
            group *= 100
        elif word in ("thousand", "million", "billion", "trillion"):
            total += group * {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}[word]
            group = 0
        else:
            group += int(_VALUE[word])
    assert total + group == number


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1900, "nineteen hundred"),
        (1999, "nineteen ninety-nine"),
        (2000, "two thousand"),
        (2009, "two thousand nine"),
        (2010, "twenty ten"),
    ],
)
def test_years_are_said_in_pairs(number: int, said: str) -> None:
    assert year(number) == said
