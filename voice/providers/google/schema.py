"""From JSON Schema to the part of it that Gemini understands in a tool's parameters; the rest it would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEPT = (
    "title",
    "description",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "pattern",
    "nullable",
)
_FORMATS = {"string": ("date-time", "enum"), "integer": ("int32", "int64"), "number": ("float", "double")}
# A schema that contains itself is followed so far.
_DEEPEST = 8


def understood(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` in Gemini's words. References are replaced by what they mean, alternatives become `anyOf`, a fixed value
    becomes an enumeration of one, and what cannot be said is left out: the tool itself still checks its arguments."""
    return _Translator(schema).of(schema, 0)


class _Translator:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def of(self, schema: Any, depth: int) -> dict[str, Any]:
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return {"type": "string"}
        schema = self._whole(schema, depth)
        kind, nullable = _type(schema)
        result = {name: schema[name] for name in _KEPT if name in schema}
        if nullable:
            result["nullable"] = True
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return result | self._options(options, depth)
        if kind == "object" and not schema.get("properties"):
            # Refused without properties, so it is asked for as text.
            hint = f"{result.get('description', '')} A JSON object, as text.".strip()
            return result | {"type": "string", "description": hint}
        result["type"] = kind
        if schema.get("format") in _FORMATS.get(kind, ()):
            result["format"] = schema["format"]
        values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
        if kind == "string" and values:
            result["enum"] = [str(value) for value in values if value is not None]
        if kind == "array":
            result["items"] = self.of(schema.get("items", {}), depth + 1)
        if kind == "object":
            properties = schema["properties"]
            result["properties"] = {name: self.of(value, depth + 1) for name, value in properties.items()}
            if required := [name for name in schema.get("required", ()) if name in properties]:
                result["required"] = required
        return result

    def _options(self, options: list[Any], depth: int) -> dict[str, Any]:
        """Alternatives. "Null" is no type of Gemini's, but a property of the others; a single one is no alternative."""
        meant = [option for option in options if option != {"type": "null"}]
        nullable = {"nullable": True} if len(meant) < len(options) else {}
        translated = [self.of(option, depth + 1) for option in meant]
        return (translated[0] if len(translated) == 1 else {"anyOf": translated}) | nullable

    def _whole(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
        """A schema with what it refers to, and all that it must fulfil, in one."""
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                rest = {name: value for name, value in schema.items() if name != "$ref"}
                schema = {**self._meant(str(schema["$ref"])), **rest}
            elif "allOf" in schema:
                rest = {name: value for name, value in schema.items() if name != "allOf"}
                schema = _united([*(self._whole(part, depth) for part in schema["allOf"]), rest])
            else:
                return schema
        return {}

    def _meant(self, reference: str) -> Mapping[str, Any]:
        found: Any = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(step) if step and isinstance(found, Mapping) else found
        return found if isinstance(found, Mapping) and found is not self._root else {}


def _united(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    united: dict[str, Any] = {}
    for part in parts:
        united |= {
            **part,
            "properties": {**united.get("properties", {}), **part.get("properties", {})},
            "required": [*united.get("required", ()), *part.get("required", ())],
        }
    return united


def _type(schema: Mapping[str, Any]) -> tuple[str, bool]:
    """The type, which may be a list or unsaid, and whether it may be null."""
    said = schema.get("type")
    kinds = said if isinstance(said, list) else [said] if said else []
    meant = [kind for kind in kinds if kind != "null"]
    if meant:
        kind = str(meant[0])
    elif "properties" in schema:
        kind = "object"
    elif "items" in schema:
        kind = "array"
    else:
        kind = "string"
    return kind, "null" in kinds
