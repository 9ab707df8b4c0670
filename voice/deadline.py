"""A time limit that is set again and again: for every token of an answer, for every piece of a voice's audio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Self, TypeVar

T = TypeVar("T")


class Deadline:
    """Limits how long one thing after another is waited for, with one timer for all of them.

    `asyncio.timeout` sets a timer and takes it back each time, for every token of hundreds of calls. Here the timer
    that runs already looks, when it is due, whether somebody has waited too long.
    Use it in an `async with` block, or close it when nothing more is waited for.
    """

    __slots__ = ("_due", "_loop", "_overdue", "_task", "_timer")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._due = 0.0
        self._overdue = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()

    async def wait(self, work: Awaitable[T], seconds: float) -> T:
        """The result of `work`. Raises TimeoutError when it does not come in time."""
        self._task, self._overdue = asyncio.current_task(), False
        self._due = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._due:
            self._arm()
        try:
            return await work
        except asyncio.CancelledError:
            if self._overdue and self._task is not None and self._task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            self._task = None

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self.close()
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._task is None:
            return
        if self._loop.time() < self._due:
            self._arm()
        else:
            self._overdue = True
            self._task.cancel()
