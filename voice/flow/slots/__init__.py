"""Slots: what callers say, read as values of a type, and the values, said back so that they can be checked.

Reading is deterministic: the same words give the same value, whatever model the agent has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from phonenumbers import NumberParseException

from voice.flow.slots import contact
from voice.flow.slots.choices import choice, declines, yes_or_no
from voice.flow.slots.dates import day
from voice.flow.slots.numbers import digits, number, numbers
from voice.flow.slots.times import clock
from voice.flow.spec import Slot
from voice.flow.texts import matcher
from voice.values import in_letters

__all__ = [
    "Reading",
    "aloud",
    "declines",
    "keyed",
    "label",
    "mentions",
    "question",
    "read",
    "read_keys",
    "said",
    "yes_or_no",
]

LONGEST_TEXT = 1_000
"""Characters of a text that are kept."""
_KEYED = re.compile(r"^\[keyed in: ([0-9*#A-D]*)\]$")
_CORRECTION = re.compile(
    r"\b(?:no[\s,.]+(?:sorry|wait|actually|make (?:that|it))\b|no(?=[,.])|(?:i mean|i meant|sorry|actually|"
    r"make (?:that|it)|rather|correction|scratch that|wait)\b)[\s,.]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer was read as. Without a value nothing was understood, or what was cannot be used: `problem` says
    why, in words for the caller."""

    value: Any = None
    problem: str = ""


NOTHING = Reading()


def read(slot: Slot, text: str, *, today: date) -> Reading:
    """The value that words say. Of a correction ("the third, no, the fourth") the last part counts."""
    parts = [part for part in _CORRECTION.split(text) if part and part.strip(" ,.!?")]
    for part in dict.fromkeys((*reversed(parts[1:]), text)):
        found = _READERS[slot.type](slot, part.strip(), today)
        if found != NOTHING:
            return found
    return NOTHING


def keyed(text: str) -> str | None:
    """The keys that a turn of the keypad has; None for words."""
    match = _KEYED.match(text.strip())
    return match[1] if match else None


def read_keys(slot: Slot, keys: str, *, today: date) -> Reading:
    """The value that keys say: a number, the place of a choice, 1 for yes, a date as month, day and year, a time as
    hours and minutes."""
    plain = keys.strip("#")
    if not plain.replace("*", "").isdigit():
        return NOTHING
    match slot.type:
        case "yes_no":
            return Reading({"1": True, "2": False}.get(plain))
        case "choice":
            place = int(plain) if plain.isdigit() else 0
            return Reading(slot.choices[place - 1]) if 1 <= place <= len(slot.choices) else NOTHING
        case "number":
            return _checked_number(slot, float(plain.replace("*", ".", 1)) if "*" in plain else int(plain))
        case "date" if len(plain) in (6, 8) and plain.isdigit():
            return _date(slot, f"{plain[:2]}/{plain[2:4]}/{plain[4:]}", today)
        case "time" if len(plain) in (3, 4) and plain.isdigit():
            return _time(slot, f"{plain[:-2]}:{plain[-2:]}", today)
        case "phone":
            return _phone(slot, plain, today)
        case "digits":
            return _checked_digits(slot, plain)
    return NOTHING


def mentions(heard: str, written: str) -> bool:
    """Whether all words and digits of what was written are in what was heard: a model has not made them up."""
    said = contact.compact(heard)
    return all(part in said for part in re.findall(r"[^\W\d_]+|\d+", written.lower()))


# --- by type


def _name(slot: Slot, text: str, today: date) -> Reading:
    return Reading(contact.name(text))


def _email(slot: Slot, text: str, today: date) -> Reading:
    return Reading(contact.email(text))


def _phone(slot: Slot, text: str, today: date) -> Reading:
    return Reading(*contact.phone(text, slot.region))


def _date(slot: Slot, text: str, today: date) -> Reading:
    found = day(text, today, slot.period)
    if found is None:
        return NOTHING
    if slot.period == "future" and found < today:
        return Reading(problem=f"{_day_said(found, today)} is in the past.")
    if slot.period == "past" and found > today:
        return Reading(problem=f"{_day_said(found, today)} is in the future.")
    return Reading(found.isoformat())


def _time(slot: Slot, text: str, today: date) -> Reading:
    found = clock(text, slot.earliest, slot.latest)
    if found is None:
        return NOTHING
    value = f"{found:%H:%M}"
    if slot.earliest and value < slot.earliest:
        return Reading(problem=f"It cannot be before {_time_said(slot.earliest)}.")
    if slot.latest and value > slot.latest:
        return Reading(problem=f"It cannot be after {_time_said(slot.latest)}.")
    return Reading(value)


def _number(slot: Slot, text: str, today: date) -> Reading:
    found = number(text)
    if found is None:
        several = len(set(numbers(text))) > 1
        return Reading(problem="I heard several numbers.") if several else NOTHING
    return _checked_number(slot, found)


def _checked_number(slot: Slot, value: float) -> Reading:
    value = int(value) if value == int(value) else value
    if slot.whole and value != int(value):
        return Reading(problem="It has to be a whole number.")
    if slot.least is not None and value < slot.least:
        return Reading(problem=f"It has to be at least {slot.least:g}.")
    if slot.most is not None and value > slot.most:
        return Reading(problem=f"It can be at most {slot.most:g}.")
    return Reading(value)


def _digits(slot: Slot, text: str, today: date) -> Reading:
    found = digits(text).lstrip("+")
    return _checked_digits(slot, found) if found else NOTHING


def _checked_digits(slot: Slot, value: str) -> Reading:
    if slot.least == slot.most and slot.least is not None and len(value) != slot.least:
        return Reading(problem=f"It has {slot.least:g} digits, and I heard {len(value)}.")
    if slot.least is not None and len(value) < slot.least:
        return Reading(problem=f"It has at least {slot.least:g} digits, and I heard {len(value)}.")
    if slot.most is not None and len(value) > slot.most:
        return Reading(problem=f"It has at most {slot.most:g} digits, and I heard {len(value)}.")
    return _fitting(slot, value)


def _choice(slot: Slot, text: str, today: date) -> Reading:
    return Reading(choice(text, slot.choices))


def _yes_no(slot: Slot, text: str, today: date) -> Reading:
    return Reading(yes_or_no(text)[0])


def _text(slot: Slot, text: str, today: date) -> Reading:
    value = text.strip()[:LONGEST_TEXT]
    if slot.least is not None and len(value) < slot.least:
        return Reading(problem="That is too short.")
    if slot.most is not None and len(value) > slot.most:
        return Reading(problem="That is too long.")
    return _fitting(slot, value.rstrip(".") if slot.pattern else value)


def _fitting(slot: Slot, value: str) -> Reading:
    """What fits the pattern; spaces that recognition has put into a code do not count."""
    if not value or not slot.pattern:
        return Reading(value or None)
    whole = matcher(slot.pattern)
    for form in (value, value.replace(" ", ""), value.replace(" ", "").upper(), contact.compact(value).upper()):
        try:
            return Reading(whole.validate_python(form))
        except ValueError:
            continue
    return Reading(problem="That doesn't have the right form.")


_READERS: dict[str, Callable[[Slot, str, date], Reading]] = {
    "name": _name,
    "date": _date,
    "time": _time,
    "phone": _phone,
    "email": _email,
    "number": _number,
    "digits": _digits,
    "choice": _choice,
    "yes_no": _yes_no,
    "text": _text,
}


# --- asking and saying back

_QUESTIONS = {
    "name": "What is your {label}?",
    "date": "Which {label}, please?",
    "time": "At what {label}?",
    "yes_no": "{label}, yes or no?",
    "number": "What is the {label}?",
    "choice": "Which {label} would you like: {choices}?",
}


def label(slot: Slot) -> str:
    return slot.name.replace("_", " ").strip()


def question(slot: Slot) -> str:
    """How a slot is asked for."""
    if slot.question:
        return slot.question
    *first, last = slot.choices or ("",)
    words = _QUESTIONS.get(slot.type, "What is your {label}?").format(
        label=label(slot), choices=f"{', '.join(first)} or {last}" if first else last
    )
    return words[:1].upper() + words[1:]


def said(slot: Slot, value: Any, *, today: date) -> str:
    """A value as it is read back."""
    match slot.type:
        case "date":
            return _day_said(date.fromisoformat(value), today, always_year=slot.period == "past")
        case "time":
            return _time_said(value)
        case "phone":
            return contact.phone_said(value, slot.region)
        case "email":
            return contact.email_said(value)
        case "digits":
            groups = [value[place : place + 3] for place in range(0, len(value), 3)]
            return ", ".join(" ".join(group) for group in groups)
        case "yes_no":
            return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def aloud(slot: Slot, value: Any, *, today: date) -> str:
    """A value as it is read back, if it is one of the slot's type: something else may have set its variable."""
    if slot.type == "yes_no" and not isinstance(value, bool):
        return in_letters(value)
    try:
        return said(slot, value, today=today)
    except (ValueError, TypeError, NumberParseException):
        return in_letters(value)


def _day_said(value: date, today: date, *, always_year: bool = False) -> str:
    words = f"{value:%B} {value.day}"
    if always_year:
        return f"{words}, {value.year}"
    near = abs((value - today).days) < 300
    return f"{value:%A}, {words}" if near else f"{value:%A}, {words}, {value.year}"


def _time_said(value: str) -> str:
    found: time = datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007 (a time of day has no zone)
    hour = found.hour % 12 or 12
    return f"{hour}:{found:%M} {'PM' if found.hour >= 12 else 'AM'}"
