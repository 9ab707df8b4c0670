"""A provider's WebSocket: opened within a time limit, and its failures in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus, InvalidURI, WebSocketException

from voice.providers.failures import Failures

CONNECT_SECONDS = 5.0
_MAX_BYTES = 8_000_000

Message = Mapping[str, Any] | bytes | str
"""What is sent: a JSON object, audio, or text that is sent as it is."""

Connect = Callable[[str, Mapping[str, str]], Awaitable[ClientConnection]]
"""Opens a WebSocket at an address, with headers. Where people type the address it judges it first."""


async def connect_anywhere(url: str, headers: Mapping[str, str]) -> ClientConnection:
    """Open a WebSocket at whatever address. For addresses that are the program's own."""
    return await connect(url, additional_headers=headers, max_size=_MAX_BYTES, proxy=None, compression=None)


def socket_url(base_url: str, path: str, query: Sequence[tuple[str, object]] = ()) -> str:
    """The address of a WebSocket below a base URL. A name may come more than once in `query`."""
    base = f"ws{base_url.removeprefix('http')}" if base_url.startswith("http") else base_url
    url = base.rstrip("/") + path
    return f"{url}?{urlencode(query)}" if query else url


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

    async def send(self, message: Message) -> None:
        """Raises ProviderError."""
        try:
            await self._connection.send(message if isinstance(message, bytes | str) else json.dumps(message))
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

    async def is_alive(self, patience: float) -> bool:
        """Whether the server answers a ping within `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                await (await self._connection.ping())
        except (WebSocketException, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        with suppress(WebSocketException, OSError):
            await self._connection.close()

    def abort(self) -> None:
        """Drop the connection at once, without a goodbye."""
        self._connection.transport.abort()

    def _closed(self, error: ConnectionClosed) -> Exception:
        if error.rcvd is not None and error.rcvd.reason:
            return self._failures.told(f"{error.rcvd.reason} ({error.rcvd.code})")
        return self._failures.of_transport(error)
