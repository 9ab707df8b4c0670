"""Our own agents: the YAML that an agent's page shows, or the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from builder.config import AgentConfig
from builder.documents import NotUnderstood
from builder.imports.draft import Around, Imported
from builder.imports.report import Report
from builder.imports.source import Source
from builder.references import Names, Place, put
from builder.sending import FOR_ADMINS, MEND, sendings
from builder.yaml import YamlError, load

ID = "callwright"
LABEL = "Callwright agent"


def recognises(document: Any) -> bool:
    return isinstance(document, dict) and ("callwright" in document or {"name", "prompt"} <= set(document))


def read(text: str, document: Source, around: Around, names: Names) -> Imported:
    """What a text says. What it refers to and the workspace does not have is left out, and what only admins may have.
    Raises NotUnderstood."""
    try:
        # JSON written without line breaks is YAML; with tabs it is not.
        plain = json.dumps(document.value) if text.lstrip().startswith("{") else text
        found = load(plain, names, leave_out_missing=True)
    except YamlError as error:
        problems = error.problems[:3]
        raise NotUnderstood(" ".join(f"Line {problem.line}: {problem.message}" for problem in problems)) from None
    gone: dict[Place, str] = {missing.place: str(missing) for missing in found.missing}
    config = found.config
    if not around.for_admin:
        sent = [place for sending in sendings(config) for place in sending.places]
        gone |= dict.fromkeys(sent, f"{FOR_ADMINS} {MEND}")
        config = _without(config, sent)
    for place, why in gone.items():
        part = document
        for step in place:
            part = part[step]
        part.lost(why)
    for name, part in document.parts():
        part.kept("Name" if name == "name" else name.replace("_", " ").capitalize())
    return Imported(ID, found.name, config, Report(tuple(document.lines())))


def _without(config: AgentConfig, places: Iterable[Place]) -> AgentConfig:
    """With the texts and the mappings that are there empty."""
    values = config.as_json()
    for place in places:
        put(values, place, {} if place[-1] in ("headers", "body") else "")
    return AgentConfig.model_validate(values)
