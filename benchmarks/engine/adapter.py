"""What the driver asks of an engine. Each adapter module has a class `Adapter` that does this."""

from __future__ import annotations

import importlib
from typing import Protocol

from benchmarks.engine.line import Line

MODULES = {
    "null": "benchmarks.engine.null_engine",
    "callwright": "benchmarks.engine.callwright_engine",
    "pipecat": "benchmarks.engine.pipecat_peer",
    "livekit": "benchmarks.engine.livekit_peer",
}


class Adapter(Protocol):
    version: str

    async def start(self) -> None:
        """Load what all calls share."""

    async def open(self, line: Line) -> None:
        """Begin the call of `line`; when it returns, the call takes audio."""

    async def close(self, line: Line) -> None:
        """End the call and free what it held."""

    async def stop(self) -> None:
        """Free what all calls share."""


def load(engine: str, **options: bool | str) -> Adapter:
    """Make an engine's adapter. Not every engine has every option: TypeError for those that it lacks."""
    module = importlib.import_module(MODULES[engine])
    adapter: Adapter = module.Adapter(**options)
    return adapter
