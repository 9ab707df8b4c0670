"""Requests that are too long are refused before anything of them is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from core.bodies import Message, Receive, Scope, Send, bounded


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the whole body, and answers with its length."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), bool(message.get("more_body"))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % length})


async def ask(*parts: bytes, announced: int | None = None) -> tuple[int, bytes, int]:
    """The status, the body of the answer, and how many parts were taken."""
    headers = [] if announced is None else [(b"content-length", b"%d" % announced)]
    messages = _messages(parts)
    taken = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    await bounded(reading, 10)({"type": "http", "headers": headers}, receive, send)
    return int(sent[0]["status"]), bytes(sent[1]["body"]), taken


def _messages(parts: Iterable[bytes]) -> Any:
    whole = list(parts)
    return iter(
        {"type": "http.request", "body": part, "more_body": number < len(whole)} for number, part in enumerate(whole, 1)
    )


async def test_a_request_that_fits_passes() -> None:
    assert await ask(b"12345", b"67890", announced=10) == (200, b"10", 2)


async def test_one_that_announces_too_much_is_refused_unread() -> None:
    status, body, taken = await ask(b"12345678901", announced=11)
    assert (status, taken) == (413, 0)
    assert b"Send less" in body


async def test_one_that_does_not_say_how_long_it_is_is_refused_when_it_is_too_long() -> None:
    status, _, taken = await ask(b"12345", b"67890", b"1", b"never")
    assert (status, taken) == (413, 3)
