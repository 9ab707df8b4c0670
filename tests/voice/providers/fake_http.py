"""A model server on a loopback socket that speaks the real protocol, and breaks it in the ways that real ones do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


class Exchange:
    """One request, and the means to answer it."""

    def __init__(
        self, method: str, path: str, headers: dict[str, str], body: Any, writer: asyncio.StreamWriter
    ) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self._writer = writer

    async def answer(self, status: int, body: bytes | dict[str, Any] | list[Any], **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/html" if isinstance(body, bytes) else "application/json"
        await self._head(status, {"Content-Type": kind, "Content-Length": str(len(content)), **headers})
        await self.raw(content)

    async def begin(self, kind: str = "text/event-stream") -> None:
        """Begin an answer that comes in parts."""
        await self._head(200, {"Content-Type": kind, "Transfer-Encoding": "chunked"})

    async def send(self, *chunks: dict[str, Any] | str) -> None:
        """Send chunks of a completion; a text is the data of an event as it is."""
        for chunk in chunks:
            await self.part(f"data: {chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n".encode())

    async def part(self, content: bytes) -> None:
        await self.raw(b"%x\r\n%s\r\n" % (len(content), content))

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    async def raw(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    def cut(self) -> None:
        """Lose the connection."""
        self._writer.transport.abort()

    async def stream(self, *chunks: dict[str, Any] | str) -> None:
        await self.begin()
        await self.send(*chunks, "[DONE]")
        await self.end()

    async def _head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        await self.raw("\r\n".join([*lines, "", ""]).encode())


Handler = Callable[[Exchange], Awaitable[None]]


@dataclass
class FakeServer:
    url: str
    requests: list[Exchange] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there was a request."""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client closed a connection before the handler was done."""


@asynccontextmanager
async def serving(*handlers: Handler) -> AsyncIterator[FakeServer]:
    """A server that answers the first request with the first handler and so on; the last one repeats."""
    tasks: list[asyncio.Task[None]] = []
    left = list(handlers)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fake.connections += 1
        try:
            while True:
                exchange = await _request(reader, writer)
                fake.requests.append(exchange)
                fake.asked.set()
                handling = asyncio.ensure_future((left.pop(0) if len(left) > 1 else left[0])(exchange))
                tasks.append(handling)
                leaving = asyncio.ensure_future(reader.read(1))
                await asyncio.wait({handling, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not handling.done() or isinstance(handling.exception(), OSError):
                    fake.hung_up.set()
                    handling.cancel()
                    leaving.cancel()
                    await asyncio.gather(leaving, return_exceptions=True)
                    return
                leaving.cancel()
                await asyncio.wait({leaving})
                if not leaving.cancelled() and leaving.result() == b"":
                    return
                await handling
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(
        lambda reader, writer: tasks.append(asyncio.ensure_future(connection(reader, writer))), "127.0.0.1", 0
    )
    fake = FakeServer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    try:
        yield fake
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *rest = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    is_json = "json" in headers.get("content-type", "")
    return Exchange(method, path, headers, json.loads(content) if is_json else content or None, writer)


def text(content: str, **choice: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content}, **choice}]}


def tool(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"tool_calls": list(calls)}}]}


def stop(reason: str = "stop") -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
