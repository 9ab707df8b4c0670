"""What the local models are doing: a board that the model process writes and every other process reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

State = Literal["waiting", "downloading", "loading", "ready", "failed", "off"]

LABELS: Mapping[str, str] = {
    "vad": "Voice activity",
    "turn": "End of turn",
    "stt": "Speech recognition",
    "piper": "Spare voice",
    "tts": "Natural voices",
    "voices": "Voices with other accents",
    "embed": "Knowledge search",
    "llm": "Language model",
}
"""The components in the order in which they are fetched: the first four make a conversation possible."""


@dataclass(frozen=True, slots=True)
class Component:
    """One model. `done`, `total` (bytes) and `speed` (bytes/s) tell of its download; `message` is for people."""

    name: str
    label: str
    state: State = "waiting"
    done: int = 0
    total: int = 0
    speed: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class ModelsStatus:
    """All components as last known. `connected` is false while the model process cannot be reached."""

    connected: bool
    components: tuple[Component, ...] = ()

    @classmethod
    def unreachable(cls) -> ModelsStatus:
        return cls(False, tuple(Component(name, label) for name, label in LABELS.items()))

    @classmethod
    def from_json(cls, components: Sequence[Mapping[str, Any]]) -> ModelsStatus:
        return cls(True, tuple(Component(**component) for component in components))

    def to_json(self) -> list[dict[str, Any]]:
        return [asdict(component) for component in self.components]

    def get(self, name: str) -> Component:
        """The component `name`. Raises KeyError if there is none."""
        for component in self.components:
            if component.name == name:
                return component
        raise KeyError(name)

    def is_ready(self, name: str) -> bool:
        return self.connected and any(c.name == name and c.state == "ready" for c in self.components)

    @property
    def can_talk(self) -> bool:
        """Everything for a call but a language model is ready."""
        return all(map(self.is_ready, ("vad", "turn", "stt"))) and (self.is_ready("tts") or self.is_ready("piper"))

    @property
    def can_talk_locally(self) -> bool:
        """Everything for a call is ready, the local language model too."""
        return self.can_talk and self.is_ready("llm")


class Board:
    """The components, written by the threads that fetch and load. `on_change` is called on the writing thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._components = {name: Component(name, label) for name, label in LABELS.items()}
        self._listeners: list[Callable[[Component], None]] = []

    def listen(self, on_change: Callable[[Component], None]) -> None:
        self._listeners.append(on_change)

    def set(self, name: str, **changes: Any) -> None:
        """Change a component's fields."""
        with self._lock:
            before = self._components[name]
            after = self._components[name] = replace(before, **changes)
        if after != before:
            for listener in self._listeners:
                listener(after)

    def get(self, name: str) -> Component:
        with self._lock:
            return self._components[name]

    def status(self) -> ModelsStatus:
        with self._lock:
            return ModelsStatus(True, tuple(self._components.values()))
