"""What several formats describe alike: the services of an agent, its transfers, and requests with a JSON body."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from builder import vendors
from builder.config import VariableChoice
from builder.fields import bound, tidy_name, tidy_transfer
from builder.imports.draft import Draft, message, translated
from builder.imports.source import Source, is_secret
from builder.tools.curl import keep_secret, secret_name
from builder.tools.openapi.schemas import Schema, Schemas, needed, properties
from builder.tools.openapi.values import Values

MOST_VARIABLES = 64


def connected(draft: Draft, source: Source, vendor: str, setting: str) -> bool:
    """Use the workspace's account with `vendor`, which `source` names, for a role of the agent, such as "voice"."""
    known = draft.around.connections.get(vendor)
    if known:
        draft.take(source, f"{setting}.connection", known, why=f"By the workspace's account with {_label(vendor)}.")
        return True
    source.lost(
        f"The workspace has no connection to {_label(vendor) if vendor else source.value}, "
        "so the models of this machine do it. Make one, then choose it on the agent's page."
    )
    return False


def _label(vendor: str) -> str:
    return vendors.label(vendor)


def take_service(draft: Draft, part: Source, vendor: str, setting: str, names: Mapping[str, str]) -> None:
    """Who does something for the agent, by the `provider` of a part, and which of the vendor's models and voices:
    `names` are those of the part, with their paths."""
    provider = part["provider"]
    if provider and connected(draft, provider, vendor, setting):
        for name, path in names.items():
            draft.take(part[name], path)
        return
    for name in names:
        part[name].lost(
            f"The workspace has no connection to {_label(vendor) if vendor else provider.text or 'its vendor'}."
        )


ENGLISH_ONLY = (
    "The speech recognition of this machine understands English only. Choose a connection for it, then the language."
)


def take_language(draft: Draft, source: Source) -> None:
    """A language of any form, such as "en-US"; for one that has to be heard by somebody else, after that is set."""
    code = source.text.partition("-")[0].partition("_")[0].lower()
    if code == "en" or draft.has("hearing.connection"):
        draft.take(source, "language", code, why="" if source.value == code else "Without the country.")
    else:
        source.lost(ENGLISH_ONLY)


def take_detection(draft: Draft, source: Source) -> None:
    """A document that leaves the language open, which `source` says."""
    if draft.has("hearing.connection"):
        draft.take(source, "detect_language", True, why="The language is open, so it is detected.")
    else:
        source.lost(ENGLISH_ONLY)


def take_variables(draft: Draft, source: Source, field: Literal["test", "default"]) -> None:
    """Variables by their names, each with its value: the one that it has in test calls, or by itself."""
    made: list[VariableChoice] = []
    for name, part in source.parts():
        kind = "boolean" if isinstance(part.value, bool) else "string" if part.number is None else "number"
        if isinstance(part.value, list | dict):
            part.lost("A variable is a text, a number, or true or false.")
        elif len(made) == MOST_VARIABLES:
            part.lost(f"An agent has at most {MOST_VARIABLES} variables.")
        else:
            try:
                made.append(VariableChoice.model_validate({"name": name, "type": kind, field: part.value}))
            except ValidationError as error:
                part.lost(f"It cannot be a variable: {message(error)}")
            else:
                part.kept("Variables")
    draft.put("variables", tuple(one.model_dump() for one in made))


class Transfers:
    """The people whom an agent may give the caller to, as they come."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._targets: list[dict[str, Any]] = []

    def add(self, source: Source, to: Source, *, when: str = "", name: str = "", warm: bool = False) -> str:
        """Somebody. Gives their name, or "" with `source` said to be lost."""
        try:
            number = tidy_transfer(to.text)
        except ValueError as error:
            source.lost(f"It cannot be dialled: {error}")
            return ""
        if not number:
            source.lost("It does not say whom.")
            return ""
        if len(self._targets) == (most := bound("transfers", "max_length")):
            source.lost(f"An agent transfers to at most {most} others.")
            return ""
        free = self._free(name or when)
        self._targets.append({"name": free, "to": number, "when": " ".join(when.split())[:500], "warm": warm})
        self._draft.put("transfers", tuple(self._targets))
        return free

    def _free(self, wanted: str) -> str:
        """A name that a model can say, made of the first words."""
        try:
            name = tidy_name(" ".join(wanted.split()[:4]))[:50]
        except ValueError:
            name = ""
        name, number = name or "colleague", 2
        taken = {target["name"] for target in self._targets}
        base = name
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        return name


def values_of(schema: Schema, where: str, names: Mapping[str, str], notes: list[str]) -> list[dict[str, Any]]:
    """The values of a request that a JSON Schema describes. Raises NotUnderstood when one that is needed cannot be."""
    schemas = Schemas({})
    values = Values(schemas)
    for name, part in properties(schema).items():
        if not isinstance(part, dict):
            continue
        values.add(name, where, schemas.schema(part), required=name in needed(schema))
    notes += values.notes
    made = values.chosen()
    for value, part in zip(made, (properties(schema)[value["name"]] for value in made), strict=True):
        fixed = part.get("value", part.get("constant_value"))
        if isinstance(fixed, str | int | float | bool) and fixed != "":
            text, _ = translated(fixed if isinstance(fixed, str) else str(fixed).lower(), names)
            value |= {"source": "constant", "value": text}
    return made


def headers_of(draft: Draft, source: Source, tool: str, names: Mapping[str, str]) -> list[dict[str, str]]:
    """The headers of a request; what in them looks like a key becomes a secret of the workspace."""
    made = []
    for name, part in source.parts():
        if not isinstance(part.value, str):
            continue
        if is_secret(name) and "{{" not in part.text:
            secret = secret_name(tool, name)
            if part.text:
                secret = keep_secret(draft.secrets, secret, part.text)
            part.changed("Secrets", f"It is the secret {secret} now.")
            made.append({"name": name, "value": f"{{{{secret__{secret}}}}}"})
        else:
            text, why = translated(part.text, names)
            if why:
                part.changed("Headers of the tool", why)
            made.append({"name": name, "value": text})
    return made


_PLACEHOLDER = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")


def placeholders(*texts: str) -> Iterator[str]:
    """The names of the variables in texts."""
    for text in texts:
        yield from _PLACEHOLDER.findall(text)
