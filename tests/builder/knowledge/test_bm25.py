"""Finding by words."""

from __future__ import annotations

import numpy as np
import pytest

from builder.knowledge.bm25 import Bm25, shares, stem, terms


@pytest.mark.parametrize(
    "words",
    [
        "booking bookings booked book",
        "stop stops stopped stopping",
        "city cities",
        "dish dishes",
        "fill filled filling",
        "price prices priced pricing",
        "dentist's dentist dentists",
        "glass",
        "bus",
    ],
)
def test_the_forms_of_a_word_are_one_term(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == 1


@pytest.mark.parametrize("words", ["sing song", "red reed", "ring rang", "bus bush", "e17 e23", "0117 0118"])
def test_other_words_are_other_terms(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == 2


def test_case_accents_and_fillers_do_not_count() -> None:
    assert terms("Is the CAFÉ open?") == terms("uh, the cafe… open")


def test_rare_words_count_more_and_passages_without_any_score_nothing() -> None:
    index = Bm25(["a room with a view", "a room with a bath", "breakfast"])
    room, bath = shares("room bath", [index])[:2]
    assert bath > room > 0
    assert shares("breakfast", [index])[0] == 0


def test_a_passage_that_says_all_of_a_question_accounts_for_about_all_of_it() -> None:
    index = Bm25(["late checkout costs twenty", "dogs", "parking"])
    assert 0.7 < float(shares("late checkout", [index])[0]) < 1.3
    assert float(shares("late breakfast", [index])[0]) < 0.5


def test_folders_are_weighed_as_if_they_were_one() -> None:
    texts = ["dogs cost ten pounds", "dogs are welcome", "a room costs ninety pounds", "breakfast at seven", "the bar"]
    together = shares("what do dogs cost", [Bm25(texts)])
    apart = shares("what do dogs cost", [Bm25(texts[:2]), Bm25(texts[2:])])
    assert np.allclose(together, apart)


def test_nothing_is_found_in_nothing() -> None:
    assert shares("dogs", []).shape == (0,)
    assert shares("dogs", [Bm25([])]).shape == (0,)
    assert shares("the and of", [Bm25(["dogs"])]).tolist() == [0.0]
