"""The real-time driver: hands every line its frames on the clock, in 20 phase slots, and watches the loop."""

from __future__ import annotations

import asyncio
from array import array

from benchmarks.engine.line import Line
from benchmarks.speech import FRAME_SECONDS

SLOTS = 20
PROBE_SECONDS = 0.01


class Driver:
    """Steps its lines every 20 ms; a line's place among the 20 slots of 1 ms is its index.

    Frames that are late because the loop was busy are all handed over as soon as it is free, as a socket
    would; a line is told when each was due.
    """

    def __init__(self) -> None:
        self._slots: list[list[Line]] = [[] for _ in range(SLOTS)]
        self._task: asyncio.Task[None] | None = None

    def add(self, line: Line) -> None:
        self._slots[line.index % SLOTS].append(line)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="driver")

    def remove(self, line: Line) -> None:
        self._slots[line.index % SLOTS].remove(line)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for slot, lines in enumerate(self._slots):
                if not lines:
                    continue
                ideal = due + slot * FRAME_SECONDS / SLOTS
                delay = ideal - loop.time()
                if delay > 0:
                    await asyncio.sleep(delay)
                for line in tuple(lines):
                    line.step(ideal)
            due += FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - loop.time()))


class LagProbe:
    """How much later than asked the loop wakes a sleeper up."""

    def __init__(self) -> None:
        self.lags: array[float] = array("f")
        self._task = asyncio.get_running_loop().create_task(self._run(), name="lag probe")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PROBE_SECONDS
            await asyncio.sleep(PROBE_SECONDS)
            self.lags.append(max(0.0, loop.time() - due))

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
