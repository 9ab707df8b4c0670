"""No request body is taken that is longer than anything we ask for.

Django keeps the whole body, on disk where it is long, before any view or middleware runs: without this a stranger
could fill the disk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class _TooLong(Exception):
    """More of the body came than is accepted."""


def bounded(application: Application, most_bytes: int) -> Application:
    """An ASGI application for HTTP that answers 413 to longer bodies: at once where the length is announced."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if _announced(scope) > most_bytes:
            await _refuse(send, most_bytes)
            return
        left = most_bytes

        async def counting() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise _TooLong
            return message

        try:
            await application(scope, counting, send)
        except _TooLong:
            await _refuse(send, most_bytes)

    return guarded


def _announced(scope: Scope) -> int:
    length = dict(scope.get("headers", ())).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0


async def _refuse(send: Send, most_bytes: int) -> None:
    text = f"This is more than the {most_bytes // 1_000_000} MB that fit into one request. Send less at a time.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
