"""Bounded queues in front of the models: who may use a model, when, and who is turned away."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from voice.providers.base import ProviderBusy

T = TypeVar("T")


class Lane:
    """Runs blocking work on threads of its own, so many at once; the rest waits by priority, up to `limit`.

    Work gets a flag that is set when nobody wants its result any more; work that has not begun is then dropped.
    Lower priorities come first. `spare` workers are kept free for work of priority 0.
    """

    def __init__(self, name: str, *, workers: int, limit: int, spare: int = 0) -> None:
        self.name = name
        self._workers = workers
        self._limit = limit
        self._spare = spare
        self._running = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix=f"models-{name}")

    @property
    def load(self) -> int:
        """How many are running or waiting."""
        return self._running + sum(not ticket.done() for _, _, ticket in self._waiting)

    async def run(self, work: Callable[[threading.Event], T], *, priority: int = 0) -> T:
        """Run `work` in its turn. Raises ProviderBusy at once when too many wait."""
        await self._enter(priority)
        unwanted = threading.Event()
        future = asyncio.get_running_loop().run_in_executor(self._threads, work, unwanted)
        future.add_done_callback(self._leave)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            unwanted.set()
            raise

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _enter(self, priority: int) -> None:
        self._waiting = [entry for entry in self._waiting if not entry[2].done()]
        heapq.heapify(self._waiting)
        if not self._waiting and self._has_room(priority):
            self._running += 1
            return
        if len(self._waiting) >= self._limit:
            raise ProviderBusy(
                "local", f"The local models are busy: {len(self._waiting)} requests wait for {self.name}."
            )
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), ticket))
        self._admit()
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled():
                # Admitted and withdrawn in the same moment: the place goes to the next.
                self._running -= 1
                self._admit()
            raise

    def _has_room(self, priority: int) -> bool:
        return self._running < self._workers - (self._spare if priority else 0)

    def _leave(self, future: asyncio.Future[T]) -> None:
        if not future.cancelled():
            future.exception()  # told to whoever still waits; nobody else need hear of it
        self._running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and (self._waiting[0][2].done() or self._has_room(self._waiting[0][0])):
            _, _, ticket = heapq.heappop(self._waiting)
            if not ticket.done():
                self._running += 1
                ticket.set_result(None)
