"""Services that are kept from one piece of work to the next: most hold a connection that took a while to open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from voice.providers.base import ProviderError
from voice.providers.pipecat.spec import ServiceSpec, library

if TYPE_CHECKING:
    from voice.providers.pipecat.host import Hosted

# So many wait for work; others are stopped when theirs is done.
_MOST_IDLE = 16


async def hosted(spec: ServiceSpec, base: str, provider: str, settings: Mapping[str, Any]) -> Hosted:
    """A new service that has started; `base` is the class in Pipecat that it must be one of. Raises ProviderError."""
    host = await asyncio.to_thread(library, provider)
    kind = await asyncio.to_thread(spec.load, getattr(host, base), provider)
    made: Hosted = host.Hosted(spec.make(kind, provider, settings), provider, spec.secret)
    await made.start()
    return made


class Pool:
    """All services that were made of one spec. Each does one piece of work at a time."""

    def __init__(self, spec: ServiceSpec, base: str, provider: str) -> None:
        self._spec = spec
        self._base = base
        self._provider = provider
        self._idle: list[Hosted] = []
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Hosted]:
        """A service for a piece of work. Raises ProviderError."""
        service = self._take() or await hosted(self._spec, self._base, self._provider, {})
        try:
            yield service
        finally:
            self._put_back(service)

    async def warm(self) -> None:
        """Have a service ready. Never raises for failure: that shows when it is used."""
        if not self._idle and not self._closed:
            try:
                self._put_back(await hosted(self._spec, self._base, self._provider, {}))
            except ProviderError:
                return

    async def close(self) -> None:
        """Stop all services, also those that are put back later."""
        self._closed = True
        while self._idle:
            self._stop(self._idle.pop())
        if self._stopping:
            await asyncio.wait(self._stopping)

    def _take(self) -> Hosted | None:
        while self._idle:
            service = self._idle.pop()
            if service.is_sound:
                return service
            self._stop(service)
        return None

    def _put_back(self, service: Hosted) -> None:
        if service.is_sound and not self._closed and len(self._idle) < _MOST_IDLE:
            self._idle.append(service)
        else:
            self._stop(service)

    def _stop(self, service: Hosted) -> None:
        task = asyncio.get_running_loop().create_task(service.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)
