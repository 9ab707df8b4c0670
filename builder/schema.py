"""The JSON Schema of an agent's file, made of AgentConfig: for completion, and for other editors."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

from builder.config import LOCAL, AgentConfig
from builder.forms import AgentForm
from builder.references import PLACES, Names
from builder.yaml import FORMAT, NAME_LONGEST


def of_agent(names: Names) -> dict[str, Any]:
    """The schema: settings have the titles and descriptions of their controls, references the names there are."""
    schema = copy.deepcopy(_without_names())
    _offer(schema, names)
    return schema


@cache
def _without_names() -> dict[str, Any]:
    schema = AgentConfig.model_json_schema()
    own = {
        "callwright": {"const": FORMAT, "title": "Format", "description": "Of this file."},
        "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": NAME_LONGEST,
            "title": "Name",
            "description": "What people see in lists.",
        },
    }
    schema["properties"] = own | schema["properties"]
    schema["required"] = ["name"]
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"], schema["description"] = "Agent", "An agent of Callwright."
    _describe(schema)
    return schema


def _describe(schema: dict[str, Any]) -> None:
    for name, path in AgentForm.PATHS.items():
        control = AgentForm.base_fields[name]
        for found in _at(schema, schema, path.split(".")):
            found["title"], found["description"] = str(control.label), str(control.help_text)


def _offer(schema: dict[str, Any], names: Names) -> None:
    for path, kind in PLACES.items():
        known = [names.name(kind, key) for key in names.by_id.get(kind, {})]
        known = [LOCAL, *known] if kind == "connection" else known
        for found in _at(schema, schema, path.split(".")):
            found["examples"], found["x-refers-to"] = sorted(known), kind


def _at(root: dict[str, Any], part: dict[str, Any], path: list[str]) -> Iterator[dict[str, Any]]:
    """The schemas at a path, in each of the kinds that may stand there; `*` is each of a list."""
    if "$ref" in part:
        part = root["$defs"][part["$ref"].rpartition("/")[2]]
    for choice in (*part.get("anyOf", ()), *part.get("oneOf", ())):
        yield from _at(root, choice, path)
    if not path:
        if "anyOf" not in part and "oneOf" not in part:
            yield part
        return
    step, *rest = path
    inner = part.get("items") if step == "*" else part.get("properties", {}).get(step)
    if not isinstance(inner, dict):
        return
    if rest:
        yield from _at(root, inner, rest)
    elif "$ref" in inner or "anyOf" not in inner:
        yield inner  # not what it refers to, which others may, too
    else:
        yield from _at(root, inner, rest)
