"""Everything else that is written in figures: phone numbers, money, amounts with units, codes, plain numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

from voice.text.numbers import cardinal, digits, number, ordinal, year
from voice.text.units import CURRENCIES, PER, SCALES, STATES, UNITS

_N = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_END = r"(?![\w-]|[.,:]\d)"

_FRACTIONS = str.maketrans({"½": " 1/2 ", "¼": " 1/4 ", "¾": " 3/4 ", "⅓": " 1/3 ", "⅔": " 2/3 ", "⅛": " 1/8 "})
_TIMES_SIGN = re.compile(r"(?<=\d)\s?[x\u00d7]\s?(?=\d)")
_MINUS = re.compile(r"(?<![\w)\]%.,/-])-(?=[$\u20ac\u00a3]?\.?\d)")
_PLUS = re.compile(r"(?<![\w)+])\+(?=[$\u20ac\u00a3]?\d)")
_HASH = re.compile(r"#\s?(?=\d)")
_NO = re.compile(r"\b([Nn])o\.\s?(?=\d)")
_VERSION = re.compile(r"\bv(?=\d+\.\d)", re.I)

_THREE = re.compile(r"\d\d\d")
_SEVERAL = re.compile(r"\d\d[\d -]")
_PHONE = re.compile(
    rf"""(?<![\w.,$\u20ac\u00a3/:-])(?:
        (?:\+?1[ .-]?)?(?:\(\d{{3}}\)[ ]?|\d{{3}}[ .-])\d{{3}}[ .-]\d{{4}}
      | \+\d[\d ().-]{{6,18}}\d
      | 0\d{{1,4}}(?:[ -]\d{{2,4}}){{1,4}}
      | \d{{3}}-\d{{4}}
      | \d{{2,4}}(?:-\d{{2,5}}){{2,4}}
    ){_END}(?:,?\s?(?:ext\.?|extension|x)\s?(?P<extension>\d{{1,6}})\b)?""",
    re.X | re.I,
)
_DATE_SHAPE = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?-\d\d?-(?:\d\d|\d{4})")
_LONG_GROUPS = {6: (3, 3), 7: (3, 4), 8: (4, 4), 9: (3, 3, 3), 10: (3, 3, 4), 11: (1, 3, 3, 4), 12: (4, 4, 4)}

_SCALE = r"(?:\s?(?P<scale>k|K|thousand|[mM]|million|bn|[bB]|billion|trillion|T)(?![\w-]))?"
_PER = rf"(?:\s?/\s?(?P<per>{'|'.join(PER)})\b\.?)?"
_CURRENCY = re.compile(f"[{''.join(CURRENCIES)}]|USD|EUR|GBP|JPY|INR")
_MONEY = re.compile(
    rf"(?:\bUS|\bCA)?(?<![\w]-)(?P<sign>[{''.join(CURRENCIES)}])\s?(?P<n>{_N})(?:\s?[-\u2013]\s?(?P=sign)?(?P<to>{_N}))?{_SCALE}{_PER}"
)
_MONEY_AFTER = re.compile(
    rf"(?<![\w.])(?P<n>{_N}){_SCALE}\s?(?:(?<![\w]-)(?P<sign>[\u20ac\u00a3])|(?P<code>USD|EUR|GBP|JPY|INR)\b){_PER}"
)
_CODES = {"USD": "$", "EUR": "\u20ac", "GBP": "\u00a3", "JPY": "\u00a5", "INR": "\u20b9"}
_FEET = re.compile(r"(?<![\w.])(\d+)'\s?(\d{1,2})(?:\"|'')")
_INCHES = re.compile(r"(?<![\w\".])(\d+(?:\.\d+)?)\"(?!\w)")
_RANGE = re.compile(rf"(?<![\w.,/-])(?P<a>{_N})(?P<unit>%?)\s?[-\u2013]\s?(?={_N})(?!0\d)(?P<b>(?:{_N}))(?![\d-])")
_UNIT_NAMES = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_UNIT = re.compile(
    rf"(?<![\w.-])(?P<n>{_N})(?:\s|-)?(?P<unit>{_UNIT_NAMES})(?![\w'\u00b2\u00b3-])(?:\.(?=\s[a-z]))?{_PER}"
)
_ORDINAL = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d{1,15})(?:st|nd|rd|th)\b", re.I)
_FRACTION = re.compile(r"(?<![\w./,])(?:(?P<whole>\d+)\s+)?(?P<n>\d{1,3})/(?P<d>\d{1,3})(?![\w/]|\.\d)")
_PARTS = {"2": ("half", "halves"), "3": ("third", "thirds"), "4": ("quarter", "quarters"), "8": ("eighth", "eighths")}

_NAMED = re.compile(
    r"\b(?P<name>zip|(?:zip|area|pass|post|promo|security|access|verification)?\s?code|pin|passcode|otp|account|order|ticket|"
    r"reference|confirmation|tracking|case|policy|member|serial|invoice|flight|routing|extension|ext|id|ssn|card|booking|"
    r"reservation|suite|room|gate)\b"
    r"(?P<link>(?:\s(?:number|no\.|code|id|is|was|ending in|ending with))*\s?[:#]?\s?(?:number\s)?)"
    r"(?P<n>\d{3,})\b(?![.,:/%-]\d|\s?%)",
    re.I,
)
_STATE_ZIP = re.compile(rf"\b(?P<state>{'|'.join(STATES)}),? (?P<zip>\d{{5}})(?:-(?P<plus>\d{{4}}))?\b(?![.,-]\d)")
_ZIP = re.compile(r"\b(\d{5})-(\d{4})\b(?![.,-]\d)")
_CODE = re.compile(r"(?<![\w.])(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z\d]+(?:[-_][A-Za-z\d]+)*(?![\w-])")
_RUNS = re.compile(r"\d+|[A-Za-z]+")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)*|\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_RATIO = re.compile(r"(?<=\d):(?=\d)")
_YEAR_BEFORE = re.compile(r"\b(?:in|since|year|circa|until|from|to|and) $", re.I)
_COUNTED = re.compile(
    r"\s(?:dollars|euros|pounds|people|calories|miles|steps|points|units|items|times|words|square|feet|meters)\b"
)


def _apart(say: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    """`say`, with a space where its words would touch the letters of others."""

    def said(match: re.Match[str]) -> str:
        text, begin, end = match.string, match.start(), match.end()
        before = " " if begin and text[begin - 1].isalnum() else ""
        after = " " if text[end : end + 1].isalnum() else ""
        return f"{before}{say(match)}{after}"

    return said


def signs(text: str) -> str:
    """Signs in front of and between figures."""
    if not text.isascii():
        text = text.translate(_FRACTIONS)
    text = _HASH.sub(" number ", text)
    text = _NO.sub(r"\1umber ", text)
    text = _VERSION.sub("version ", text)
    text = _TIMES_SIGN.sub(" by ", text)
    return _MINUS.sub(" minus ", text)


def names(text: str) -> str:
    """Phone numbers, and other numbers that name something ("your code is 4821"), digit by digit."""
    if _SEVERAL.search(text) is None:
        return _PLUS.sub(" plus ", text)
    if _THREE.search(text) is not None:
        text = _NAMED.sub(lambda m: f"{m['name']}{m['link']}{_in_groups(m['n'])}", text)
        text = _STATE_ZIP.sub(_state_zip, text)
        text = _ZIP.sub(lambda m: f"{digits(m[1])}, {digits(m[2])}", text)
    return _PLUS.sub(" plus ", _PHONE.sub(_apart(_phone), text))


def _phone(match: re.Match[str]) -> str:
    text = match[0]
    extension = match["extension"]
    if extension:
        text = text[: match.start("extension") - match.start()]
    groups = re.findall(r"\d+", text)
    if _DATE_SHAPE.fullmatch(text):
        return text
    said = ", ".join(_in_groups(group) for group in groups)
    said = f"plus {said}" if text[0] == "+" else said
    return f"{said}, extension {digits(extension)}" if extension else said


def _in_groups(text: str) -> str:
    """Digits one by one, with a pause every three or four."""
    sizes = _LONG_GROUPS.get(len(text)) or [3] * (len(text) // 3) + [len(text) % 3] if len(text) > 5 else [len(text)]
    parts, place = [], 0
    for size in sizes:
        if size:
            parts.append(digits(text[place : place + size]))
        place += size
    return ", ".join(parts)


def amounts(text: str) -> str:
    """Money, ranges, percentages, quantities with a unit, fractions, ordinals."""
    if _CURRENCY.search(text) is not None:
        text = _MONEY_AFTER.sub(_apart(_money), _MONEY.sub(_apart(_money), text))
    if '"' in text or "''" in text:
        text = _INCHES.sub(r"\1 inches", _FEET.sub(_feet, text))
    text = _ORDINAL.sub(lambda m: ordinal(int(m[1].replace(",", ""))), text)
    if "-" in text or "\u2013" in text:
        text = _RANGE.sub(_apart(_range), text)
    text = _UNIT.sub(_apart(_unit), text)
    return _FRACTION.sub(_fraction, text) if "/" in text else text


def _money(match: re.Match[str]) -> str:
    groups = match.groupdict()
    sign = groups["sign"] or _CODES[groups["code"]]
    scale = SCALES.get(groups["scale"] or "", groups["scale"] or "")
    per = f" {PER[groups['per']]}" if groups["per"] else ""
    to = groups.get("to")
    if to is None:
        return _sum(groups["n"], sign, scale) + per
    if "." in groups["n"] + to and not scale:
        return f"{_sum(groups['n'], sign, '')} to {_sum(to, sign, '')}{per}"
    return f"{number(groups['n'])} to {_sum(to, sign, scale)}{per}"


def _sum(text: str, sign: str, scale: str) -> str:
    one, many, cent, cents = CURRENCIES[sign]
    whole, _, part = text.replace(",", "").partition(".")
    if scale:
        return f"{number(text)} {scale} {many}"
    if len(part) != 2 or not cent:
        return f"{number(text)} {one if text == '1' else many}"
    small = f"{cardinal(int(part))} {cent if int(part) == 1 else cents}"
    if not int(whole or 0):
        return small if int(part) else f"zero {many}"
    big = f"{number(whole)} {one if int(whole) == 1 else many}"
    return f"{big} and {small}" if int(part) else big


def _feet(match: re.Match[str]) -> str:
    feet, inches = match.groups()
    return (
        f"{number(feet)} {'foot' if feet == '1' else 'feet'} {number(inches)} {'inch' if inches == '1' else 'inches'}"
    )


def _range(match: re.Match[str]) -> str:
    first, last = match["a"], match["b"]
    padded = first[0] == "0" or (last[0] == "0" and len(last) > 1)
    if first.isdigit() and last.isdigit() and (padded or len(first) > 4 or len(last) > 5):
        return f"{_in_groups(first)}, {_in_groups(last)}"
    unit = " percent" if match["unit"] else ""
    return f"{first}{unit} to {last}"


def _unit(match: re.Match[str]) -> str:
    one, many = UNITS[match["unit"]]
    per = f" {PER[match['per']]}" if match["per"] else ""
    return f"{_plain(match['n'])} {one if match['n'] == '1' else many}{per}"


def _fraction(match: re.Match[str]) -> str:
    whole, n, d = match["whole"], match["n"], match["d"]
    before = f"{whole} and " if whole else ""
    if d in _PARTS and 0 < int(n) < int(d):
        return f"{before}{'a' if before and n == '1' else cardinal(int(n))} {_PARTS[d][n != '1']}"
    before = f"{whole} " if whole else ""
    if (n, d) == ("24", "7"):
        return f"{before}twenty-four seven"
    between = "out of" if d in ("5", "10", "100") and int(n) <= int(d) else "slash"
    return f"{before}{_plain(n)} {between} {_plain(d)}"


def codes(text: str) -> str:
    """Codes of letters and digits, character by character."""
    return _CODE.sub(_code, text)


def _state_zip(match: re.Match[str]) -> str:
    plus = f", {digits(match['plus'])}" if match["plus"] else ""
    return f"{STATES[match['state']]}, {digits(match['zip'])}{plus}"


def _code(match: re.Match[str]) -> str:
    parts = re.split("[-_]", match[0])
    if all(part.isdigit() or _is_word(part) for part in parts):
        # "24-hour", "COVID-19", "top-10"
        return ("-" if parts[0].isdigit() and len(parts) == 2 else " ").join(
            _plain(part) if part.isdigit() else part for part in parts
        )
    short = len(parts) == 1 or (len(match[0]) <= 4 and parts[0].isalpha() and len(parts[0]) == 1 and len(parts) == 2)
    return ("" if len(parts) == 1 else " " if short else ", ").join(_spelt(part, short=short) for part in parts)


def _is_word(text: str) -> bool:
    return text.isalpha() and len(text) > 1 and (text[1:].islower() or len(text) > 4)


def _spelt(text: str, *, short: bool) -> str:
    """One part of a code: "AB12" is "A-B one two"; "gpt4" keeps its word."""
    said = ""
    runs: list[str] = _RUNS.findall(text)
    for place, run in enumerate(runs):
        if run.isdigit():
            piece = _plain(run) if (short and len(runs) <= 3 and len(run) <= 2) else digits(run)
        elif len(run) > 3 and not run.isupper():
            piece = run
        else:
            piece = "-".join(run.upper())
        # A voice reads a lone "A" as the article, so it is tied to its neighbour.
        tied = "A" in (piece, runs[place - 1].upper() if place else "")
        said += piece if not place else ("-" if tied else " ") + piece
    return said


def numbers(text: str) -> str:
    """Every figure that is left."""
    return _NUMBER.sub(_apart(_number), _RATIO.sub(" to ", text))


def _number(match: re.Match[str]) -> str:
    text = match[0].rstrip(",")
    tail = match[0][len(text) :]
    if "," in text and not _GROUPED.fullmatch(text):
        said = ", ".join(number(part) for part in text.split(",") if part)
    elif len(text) == 4 and text.isdigit() and _is_year(match):
        said = year(int(text))
    else:
        said = _plain(text)
    return said + tail


def _is_year(match: re.Match[str]) -> bool:
    text, value = match.string, int(match[0].rstrip(","))
    if _COUNTED.match(text, match.end()):
        return False
    return 1900 <= value < 2100 or (1100 <= value < 1900 and _YEAR_BEFORE.search(text, 0, match.start()) is not None)


def _plain(text: str) -> str:
    """A number that is not known to be anything: long ones without commas are somebody's number, said by digits."""
    if text.isdigit() and len(text) >= 7 and not text.endswith("000"):
        return _in_groups(text)
    return number(text)
