"""One WebSocket on which many pieces of speech are made at the same time, each in a context of its own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from websockets.exceptions import WebSocketException

from voice.providers.base import ProviderError
from voice.providers.failures import Failures
from voice.providers.sockets import Connect, ProviderSocket

FIRST_SECONDS = 8.0
GAP_SECONDS = 8.0

Event = dict[str, Any]


class Lost(ProviderError):
    """The socket broke, and what was being made on it will not come."""

    def __init__(self, provider: str, message: str) -> None:
        super().__init__(provider, message, retryable=True)


class Contexts:
    """The contexts of all calls. The socket is opened when it is first needed, and anew when it was lost: the server
    closes one that is idle for five minutes."""

    def __init__(self, url: str, headers: Mapping[str, str], failures: Failures, *, connect: Connect) -> None:
        self._url = url
        self._headers = headers
        self._failures = failures
        self._connect = connect
        self._opening: asyncio.Task[_Line] | None = None
        self._chores: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Close the socket. Pieces that are still being made end with `Lost`."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            with suppress(asyncio.CancelledError, ProviderError):
                await (await opening).close()
        await asyncio.gather(*self._chores)

    async def events(self, request: Mapping[str, Any], *, what: str) -> AsyncIterator[Event]:
        """Make a piece of speech: everything that the server says of it, until it is done.

        Closing the iterator cancels the work. `what` names the voice in the words of a failure. Raises ProviderError,
        and `Lost` where the same request may do better on a new socket.
        """
        line = await self._line(what)
        context = uuid.uuid4().hex
        done = False
        try:
            asked_at = line.enter(context)
            await line.send({**request, "context_id": context})
            patience = FIRST_SECONDS
            while not done:
                event = await line.next(context, patience, asked_at)
                patience = GAP_SECONDS
                done = bool(event.get("done"))
                yield event
        finally:
            line.leave(context)
            if not done:
                # Nobody waits for this: the caller has interrupted, and wants to be heard.
                self._chore(line.cancel(context))

    async def _line(self, what: str) -> _Line:
        """The open socket. Whoever comes while it is being opened waits for the same one."""
        opening = self._opening
        if opening is None or (opening.done() and not (_has_result(opening) and opening.result().is_open)):
            opening = self._opening = asyncio.create_task(self._open(what), name="speech socket")
        return await asyncio.shield(opening)

    async def _open(self, what: str) -> _Line:
        socket = await ProviderSocket.open(self._url, self._headers, self._failures, what=what, opener=self._connect)
        return _Line(socket, self._failures)

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


class _Line:
    """An open socket, and who waits for what on it."""

    def __init__(self, socket: ProviderSocket, failures: Failures) -> None:
        self._socket = socket
        self._failures = failures
        self._loop = asyncio.get_running_loop()
        self._queues: dict[str, asyncio.Queue[Event | Lost]] = {}
        self._heard_at = self._loop.time()
        self._lost = False
        self._reading = asyncio.create_task(self._read(), name="speech socket reader")

    @property
    def is_open(self) -> bool:
        return self._socket.is_open and not self._lost

    async def close(self) -> None:
        await self._socket.close()
        await self._reading

    def enter(self, context: str) -> float:
        """Begin to keep what comes for a context; the time at which that was."""
        self._queues[context] = asyncio.Queue()
        return self._loop.time()

    def leave(self, context: str) -> None:
        """What still comes for a context is nobody's."""
        self._queues.pop(context, None)

    async def send(self, message: Event) -> None:
        try:
            await self._socket.send(message)
        except ProviderError as error:
            raise Lost(error.provider, str(error)) from error

    async def cancel(self, context: str) -> None:
        with suppress(ProviderError):
            await self._socket.send({"context_id": context, "cancel": True})

    async def next(self, context: str, patience: float, asked_at: float) -> Event:
        """What comes next for a context, at the latest in `patience` seconds. Raises ProviderError."""
        try:
            async with asyncio.timeout(patience):
                event = await self._queues[context].get()
        except TimeoutError as error:
            # Nothing for anybody: the server is gone without a word, and the next piece needs a new socket.
            self._lost = self._lost or self._heard_at < asked_at
            raise self._failures.of_transport(error) from error
        if isinstance(event, Lost):
            raise event
        return event

    async def _read(self) -> None:
        error = self._failures.of_transport(WebSocketException())
        try:
            async for message in self._socket.messages():
                self._heard_at = self._loop.time()
                if isinstance(message, dict):
                    self._deliver(message)
        except ProviderError as caught:
            error = caught
        self._lost = True
        for queue in self._queues.values():
            queue.put_nowait(Lost(error.provider, str(error)))
        await self._socket.close()

    def _deliver(self, event: Event) -> None:
        context = event.get("context_id")
        if context is not None:
            queue = self._queues.get(context)
            if queue is not None:
                queue.put_nowait(event)
        elif event.get("type") == "error":
            # An error of the socket itself is everybody's.
            for queue in self._queues.values():
                queue.put_nowait(event)


def _has_result(task: asyncio.Task[_Line]) -> bool:
    return not task.cancelled() and task.exception() is None
