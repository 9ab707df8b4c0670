"""What several formats describe alike: the services of an agent, its transfers, and requests with a JSON body."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from builder import vendors
from builder.fields import tidy_name, tidy_number
from builder.imports.draft import Draft, translated
from builder.imports.source import Source, is_secret
from builder.tools.curl import secret_name
from builder.tools.openapi.schemas import Schema, Schemas, needed, properties
from builder.tools.openapi.values import Values


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


def take_language(draft: Draft, source: Source) -> None:
    """A language of any form, such as "en-US"."""
    if source and source.text.partition("-")[0].partition("_")[0].lower() == "en":
        draft.take(source, "language", "en", why="" if source.value == "en" else "Without the country.")
    else:
        source.lost("Agents speak English so far.")


class Transfers:
    """The people whom an agent may give the caller to, as they come."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._targets: list[dict[str, Any]] = []

    def add(self, source: Source, to: Source, *, when: str = "", name: str = "", warm: bool = False) -> str:
        """Somebody. Gives their name, or "" with `source` said to be lost."""
        try:
            number = tidy_number(to.text)
        except ValueError as error:
            source.lost(f"It cannot be dialled: {error}")
            return ""
        if not number:
            source.lost("It does not say whom.")
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
                draft.secrets[secret] = part.text
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
