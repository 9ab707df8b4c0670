"""Times of day as callers say them: "two fifteen pm", "half past seven", "noon"."""

from __future__ import annotations

import re
from datetime import time

from voice.flow.slots.numbers import SMALL, below_hundred

_WRITTEN = re.compile(r"\b(\d{1,2})(?:[:.](\d\d))?\s*(?:o'?clock\s*)?(a\.?\s?m\b|p\.?\s?m\b)?")
_HALVES = (
    (r"\b(p\.?\s?m\b|afternoon|evening|tonight|at night)", 12),
    (r"\b(a\.?\s?m\b|morning)", 0),
)
_WORD = re.compile(r"\d+|[a-z']+")
_BETWEEN = {"half": 30, "quarter": 15}


def clock(text: str, earliest: str = "", latest: str = "") -> time | None:
    """The time of day that a text says. Where it leaves the half of the day open, the one between `earliest` and
    `latest` ("HH:MM") is meant; without those, one to six are in the afternoon."""
    lower = text.lower().replace("\u2019", "'")
    if "noon" in lower.replace("afternoon", ""):
        return time(12)
    if "midnight" in lower:
        return time(0)
    found = _written(lower) or _spoken(lower)
    if found is None:
        return None
    hour, minute = found
    if not (0 <= hour <= 23 and 0 <= minute <= 59):
        return None
    half = next((hours for pattern, hours in _HALVES if re.search(pattern, lower)), None)
    if hour > 12 or (half is None and hour == 0):
        return time(hour, minute)
    return _in_half(hour % 12, minute, half, earliest, latest)


def _in_half(hour: int, minute: int, half: int | None, earliest: str, latest: str) -> time:
    if half is not None:
        return time(hour + half, minute)
    either = (time(hour, minute), time(hour + 12, minute))
    if earliest or latest:
        within = [one for one in either if (earliest or "00:00") <= f"{one:%H:%M}" <= (latest or "23:59")]
        if len(within) == 1:
            return within[0]
    return either[1] if hour in (0, 1, 2, 3, 4, 5, 6) else either[0]


def _written(text: str) -> tuple[int, int] | None:
    """A time in numerals: 14:30, 2.15 pm, 7 o'clock; a bare number only where nothing else can be meant."""
    best: tuple[int, int] | None = None
    for match in _WRITTEN.finditer(text):
        if match[2] or match[3] or "clock" in match[0]:
            return int(match[1]), int(match[2] or 0)
        after = text[match.end() :]
        if best is None and not re.match(r"\s*(st|nd|rd|th|/|people|guests|persons|\d|past|to |minutes|[:.]\d)", after):
            best = int(match[1]), 0
    return best if best and not re.search(r"\b(past|to|till|before|after) \d|\bhalf\b|\bquarter\b", text) else None


def _spoken(text: str) -> tuple[int, int] | None:
    words = _WORD.findall(text.replace("-", " "))
    for place, word in enumerate(words):
        if word in ("past", "after", "to", "till", "before", "of") and (found := _around(words, place)):
            return found
    for place in range(len(words)):
        hour = below_hundred(words[place : place + 1])
        is_number = words[place] in SMALL or words[place].isdigit()
        if hour is None or not is_number or not 0 <= hour[0] <= 23 or words[place] in ("oh", "o"):
            continue
        if place + 1 < len(words) and (whole := below_hundred(words[place : place + 2])) and whole[1] == 2:
            continue
        return hour[0], _minutes(words[place + 1 :])
    return None


def _around(words: list[str], place: int) -> tuple[int, int] | None:
    """ "Half past seven", "ten to eight", "a quarter after nine"."""
    hour = below_hundred(words[place + 1 :])
    if hour is None or not place or not 1 <= hour[0] <= 12:
        return None
    before = [word for word in words[:place] if word != "minutes"]
    minutes = _BETWEEN.get(before[-1]) if before else None
    for length in (2, 1):
        spoken = below_hundred(before[-length:]) if minutes is None and len(before) >= length else None
        if spoken and spoken[1] == length:
            minutes = spoken[0]
    if minutes is None:
        return None
    if words[place] in ("past", "after"):
        return hour[0] % 24, minutes
    return (hour[0] - 1) % 12 or 12, 60 - minutes


def _minutes(words: list[str]) -> int:
    """The minutes that words begin with: "fifteen", "oh five", "forty five"."""
    if words[:1] in (["oh"], ["o"]) and len(words) > 1 and words[1] in SMALL:
        return SMALL[words[1]]
    found = below_hundred(words)
    return found[0] if found and (found[0] >= 10 or words[0] == "zero") and found[0] < 60 else 0
