"""Schemas of tools, as Gemini is told them."""

from __future__ import annotations

from typing import Any

import pytest

from voice.providers.google.schema import understood


def told(schema: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a property with this schema."""
    root = {"type": "object", "properties": {"it": schema}, "$defs": {"Place": {"type": "string", "title": "Place"}}}
    result: dict[str, Any] = understood(root)["properties"]["it"]
    return result


def test_what_gemini_would_refuse_is_left_out() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "missing"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "examples": ["Ann"], "format": "email"},
            "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            "age": {"type": "integer", "exclusiveMinimum": 0, "format": "int32", "enum": [1, 2]},
        },
    }
    assert understood(schema) == {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "tags": {"type": "array", "items": {"type": "string"}},
            "age": {"type": "integer", "format": "int32"},
        },
    }


@pytest.mark.parametrize(
    ("schema", "meant"),
    [
        ({"type": "string", "enum": ["a", "b", None]}, {"type": "string", "enum": ["a", "b"]}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "integer", "nullable": True}),
        (
            {"oneOf": [{"type": "integer"}, {"type": "string"}], "description": "An id."},
            {"anyOf": [{"type": "integer"}, {"type": "string"}], "description": "An id."},
        ),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
        ({"type": "object"}, {"type": "string", "description": "A JSON object, as text."}),
        ({"$ref": "#/$defs/Place"}, {"type": "string", "title": "Place"}),
        ({"$ref": "#/$defs/Place", "title": "City"}, {"type": "string", "title": "City"}),
        ({"$ref": "#/$defs/Nothing"}, {"type": "string"}),
        ({"properties": {"a": {"type": "number"}}}, {"type": "object", "properties": {"a": {"type": "number"}}}),
        (
            {
                "allOf": [
                    {"properties": {"a": {"type": "number"}}, "required": ["a"]},
                    {"type": "object", "properties": {"b": {"$ref": "#/$defs/Place"}}, "required": ["b"]},
                ]
            },
            {
                "type": "object",
                "properties": {"a": {"type": "number"}, "b": {"type": "string", "title": "Place"}},
                "required": ["a", "b"],
            },
        ),
        (True, {"type": "string"}),
    ],
)
def test_what_it_can_say_is_said_in_its_words(schema: dict[str, Any], meant: dict[str, Any]) -> None:
    assert told(schema) == meant


def test_a_schema_that_contains_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    assert understood({**node, "$defs": {"Node": node}})["type"] == "object"


def test_a_reference_to_itself_ends() -> None:
    assert told({"$ref": "#/properties/it"}) == {"type": "string"}
