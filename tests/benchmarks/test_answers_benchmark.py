"""What counts as an answer of the local model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from benchmarks.answers import PRACTICES, score

if TYPE_CHECKING:
    from voice.providers.local.models.qwen import Qwen

FACTS = (
    "Not ten, ninety, eight or two: closed. 9, 120, yes, behind, 12 Main Street, 350, Lee and Patel, "
    "150, Delta and Cigna, Harbor Street."
)


class Parrot:
    """A model that says the same to everything."""

    def __init__(self, words: str) -> None:
        self._words = words

    def chat(self, messages: Any, *, on_text: Any, **_: Any) -> None:
        on_text(self._words)


@pytest.mark.parametrize(
    ("words", "right", "turned_down"),
    [
        (FACTS, 1.0, 0.0),
        ("I'm sorry, but I can't assist with that.", 0.0, 1.0),
        (f"{FACTS} I'm sorry, but I can't assist with that.", 0.0, 1.0),
        ("Thank you.", 0.0, 0.0),
    ],
)
def test_an_answer_is_right_when_the_fact_is_in_it_and_it_is_not_turned_down(
    words: str, right: float, turned_down: float
) -> None:
    found = score(cast("Qwen", Parrot(words)), [], rounds=2, show=False)
    assert found.asked == 2 * sum(len(practice.asked) for practice in PRACTICES)
    assert (found.right / found.asked, found.turned_down / found.asked) == (right, turned_down)
