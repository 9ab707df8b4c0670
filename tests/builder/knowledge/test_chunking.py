"""Passages: as long as they should be, where they should end, and under what they stand."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from builder.knowledge.chunking import OVERLAP, WORDS, Piece, pieces
from builder.knowledge.parsing import Block


def words(count: int, name: str = "w") -> str:
    return " ".join(f"{name}{number}" for number in range(count))


def test_short_paragraphs_are_put_together_under_their_heading() -> None:
    blocks = [Block("One.", ("A",), 1), Block("Two.", ("A",), 2), Block("Three.", ("A", "B"), 2)]
    assert pieces(blocks) == [Piece("One.\nTwo.", "A", 1), Piece("Three.", "A > B", 2)]


def test_a_paragraph_that_does_not_fit_begins_a_passage() -> None:
    assert [piece.text for piece in pieces([Block(words(80, "a")), Block(words(80, "b"))])] == [
        words(80, "a"),
        words(80, "b"),
    ]


def test_a_long_paragraph_is_parted_at_sentences_and_the_parts_overlap() -> None:
    sentences = [f"{words(14, name)}." for name in "abcdefghijklmnop"]
    made = pieces([Block(" ".join(sentences))])
    assert len(made) > 1
    for piece, following in pairwise(made):
        assert piece.text.endswith(".")
        last = piece.text.rpartition(". ")[2]
        assert following.text.startswith(last)


def test_a_sentence_without_an_end_is_parted_at_words() -> None:
    made = pieces([Block(words(500))])
    assert all(len(piece.text.split()) <= WORDS for piece in made)
    assert {word for piece in made for word in piece.text.split()} == set(words(500).split())


def test_a_few_words_more_make_no_second_passage() -> None:
    assert len(pieces([Block(words(WORDS + OVERLAP))])) == 1


def test_nothing_makes_nothing() -> None:
    assert pieces([]) == []


@given(st.lists(st.text(alphabet="ab .\n", min_size=1, max_size=2000), max_size=8))
def test_no_word_is_lost_and_no_passage_is_long(texts: list[str]) -> None:
    made = pieces([Block(text) for text in texts])
    assert {word for text in texts for word in text.split()} == {word for piece in made for word in piece.text.split()}
    assert all(len(piece.text.split()) <= WORDS + OVERLAP for piece in made)
