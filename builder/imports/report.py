"""What became of a document that was imported: a line for every part of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Fate = Literal["kept", "changed", "lost"]
LONGEST_VALUE = 200
# A spreadsheet would run a cell that begins so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Line:
    """One part. `path` is where it stood, such as "model.messages[0].content"; a part with others in it speaks for
    them all. `became` says where it is now, in the words of the agent's page, and `why` what is different or missing.
    """

    fate: Fate
    path: str
    value: str = ""
    became: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The lines in the order of the document. `secrets` are the names of those that tools need and nobody has given."""

    lines: tuple[Line, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def kept(self) -> list[Line]:
        return [line for line in self.lines if line.fate == "kept"]

    @property
    def changed(self) -> list[Line]:
        return [line for line in self.lines if line.fate == "changed"]

    @property
    def lost(self) -> list[Line]:
        return [line for line in self.lines if line.fate == "lost"]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def as_json(self) -> dict[str, Any]:
        return {"lines": [asdict(line) for line in self.lines], "secrets": list(self.secrets)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(tuple(Line(**line) for line in data["lines"]), tuple(data["secrets"]))

    def as_csv(self) -> str:
        """A sheet with a line for each part, below the names of the columns."""
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(["What happened", "Path", "Value", "Became", "Why"])
        for line in self.lines:
            cells = (line.fate, line.path, line.value, line.became, line.why)
            writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
        return file.getvalue()
