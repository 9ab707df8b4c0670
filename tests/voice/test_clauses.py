"""How a text that is being written is cut into pieces to speak."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.text import Clauses


def cut(text: str, *, by: int = 0) -> list[str]:
    """The pieces of `text`, given whole or `by` so many characters at a time."""
    clauses = Clauses()
    parts = [text[i : i + by] for i in range(0, len(text), by)] if by else [text]
    return [piece for part in parts for piece in clauses.push(part)] + clauses.flush()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Thanks for calling, how can I help?", ["Thanks for calling,", "how can I help?"]),
        ("Sure, I can do that for you.", ["Sure, I can do that for you."]),
        ("Great! When can you come? We have Monday.", ["Great!", "When can you come?", "We have Monday."]),
        (
            "Our office is open from Monday to Friday from nine to five.",
            ["Our office is open", "from Monday to Friday from nine to five."],
        ),
        ("You can see Dr. Smith now. Come in.", ["You can see Dr. Smith now.", "Come in."]),
        ("It is 3.5 miles, e.g. by car. Or so.", ["It is 3.5 miles,", "e.g. by car.", "Or so."]),
        ("We close at 5 p.m. on Monday. Really.", ["We close at 5 p.m. on Monday.", "Really."]),
        ("We close at 5 p.m. Come before.", ["We close at 5 p.m.", "Come before."]),
        ("No. 5 is yours. No. That is mine.", ["No. 5 is yours.", "No.", "That is mine."]),
        ("It costs $1,200, and that is all.", ["It costs $1,200,", "and that is all."]),
        ("We open on November 23, 2026, at last.", ["We open on November 23, 2026,", "at last."]),
        ("1. Call us.\n2. Wait", ["1. Call us.", "2. Wait"]),
        ('She said "Come in." Then we sat.', ['She said "Come in."', "Then we sat."]),
        ("**Really great news.** Come in.", ["**Really great news.**", "Come in."]),
        ("Write to jo.smith@example.com. Or call.", ["Write to jo.smith@example.com.", "Or call."]),
        ("你好。我是小明。", ["你好。", "我是小明。"]),
    ],
)
def test_it_cuts_where_a_person_would_breathe(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


def test_the_first_piece_comes_before_the_second_sentence_is_written() -> None:
    clauses = Clauses()
    assert clauses.push("Thanks for calling, h") == ["Thanks for calling,"]


def test_a_stop_is_not_believed_before_the_next_word() -> None:
    clauses = Clauses()
    assert clauses.push("That will be $3.") == []
    assert clauses.push("50 please.") == []
    assert clauses.push(" T") == ["That will be $3.50 please."]


def test_later_pieces_end_at_a_comma_only_when_they_are_long() -> None:
    pieces = cut(
        "Welcome to the bakery on Main Street. We have bread, rolls, cakes, and a very large number of other "
        "good things, all of them fresh."
    )
    assert pieces == [
        "Welcome to the bakery on Main Street.",
        "We have bread, rolls, cakes, and a very large number of other good things,",
        "all of them fresh.",
    ]


def test_a_first_piece_without_a_stop_is_not_cut_between_two_numbers() -> None:
    pieces = cut("Yes you can come here any day 9 or 10 or else we wait")
    assert pieces[0] == "Yes you can come here any day 9 or 10"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("We are open from 9 to 1 on Saturday.", ["We are open", "from 9 to 1 on Saturday."]),
        ("You can park behind the house.", ["You can park", "behind the house."]),
        ("Doctor Lee and Doctor Patel work here.", ["Doctor Lee and Doctor Patel work here."]),
        ("That is 9 or 10 dollars.", ["That is 9 or 10 dollars."]),
        ("We are closed on Sunday. Come on Monday.", ["We are closed", "on Sunday.", "Come on Monday."]),
    ],
)
def test_of_a_slow_writer_the_first_piece_is_as_short_as_sounds_well(text: str, pieces: list[str]) -> None:
    clauses, cut = Clauses(), []
    for letter in text:
        clauses.hurried = True
        cut += clauses.push(letter)
    assert cut + clauses.flush() == pieces


def test_text_without_any_stop_does_not_pile_up() -> None:
    assert max(map(len, cut("word " * 500))) < 400


def test_it_can_be_used_for_another_text_after_the_flush() -> None:
    clauses = Clauses()
    clauses.push("This is a first sentence. And")
    assert clauses.flush() == ["And"]
    assert clauses.flush() == []
    assert clauses.push("Thanks for calling, h") == ["Thanks for calling,"]


WORDS = st.sampled_from(
    'a and the to Dr. e.g. No. 5 3.5 9:30 $1,200 23, 2026 p.m. U.S. hello Hello, well: so; yes! what? ... — - ( ) " '
    "** 1. I J. https://example.com/a.b jo@x.com 。 。好 because from word \n \n\n".split(" ")
)
TEXTS = st.lists(WORDS, max_size=60).map(" ".join) | st.text("ab .,!?\n\"'*。5", max_size=80) | st.text(max_size=60)


@given(TEXTS)
def test_nothing_is_lost_but_white_space(text: str) -> None:
    assert re.sub(r"\s", "", "".join(cut(text))) == re.sub(r"\s", "", text)


@given(TEXTS, st.integers(1, 5))
def test_it_makes_no_difference_how_the_text_arrives(text: str, by: int) -> None:
    assert cut(text, by=by) == cut(text)


@given(TEXTS)
def test_words_stay_whole(text: str) -> None:
    if "。" not in text:
        assert [word for piece in cut(text) for word in piece.split()] == text.split()


@given(TEXTS)
def test_no_piece_is_empty_or_has_white_space_at_its_ends(text: str) -> None:
    assert all(piece and piece == piece.strip() for piece in cut(text))
