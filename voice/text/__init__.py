"""Text for voices: what a model writes, made into what a voice can say, and cut into pieces that it can say early."""

from __future__ import annotations

from voice.text.clauses import Clauses
from voice.text.english import english
from voice.text.markup import plain

__all__ = ["Clauses", "spoken"]


def spoken(text: str, language: str) -> str:
    """`text` as it is said aloud: one line, with nothing in it that a voice would misread or skip.

    In English "9:30", "$53.40", "Dr." and "AB12-C3" become words. Other languages only lose their markup. What is
    already in spoken form stays as it is, and no digit is lost but those of a link's target or query.
    """
    text = plain(text)
    return english(text) if language[:2].lower() == "en" else text
