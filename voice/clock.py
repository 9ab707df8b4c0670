"""The clock of a call, and a loop on which time is virtual.

The engine knows one source of time, also of the time of day: its event loop. On an ordinary loop that is the real
clock. On a `VirtualTimeLoop` time stands still while there is work and jumps to the next timer when there is none, so
a test or a simulation of a ten-minute call takes milliseconds and gives the same events each time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


# The day on which virtual time begins.
VIRTUAL_START = datetime(2026, 1, 5, 12, tzinfo=UTC)


class CallClock:
    """Seconds since the start of one call, and when that was."""

    __slots__ = ("_loop", "_origin", "began")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._origin = loop.time()
        virtual = isinstance(loop, VirtualTimeLoop)
        self.began = VIRTUAL_START + timedelta(seconds=self._origin) if virtual else datetime.now(UTC)

    def now(self) -> float:
        return self._loop.time() - self._origin


class _InstantSelector(selectors.DefaultSelector):
    """Never waits: a wait that the loop asks for is added to `elapsed` instead."""

    elapsed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or not timeout:
            if timeout is None and not ready:
                raise RuntimeError("The virtual loop would wait forever: no timer is set and nothing is ready.")
            return ready
        self.elapsed += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is virtual. Threads and sockets are of no use on it: nobody waits for them."""

    def __init__(self) -> None:
        self._instant = _InstantSelector()
        super().__init__(self._instant)

    def time(self) -> float:
        return self._instant.elapsed


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on a virtual clock that starts at 0."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
