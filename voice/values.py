"""The values that variables have: their types, their names, and how they are written."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from datetime import date
from typing import Literal

VariableType = Literal["string", "number", "boolean", "date"]
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
SYSTEM_PREFIX, SECRET_PREFIX = "system__", "secret__"

_NAME = re.compile(VARIABLE_NAME)
_YES, _NO = frozenset({"true", "yes", "1", "on"}), frozenset({"false", "no", "0", "off"})


def in_letters(value: object) -> str:
    """A value as a text holds it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def fitting(value: object, kind: VariableType) -> object:
    """`value` as that type has it: text, a number, true or false, or the text of a date, such as 2026-11-26. Raises
    ValueError if it is none."""
    if kind == "string":
        return in_letters(value)
    text = in_letters(value).strip()
    if kind == "boolean" and text.lower() in _YES | _NO:
        return text.lower() in _YES
    with suppress(ValueError):
        if kind == "date":
            return date.fromisoformat(text).isoformat()
        if kind == "number" and math.isfinite(number := float(text)):
            return int(number) if number.is_integer() else number
    raise ValueError(f"“{text[:40]}” is no {kind}.")


def require_name(name: str) -> None:
    """Raises ValueError for what cannot be the name of a variable that somebody sets."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"“{name[:64]}” is no name of a variable: A to Z, digits and _, at most 64 of them.")
    if name.startswith((SYSTEM_PREFIX, SECRET_PREFIX)):
        raise ValueError(f"{name} cannot be set: names that begin with system__ or secret__ are Callwright's own.")
