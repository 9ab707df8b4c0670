"""Numbers and digits as callers say them: "twenty one", "two and a half", "double five five, oh one"."""

from __future__ import annotations

import re

_UNITS = {
    word: value
    for value, words in enumerate(
        "zero/oh/o/nought one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
    for word in words.split("/")
}
_TENS = {
    word: 10 * value for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_TENS["fourty"] = 40
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ROUGH = {"couple": 2, "dozen": 12, "pair": 2, "single": 1, "nobody": 0, "none": 0}
TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
# What recognition writes for a digit that stands among others.
_SOUNDS_LIKE = {"for": "4", "fore": "4", "to": "2", "too": "2", "won": "1", "ate": "8", "oh": "0", "o": "0"}
_FRACTIONS = {"half": 0.5, "quarter": 0.25}
_TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|[a-z']+|[+*#]")
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
    "twentieth": 20,
    "thirtieth": 30,
}

SMALL = {**_UNITS, **_TENS}
"""The words of which numbers below a hundred are made."""


def tokens(text: str) -> list[str]:
    """The words and numerals of a text, in lower case; "twenty-one" is two."""
    return _TOKEN.findall(text.lower().replace("-", " ").replace("\u2019", "'"))


def ordinal(word: str) -> int | None:
    """1 for "first" and for "1st", 20 for "twentieth"."""
    if match := re.fullmatch(r"(\d{1,3})(?:st|nd|rd|th)?", word):
        return int(match[1])
    if word in _ORDINALS:
        return _ORDINALS[word]
    return _UNITS.get(word.removesuffix("th")) if word.endswith("th") else None


def below_hundred(words: list[str]) -> tuple[int, int] | None:
    """The number below a hundred, or the ordinal, that `words` begin with, and of how many words it is made."""
    if not words:
        return None
    first = words[0]
    if first.isdigit() and len(first) <= 2:
        return int(first), 1
    if first in _TENS:
        ones = (_UNITS.get(words[1]) or ordinal(words[1])) if len(words) > 1 and not words[1].isdigit() else None
        return (_TENS[first] + ones, 2) if ones and ones < 10 else (_TENS[first], 1)
    if first in _UNITS:
        return _UNITS[first], 1
    found = ordinal(first)
    return (found, 1) if found is not None and found < 100 else None


# --- one number


def number(text: str) -> float | int | None:
    """The one number that a text says; None without any, or with several."""
    found = numbers(text)
    return found[0] if len(set(found)) == 1 else None


def numbers(text: str) -> list[float | int]:
    """All the numbers that a text says."""
    words = tokens(text)
    found: list[float | int] = []
    place = 0
    while place < len(words):
        value, length = _number_at(words, place)
        if value is None:
            place += 1
            continue
        before = words[place - 1] if place else ""
        found.append(-value if before in ("minus", "negative") else value)
        place += length
    return found


def _number_at(words: list[str], place: int) -> tuple[float | int | None, int]:
    """The number that begins at `place`, and how many words it has."""
    value, length = _whole_at(words, place)
    if value is None:
        return _fraction_at(words, place)
    rest = words[place + length :]
    if rest[:1] == ["point"] and (decimals := _decimals(rest[1:])):
        return float(f"{value}.{decimals}"), length + 1 + len(decimals)
    match rest[:3]:
        case ["and", "a", part] if part in _FRACTIONS:
            return value + _FRACTIONS[part], length + 3
    return value, length


def _fraction_at(words: list[str], place: int) -> tuple[float | int | None, int]:
    match words[place : place + 2]:
        case ["half", *_]:
            return 0.5, 1
    return None, 0


def _decimals(words: list[str]) -> str:
    """The digits at the beginning of words."""
    found = ""
    for word in words:
        if word in _UNITS and _UNITS[word] < 10:
            found += str(_UNITS[word])
        else:
            break
    return found


def _whole_at(words: list[str], place: int) -> tuple[float | int | None, int]:
    """A whole number in words or numerals at `place`: "a hundred and five", "2 thousand", "1,250.5"."""
    total, group, length, seen = 0, 0, 0, False
    position = place
    while position < len(words):
        word = words[position]
        if word[0].isdigit() and (not seen or group == 0):
            numeral = word.replace(",", "")
            if "." in numeral:
                return (float(numeral), position - place + 1) if not seen else (total, length)
            group, seen = int(numeral), True
        elif word in _SCALES and (seen or (position > place and words[position - 1] == "a")):
            group = max(group, 1)
            if _SCALES[word] == 100:
                group *= 100
            else:
                total, group = total + group * _SCALES[word], 0
            seen = True
        elif word == "a" and words[position + 1 : position + 2] and words[position + 1] in {*_SCALES, *_ROUGH}:
            if seen:
                break
            position += 1
            continue
        elif word in _ROUGH and not seen:
            return _ROUGH[word], position - place + 1
        elif (value := SMALL.get(word)) is not None and word != "o" and _fits(group, value, seen):
            group, seen = group + value, True
        elif word == "and" and seen and group % 100 == 0 and _is_small(words[position + 1 : position + 2]):
            position += 1
            continue
        else:
            break
        position += 1
        length = position - place
    return (total + group, length) if seen else (None, 0)


def _is_small(words: list[str]) -> bool:
    return bool(words) and (words[0] in SMALL or words[0].isdigit())


def _fits(group: int, value: int, seen: bool) -> bool:
    """Whether a small number goes on with what was said so far of a number: "twenty" "one", not "one" "twenty"."""
    if not seen or group == 0:
        return True
    if value < 10:
        return value > 0 and group % 10 == 0 and group % 100 != 10
    return group % 100 == 0


# --- digits, one after the other


def digits(text: str) -> str:
    """The digits that a text dictates, with a leading + where it says one: "double five five, oh one" is "55501"."""
    words = tokens(text)
    found, times = "", 1
    place = 0
    while place < len(words):
        word = words[place]
        said, length = _digits_at(words, place)
        if said:
            found += said * times if len(said) == 1 else said
            times = 1
        elif word in TIMES:
            times = TIMES[word]
        elif word in ("+", "plus") and not found:
            found = "+"
        elif word in "*#":
            found += word
        place += max(length, 1)
    return found if found != "+" else ""


def _digits_at(words: list[str], place: int) -> tuple[str, int]:
    """The digits that begin at `place`, and how many words they take."""
    word = words[place]
    if word[0].isdigit():
        return word.replace(",", "").replace(".", ""), 1
    if word in ("hundred", "thousand") and place and _is_small(words[place - 1 : place]):
        return "00" if word == "hundred" else "000", 1
    if word in _SOUNDS_LIKE:
        among = _is_digit(words, place - 1) and _is_digit(words, place + 1)
        alone = word in ("oh", "o") and (_is_digit(words, place - 1) or _is_digit(words, place + 1))
        return (_SOUNDS_LIKE[word], 1) if among or alone else ("", 1)
    if word in _TENS:
        found = below_hundred(words[place : place + 2])
        return (str(found[0]), found[1]) if found else ("", 1)
    if word in _UNITS:
        return str(_UNITS[word]), 1
    return "", 1


def _is_digit(words: list[str], place: int) -> bool:
    return 0 <= place < len(words) and (
        words[place][0].isdigit() or words[place] in SMALL or words[place] in {**TIMES, **_SOUNDS_LIKE}
    )
