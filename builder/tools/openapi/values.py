"""The parameters of an operation as the values of a tool's request."""

from __future__ import annotations

import json
import re
from typing import Any

from builder.documents import NotUnderstood
from builder.tools.kinds import LONGEST_ALLOWED, PARAMETERS
from builder.tools.openapi.schemas import Schema, Schemas, kind, listed

SIMPLE = ("string", "number", "integer", "boolean")
OF_HTTP = frozenset({"accept", "content-type", "authorization"})
"""Headers that a document cannot describe as parameters."""
LONGEST_DESCRIPTION = 1_000


class Values:
    """Gathers the values of one request. `notes` say what was left out."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._values: list[dict[str, Any]] = []
        self._places: set[tuple[str, str]] = set()
        self._keys: set[str] = set()
        self.notes: list[str] = []

    def add_parameter(self, part: Any) -> None:
        """A parameter of the path, the query, a header or a cookie; one that is there already counts. Raises
        NotUnderstood."""
        said = self._schemas.at(part)
        name, where = str(said.get("name", "")), str(said.get("in", ""))
        required = said.get("required") is True or where == "path"
        if (where, name) in self._places or (where == "header" and name.lower() in OF_HTTP):
            return
        self._places.add((where, name))
        if where not in ("path", "query", "header"):
            self.leave_out(name, f"tools send no values in a {where or 'place without a name'}", required)
            return
        if (style := said.get("style")) in ("deepObject", "spaceDelimited", "pipeDelimited", "matrix", "label"):
            self.leave_out(name, f"tools do not write values in the style {style}", required)
            return
        schema = self._schemas.schema(said["schema"]) if "schema" in said else {"type": "string"}
        words = str(said.get("description") or schema.get("description") or "")
        if kind(schema) == "array" and said.get("explode") is False:
            schema, words = {"type": "string"}, f"{words} Several with commas between them.".strip()
        self.add(name, where, {**schema, "description": words}, required=required)

    def add(self, name: str, where: str, schema: Schema, *, required: bool) -> None:
        """One value. Raises NotUnderstood when it is needed and cannot be."""
        key = re.sub(r"\W+", "_", name)  # what the model calls it
        if key in self._keys:
            self.leave_out(name, "another value of the request has its name", required)
            return
        try:
            value = {"name": name, "where": where, "required": required, **self._typed(schema)}
        except NotUnderstood as error:
            self.leave_out(name, str(error), required)
            return
        if where != "body" and value["type"] == "json":
            self.leave_out(name, "only a body holds lists and objects", required)
            return
        self._keys.add(key)
        self._values.append(value)

    def leave_out(self, name: str, why: str, required: bool) -> None:
        """Note it. Raises NotUnderstood when it is needed."""
        if required:
            raise NotUnderstood(f"It needs {name[:60] or 'a value'}, and {why}.")
        self.notes.append(f"Without {name[:60] or 'a value'}: {why}.")

    def chosen(self) -> list[dict[str, Any]]:
        """Those that the tool gets: all that are needed, and the first of the others. Raises NotUnderstood."""
        needed = [value for value in self._values if value["required"]]
        if len(needed) > PARAMETERS:
            raise NotUnderstood(f"It needs {len(needed)} values, and a tool has at most {PARAMETERS}.")
        room = PARAMETERS - len(needed)
        others = [value for value in self._values if not value["required"]]
        if dropped := others[room:]:
            self.notes.append(f"Without {len(dropped)} values that it does not need: a tool has at most {PARAMETERS}.")
        kept = [*needed, *others[:room]]
        return [value for value in self._values if value in kept]

    def _typed(self, schema: Schema) -> dict[str, Any]:
        """The type of a value, what it may be, and in words what it is."""
        made: dict[str, Any] = {"description": str(schema.get("description") or "").strip()[:LONGEST_DESCRIPTION]}
        type_ = kind(schema) or ("json" if "anyOf" in schema else "string")
        words = (
            [schema["const"]] if "const" in schema else [one for one in listed(schema.get("enum")) if one is not None]
        )
        if type_ in SIMPLE and len(words) == 1:
            return {**made, "type": type_, "source": "constant", "value": _text(words[0])}
        if type_ in SIMPLE:
            return {**made, "type": type_, "allowed": _allowed(type_, words)}
        if type_ == "array":
            items = self._schemas.schema(schema.get("items", {}))
            if kind(items) == "string":
                return {**made, "type": "strings", "allowed": _allowed("string", listed(items.get("enum")))}
        told = self._schemas.told({**schema, "description": ""})
        told.pop("description", None)
        return {**made, "type": "json", "allowed": _fitting(told)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _allowed(type_: str, words: list[Any]) -> str:
    """The words of a list that may be written; those with commas cannot be told apart, so then anything may be."""
    texts = [_text(word) for word in words]
    if type_ == "boolean" or any("," in text or not text.strip() for text in texts):
        return ""
    joined = ", ".join(texts)
    return joined if len(joined) <= LONGEST_ALLOWED else ""


def _fitting(told: Schema) -> str:
    """A schema as text that a tool can hold: of one that is too long, only its outline."""
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    if len(text) <= LONGEST_ALLOWED:
        return text
    outline = {key: told[key] for key in ("type", "required") if key in told}
    return json.dumps(outline) if len(json.dumps(outline)) <= LONGEST_ALLOWED else "{}"
