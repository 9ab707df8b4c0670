"""A WebSocket server on a loopback socket that a test scripts, to speak a vendor's real protocol and to break it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response


class Peer:
    """One client, as a script sees it."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.path = connection.request.path if connection.request else ""
        self.headers = dict(connection.request.headers.raw_items()) if connection.request else {}
        self.received: list[Any] = []
        """Every message so far: parsed JSON, bytes, or text that is no JSON."""

    async def read(self) -> Any:
        """The next message: parsed JSON, bytes, or text that is no JSON."""
        message = await self.connection.recv()
        self.received.append(message if isinstance(message, bytes) else _parsed(message))
        return self.received[-1]

    async def read_until(self, wanted: Callable[[Any], bool]) -> Any:
        """The next message for which `wanted` holds; the others are only kept in `received`."""
        while not wanted(await self.read()):
            pass
        return self.received[-1]

    async def send(self, *messages: Any) -> None:
        """Send JSON data or bytes; a str is sent as the text that it is."""
        for message in messages:
            await self.connection.send(message if isinstance(message, bytes | str) else json.dumps(message))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self.connection.close(code, reason)

    def cut(self) -> None:
        """Lose the connection, without a goodbye."""
        self.connection.transport.abort()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class FakeSocketServer:
    url: str
    """ws://127.0.0.1:port"""
    peers: list[Peer] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has come."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has left."""


@asynccontextmanager
async def serving_sockets(
    *scripts: Script, refuse: int = 0, refuse_with: dict[str, Any] | None = None
) -> AsyncIterator[FakeSocketServer]:
    """A server that plays the first script to the first client and so on; the last one repeats. With `refuse` it
    answers every opening handshake with that status."""
    left = list(scripts)

    def handshake(connection: ServerConnection, request: Request) -> Response | None:
        if not refuse:
            return None
        return connection.respond(HTTPStatus(refuse), json.dumps(refuse_with or {}))

    async def play(connection: ServerConnection) -> None:
        peer = Peer(connection)
        fake.peers.append(peer)
        fake.came.set()
        try:
            await (left.pop(0) if len(left) > 1 else left[0])(peer)
        except ConnectionClosed:
            pass
        finally:
            fake.gone.set()

    async with serve(play, "127.0.0.1", 0, process_request=handshake, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        fake = FakeSocketServer(f"ws://127.0.0.1:{port}")
        yield fake
