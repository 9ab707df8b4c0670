"""The language model's desk: answers first, and reading ahead while nobody waits for an answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from voice.providers.base import Finished, Message
from voice.providers.local.lanes import Lane

T = TypeVar("T")


@dataclass(eq=False)
class _Job:
    """One use of the model; `done` is set when the model has really let go of it."""

    messages: Sequence[Message]
    warming: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    displaced: bool = False


class Desk:
    """Hands chats to the language model.

    What was read of a chat stays in the slot that read it. So a chat must not be handed in while an earlier version of
    it is still in its slot, even if nobody wants that one any more: it would get an empty slot and be read anew.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._jobs: set[_Job] = set()
        self._answering = 0
        self._free = asyncio.Event()
        self._free.set()

    async def answer(
        self, model: Any, messages: Sequence[Message], *, temperature: float, max_tokens: int, extra: dict[str, Any]
    ) -> AsyncIterator[str | Finished]:
        """The answer's text as it is written, and then how it ended."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        job = _Job(messages)

        def write() -> Finished:
            finished: Finished = model.chat(
                messages,
                temperature=temperature,
                max_tokens=max_tokens,
                extra=extra,
                on_text=lambda text: loop.call_soon_threadsafe(pieces.put_nowait, text),
                stop=job.stop.is_set,
            )
            return finished

        self._answering += 1
        self._free.clear()
        writing: asyncio.Task[Finished] | None = None
        try:
            self._displace_warming()
            await self._settled(messages)
            writing = loop.create_task(self._do(job, write, priority=0))
            writing.add_done_callback(lambda _: pieces.put_nowait(None))
            while (text := await pieces.get()) is not None:
                yield text
            yield await writing
        finally:
            job.stop.set()
            if writing is not None:
                writing.cancel()
            self._answering -= 1
            if not self._answering:
                self._free.set()

    async def warm(self, model: Any, messages: Sequence[Message]) -> None:
        """Read a chat's beginning when there is nothing better to do. Answers displace it; it then goes on later."""
        while True:
            await self._free.wait()
            job = _Job(messages, warming=True)
            try:
                await self._settled(messages)
                read_ahead = partial(model.warm, messages, stop=job.stop.is_set)
                await self._do(job, read_ahead, priority=1)
            finally:
                job.stop.set()
            if not job.displaced:
                return

    async def _do(self, job: _Job, work: Callable[[], T], *, priority: int) -> T:
        loop = asyncio.get_running_loop()
        begun = threading.Event()

        def tracked(unwanted: threading.Event) -> T:
            begun.set()
            try:
                return work()
            finally:
                loop.call_soon_threadsafe(self._let_go, job)

        self._jobs.add(job)
        try:
            return await self._lane.run(tracked, priority=priority)
        finally:
            if not begun.is_set():
                self._let_go(job)

    def _let_go(self, job: _Job) -> None:
        self._jobs.discard(job)
        job.done.set()

    def _displace_warming(self) -> None:
        for job in self._jobs:
            if job.warming:
                job.displaced = True
                job.stop.set()

    async def _settled(self, messages: Sequence[Message]) -> None:
        """Wait until the model has let go of all that nobody wants of the same chat."""
        for job in list(self._jobs):
            if job.stop.is_set() and job.messages[:1] == messages[:1]:
                await job.done.wait()
