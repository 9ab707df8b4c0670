"""Every format that agents are imported from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from builder.documents import NotUnderstood, read
from builder.imports import cartesia, own, vapi, vapi_workflow
from builder.imports.draft import Around, Imported, message
from builder.imports.source import Source
from builder.references import Names


@dataclass(frozen=True, slots=True)
class Format:
    """`recognises` says whether a document is one; `read` makes an agent of it, and raises NotUnderstood, or
    ValidationError of settings that an agent cannot have."""

    id: str
    label: str
    recognises: Callable[[Any], bool]
    read: Callable[[Source, Around], Imported]


_MODULES = (vapi_workflow, vapi, cartesia)
FORMATS: Mapping[str, Format] = {
    module.ID: Format(module.ID, module.LABEL, module.recognises, module.read) for module in _MODULES
}
LABELS = {own.ID: own.LABEL, **{known.id: known.label for known in FORMATS.values()}}


def read_agent(text: str, around: Around, names: Names) -> Imported:
    """The agent of a document of any known format. Raises NotUnderstood."""
    document = read(text)
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    source = Source(document)
    for known in FORMATS.values():
        if known.recognises(document):
            try:
                return known.read(source, around)
            except ValidationError as error:
                where = ".".join(map(str, error.errors()[0]["loc"]))
                raise NotUnderstood(f"It cannot be an agent: {where}: {message(error)}") from None
    if own.recognises(document):
        return own.read(text, source, around, names)
    raise NotUnderstood(f"It is none of these: {', '.join(LABELS.values())}.")
