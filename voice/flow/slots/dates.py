"""Days as callers say them: "next tuesday", "the fourteenth", "december first", "in two weeks"."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from voice.flow.slots.numbers import SMALL, below_hundred, number

Period = Literal["any", "future", "past"]

_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_NUMBER_OF_MONTH = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    name[:3]: number for number, name in enumerate(_MONTHS, 1)
}
_NUMBER_OF_MONTH["sept"] = 9
_NUMBER_OF_DAY = {name: number for number, name in enumerate(_DAYS)} | {
    short: number
    for number, shorts in enumerate(("mon", "tue tues", "wed", "thu thur thurs", "fri", "sat", "sun"))
    for short in shorts.split()
}
_NAMED = {
    "new year's eve": (12, 31),
    "new year's day": (1, 1),
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "halloween": (10, 31),
    "valentine's day": (2, 14),
}
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_SLASHED = re.compile(r"(?<![\d/.])(\d{1,2})([/.-])(\d{1,2})(?:\2(\d{4}|\d\d))?(?![\d/])")
_WORD = re.compile(r"\d+(?:st|nd|rd|th)?|[a-z']+")
_SPAN = re.compile(r"\b(?:in )?((?:\w+ ){1,2})(days?|weeks?|months?)( from (?:now|today)| ago| from (\w+))?")
_MOST_AHEAD = 1_200
_UNIT_DAYS = {"day": 1, "days": 1, "week": 7, "weeks": 7}


def day(text: str, today: date, period: Period = "any") -> date | None:
    """The day that a text names; None without one, or with one that does not exist.

    `period` decides where a text leaves it open, as "the fourteenth" and "march first" do: the next such day, or with
    "past" the last one. "Next tuesday" is the one of next week.
    """
    lower = text.lower().replace("\u2019", "'")
    if found := _written(lower, today, period):
        return found
    for name, (month, of_month) in _NAMED.items():
        if name in lower:
            return _in_year(month, of_month, None, today, period)
    words = _WORD.findall(lower.replace("-", " "))
    for place in range(len(words)):
        if named := _month_at(words, place):
            return _with_month(words, place, named, today, period)
    return (
        _relative(lower, words, today)
        or _weekday(words, today, period)
        or _all_numbers(words, today, period)
        or _of_month(words, today, period)
    )


def _written(text: str, today: date, period: Period) -> date | None:
    if match := _ISO.search(text):
        return _valid(int(match[1]), int(match[2]), int(match[3]))
    if match := _SLASHED.search(text):
        first, second = int(match[1]), int(match[3])
        # Month first, as Americans write, unless it cannot be one or a dot says otherwise.
        month, of_month = (second, first) if first > 12 or match[2] == "." else (first, second)
        return _in_year(month, of_month, match[4], today, period)
    return None


def _month_at(words: list[str], place: int) -> int | None:
    """The month that is named there. "May" is none in "may I come"."""
    word = words[place]
    return _NUMBER_OF_MONTH.get(word) if word not in ("may", "mar") or _has_day(words, place) else None


def _with_month(words: list[str], place: int, month: int, today: date, period: Period) -> date | None:
    """ "December first", "the first of december", each with or without a year."""
    after = words[place + 1 :]
    if of_month := _before_month(words[:place]):
        return _in_year(month, of_month, _year(after, period), today, period)
    if after[:1] == ["the"]:
        after = after[1:]
    found = below_hundred(after)
    if found and 1 <= found[0] <= 31:
        return _in_year(month, found[0], _year(after[found[1] :], period), today, period)
    return None


def _before_month(words: list[str]) -> int | None:
    """The day in "the twenty first of" and in "fourth"; a plain number may belong to something else."""
    of = words[-1:] == ["of"]
    words = words[:-1] if of else words
    for length in (2, 1):
        spoken = below_hundred(words[-length:]) if len(words) >= length else None
        if spoken and spoken[1] == length and 1 <= spoken[0] <= 31 and (of or words[-1] not in SMALL):
            return spoken[0]
    return None


def _has_day(words: list[str], place: int) -> bool:
    near = words[max(0, place - 3) : place + 3]
    return any(below_hundred([word]) for word in near if word != words[place])


def _year(words: list[str], period: Period) -> str | None:
    """The year that words begin with: "2026", "twenty twenty six", "nineteen oh five", "two thousand five", "85"."""
    words = [word for word in words if word != "and"]
    if not words:
        return None
    if words[0] in ("of", "in"):
        words = words[1:]
    if words and re.fullmatch(r"\d{4}|\d\d", words[0]):
        return words[0]
    if words[:2] == ["two", "thousand"]:
        ones = below_hundred(words[2:])
        return str(2000 + (ones[0] if ones else 0))
    century = below_hundred(words)
    if century is None or words[0].isdigit():
        return None
    rest = words[century[1] :]
    if century[0] in (19, 20) and rest:
        if rest[0] in ("oh", "o") and len(rest) > 1 and rest[1] in SMALL:
            return f"{century[0]}0{SMALL[rest[1]]}"
        if rest[0] == "hundred":
            return f"{century[0]}00"
        if years := below_hundred(rest):
            return f"{century[0]}{years[0]:02}"
    return f"{century[0]:02}" if period == "past" and century[0] > 12 else None


def _relative(text: str, words: list[str], today: date) -> date | None:
    if "day after tomorrow" in text:
        return today + timedelta(days=2)
    if "day before yesterday" in text:
        return today - timedelta(days=2)
    if (match := _SPAN.search(text)) and ("in " in match[0] or match[3]):
        count = 1 if match[1].split()[-1] in ("a", "one") else number(match[1])
        start = day(match[4], today, "future") if match[4] and match[4] not in ("now", "today") else today
        if isinstance(count, int) and start and count < _MOST_AHEAD:
            return _later(start, -count if match[3] == " ago" else count, match[2])
    for word, days in (("today", 0), ("tonight", 0), ("tomorrow", 1), ("yesterday", -1)):
        if word in words:
            return today + timedelta(days=days)
    return None


def _later(start: date, count: int, unit: str) -> date:
    if unit in _UNIT_DAYS:
        return start + timedelta(days=count * _UNIT_DAYS[unit])
    months = start.year * 12 + start.month - 1 + count
    year, month = divmod(months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _weekday(words: list[str], today: date, period: Period) -> date | None:
    for place, word in enumerate(words):
        named = word.removesuffix("s") if word not in _NUMBER_OF_DAY else word
        if named not in _NUMBER_OF_DAY or (word in ("sun", "sat", "wed", "mon") and len(words) > 3):
            continue
        wanted = _NUMBER_OF_DAY[named]
        before = words[place - 1] if place else ""
        monday = today - timedelta(days=today.weekday())
        if before == "next" or words[place + 1 : place + 3] == ["next", "week"] or words[:2] == ["next", "week"]:
            return monday + timedelta(days=7 + wanted)
        if before == "last" or (period == "past" and before != "this"):
            return today - timedelta(days=(today.weekday() - wanted - 1) % 7 + 1)
        ahead = (wanted - today.weekday()) % 7
        return today + timedelta(days=ahead if before == "this" or ahead else 7)
    return None


def _all_numbers(words: list[str], today: date, period: Period) -> date | None:
    """A birthday in three numbers: "oh three twelve nineteen eighty five"."""
    if period != "past":
        return None
    rest = [
        word
        for word in words
        if below_hundred([word]) or word in ("hundred", "thousand") or re.fullmatch(r"\d{4}", word)
    ]
    parts = []
    for _ in range(2):
        if rest[:1] in (["oh"], ["zero"], ["o"]) and len(rest) > 1:
            rest = rest[1:]
        found = below_hundred(rest)
        if found is None:
            return None
        parts.append(found[0])
        rest = rest[found[1] :]
    year = _year(rest, period)
    return _in_year(parts[0], parts[1], year, today, period) if year else None


def _of_month(words: list[str], today: date, period: Period) -> date | None:
    """ "The fourteenth": of this month or of the one beside it."""
    for place in range(len(words)):
        found = below_hundred(words[place:])
        if found is None:
            continue
        last = words[place + found[1] - 1]
        is_ordinal = last not in SMALL and not last.isdigit()
        if not is_ordinal and not (place and words[place - 1] == "the"):
            continue
        return next(_such_days(found[0], today, -1 if period == "past" else 1), None)
    return None


def _such_days(of_month: int, today: date, step: int) -> Iterator[date]:
    """The days with this number, from today on."""
    year, month = today.year, today.month
    for _ in range(4):
        found = _valid(year, month, of_month)
        if found and (found >= today if step > 0 else found <= today):
            yield found
        year, month = (year + (month + step - 1) // 12, (month + step - 1) % 12 + 1)


def _in_year(month: int, of_month: int, year: str | None, today: date, period: Period) -> date | None:
    """A day with its year; without one, the next such day, or the last. A leap day is looked for."""
    if year is not None:
        full = int(year)
        if len(year) <= 2:
            full += 2000 if period != "past" or 2000 + full <= today.year else 1900
        return _valid(full, month, of_month)
    step = -1 if period == "past" else 1
    for offset in range(9):
        found = _valid(today.year + step * offset, month, of_month)
        if found and (found <= today if step < 0 else found >= today):
            return found
    return None


def _valid(year: int, month: int, of_month: int) -> date | None:
    try:
        return date(year, month, of_month)
    except ValueError:
        return None
