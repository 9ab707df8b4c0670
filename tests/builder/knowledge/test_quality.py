"""How well questions find their answers: by words, by meaning, and by both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from builder.knowledge import bm25
from builder.knowledge.embedding import Floats
from builder.knowledge.search import fuse
from tests.builder.knowledge.corpus import PASSAGES, QUESTIONS, SMALL_TALK
from voice.providers.local import LocalModels

NAMES = list(PASSAGES)
TEXTS = [f"Mill Practice\n{text}" for text in PASSAGES.values()]
WORDS = bm25.Bm25(TEXTS)

Score = Callable[[str], Floats]


def none(question: str) -> Floats:
    return np.zeros(len(TEXTS), np.float32)


def words(question: str) -> Floats:
    return bm25.shares(question, [WORDS])


def quality(by_words: Score, by_meaning: Score) -> tuple[float, float]:
    """Of all questions: the share whose answer is among the first three, and the mean of the reciprocal ranks."""
    ranks = []
    for question, answer in QUESTIONS:
        found = [NAMES[place.place] for place in fuse(by_words(question), by_meaning(question), most=len(TEXTS))]
        ranks.append(found.index(answer) + 1 if answer in found else len(TEXTS))
    return sum(rank <= 3 for rank in ranks) / len(ranks), sum(1 / rank for rank in ranks) / len(ranks)


@pytest.fixture(scope="module")
def meaning(models_socket: Path, models_dir: Path) -> Score:
    """The similarities by the real MiniLM."""

    async def embed(texts: list[str]) -> Floats:
        models = LocalModels(models_socket, models_dir)
        await models.start()
        try:
            return await models.embedder.embed(texts)
        finally:
            await models.close()

    rows = asyncio.run(embed(TEXTS))
    asked = [question for question, _ in QUESTIONS] + SMALL_TALK
    vectors = dict(zip(asked, asyncio.run(embed(asked)), strict=True))
    return lambda question: np.asarray(rows @ vectors[question], np.float32)


def test_the_labels_are_of_passages_that_there_are() -> None:
    assert len(QUESTIONS) >= 20
    assert {answer for _, answer in QUESTIONS} <= set(NAMES)


@pytest.mark.parametrize("question", ["the box says E17", "0117 496 0333, what is that number for?", "Is Paula in?"])
def test_words_alone_find_names_and_numbers(question: str) -> None:
    answer = {"E17": "code-e17", "0333": "emergency", "Paula": "hygiene"}
    first = fuse(words(question), none(question), most=1)[0]
    assert NAMES[first.place] == next(name for word, name in answer.items() if word in question)


@pytest.mark.models
def test_both_together_find_at_least_what_each_finds(meaning: Score) -> None:
    together, by_words, by_meaning = quality(words, meaning), quality(words, none), quality(none, meaning)
    assert together >= max(by_words, by_meaning)
    assert together[1] >= max(by_words[1], by_meaning[1])
    assert together[0] > 0.9


@pytest.mark.models
@pytest.mark.parametrize("said", SMALL_TALK)
def test_what_is_no_question_finds_nothing(meaning: Score, said: str) -> None:
    assert fuse(words(said), meaning(said), most=3) == []
