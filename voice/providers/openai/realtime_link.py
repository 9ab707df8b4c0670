"""A realtime session's way to its server: a connection, and the next one when it is lost."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Protocol

from voice.providers.base import ProviderError
from voice.providers.failures import Failures
from voice.providers.sockets import ProviderSocket

# A lost connection is made anew at once, and then after these pauses; in all it may take so long.
BACKOFF_SECONDS = (0.0, 0.5, 1.5)
REACH_SECONDS = 5.0
# A connection that is lost sooner than this was of no use; so many of those in a row are enough.
USEFUL_SECONDS = 10.0
USELESS = 3
SEND_SECONDS = 5.0
LEAVE_SECONDS = 1.0
# The server is asked so often whether it is still there, and has so long to answer.
PING_SECONDS, PONG_SECONDS = 3.0, 3.0


class Client(Protocol):
    """Who uses a link."""

    async def connect(self) -> ProviderSocket:
        """Open a connection that is ready to be used. Raises ProviderError."""

    def connected(self) -> None:
        """There is a new connection, on which nothing was said yet."""

    def take(self, kind: str, message: dict[str, Any]) -> None:
        """The server tells something. Raises ProviderError if that ends the connection."""

    def disconnected(self, error: ProviderError) -> None:
        """The connection is lost; another one is being made."""

    def lost(self, error: ProviderError) -> None:
        """There will be no other connection."""


class Link:
    """Keeps one client connected until it is closed."""

    def __init__(self, client: Client, failures: Failures) -> None:
        self._client = client
        self._failures = failures
        self._loop = asyncio.get_running_loop()
        self._outbox: deque[dict[str, Any]] = deque()
        self._wake = asyncio.Event()
        self.up = False
        self._running = self._loop.create_task(self._run(), name="realtime")

    def post(self, message: dict[str, Any]) -> None:
        """Send a message, if there is a connection: the next one begins anew anyway."""
        if self.up:
            self._outbox.append(message)
            self._wake.set()

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        useless = 0
        try:
            while True:
                socket = await self._reach()
                began = self._loop.time()
                error = await self._converse(socket)
                useless = 0 if self._loop.time() - began > USEFUL_SECONDS else useless + 1
                if not error.retryable or useless > USELESS:
                    raise error
                self._client.disconnected(error)
        except ProviderError as error:
            self._client.lost(error)

    async def _reach(self) -> ProviderSocket:
        """A new connection. Raises ProviderError when it cannot be had soon."""
        failure: ProviderError = self._failures.of_transport(TimeoutError())
        with suppress(TimeoutError):
            async with asyncio.timeout(REACH_SECONDS):
                for pause in BACKOFF_SECONDS:
                    await asyncio.sleep(pause)
                    try:
                        return await self._client.connect()
                    except ProviderError as error:
                        if not error.retryable:
                            raise
                        failure = error
        raise failure

    async def _converse(self, socket: ProviderSocket) -> ProviderError:
        """Use a connection until it is lost, and say why it was."""
        self.up = True
        self._outbox.clear()
        self._client.connected()
        works = (self._send_all(socket), self._receive_all(socket), self._watch(socket))
        tasks = [self._loop.create_task(work) for work in works]
        try:
            await asyncio.gather(*tasks)
        except ProviderError as error:
            return error
        finally:
            self.up = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await leave(socket)
        return self._failures.broken_off()

    async def _send_all(self, socket: ProviderSocket) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox:
                try:
                    async with asyncio.timeout(SEND_SECONDS):
                        await socket.send(self._outbox.popleft())
                except TimeoutError as error:
                    raise self._failures.of_transport(error) from error

    async def _receive_all(self, socket: ProviderSocket) -> None:
        async for message in socket.messages():
            try:
                if isinstance(message, dict):
                    self._client.take(message["type"], message)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise self._failures.garbled(str(message)) from error
        raise self._failures.told("it closed the connection")

    async def _watch(self, socket: ProviderSocket) -> None:
        """Notice a server that is gone without a word."""
        while True:
            await asyncio.sleep(PING_SECONDS)
            if not await socket.is_alive(PONG_SECONDS):
                raise self._failures.of_transport(TimeoutError())


async def leave(socket: ProviderSocket) -> None:
    """Close a connection, without waiting long for the other side."""
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            await socket.close()
    except TimeoutError:
        socket.abort()
