"""English as it is said: hands a text from one rule to the next. Each rule leaves alone what is in words already."""

from __future__ import annotations

import re

from voice.text import dates, figures, words

_DIGIT = re.compile(r"\d")
_SPEAKABLE = re.compile(r"[^\W_]")
_TIDY = (
    (re.compile(r"\s+"), " "),
    (re.compile(r"\s+([,;:!?)]|\.(?!\w))"), r"\1"),
    (re.compile(r"\(\s+"), "("),
    (re.compile(r"\(\)"), ""),
    (re.compile(r"([,;:])(?:\s*[,;:])+"), r"\1"),
    (re.compile(r"[,;:]\s*([.!?])"), r"\1"),
    (re.compile(r"(\b[A-Z]\.[A-Z]\.)\.(?!\.)"), r"\1"),
    (re.compile(r"^[\s,;:.!?]+"), ""),
)


def english(text: str) -> str:
    """`text`, one line without markup, in words only."""
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
