"""The schemas of an OpenAPI document: references followed, alternatives and parts brought together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from builder.documents import NotUnderstood

Schema = dict[str, Any]

MOST_REFERENCES = 20
"""So many may lead to each other."""
DEEPEST = 6
"""What lies deeper in a schema is not told to a model."""
MOST_TOLD = 200
"""Parts of one schema that it is told of."""
MOST_MERGED = 100_000
"""Schemas that are put together for one document: parts that name each other twice grow without end."""
_TOLD = frozenset(
    "type format enum const description items properties required anyOf pattern minimum maximum minLength maxLength "
    "minItems maxItems additionalProperties default".split()
)
"""What of a schema helps a model to write a value."""


class Schemas:
    """Reads the parts of one document, wherever they stand in it. Every method raises NotUnderstood."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._merges = self._room = 0
        self._known: dict[int, tuple[Schema, Schema]] = {}
        """Schemas by the part of the document that they were put together from."""

    def at(self, part: Any) -> dict[str, Any]:
        """`part`, or what its `$ref` leads to."""
        for _ in range(MOST_REFERENCES):
            if isinstance(part, bool):  # a schema that everything or nothing fits
                return {}
            if not isinstance(part, dict):
                raise NotUnderstood("A part of the document is no object, where one has to be.")
            if "$ref" not in part:
                return part
            part = self._target(str(part["$ref"]))
        raise NotUnderstood("A reference leads back to itself.")

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise NotUnderstood(f"It refers to another file, {reference[:100]}. Bundle both into one document.")
        found: Any = self._document
        for step in filter(None, reference[1:].split("/")):
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                raise NotUnderstood(f"The reference {reference[:100]} leads nowhere.")
        return found

    def schema(self, part: Any) -> Schema:
        """One schema of `part`, whose properties still may be references.

        Of `allOf` everything holds. Alternatives of objects become one object, of which only that is needed which all
        of them need; an alternative that is null is left out, and other ones stay in `anyOf`.
        """
        origin = self.at(part)
        if id(origin) not in self._known:
            self._known[id(origin)] = (origin, self._merged(origin, ()))
        return self._known[id(origin)][1]

    def _merged(self, part: Any, above: tuple[int, ...]) -> Schema:
        origin = self.at(part)
        if id(origin) in above:
            return {}
        self._merges += 1
        if self._merges > MOST_MERGED:
            raise NotUnderstood("Its schemas are made of too many parts.")
        above = (*above, id(origin))
        found = dict(origin)
        for one in listed(found.pop("allOf", None)):
            found = _both(found, self._merged(one, above))
        if isinstance(found.get("type"), list):  # of 3.1: one of several types
            found["type"] = next((one for one in found["type"] if one != "null"), "string")
        options = [self._merged(one, above) for key in ("oneOf", "anyOf") for one in listed(found.pop(key, None))]
        return _with_options(found, [option for option in options if option.get("type") != "null"])

    def told(self, part: Any) -> Schema:
        """A schema as a model is told it: whole, without references. What leads into itself is cut there."""
        self._room = MOST_TOLD
        return self._told(part, (), 0)

    def _told(self, part: Any, above: tuple[int, ...], depth: int) -> Schema:
        origin, found = id(self.at(part)), self.schema(part)
        self._room -= 1
        if origin in above or depth > DEEPEST or self._room < 0:
            return {key: found[key] for key in ("type", "description") if key in found}
        above = (*above, origin)
        told = {key: value for key, value in found.items() if key in _TOLD}
        if "properties" in told:
            told["properties"] = {
                name: self._told(each, above, depth + 1)
                for name, each in properties(found).items()
                if not self.schema(each).get("readOnly")
            }
        for key in ("items", "additionalProperties"):
            if isinstance(told.get(key), dict):
                told[key] = self._told(told[key], above, depth + 1)
        if "anyOf" in told:
            told["anyOf"] = [self._told(one, above, depth + 1) for one in told["anyOf"]]
        return told


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def properties(schema: Schema) -> dict[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def needed(schema: Schema) -> list[str]:
    """The properties that have to be there."""
    return [name for name in listed(schema.get("required")) if isinstance(name, str)]


def kind(schema: Schema) -> str:
    """The type of a schema, also where only its parts tell."""
    if isinstance(schema.get("type"), str):
        return str(schema["type"])
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    return "string" if schema.get("enum") and all(isinstance(one, str) for one in listed(schema["enum"])) else ""


def _both(one: Schema, other: Schema) -> Schema:
    """What holds when both do. Where they say different things of one matter, the first one counts."""
    both = {**other, **one}
    if "properties" in both:
        both["properties"] = properties(other) | properties(one)
    if "required" in both:
        both["required"] = list(dict.fromkeys([*needed(one), *needed(other)]))
    return both


def _with_options(found: Schema, options: list[Schema]) -> Schema:
    if len(options) < 2:
        return _both(found, options[0]) if options else found
    kinds = {kind(option) for option in options}
    if kinds == {"object"} and all("properties" in option for option in options):
        merged: Schema = {"type": "object", "properties": {}}
        for option in reversed(options):
            merged["properties"] |= properties(option)
        always = [name for name in needed(options[0]) if all(name in needed(option) for option in options)]
        return _both(found, merged | {"required": always})
    if kinds == {"string"} and all("enum" in option for option in options):
        return _both(found, {"type": "string", "enum": [word for each in options for word in listed(each["enum"])]})
    return found | {"anyOf": options}
