"""The clock of a replayed call."""

from __future__ import annotations

import asyncio


class Timeline:
    """The clock of the replayed call, as its providers see it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()

    def now(self) -> float:
        return self._loop.time() - self._origin

    async def until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, at - self.now()))
