"""One ticker for all calls of a process: each speaking call gets a tick every 20 ms."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from voice.media import FRAME_SECONDS

log = logging.getLogger(__name__)

SLOT_SECONDS = 0.005
SLOTS = round(FRAME_SECONDS / SLOT_SECONDS)


class Paced(Protocol):
    def tick(self) -> None:
        """Send one frame. A member that raises is dropped."""


class Pacer:
    """Ticks its members every 20 ms on one task, which runs only while there are members.

    Members are spread over four slots of 5 ms by the moment they join, so that a tick is never a burst of
    all calls at once. A late wake-up is made good at once: members keep pace with the clock, not with us.
    """

    def __init__(self) -> None:
        self._slots: list[dict[Paced, None]] = [{} for _ in range(SLOTS)]
        self._slot_of: dict[Paced, int] = {}
        self._slot = 0
        self._task: asyncio.Task[None] | None = None

    def add(self, member: Paced) -> None:
        """Tick `member` from 20 ms after now on; the caller sends the first frame itself."""
        if member in self._slot_of:
            return
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="pacer")
        self._slot_of[member] = self._slot
        self._slots[self._slot][member] = None

    def remove(self, member: Paced) -> None:
        slot = self._slot_of.pop(member, None)
        if slot is not None:
            del self._slots[slot][member]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        started, done = loop.time(), 0
        try:
            while self._slot_of:
                # A millionth of a slot covers the rounding of the loop's clock.
                due = int((loop.time() - started) / SLOT_SECONDS + 1e-6)
                while done < due:
                    done += 1
                    self._slot = (self._slot + 1) % SLOTS
                    for member in tuple(self._slots[self._slot]):
                        if member in self._slot_of:
                            self._tick(member)
                await asyncio.sleep(max(0.0, started + (done + 1) * SLOT_SECONDS - loop.time()))
        finally:
            self._task = None

    def _tick(self, member: Paced) -> None:
        try:
            member.tick()
        except Exception:  # one call's trouble must not silence the others
            log.exception("A call's audio stopped")
            self.remove(member)
