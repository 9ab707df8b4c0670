"""Which providers have failed lately: a process asks those last, so that only one caller finds out the hard way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

DOWN_SECONDS = 30.0


class Health:
    """Shared by the calls of a process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._down: dict[str, float] = {}

    def failed(self, name: str) -> None:
        self._down[name] = self._now() + DOWN_SECONDS

    def worked(self, name: str) -> None:
        if self._down:
            self._down.pop(name, None)

    def is_down(self, name: str) -> bool:
        return self._down.get(name, 0.0) > self._now()

    def ordered(self, chain: Sequence[T], name: Callable[[T], str]) -> list[T]:
        """A chain of providers, those that are down last."""
        if not self._down:
            return list(chain)
        return sorted(chain, key=lambda member: self.is_down(name(member)))
