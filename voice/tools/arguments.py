"""The arguments of a tool call, as a model has written them."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry

from voice.providers.base import ToolSchema

# What is wrong with an argument may quote all of it.
COMPLAINT_LIMIT = 300


def parsed(arguments: str) -> dict[str, object] | None:
    """The arguments in a JSON text; None if it is no JSON object. No text is no arguments."""
    try:
        found = json.loads(arguments or "{}")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def complaint(schema: ToolSchema, arguments: dict[str, object] | None) -> str:
    """What is wrong with the arguments, in words for a model; "" if they fit."""
    if arguments is None:
        return "The arguments are not a JSON object."
    # An empty registry: a schema that somebody else wrote must not make us fetch what it refers to.
    error = best_match(Draft202012Validator(dict(schema.parameters), registry=Registry()).iter_errors(arguments))
    if error is None:
        return ""
    where = ".".join(map(str, error.absolute_path))
    what = f"The argument {where} is wrong" if where else "The arguments are wrong"
    return f"{what}: {error.message[:COMPLAINT_LIMIT]}."
