"""BM25: how well the words of a passage fit those of a question.

An implementation of our own, for it must rank alike on SQLite and on Postgres, whose full-text searches do not.
S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009).
"""

from __future__ import annotations

import math
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

K1 = 1.2
B = 0.6
"""How much a long passage is held back: all are of about one length, so less than usual."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001
_STOP_WORDS = frozenset(
    "a about after again all also am an and any are as at be because been before being but by can could did do does "
    "doing don't down each few for from further had has have having he hello her here hers hi him his how i i'd i'll "
    "i'm i've if in into is it it's its just let's like me more most my myself no nor not now of off ok okay on once "
    "only or other our ours out over own please same she should so some such tell than thank thanks that that's the "
    "their theirs them then there these they this those through to too uh um under until up us very want was we well "
    "were what what's when where where's which while who why will with would yeah yes you you're your yours".split()
)


def terms(text: str) -> list[str]:
    """The words of `text` that count, without case, accents and the usual endings."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return [stem(word) for word in _WORD.findall(_without_accents(folded)) if word not in _STOP_WORDS]


def _without_accents(text: str) -> str:
    return text if text.isascii() else "".join(c for c in text if not unicodedata.combining(c))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """An English word without the endings of number and time, so that "bookings" meets "booked"."""
    word = re.sub(r"['’]s?$", "", word)  # noqa: RUF001
    if not word.isalpha() or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) > 2 and re.search("[aeiouy]", root):
            # "stopping" is of "stop", and "filling" of "fill".
            return root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root.removesuffix("e")
    return word.removesuffix("e") if len(word) > 4 else word


class Bm25:
    """The words of some passages, by the passages' places 0, 1, 2…"""

    def __init__(self, texts: Iterable[str]) -> None:
        self._postings: dict[str, tuple[array[int], array[float]]] = {}
        lengths = []
        for place, text in enumerate(texts):
            counts = Counter(terms(text))
            lengths.append(counts.total())
            for term, count in counts.items():
                places, frequencies = self._postings.setdefault(term, (array("i"), array("f")))
                places.append(place)
                frequencies.append(count)
        self.lengths: Floats = np.array(lengths, np.float32)

    def passages_with(self, term: str) -> int:
        return len(self._postings[term][0]) if term in self._postings else 0

    def scores(self, weights: dict[str, float], average: float) -> Floats:
        """One score for each passage, for a question's terms and their weights; passages have `average` many terms."""
        scores = np.zeros(len(self.lengths), np.float32)
        for term, weight in weights.items():
            if term not in self._postings:
                continue
            places = np.frombuffer(self._postings[term][0], np.intc)
            found = np.frombuffer(self._postings[term][1], np.float32)
            held_back = K1 * (1 - B + B * self.lengths[places] / average)
            scores[places] += weight * found * (K1 + 1) / (found + held_back)
        return scores


def shares(question: str, indexes: Sequence[Bm25]) -> Floats:
    """How much of a question the words of each passage account for: 0 is nothing, 1 about all of it.

    The passages of `indexes` come one after the other, and are weighed as if they were in one index.
    """
    lengths = [index.lengths for index in indexes]
    passages = sum(map(len, lengths))
    average = max(float(sum(part.sum() for part in lengths)) / max(passages, 1), 1.0)
    weights = {}
    for term in set(terms(question)):
        holding = sum(index.passages_with(term) for index in indexes)
        weights[term] = math.log(1 + (passages - holding + 0.5) / (holding + 0.5))
    scores = [index.scores(weights, average) for index in indexes]
    return np.concatenate(scores or [np.zeros(0, np.float32)]) / max(sum(weights.values()), 1e-9)
