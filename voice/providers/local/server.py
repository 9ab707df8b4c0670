"""The model process: `python -m voice.providers.local.server --socket PATH --models DIR --voices DIR
--llm local|none`.

It fetches what is missing, loads the models and serves them to every process of this installation over a Unix socket.
It ends with its parent, and upon SIGTERM at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket as sockets
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

from voice.providers.base import ProviderBusy, ProviderError
from voice.providers.local.fetch import DEFAULT_MODELS
from voice.providers.local.host import Host
from voice.providers.local.progress import Printer
from voice.providers.local.protocol import Header, ProtocolError, encode, read
from voice.providers.local.service import Chunk, Service
from voice.providers.local.status import Board, Component

log = logging.getLogger(__name__)

STATUS_SECONDS = 0.25
PARENT_SECONDS = 1.0
# A client that does not read for so long that this many bytes wait for it, has stopped.
MOST_UNREAD = 64 << 20
# The C library takes large pages from Linux for what is large. The language model's weights are read once for each word
# that it writes: with large pages it writes an eighth sooner, and reads a fifth sooner.
LARGE_PAGES = "glibc.malloc.hugetlb=1"


class Operations(Protocol):
    def run(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        """The chunks that answer a request. Raises ProviderError."""


class Server:
    """Serves requests of many clients, each with many at a time."""

    def __init__(self, board: Board, operations: Operations) -> None:
        self._board = board
        self._operations = operations
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.get_running_loop()
        self._telling: asyncio.TimerHandle | None = None
        self._told_at = 0.0
        self._server: asyncio.Server | None = None
        board.listen(self._changed)

    async def start(self, listener: sockets.socket) -> None:
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    def close(self) -> None:
        """Take no more clients and let go of those that are there."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks: dict[int, asyncio.Task[None]] = {}
        self._writers.add(writer)
        try:
            writer.write(self._status())
            while True:
                header, payload = await read(reader)
                if "cancel" in header:
                    task = tasks.pop(header["cancel"], None)
                    if task is not None:
                        task.cancel()
                    continue
                number = int(header["id"])
                task = tasks[number] = self._loop.create_task(self._answer(writer, number, header, payload))
                task.add_done_callback(partial(_forget, tasks, number))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except (ProtocolError, KeyError) as error:
            log.warning("model_client_refused", extra={"error": repr(error)})
        finally:
            self._writers.discard(writer)
            for task in list(tasks.values()):
                task.cancel()
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, number: int, request: Header, payload: bytes) -> None:
        end: Header = {"id": number, "event": "end"}
        try:
            chunks = self._operations.run(request, payload)
            async with contextlib.aclosing(chunks):  # type: ignore[type-var]
                async for fields, data in chunks:
                    writer.write(encode({"id": number, "event": "chunk", **fields}, data))
                    await writer.drain()
        except ProviderError as error:
            busy = isinstance(error, ProviderBusy)
            end = {**end, "event": "error", "message": str(error), "busy": busy, "retryable": error.retryable}
        except (KeyError, TypeError, ValueError) as error:
            end = {**end, "event": "error", "message": f"The request is not understood: {error!r}"}
        except ConnectionError:
            return
        except Exception as error:  # a model's library failed: its caller must hear of it
            log.exception("model_failed", extra={"operation": request.get("op")})
            end = {**end, "event": "error", "message": f"The local model failed: {error}", "retryable": True}
        writer.write(encode(end))

    # --- status

    def _status(self) -> bytes:
        return encode({"event": "status", "components": self._board.status().to_json()})

    def _changed(self, component: Component) -> None:
        """Called on any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: we are going
            self._loop.call_soon_threadsafe(self._tell_soon)

    def _tell_soon(self) -> None:
        if self._telling is None:
            wait = max(0.0, self._told_at + STATUS_SECONDS - self._loop.time())
            self._telling = self._loop.call_later(wait, self._tell)

    def _tell(self) -> None:
        self._telling, self._told_at = None, self._loop.time()
        message = self._status()
        for writer in self._writers:
            writer.write(message)


def _forget(tasks: dict[int, asyncio.Task[None]], number: int, task: asyncio.Task[None]) -> None:
    tasks.pop(number, None)


async def serve(listener: sockets.socket, models: Path, *, llm: bool, voices: Path | None = None) -> None:
    """Serve until SIGTERM, SIGINT or the parent's end."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    board = Board()
    board.listen(Printer(sys.stderr).show)
    host = Host(models, board, llm=llm)
    server = Server(board, Service(host, voices))
    await server.start(listener)
    host.start()
    parent = os.getppid()
    while not over.is_set() and os.getppid() == parent:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), PARENT_SECONDS)
    server.close()
    await asyncio.to_thread(host.stop)


def lock(socket: Path) -> IO[str] | None:
    """The right to serve on `socket`, for as long as the returned file is open; None if another process has it."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    file = socket.with_name(f"{socket.name}.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def listen(path: Path) -> sockets.socket:
    """A socket at `path` for this user alone. What a dead process left there goes."""
    path.unlink(missing_ok=True)
    listener = sockets.socket(sockets.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    return listener


def take_large_pages() -> None:
    """Start this program anew, once, with large pages: the C library reads its settings only at the start."""
    settings = os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform == "linux" and "hugetlb" not in settings:
        os.environ["GLIBC_TUNABLES"] = f"{settings}:{LARGE_PAGES}".lstrip(":")
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def main(arguments: Any = None) -> None:
    parser = argparse.ArgumentParser(prog="voice.providers.local.server", description="Serve the local models.")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=DEFAULT_MODELS)
    parser.add_argument("--voices", type=Path, help="where the voices are that people have brought")
    parser.add_argument("--llm", choices=["local", "none"], default="local")
    options = parser.parse_args(arguments)
    held = lock(options.socket)
    if held is None:
        sys.exit(f"callwright: the models are already served on {options.socket}.")
    logging.basicConfig(level=logging.WARNING, format="callwright: %(name)s: %(message)s")
    try:
        models, llm = options.models.expanduser(), options.llm == "local"
        asyncio.run(serve(listen(options.socket), models, llm=llm, voices=options.voices))
    finally:
        options.socket.unlink(missing_ok=True)
    # The models' libraries have threads that nobody needs to wait for.
    os._exit(0)


if __name__ == "__main__":
    take_large_pages()
    main()
