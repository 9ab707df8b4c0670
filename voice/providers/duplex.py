"""Both directions of a conversation over a socket: messages out in order, messages in as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from voice.providers.sockets import ProviderSocket

# At the end of a call the other side is still told what is left to tell, if that does not take longer.
LAST_WORDS_SECONDS = 1.0


class Duplex:
    """Messages of one call. What is sent before there is a socket waits for it."""

    def __init__(self) -> None:
        self._out: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    def send(self, message: Mapping[str, Any]) -> None:
        self._out.put_nowait(message)

    async def hold(self, socket: ProviderSocket, take: Callable[[Mapping[str, Any]], None]) -> None:
        """Exchange messages until the other side closes the socket. Raises ProviderError if it is lost."""
        writing = asyncio.get_running_loop().create_task(self._write(socket), name="duplex writer")
        try:
            async for message in socket.messages():
                if isinstance(message, dict):
                    take(message)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await socket.close()

    async def flush(self) -> None:
        """Wait until all is written."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_SECONDS):
                await self._out.join()

    async def _write(self, socket: ProviderSocket) -> None:
        while True:
            message = await self._out.get()
            try:
                await socket.send(message)
            finally:
                self._out.task_done()
