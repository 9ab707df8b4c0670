"""English as it is said: hands a text from one rule to the next. Each rule leaves alone what is in words already."""

from __future__ import annotations

import re

from voice.text import dates, figures, words

_DIGIT = re.compile(r"[\d\u00bc-\u00be\u2153\u2154\u215b]")
_SPEAKABLE = re.compile(r"[^\W_]")
_TIDY = (
    (re.compile(r"\(\s*\)"), " "),
    (re.compile(r"\s+"), " "),
    (re.compile(r"\s+([,;:!?)]|\.(?!\w))"), r"\1"),
    (re.compile(r"\(\s+"), "("),
    (re.compile(r"([,;:])(?:\s*[,;:])+"), r"\1"),
    (re.compile(r"[,;:]\s*([.!?])"), r"\1"),
    (re.compile(r"(\b[A-Z]\.[A-Z]\.)\.(?!\.)"), r"\1"),
    (re.compile(r"^(?:[\s,;:.!?]|-+(?=\s|$))+"), ""),
)


# One rule may uncover work for another, as a sign before an address. Ordinary text takes one pass and one to be sure.
_PASSES = 4


def english(text: str) -> str:
    """`text`, one line without markup, in words only."""
    for _ in range(_PASSES):
        before, text = text, _pass(text)
        if text == before:
            break
    return text


def _pass(text: str) -> str:
    text = words.addresses(text)
    if _DIGIT.search(text):
        text = figures.signs(text)
        text = figures.names(text)
        text = dates.say_dates(text)
        text = dates.say_times(text)
        text = figures.amounts(text)
        text = figures.codes(text)
        text = figures.numbers(text)
    text = words.say_words(text)
    for pattern, replacement in _TIDY:
        text = pattern.sub(replacement, text)
    text = text.strip()
    return text if _SPEAKABLE.search(text) else ""
