"""A call's far end that is a page in a browser, at the other side of a WebSocket that may break and come back."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from voice.media import FRAME_SECONDS
from voice.transport import Destination, Leg, Transport

# What may wait for a browser that does not read: five seconds of audio, or so many messages.
AUDIO_LIMIT = round(5.0 / FRAME_SECONDS)
MESSAGE_LIMIT = 10_000
# The longest delay that a player may claim.
PLAYOUT_LIMIT = 2.0

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outbox:
    """What is on its way to one socket, in order. Filled by calls that never wait, emptied by `run`."""

    def __init__(self) -> None:
        self._waiting: deque[bytes | str | int] = deque()
        self._frames = 0
        self._more = asyncio.Event()
        self._sender: asyncio.Task[Any] | None = None
        self.overflowed = False
        """The browser reads so slowly that its socket is given up."""

    def audio(self, frame: bytes) -> None:
        self._frames += 1
        self._put(frame)

    def message(self, message: Mapping[str, Any]) -> None:
        self._put(json.dumps(message, separators=(",", ":"), ensure_ascii=False))

    def clear(self) -> None:
        """Drop the audio that has not left yet, and have the player drop what has."""
        if self._frames:
            self._waiting = deque(item for item in self._waiting if not isinstance(item, bytes))
            self._frames = 0
        self.message({"type": "clear"})

    def close(self, code: int) -> None:
        """Close the socket when all before this has left."""
        self._put(code)

    def _put(self, item: bytes | str | int) -> None:
        if self.overflowed:
            return
        if self._frames > AUDIO_LIMIT or len(self._waiting) - self._frames > MESSAGE_LIMIT:
            self.overflowed = True
            self._waiting.clear()
            if self._sender is not None:
                self._sender.cancel()  # it may be waiting for the browser
            return
        self._waiting.append(item)
        self._more.set()

    async def run(self, send: Send) -> None:
        """Send until the socket is closed from this side. Cancelled when it is given up."""
        self._sender = asyncio.current_task()
        while True:
            while self._waiting:
                item = self._waiting.popleft()
                if isinstance(item, bytes):
                    self._frames -= 1
                    await send({"type": "websocket.send", "bytes": item})
                elif isinstance(item, str):
                    await send({"type": "websocket.send", "text": item})
                else:
                    await send({"type": "websocket.close", "code": item})
                    return
            self._more.clear()
            await self._more.wait()


class BrowserTransport(Transport):
    """A transport over whichever socket the browser has open. Without one, audio is lost."""

    lead = 0.08
    may_type = True

    def __init__(self) -> None:
        self.playout_delay = 0.1
        self.outbox: Outbox | None = None

    def send_audio(self, frame: bytes) -> None:
        if self.outbox is not None:
            self.outbox.audio(frame)

    def clear(self) -> None:
        if self.outbox is not None:
            self.outbox.clear()

    async def hang_up(self, reason: str) -> None:
        """Nothing to wait for: the socket closes behind all that was sent, once the call is stored (`runtime`)."""

    def send_message(self, message: Mapping[str, Any]) -> bool:
        if self.outbox is None:
            return False
        self.outbox.message({"type": "message", "data": dict(message)})
        return True

    async def transfer(self, to: Destination) -> None:
        """A page cannot be given away: it is told where the caller would be now, and the call ends as transferred."""
        self.message({"type": "transfer", "to": to.address, "label": to.label})

    async def dial(self, to: Destination, *, patience: float) -> Leg:
        return _Nobody(to)

    async def join(self, leg: Leg) -> None:
        if isinstance(leg, _Nobody):
            await self.transfer(leg.to)

    def message(self, message: Mapping[str, Any]) -> None:
        if self.outbox is not None:
            self.outbox.message(message)

    def measured(self, delay: float) -> None:
        """The player says how long after its arrival a frame is heard."""
        self.playout_delay = min(max(delay, 0.0), PLAYOUT_LIMIT)


class _Nobody(Leg):
    """The person that a test call is transferred to: is there at once, and says nothing."""

    def __init__(self, to: Destination) -> None:
        self.to = to

    def listen(self, on_audio: Callable[[bytes], None]) -> None:
        """Nothing is said."""

    def send_audio(self, frame: bytes) -> None:
        """Nobody hears it."""

    async def hang_up(self) -> None:
        """There is no line."""
