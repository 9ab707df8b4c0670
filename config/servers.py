"""The ASGI servers that `manage.py serve` can run in its process, behind one small interface.

Both leave the signals to `serve`, run the hooks of `core.lifespan`, and let live calls end before their sockets close.
Figures: benchmarks/servers.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import structlog

from core import lifespan

MESSAGE_LIMIT = 65_536
"""Bytes in one WebSocket message. Audio frames have 640; the longest text is what a person types in one turn."""
PING_INTERVAL = 20
PING_TIMEOUT = 20
CALLS_GRACE = 7.0
"""Seconds that live calls have to say goodbye and be written down."""
REQUESTS_GRACE = 3
"""Seconds that requests under way have to finish after that."""
START_FAILED = 3

log = structlog.get_logger(__name__)


class AsgiServer(Protocol):
    def run(self) -> None:
        """Serve until `stop`. Raises SystemExit when a start-up hook fails."""

    def stop(self) -> None:
        """Make `run` end its calls and requests, and return. May be called in a signal handler."""


async def end_calls() -> None:
    try:
        await asyncio.wait_for(lifespan.shutdown(), CALLS_GRACE)
    except TimeoutError:
        log.warning("shutdown hooks took too long and were cut off", seconds=CALLS_GRACE)


def uvicorn(application: Any, listener: socket.socket, on_ready: Callable[[], None]) -> AsgiServer:
    from uvicorn import Config, Server

    class Uvicorn(Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # its own handlers raise the signal again when it has stopped, which would cut our shutdown short

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            for server in self.servers:
                server.close()
            await end_calls()
            await super().shutdown(sockets)

        def run(self, sockets: list[socket.socket] | None = None) -> None:
            super().run(sockets or [listener])

        def stop(self) -> None:
            self.should_exit = True

    return Uvicorn(
        Config(
            application,
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # Django and allauth look at them, when TRUST_PROXY says so
            server_header=False,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=MESSAGE_LIMIT,
            ws_ping_interval=PING_INTERVAL,
            ws_ping_timeout=PING_TIMEOUT,
            ws_per_message_deflate=False,  # audio does not shrink, and trying costs the event loop dear
            timeout_graceful_shutdown=REQUESTS_GRACE,
        )
    )


def daphne(application: Any, listener: socket.socket, on_ready: Callable[[], None]) -> AsgiServer:
    from daphne.server import Server
    from twisted.internet import reactor
    from twisted.internet.endpoints import quoteStringArgument

    host, port = listener.getsockname()[:2]
    loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop

    class Daphne(Server):
        def run(self) -> None:
            loop.run_until_complete(self._start())
            listener.close()  # it can only listen by itself
            super().run()

        async def _start(self) -> None:
            try:
                await lifespan.startup()
            except Exception:
                log.exception("start-up failed")
                raise SystemExit(START_FAILED) from None

        def stop(self) -> None:
            loop.call_soon_threadsafe(lambda: loop.create_task(self._stop()))

        async def _stop(self) -> None:
            await end_calls()
            super().stop()

    return Daphne(
        application,
        endpoints=[f"tcp:port={port}:interface={quoteStringArgument(host)}"],
        signal_handlers=False,
        ping_interval=PING_INTERVAL,
        ping_timeout=PING_TIMEOUT,
        websocket_max_message_size=MESSAGE_LIMIT,
        websocket_max_frame_size=MESSAGE_LIMIT,
        application_close_timeout=REQUESTS_GRACE,
        server_name="",
        ready_callable=on_ready,
    )


SERVERS: dict[str, Callable[[Any, socket.socket, Callable[[], None]], AsgiServer]] = {
    "uvicorn": uvicorn,
    "daphne": daphne,
}
