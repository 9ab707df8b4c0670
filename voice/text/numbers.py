"""Numbers in English words, as American voices say them (no "and" after the hundreds)."""

from __future__ import annotations

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES = ("", " thousand", " million", " billion", " trillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LARGEST = 10**15 - 1
"""Longer numbers are said digit by digit."""


def _below_hundred(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens]}-{_SMALL[ones]}" if ones else _TENS[tens]


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(rest)
    return f"{_SMALL[hundreds]} hundred" + (f" {_below_hundred(rest)}" if rest else "")


def cardinal(number: int) -> str:
    """1204 is "one thousand two hundred four". `number` is not negative."""
    if number > LARGEST:
        return digits(str(number))
    if number < 1000:
        return _below_thousand(number)
    parts, scale = [], 0
    while number:
        number, group = divmod(number, 1000)
        if group:
            parts.append(_below_thousand(group) + _SCALES[scale])
        scale += 1
    return " ".join(reversed(parts))


def ordinal(number: int) -> str:
    """23 is "twenty-third"."""
    words = cardinal(number)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[cut:]
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return words[:cut] + _ORDINALS.get(last, regular)


def digits(text: str) -> str:
    """The digits of `text` one by one: "0199" is "zero one nine nine"."""
    return " ".join(_SMALL[int(character)] for character in text)


def year(number: int) -> str:
    """2026 is "twenty twenty-six", 1905 is "nineteen oh five", 2005 is "two thousand five"."""
    century, rest = divmod(number, 100)
    if not 10 < century < 100 or (century % 10 == 0 and rest < 10):
        return cardinal(number)
    if not rest:
        return f"{_below_hundred(century)} hundred"
    return f"{_below_hundred(century)} {'oh ' if rest < 10 else ''}{_below_hundred(rest)}"


def decade(number: int) -> str:
    """1990 is "nineteen nineties", 20 is "twenties"."""
    words = year(number) if number > 99 else cardinal(number)
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def number(text: str) -> str:
    """A number as written: "1,250.05", ".5", "3.11.7"; one with a zero in front, as "007", is said digit by digit."""
    whole, *decimals = text.replace(",", "").split(".")
    if len(decimals) > 1:
        return " dot ".join(_whole(part) for part in (whole, *decimals))
    if not decimals:
        return _whole(whole)
    return f"{_whole(whole)} point {digits(decimals[0])}"


def _whole(text: str) -> str:
    return digits(text) if len(text) > 1 and text[0] == "0" else cardinal(int(text or 0))
