"""The caller's keys, collected into entries: an account number, a date, a choice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Reason = Literal["terminator", "length", "timeout"]


@dataclass(frozen=True, slots=True)
class DtmfEntry:
    """What was keyed in, without the terminator, and what ended it. After a `timeout` it may be short, even empty."""

    digits: str
    reason: Reason


class DtmfCollector:
    """Collects the keys of one entry at a time; the next begins with the next key.

    An entry is complete at the `terminator` (none with ""), at `most` digits, or when no key came for `pause` seconds.
    With fewer than `least` digits a terminator counts as pressed too early and is ignored, and only silence ends the
    entry. `expect` waits `first` seconds for the first key; nothing waits for an entry that the caller begins unasked.
    """

    def __init__(
        self,
        on_entry: Callable[[DtmfEntry], None],
        *,
        terminator: str,
        most: int,
        pause: float,
        least: int = 0,
        first: float = 8.0,
    ) -> None:
        if most < max(least, 1):
            raise ValueError(f"At least {least} and at most {most} digits: there is no such entry.")
        self._on_entry = on_entry
        self._terminator = terminator
        self._least = least
        self._most = self._usual = most
        self._first = first
        self._pause = pause
        self._digits = ""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def digits(self) -> str:
        """The keys of the entry that is going on."""
        return self._digits

    def expect_at_most(self, most: int | None) -> None:
        """From now on an entry has so many digits at most; None is the usual number. An entry of one key has no
        terminator: each key counts."""
        self._most = self._usual if most is None else most

    def expect(self) -> None:
        """An entry was asked for: from now on it is waited for. Keys that came already count."""
        self._wait(self._pause if self._digits else self._first)

    def press(self, digit: str) -> None:
        """The caller pressed one key: 0-9, `*`, `#`, A-D."""
        if digit == self._terminator and self._most > 1:
            if len(self._digits) >= self._least:
                self._complete("terminator")
            else:
                self._wait(self._pause)
            return
        self._digits += digit
        if len(self._digits) >= self._most:
            self._complete("length")
        else:
            self._wait(self._pause)

    def close(self) -> None:
        """Forget the entry that is going on, and wait for none."""
        self._stop_timer()
        self._digits = ""

    def _wait(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._complete, "timeout")

    def _complete(self, reason: Reason) -> None:
        entry = DtmfEntry(self._digits, reason)
        # Before the callback, which may expect the next entry.
        self.close()
        self._on_entry(entry)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
