"""A provider's WebSocket: opened within a time limit, and its failures in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus, InvalidURI, WebSocketException

from voice.providers.failures import Failures

CONNECT_SECONDS = 5.0
_MAX_BYTES = 8_000_000

Connect = Callable[[str, Mapping[str, str]], Awaitable[ClientConnection]]
"""Opens a WebSocket at an address, with headers. Where people type the address it judges it first."""


async def connect_anywhere(url: str, headers: Mapping[str, str]) -> ClientConnection:
    """Open a WebSocket at whatever address. For addresses that are the program's own."""
    return await connect(url, additional_headers=headers, max_size=_MAX_BYTES, proxy=None, compression=None)


class ProviderSocket:
    """One open WebSocket to a provider. Messages are text (JSON objects) or bytes (audio)."""

    def __init__(self, connection: ClientConnection, failures: Failures) -> None:
        self._connection = connection
        self._failures = failures

    @classmethod
    async def open(
        cls, url: str, headers: Mapping[str, str], failures: Failures, *, what: str, opener: Connect = connect_anywhere
    ) -> ProviderSocket:
        """Connect. `what` names the model or voice in the words of a failure. Raises ProviderError."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return cls(await opener(url, headers), failures)
        except InvalidStatus as error:
            body = (error.response.body or b"").decode(errors="replace")
            raise failures.of_status(error.response.status_code, body, what) from error
        except (OSError, TimeoutError, WebSocketException, InvalidURI) as error:
            raise failures.of_transport(error) from error

    async def send(self, message: Mapping[str, Any] | bytes) -> None:
        """Send a JSON object or audio. Raises ProviderError."""
        try:
            await self._connection.send(message if isinstance(message, bytes) else json.dumps(message))
        except (WebSocketException, OSError) as error:
            raise self._failures.of_transport(error) from error

    async def receive(self, patience: float | None = None) -> dict[str, Any] | bytes | None:
        """The next message; None once the server has closed the socket as it should. Raises ProviderError: after
        `patience` seconds without one, for a socket that broke, and for text that is no JSON object."""
        try:
            async with asyncio.timeout(patience):
                message = await self._connection.recv()
        except ConnectionClosedOK:
            return None
        except ConnectionClosed as error:
            raise self._closed(error) from error
        except (WebSocketException, OSError, TimeoutError) as error:
            raise self._failures.of_transport(error) from error
        if isinstance(message, bytes):
            return message
        try:
            parsed = json.loads(message)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise self._failures.garbled(message)
        return parsed

    async def messages(self) -> AsyncIterator[dict[str, Any] | bytes]:
        """Every message until the server closes the socket. Raises ProviderError."""
        while (message := await self.receive()) is not None:
            yield message

    @property
    def is_open(self) -> bool:
        return self._connection.close_code is None

    async def close(self) -> None:
        with suppress(WebSocketException, OSError):
            await self._connection.close()

    def _closed(self, error: ConnectionClosed) -> Exception:
        if error.rcvd is not None and error.rcvd.reason:
            return self._failures.told(f"{error.rcvd.reason} ({error.rcvd.code})")
        return self._failures.of_transport(error)
