"""Dates and times of day in English words: "2026-11-23" is "November twenty-third, twenty twenty-six"."""

from __future__ import annotations

import re

from voice.text.numbers import cardinal, decade, ordinal, year

_MONTHS = "January February March April May June July August September October November December".split()
_NUMBER_OF = {name[:3]: number for number, name in enumerate(_MONTHS, 1)}
_MONTH = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_SOME_MONTH = re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)")
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_DAY_OF = {day[:3]: day for day in _DAYS}
_SUFFIX = r"(?:st|nd|rd|th)?"
_ISO = re.compile(r"(?<![\w-])(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})(?:T|\b(?![-/]))(?:(?<=T)(?=\d))?")
_SLASHED = re.compile(r"(?<![\w/.-])(?P<a>\d{1,2})(?P<sep>[/.-])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d\d)(?![\w/-]|\.\d)")
_SHORT = re.compile(
    r"\b(?P<before>on|by|until|till|from|since|before|after|dated?|of) (?P<a>\d{1,2})/(?P<b>\d{1,2})(?![\w/]|\.\d)",
    re.I,
)
_MONTH_DAY = re.compile(
    rf"\b{_MONTH}\s+(?P<d>\d{{1,2}}){_SUFFIX}\b(?!:\d|\.\d|,\d\d\d|%)(?:\s*[-\u2013]\s*(?P<to>\d{{1,2}}){_SUFFIX}\b)?(?:(?:,\s*|\s+)(?P<y>\d{{4}})\b)?"
)
_DAY_MONTH = re.compile(
    rf"(?<![\w.,:/$-])(?:the\s+)?(?P<d>\d{{1,2}}){_SUFFIX}(?:\s*[-\u2013]\s*(?P<to>\d{{1,2}}){_SUFFIX})?(?P<of>\s+of)?\s+{_MONTH}(?:(?:,\s*|\s+)(?P<y>\d{{4}})\b)?"
)
_MONTH_YEAR = re.compile(rf"\b{_MONTH},?\s+(?P<y>\d{{4}})\b")
_DAY_NAME = r"(Mon|Tue|Tues|Wed|Thu|Thur|Thurs|Fri|Sat|Sun)"
_DAY_RANGE = re.compile(rf"\b{_DAY_NAME}\.?\s*[-\u2013]\s*{_DAY_NAME}\b\.?")
_DAY_ABBREVIATED = re.compile(rf"\b(?:{_DAY_NAME}\b\.?(?=,?\s*\d)|(Mon|Tues?|Thu|Thurs?|Fri)\b\.?)")
_DECADE = re.compile(r"(?<![\w.,])'?(?P<long>\d{3}0)'?s\b|(?:(?<=the )|')(?P<short>\d0)'?s\b")
_SHORT_YEAR = re.compile(r"(?<!\w)'(\d\d)\b(?!')")

_MERIDIEM = r"(?:[ap]\.m\.|[ap]m\b\.?(?=$|\s+[A-Z])|[ap]\.?m\b)"
_CLOCK = rf"\d{{1,2}}(?::\d\d(?::\d\d)?|\.\d\d(?=\s?{_MERIDIEM}))?(?:\s?{_MERIDIEM})?"
_TIME_RANGE = re.compile(rf"(?<![\w:.,/$-])({_CLOCK})\s*[-\u2013\u2014]\s*({_CLOCK})(?![\w:%])", re.I)
_TIME = re.compile(
    rf"(?<![\w:,/$-])(?<!\d\.)(\d{{1,2}}(?::\d\d(?::\d\d)?(?:\s?{_MERIDIEM})?|(?:\.\d\d)?\s?{_MERIDIEM}))(?![\w:])Z?",
    re.I,
)
_CLOCK_PARTS = re.compile(r"(\d+)(?:[:.](\d\d))?(?::(\d\d))?\s?([ap])?", re.I)


def say_dates(text: str) -> str:
    text = _ISO.sub(_iso, text)
    if "/" in text or "." in text or "-" in text:
        text = _SLASHED.sub(_slashed, text)
        text = _SHORT.sub(_short, text) if "/" in text else text
    if _SOME_MONTH.search(text) is not None:
        text = _DAY_MONTH.sub(_month_day, _MONTH_DAY.sub(_month_day, text))
        text = _MONTH_YEAR.sub(_month_year, text)
    text = _DAY_ABBREVIATED.sub(_day_name, _DAY_RANGE.sub(_day_range, text))
    if "0" in text and "s" in text:
        text = _DECADE.sub(_decade, text)
    if "'" not in text:
        return text
    return _SHORT_YEAR.sub(
        lambda match: cardinal(int(match[1])) if match[1][0] != "0" else f"oh {cardinal(int(match[1]))}", text
    )


def say_times(text: str) -> str:
    if ":" not in text and "m" not in text and "M" not in text:
        return text
    return _TIME.sub(lambda match: _time(match[1]), _TIME_RANGE.sub(_time_range, text))


def _date(month: int, day: int, in_year: str | None, *, to: str | None = None, ordinary: str) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31 and (to is None or day < int(to) <= 31)):
        return ordinary
    until = f" to {ordinal(int(to))}" if to else ""
    return f"{_MONTHS[month - 1]} {ordinal(day)}{until}" + (f", {year(int(in_year))}" if in_year else "")


def _iso(match: re.Match[str]) -> str:
    said = _date(int(match["m"]), int(match["d"]), match["y"], ordinary=match[0])
    return f"{said}, " if match[0].endswith("T") and said != match[0] else said


def _slashed(match: re.Match[str]) -> str:
    """Month first, as Americans write, unless it cannot be a month or dots say otherwise."""
    first, second = int(match["a"]), int(match["b"])
    month, day = (second, first) if first > 12 or match["sep"] == "." else (first, second)
    in_year = match["y"] if len(match["y"]) == 4 else f"20{match['y']}"
    if match["sep"] == "." and len(match["y"]) == 2:
        return match[0]
    return _date(month, day, in_year, ordinary=match[0])


def _short(match: re.Match[str]) -> str:
    return f"{match['before']} {_date(int(match['a']), int(match['b']), None, ordinary=match[0].split(' ')[1])}"


def _month_day(match: re.Match[str]) -> str:
    return _date(_NUMBER_OF[match["month"][:3]], int(match["d"]), match["y"], to=match["to"], ordinary=match[0])


def _month_year(match: re.Match[str]) -> str:
    return f"{_MONTHS[_NUMBER_OF[match['month'][:3]] - 1]} {year(int(match['y']))}"


def _day_range(match: re.Match[str]) -> str:
    return f"{_DAY_OF[match[1][:3]]} to {_DAY_OF[match[2][:3]]}"


def _day_name(match: re.Match[str]) -> str:
    return _DAY_OF[match[0][:3]]


def _decade(match: re.Match[str]) -> str:
    return decade(int(match["long"] or match["short"]))


def _time_range(match: re.Match[str]) -> str:
    if match[1].isdigit() and match[2].isdigit():
        return match[0]  # "9-5" may be anything
    first, last = match[1], match[2]
    return f"{_time(first) if not first.isdigit() else cardinal(int(first))} to {_time(last)}"


def _time(text: str) -> str:
    """A time of day: "9:05" is "nine oh five", "17:30" is "five thirty P.M.", "10:90" is no time."""
    parts = _CLOCK_PARTS.match(text)
    if parts is None:
        return text
    hour, minute, second = int(parts[1]), int(parts[2] or 0), int(parts[3] or 0)
    if hour > 24 or minute > 59 or second > 59:
        return " to ".join(cardinal(int(part)) for part in parts.groups()[:3] if part)
    half = f"{parts[4].upper()}.M." if parts[4] else ""
    if hour in (0, 24):
        hour, half = 12, half or "A.M."
    elif hour > 12:
        hour, half = hour - 12, "P.M."
    elif not half and len(parts[1]) == 2 and parts[1][0] == "0" and parts[2]:
        half = "A.M."
    said = cardinal(hour)
    if minute:
        said += f" {'oh ' if minute < 10 else ''}{cardinal(minute)}"
    elif not half and not second:
        said += " o'clock"
    if second:
        said += f" and {cardinal(second)} second{'s' if second > 1 else ''}"
    return f"{said} {half}".strip()
