"""Pronunciations: what a voice is given to say in place of the words that are shown."""

# ruff: noqa: RUF001
from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.spec import Pronunciation
from voice.text import Clauses, spoken
from voice.text.pronunciation import Lexicon, Phonemes

WORD = st.text(string.ascii_letters, min_size=1, max_size=6)
SEPARATOR = st.sampled_from([" ", ", ", ". ", "-", "'", '"', " (", ") "])


def lexicon(*entries: tuple[str, str], **options: Any) -> Lexicon:
    return Lexicon([Pronunciation(text=text, alias=alias, **options) for text, alias in entries])


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[str], str]:
    """Words, and a text of them."""
    words = draw(st.lists(WORD, min_size=1, max_size=8))
    return words, "".join(word + draw(SEPARATOR) for word in words)


@given(sentences(), WORD)
def test_only_whole_words_are_replaced(sentence: tuple[list[str], str], entry: str) -> None:
    words, text = sentence
    said = lexicon((entry, "0")).apply(text)
    assert re.findall("[A-Za-z0]+", said) == ["0" if word.lower() == entry.lower() else word for word in words]


@given(sentences(), WORD)
def test_a_case_sensitive_entry_takes_its_own_letters_only(sentence: tuple[list[str], str], entry: str) -> None:
    words, text = sentence
    said = lexicon((entry, "0"), case_sensitive=True).apply(text)
    assert re.findall("[A-Za-z0]+", said) == ["0" if word == entry else word for word in words]


@given(sentences())
def test_a_text_without_entries_stays_as_it_is(sentence: tuple[list[str], str]) -> None:
    _, text = sentence
    nothing = lexicon(("Nguyen7", "win"), ("Saint Malo", "san mallow"))
    assert nothing.apply(text) == text
    assert nothing.spoken(text, "en", "inline") == spoken(text, "en")
    assert Lexicon().spoken(text, "en", "inline") == spoken(text, "en")


@given(sentences(), st.integers(0, 7), st.integers(2, 3), st.data())
def test_no_clause_ends_within_an_entry(
    sentence: tuple[list[str], str], first: int, length: int, data: st.DataObject
) -> None:
    _, text = sentence
    chunks = text.split()
    entry = " ".join(chunks[first : first + length])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    known = lexicon((entry, "0")) if entry else Lexicon()
    clauses, pieces = Clauses(known.joins), []
    for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        pieces += clauses.push(text[begin:end])
    pieces += clauses.flush()
    assert " ".join(pieces).split() == chunks
    whole = Clauses(known.joins)
    assert pieces == [*whole.push(text), *whole.flush()]
    if entry:
        assert sum(piece.count(entry) for piece in pieces) == " ".join(chunks).count(entry)


@pytest.mark.parametrize(
    ("entries", "written", "said"),
    [
        ([("SQL", "sequel")], "SQL's faster than NoSQL.", "sequel's faster than NoSQL."),
        ([("new york", "New Yawk"), ("new york city", "the city")], "In New York City.", "In the city."),
        ([("saint", "sent"), ("Saint Malo", "san mallow")], "Saint Malo, saint.", "san mallow, sent."),
        ([("a", "b"), ("b", "c")], "a b", "b c"),
        ([("C++", "see plus plus")], "C++ or C++11?", "see plus plus or C++11?"),
        ([("a.b", r"\1")], "a.b, axb", r"\1, axb"),
    ],
)
def test_aliases(entries: list[tuple[str, str]], written: str, said: str) -> None:
    assert lexicon(*entries).apply(written) == said


def test_an_entry_with_the_very_letters_goes_before_one_of_any_case() -> None:
    both = Lexicon(
        [Pronunciation(text="us", alias="uss"), Pronunciation(text="US", alias="you ess", case_sensitive=True)]
    )
    assert both.apply("US, us, Us") == "you ess, uss, uss"


def test_parts_of_words_are_replaced_when_that_is_wanted() -> None:
    assert lexicon(("ware", "wear"), whole_word=False).apply("Software, ware") == "Softwear, wear"


def test_quotes_and_emphasis_do_not_hide_an_entry() -> None:
    assert lexicon(("O'Brien", "oh bryan")).spoken("Ask **O\u2019Brien**.", "en") == "Ask oh bryan."


def test_an_alias_is_put_in_words_like_all_text() -> None:
    assert lexicon(("the hotline", "555 0100")).spoken("Call the hotline.", "en") == spoken("Call 555 0100.", "en")


@pytest.mark.parametrize(
    ("phonemes", "said"),
    [
        ("", "Doctor win costs five dollars."),
        ("inline", "Doctor [win](/ŋwˈiən_dʒɪ/) costs five dollars."),
        ("ssml", 'Doctor <phoneme alphabet="ipa" ph="ŋwˈiən dʒɪ">win</phoneme> costs five dollars.'),
        ("cartesia", "Doctor <<ŋ|w|ˈ|i|ə|n>> <<dʒ|ɪ>> costs five dollars."),
        ("deepgram", 'Doctor \\{"word": "win", "pronounce": "ŋwˈiən dʒɪ"\\} costs five dollars.'),
    ],
)
def test_ipa_goes_to_the_voices_that_take_it(phonemes: Phonemes, said: str) -> None:
    known = Lexicon([Pronunciation(text="Nguyen", alias="win", ipa="ŋwˈiən dʒɪ")])
    assert known.spoken("Dr. Nguyen costs $5.", "en", phonemes) == said


def test_an_entry_with_ipa_alone_leaves_the_word_to_other_voices() -> None:
    known = Lexicon([Pronunciation(text="Nguyen", ipa="wɪn")])
    assert known.spoken("Nguyen?", "en") == "Nguyen?"
    assert known.spoken("Nguyen or nguyen?", "en", "inline") == "[Nguyen](/wɪn/) or [nguyen](/wɪn/)?"


def test_a_name_with_stops_and_small_words_stays_in_one_clause() -> None:
    text = "We met at Yahoo! Mail, and then the whole team of Marks and Spencer came to see us all for a while."
    known = lexicon(("Yahoo! Mail", "yah hoo male"), ("Marks and Spencer", "em and ess"))
    clauses = Clauses(known.joins)
    pieces = [piece for letter in text for piece in clauses.push(letter)] + clauses.flush()
    assert len(pieces) > 1
    assert any("Yahoo! Mail" in piece for piece in pieces)
    assert any("Marks and Spencer" in piece for piece in pieces)
