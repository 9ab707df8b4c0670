"""A document that is read part by part, and remembers what was said of each: nobody can forget one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from builder.imports.report import LONGEST_VALUE, Fate, Line

Path = tuple[str | int, ...]
UNKNOWN = "Callwright has no setting for this."
HIDDEN = "••••"

_PLAIN = re.compile(r"[A-Za-z_][\w-]*")
_SECRET = re.compile(r"(^|_|-)(token|secret|password|authorization|cookie|api[_-]?key|x-[\w-]*key)$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Source:
    """A part of a document, which may be missing: then its `value` is None.

    Whoever reads a part says what became of it, by `kept`, `changed` or `lost`; said of a part with others in it, it
    holds for those that nobody speaks of. `lines` tells all of it, and what nobody spoke of as lost.
    """

    def __init__(self, value: Any, path: Path = (), said: dict[Path, Line] | None = None) -> None:
        self.value = value
        self.path = path
        self._said: dict[Path, Line] = {} if said is None else said

    def __getitem__(self, step: str | int) -> Source:
        value = None
        if isinstance(step, str) and isinstance(self.value, dict):
            value = self.value.get(step)
        elif isinstance(step, int) and isinstance(self.value, list) and step < len(self.value):
            value = self.value[step]
        return Source(value, (*self.path, step), self._said)

    def __bool__(self) -> bool:
        return not _says_nothing(self.value)

    def __iter__(self) -> Iterator[Source]:
        """The parts of a list."""
        for place in range(len(self.value) if isinstance(self.value, list) else 0):
            yield self[place]

    def parts(self) -> Iterator[tuple[str, Source]]:
        """The parts of an object, with their names."""
        for name in self.value if isinstance(self.value, dict) else ():
            yield name, self[name]

    @property
    def text(self) -> str:
        """It, if it is a text."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def object(self) -> dict[str, Any]:
        """It, if it is an object; an empty one if not."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def number(self) -> float | None:
        """It, if it is a number."""
        known = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        return self.value if known else None

    def only(self, *names: str) -> None:
        """Of an object of which all is spoken of at once: parts of other names are lost."""
        for name, part in self.parts():
            if name not in names and part.path not in self._said:
                part.lost(UNKNOWN)

    def kept(self, became: str) -> None:
        self._say("kept", became, "")

    def changed(self, became: str, why: str) -> None:
        self._say("changed", became, why)

    def lost(self, why: str) -> None:
        self._say("lost", "", why)

    def _say(self, fate: Fate, became: str, why: str) -> None:
        if self:
            self._said[self.path] = Line(fate, written(self.path), shown(self.path, self.value), became, why)

    def lines(self, reasons: Mapping[str, str] | None = None) -> list[Line]:
        """What became of every part, in the order of the document. `reasons` say why the parts of some names, such as
        "metadata", are lost."""
        spoken_of = {path[:length] for path in self._said for length in range(len(path))}
        return list(self._lines(spoken_of, reasons or {}))

    def _lines(self, spoken_of: set[Path], reasons: Mapping[str, str], *, covered: bool = False) -> Iterator[Line]:
        """`covered`: what was said of a part around it holds for it."""
        if not self:
            return
        line = self._said.get(self.path)
        if line is not None:
            yield line
        elif self.path not in spoken_of:
            if not covered:
                names = [step for step in reversed(self.path) if isinstance(step, str)]
                why = next((reasons[name] for name in names if name in reasons), UNKNOWN)
                yield Line("lost", written(self.path), shown(self.path, self.value), "", why)
            return
        for part in [part for _, part in self.parts()] or list(self):
            yield from part._lines(spoken_of, reasons, covered=covered or line is not None)


def written(path: Path) -> str:
    """A path as people write it: "nodes[0].prompt"."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text


def shown(path: Path, value: Any) -> str:
    """A value in a report: short, and without what has to stay secret."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    if isinstance(value, str) and is_secret(name):
        return HIDDEN
    if isinstance(value, list):
        return "1 entry" if len(value) == 1 else f"{len(value)} entries"
    if isinstance(value, dict):
        return "1 setting" if len(value) == 1 else f"{len(value)} settings"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def is_secret(name: str) -> bool:
    """Is what has this name, a setting's or a header's, a key?"""
    return bool(_SECRET.search(_CAMEL.sub("_", name)))


def _says_nothing(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}
