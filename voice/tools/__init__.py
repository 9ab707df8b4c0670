"""What an agent can do besides speaking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from voice.providers.base import ToolSchema


class ToolError(Exception):
    """A tool could not do its work. The text is told to the model."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool did: `text` is told to the model."""

    text: str
    ends_call: bool = False


class Tool(Protocol):
    @property
    def schema(self) -> ToolSchema: ...

    async def run(self, arguments: Mapping[str, object]) -> Outcome:
        """Do it. Raises ToolError."""
