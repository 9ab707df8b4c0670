"""What runs when a server process starts and stops. Applications register in `AppConfig.ready`:

    lifespan.on_shutdown(calls.end_all)

Start-up runs in the order of registration and shutdown in the opposite one: what was built last is taken down first.
Servers without the ASGI lifespan protocol (daphne) call `startup` and `shutdown` themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog

Hook = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)

_startup: list[Hook] = []
_shutdown: list[Hook] = []
_running = False


def on_startup(hook: Hook) -> Hook:
    _startup.append(hook)
    return hook


def on_shutdown(hook: Hook) -> Hook:
    _shutdown.append(hook)
    return hook


async def startup() -> None:
    """Run the start-up hooks; one that raises stops the start."""
    global _running
    _running = True
    for hook in _startup:
        await hook()


async def shutdown() -> None:
    """Run the shutdown hooks, once. One that raises is logged, and the rest still run."""
    global _running
    if not _running:
        return
    _running = False
    for hook in reversed(_shutdown):
        try:
            await hook()
        except Exception:
            log.exception("shutdown hook failed", hook=getattr(hook, "__qualname__", repr(hook)))


async def application(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """The ASGI lifespan protocol."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await startup()
            except Exception as error:
                log.exception("start-up failed")
                await shutdown()  # of what had started before it
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await shutdown()
            await send({"type": "lifespan.shutdown.complete"})
            return
