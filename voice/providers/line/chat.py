"""Both directions of an open chat, and which of the agent's frames are still of use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from voice.providers.line.session import Session

# At the end of a call the agent is still told what was heard of it, if that does not take longer.
LAST_WORDS_SECONDS = 1.0


class Exchanges:
    """Numbers our frames, and knows which answers come too late.

    Each of our frames has an id, and what the agent sends in answer bears it. When the caller takes the turn, all that
    came before is over: an answer to it that is still under way must not be spoken.
    """

    def __init__(self) -> None:
        self._count = 0
        self._ours: set[str] = set()
        self._theirs: set[str] = set()
        self._over: set[str] = set()

    def next_id(self) -> str:
        self._count += 1
        number = f"event-{self._count}"
        self._ours.add(number)
        return number

    def turn_over(self) -> None:
        """Whatever is answered from now on to what was asked before comes too late."""
        self._over |= self._ours | self._theirs
        self._ours, self._theirs = set(), set()

    def is_late(self, responding_to: str) -> bool:
        """Whether this answer is of no use any more. What the agent says by itself bears an id of its own."""
        if responding_to and responding_to not in self._ours:
            self._theirs.add(responding_to)
        return responding_to in self._over

    def is_answer(self, responding_to: str) -> bool:
        """Whether this answers what was asked since the caller has taken the turn."""
        return responding_to in self._ours


class Chat:
    """Frames out in the order in which they were sent, and in as they come. Before there is a socket they wait."""

    def __init__(self) -> None:
        self.exchanges = Exchanges()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def send(self, kind: str, **fields: object) -> None:
        self._out.put_nowait({"type": kind, **fields, "event_id": self.exchanges.next_id()})

    async def hold(self, session: Session, take: Callable[[Mapping[str, Any]], None]) -> None:
        """Exchange frames until the app ends the chat. Raises ProviderError for a socket that is lost."""
        writing = asyncio.get_running_loop().create_task(self._write(session), name="line writer")
        try:
            async for message in session.socket.messages():
                if isinstance(message, dict):
                    take(message)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await session.socket.close()

    async def flush(self) -> None:
        """Wait until all is written, if there is somebody to write to."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self._out.join()

    async def _write(self, session: Session) -> None:
        while True:
            frame = await self._out.get()
            try:
                await session.socket.send(frame)
            finally:
                self._out.task_done()
