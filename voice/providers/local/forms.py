"""The arguments of a tool as a form for a small model: everything may be unknown, and nothing made up is taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from voice.providers.base import ToolSchema
from voice.text import spoken

# Words are the same if they begin the same: "tooth" and "toothache".
_BEGINNING = 4
# A date is reckoned from what was said ("next Friday"), and need not be found in it.
_RECKONED = re.compile(r"\d{4}-\d\d")


def form(schema: ToolSchema) -> Mapping[str, Any]:
    """A tool's parameters as JSON Schema, with every one to be written, and allowed to be null."""
    properties = schema.parameters.get("properties", {})
    return {
        **schema.parameters,
        "properties": {name: {"anyOf": [one, {"type": "null"}]} for name, one in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def filled_in(arguments: Mapping[str, object], schema: ToolSchema, heard: str) -> dict[str, object]:
    """What of a form has come from the conversation `heard`. A small model rather invents a time than writes null."""
    properties = schema.parameters.get("properties", {})
    said = _words(heard)
    return {
        name: value
        for name, value in arguments.items()
        if value is not None and ("enum" in properties.get(name, {}) or _is_from(value, said))
    }


def _is_from(value: object, said: set[str]) -> bool:
    """Whether a text or a number was said, in whatever form: 9:30 is "nine thirty"."""
    if isinstance(value, bool | dict | list) or _RECKONED.search(str(value)):
        return True
    words = _words(str(value))
    return not words or bool(words & said)


def _words(text: str) -> set[str]:
    """The beginnings of the words that mean something, as they are spoken."""
    return {word[:_BEGINNING] for word in re.findall(r"\w{3,}", spoken(text, "en").lower())}
