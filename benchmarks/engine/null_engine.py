"""An engine that hears nothing and says nothing: what it costs is the driver's own cost."""

from __future__ import annotations

from benchmarks.engine.line import Line


class Adapter:
    version = "-"

    async def start(self) -> None: ...

    async def open(self, line: Line) -> None: ...

    async def close(self, line: Line) -> None: ...

    async def stop(self) -> None: ...
