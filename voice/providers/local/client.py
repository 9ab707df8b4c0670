"""One connection of a process to the model process: many requests at a time, and the models' status."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket as sockets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from voice.providers.base import ProviderBusy, ProviderError
from voice.providers.local.protocol import LENGTHS, Header, ProtocolError, decode, encode, lengths, read
from voice.providers.local.status import ModelsStatus

NAME = "local"
RECONNECT_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0)
BLOCKING_SECONDS = 30.0

Event = tuple[Header, bytes]


def _unreachable() -> ProviderError:
    return ProviderError(NAME, "The local models' process cannot be reached; it may be starting.", retryable=True)


def _failure(header: Header) -> ProviderError:
    message = str(header.get("message", "The local models failed."))
    if header.get("busy"):
        return ProviderBusy(NAME, message)
    return ProviderError(NAME, message, retryable=bool(header.get("retryable")))


class Connection:
    """Connects, and connects again whenever the other side goes. Belongs to the event loop it is started on."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._writer: asyncio.StreamWriter | None = None
        self._requests: dict[int, asyncio.Queue[Event | None]] = {}
        self._numbers = itertools.count(1)
        self._keeping: asyncio.Task[None] | None = None
        self.status = ModelsStatus.unreachable()

    async def start(self) -> None:
        """Begin to connect. Waits for the first attempt, whether it succeeds or not."""
        if self._keeping is None:
            tried = asyncio.Event()
            self._keeping = asyncio.get_running_loop().create_task(self._keep(tried), name="local models")
            await tried.wait()

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
            self._keeping = None

    async def request(self, op: str, payload: bytes = b"", **fields: Any) -> AsyncIterator[Event]:
        """The chunks that answer a request. Closing the iterator withdraws it. Raises ProviderError."""
        writer = self._writer
        if writer is None:
            raise _unreachable()
        number = next(self._numbers)
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._requests[number] = events
        over = False
        try:
            writer.write(encode({"id": number, "op": op, **fields}, payload))
            while (event := await events.get()) is not None:
                header = event[0]
                if header["event"] == "chunk":
                    yield event
                    continue
                over = True
                if header["event"] == "error":
                    raise _failure(header)
                return
            over = True
            raise _unreachable()
        finally:
            self._requests.pop(number, None)
            if not over and not writer.is_closing():
                writer.write(encode({"cancel": number}))

    async def one(self, op: str, payload: bytes = b"", **fields: Any) -> Event:
        """The only chunk of an answer."""
        async with contextlib.aclosing(self.request(op, payload, **fields)) as events:  # type: ignore[type-var]
            async for event in events:
                return event
        raise ProviderError(NAME, "The local models gave no answer.", retryable=True)

    async def _keep(self, tried: asyncio.Event) -> None:
        failures = 0
        try:
            while True:
                try:
                    reader, writer = await asyncio.open_unix_connection(str(self._socket))
                    await self._receive(reader, writer, tried)
                    failures = 0
                except (OSError, ProtocolError):
                    pass
                tried.set()
                await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
                failures += 1
        finally:
            tried.set()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tried: asyncio.Event) -> None:
        try:
            while True:
                header, payload = await read(reader)
                if header.get("event") == "status":
                    self.status = ModelsStatus.from_json(header["components"])
                    self._writer = writer
                    tried.set()
                elif (events := self._requests.get(header.get("id", 0))) is not None:
                    events.put_nowait((header, payload))
        except asyncio.IncompleteReadError:
            return
        finally:
            self._writer = None
            self.status = ModelsStatus.unreachable()
            for events in self._requests.values():
                events.put_nowait(None)
            writer.close()


# --- for code without an event loop


@contextlib.contextmanager
def _dialled(socket: Path, timeout: float) -> Iterator[sockets.socket]:
    try:
        with sockets.socket(sockets.AF_UNIX) as line:
            line.settimeout(timeout)
            line.connect(str(socket))
            yield line
    except OSError as error:
        raise _unreachable() from error


def _read_blocking(line: sockets.socket) -> Event:
    header, payload = lengths(_exactly(line, LENGTHS.size))
    return decode(_exactly(line, header)), _exactly(line, payload)


def _exactly(line: sockets.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        block = line.recv(min(count - len(data), 1 << 16))
        if not block:
            raise ConnectionResetError("The model process closed the connection.")
        data += block
    return bytes(data)


def status(socket: Path, *, timeout: float = 1.0) -> ModelsStatus:
    """The models' status, now. Blocks for a moment; never raises."""
    try:
        with _dialled(socket, timeout) as line:
            header, _ = _read_blocking(line)
            return ModelsStatus.from_json(header["components"])
    except (ProviderError, ProtocolError, KeyError):
        return ModelsStatus.unreachable()


def speak(
    socket: Path,
    text: str,
    *,
    voice: str = "af_heart",
    speed: float = 1.0,
    language: str = "en",
    timeout: float = BLOCKING_SECONDS,
) -> bytes:
    """`text` spoken, as PCM16 at 16 kHz. Blocks until all is there. Raises ProviderError."""
    audio = bytearray()
    with _dialled(socket, timeout) as line:
        line.sendall(encode({"id": 1, "op": "tts", "text": text, "voice": voice, "speed": speed, "language": language}))
        while True:
            header, payload = _read_blocking(line)
            if header.get("event") == "chunk":
                audio += payload
            elif header.get("event") == "end":
                return bytes(audio)
            elif header.get("event") == "error":
                raise _failure(header)
