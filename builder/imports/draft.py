"""An agent that is being put together from a document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from builder.config import AgentConfig
from builder.controls import AgentControls
from builder.fields import bound, schema
from builder.imports.report import Report
from builder.imports.source import Source
from builder.tools.kinds import CONFIGS, NAME, OF_THE_ENGINE, NewTool

NAME_LONGEST = 120
ONLY_ADMINS = "Only admins make tools. Ask one to import the document, or to make the tool."
_PLACE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Around:
    """What of the workspace an import may use: its connections by vendor, and what only admins may: tools, and secrets
    that are sent to an address."""

    connections: Mapping[str, str] = field(default_factory=dict)
    for_admin: bool = True


@dataclass(frozen=True, slots=True)
class Imported:
    """An agent to be made. Its config names its tools where an agent of the workspace has their ids; `secrets` are
    the texts that were found, by their names."""

    format: str
    name: str
    config: AgentConfig
    report: Report
    tools: tuple[NewTool, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class Draft:
    """Gathers settings. What does not fit into one is made to fit where it can be, and said to be."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.name = ""
        self.tools: list[NewTool] = []
        self.secrets: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._kept: dict[str, tuple[Source, Any]] = {}
        """The parts that settings were taken from as they are, with their values."""

    def put(self, path: str, value: Any) -> None:
        """Set what is at a dotted path of AgentConfig, without a word about it; but a part that was kept there, and
        says something else, is so no more."""
        part, before = self._kept.pop(path, (None, value))
        if part is not None and before != value and not isinstance(value, list | tuple):
            part.changed(label(path), "Another part of the document says otherwise, and counts.")
        *parents, name = path.split(".")
        at = self._values
        for parent in parents:
            at = at.setdefault(parent, {})
        at[name] = value

    def has(self, path: str) -> bool:
        at: Any = self._values
        for step in path.split("."):
            at = at.get(step) if isinstance(at, dict) else None
        return at is not None

    def take(self, source: Source, path: str, value: Any = None, *, why: str = "") -> bool:
        """Set what is at a dotted path to what `source` says, or to `value`, which is what became of it, for the reason
        `why`. Gives whether there was something that could be taken."""
        if not source:
            return False
        wanted = source.value if value is None else value
        try:
            fits = _adapter(path).validate_python(wanted, strict=isinstance(wanted, bool | str))
        except ValidationError as error:
            fits, said = _made_to_fit(path, wanted), message(error)
            if fits is None:
                source.lost(f"It does not fit into {label(path)}: {said}")
                return False
            why = f"{said} {why}".strip()
        self.put(path, fits)
        if why:
            source.changed(label(path), why)
        else:
            source.kept(label(path))
            self._kept[path] = source, fits
        return True

    def take_text(self, source: Source, path: str, names: Mapping[str, str]) -> bool:
        """Set a text, with its placeholders as ours are written; `names` are those that are called otherwise here."""
        if source and not isinstance(source.value, str):
            source.lost("It is no text.")
            return False
        text, changed = translated(source.text, names)
        return self.take(source, path, text, why=changed)

    def take_name(self, source: Source) -> None:
        if source and isinstance(source.value, str):
            self.name = " ".join(source.text.split())[:NAME_LONGEST]
            if self.name == source.text:
                source.kept("Name")
            else:
                source.changed("Name", f"At most {NAME_LONGEST} letters, in one line.")

    def add_tool(self, source: Source, kind: str, name: str, description: str, config: Mapping[str, Any]) -> str:
        """Have a tool made. Gives the name by which the config calls it, or "" with `source` said to be lost."""
        if not self.around.for_admin:
            source.lost(ONLY_ADMINS)
            return ""
        wanted = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")[:60] or "tool"
        wanted = wanted if re.match(NAME, wanted) else f"tool_{wanted}"[:60]
        if len(self.tools) == (most := bound("tools", "max_length")):
            source.lost(f"An agent has at most {most} tools.")
            return ""
        taken = {*OF_THE_ENGINE, *(tool.name for tool in self.tools)}
        free, number = wanted, 2
        while free in taken:
            free, number = f"{wanted}_{number}", number + 1
        try:
            made = CONFIGS[kind].model_validate(config)
        except ValidationError as error:
            source.lost(f"It cannot be a tool: {message(error)}")
            return ""
        self.tools.append(NewTool(kind, free, description.strip()[:2_000], made))
        return free

    def imported(self, format_: str, document: Source, reasons: Mapping[str, str]) -> Imported:
        """All of it. Raises ValidationError when the settings do not go together."""
        config = AgentConfig.model_validate(self._values)
        needed = {name for tool in self.tools for name in tool.config.secrets}
        found = {name: value for name, value in self.secrets.items() if name in needed}
        report = Report(tuple(document.lines(reasons)), tuple(sorted(needed - set(found))))
        return Imported(format_, self.name, config, report, tuple(self.tools), found)


def label(path: str) -> str:
    """What the page calls the setting at a path."""
    for control, known in AgentControls.PATHS.items():
        if known == path:
            return str(AgentControls.base_fields[control].label)
    return path.replace("_", " ").replace(".", ": ").capitalize()


def translated(text: str, names: Mapping[str, str]) -> tuple[str, str]:
    """A text with its placeholders as ours are written, and what is different, in words."""
    told: list[str] = []

    def place(match: re.Match[str]) -> str:
        name = match[1].strip()
        ours = names.get(name, name)
        if ours != name:
            told.append(f"{{{{{name}}}}} is {{{{{ours}}}}} here.")
        elif not re.fullmatch(r"[\w.-]+", name):
            told.append(
                f"{{{{{name[:60]}}}}} is computed, which placeholders here are not: it is read out as it stands."
            )
            return match[0]
        return f"{{{{{ours}}}}}"

    return _PLACE.sub(place, text), " ".join(dict.fromkeys(told))


def _adapter(path: str) -> TypeAdapter[Any]:
    info = schema(path)
    kind: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    return TypeAdapter(kind)


def _made_to_fit(path: str, value: Any) -> Any:
    """The nearest that the setting takes: a number within its limits, the first part of a text or list."""
    adapter = _adapter(path)
    if isinstance(value, int | float) and not isinstance(value, bool):
        least, most = bound(path, "ge"), bound(path, "le")
        value = max(value, least) if least is not None else value
        value = min(value, most) if most is not None else value
    elif isinstance(value, str | list | tuple) and (longest := bound(path, "max_length")) is not None:
        value = value[:longest]
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


def message(error: ValidationError) -> str:
    """The first thing that is wrong, as a sentence."""
    said: str = error.errors()[0]["msg"].removeprefix("Value error, ")
    return said if said.endswith((".", "!", "?")) else f"{said}."
