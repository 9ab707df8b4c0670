"""Keypad digits on their way to a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class DtmfEntry:
    digits: str
    reason: str


class DtmfCollector:
    def __init__(self, on_entry: Callable[[DtmfEntry], None], *, terminator: str, most: int, pause: float) -> None:
        self._on_entry, self._terminator, self._most, self._pause = on_entry, terminator, most, pause
        self._digits = ""
        self._timer: asyncio.TimerHandle | None = None

    def press(self, digit: str) -> None:
        self.close()
        if digit == self._terminator:
            self._done("terminator")
            return
        self._digits += digit
        if len(self._digits) >= self._most:
            self._done("length")
        else:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._done, "timeout")

    def _done(self, reason: str) -> None:
        digits, self._digits = self._digits, ""
        self._on_entry(DtmfEntry(digits, reason))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
