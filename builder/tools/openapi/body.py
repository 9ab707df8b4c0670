"""The body of an operation's request as the values of a tool's request."""

from __future__ import annotations

from typing import Any

from builder.tools.openapi.schemas import Schema, Schemas, kind, needed, properties
from builder.tools.openapi.values import Values

DEEPEST = 2
"""Objects within objects; what lies deeper is one value, written as JSON."""


class Body:
    """Adds what a body holds to the values of a request."""

    def __init__(self, schemas: Schemas, values: Values) -> None:
        self._schemas = schemas
        self._values = values

    def add(self, part: Any) -> None:
        """The request body of an operation, if it has one. Raises NotUnderstood when tools cannot write it."""
        if part is None:
            return
        body = self._schemas.at(part)
        required = body.get("required") is True
        content = body.get("content")
        media = _json_of(content if isinstance(content, dict) else {})
        if media is None:
            kinds = ", ".join(content) if isinstance(content, dict) else ""
            self._values.leave_out("its body", f"tools send JSON, not {kinds[:80] or 'nothing'}", required)
            return
        schema = self._schemas.schema(media.get("schema", {}) if isinstance(media, dict) else {})
        if kind(schema) != "object" or not properties(schema):
            self._values.leave_out("its body", "tools send an object whose parts are named", required)
            return
        self._add_object(schema, "", required=required, within=(id(self._schemas.at(media["schema"])),))

    def _add_object(self, schema: Schema, above: str, *, required: bool, within: tuple[int, ...]) -> None:
        """`within` are the objects around it: one that holds itself is not opened again."""
        for name, part in properties(schema).items():
            one, origin = self._schemas.schema(part), id(self._schemas.at(part))
            if one.get("readOnly"):
                continue
            wanted = required and name in needed(schema)
            if "." in name:
                self._values.leave_out(f"{above}{name}", "a dot in a name leads deeper", wanted)
            elif kind(one) == "object" and properties(one) and origin not in within and len(within) <= DEEPEST:
                self._add_object(one, f"{above}{name}.", required=wanted, within=(*within, origin))
            else:
                self._values.add(f"{above}{name}", "body", one, required=wanted)


def _json_of(content: dict[str, Any]) -> Any:
    """What a body is as JSON, if it can be that; None if not."""
    for name, media in content.items():
        plain = name.partition(";")[0].strip().lower()
        if plain in ("application/json", "*/*", "application/*") or plain.endswith("+json"):
            return media
    return None
