"""Trying a tool outside a call: the request that a call would make, what came back, and what a model would read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

import httpx

from builder.tools.bind import BoundTool, ToolClients
from builder.tools.secrecy import Mask
from voice import events
from voice.clock import CallClock
from voice.providers.base import ToolRequest, ToolSchema
from voice.toolbox import Result, Toolbox
from voice.tools import CallControl, ToolError
from voice.variables import Variables

SHOWN = 4_000
"""So many letters of a body are shown."""
DULL = frozenset({"accept", "accept-encoding", "connection", "user-agent", "content-length", "host"})
"""Headers that every request has."""


@dataclass(slots=True)
class Exchange:
    """A request and its answer, without secrets. `took` is in seconds; `status` is "" where nothing was answered."""

    request: str
    status: str = ""
    answer: str = ""
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying a tool. `told` is what the model would read."""

    told: str
    failed: bool
    took: float
    exchanges: list[Exchange]
    variables: list[tuple[str, str]]


async def schemas(bound: BoundTool) -> list[ToolSchema]:
    """What the model would be told of the tool."""
    clients = ToolClients()
    try:
        return [tool.schema for tool in bound.tools(clients)]
    finally:
        await clients.close()


async def try_tool(
    bound: BoundTool, name: str, arguments: Mapping[str, object], variables: Mapping[str, object]
) -> Trial:
    """Run the one of its tools that the model calls `name`, as a call would."""
    clients, recorder = ToolClients(), _Recorder(bound.mask)
    clients.http.event_hooks = {"request": [recorder.sent], "response": [recorder.answered]}
    call, seen = _NoCall(variables), _Seen()
    toolbox = Toolbox(
        bound.tools(clients),
        control=cast("CallControl", call),
        clock=CallClock(asyncio.get_running_loop()),
        emit=seen.emit,
        late=seen.finished.set_result,
    )
    try:
        (result,) = await toolbox.run(1, [ToolRequest("trial", name, json.dumps(dict(arguments)))])
        if seen.returned is None:  # it runs in the background
            result = await seen.finished
    finally:
        await toolbox.close()
        await clients.close()
    returned = seen.returned
    found = [(name, json.dumps(value, ensure_ascii=False)) for name, value in call.remembered.items()]
    return Trial(
        result.text,
        bool(returned and returned.error),
        returned.took if returned else 0.0,
        recorder.exchanges,
        found,
    )


class _Seen:
    """What the toolbox tells of the tool that runs in it."""

    def __init__(self) -> None:
        self.returned: events.ToolReturned | None = None
        self.finished: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def emit(self, event: events.Event) -> None:
        if isinstance(event, events.ToolReturned):
            self.returned = event


@dataclass(slots=True)
class _Recorder:
    """Writes down what goes over the wire."""

    mask: Mask
    _sent: list[tuple[httpx.Request, float, Exchange]] = field(default_factory=list)

    @property
    def exchanges(self) -> list[Exchange]:
        return [exchange for _, _, exchange in self._sent]

    async def sent(self, request: httpx.Request) -> None:
        headers = [f"{name}: {value}" for name, value in request.headers.items() if name not in DULL]
        lines = [f"{request.method} {request.url}", *headers]
        if request.content:
            lines += ["", _pretty(request.content)]
        self._sent.append((request, perf_counter(), Exchange(self.mask("\n".join(lines)))))

    async def answered(self, response: httpx.Response) -> None:
        # The same request is sent again when it is tried once more.
        _, started, exchange = next(one for one in reversed(self._sent) if one[0] is response.request)
        exchange.status = f"{response.status_code} {response.reason_phrase}".strip()
        # A stream of events may never end: the tool itself knows how far to read it.
        if "event-stream" not in response.headers.get("Content-Type", ""):
            exchange.answer = self.mask(_pretty(await response.aread()))
        exchange.took = perf_counter() - started


def _pretty(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    with suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


class _NoCall:
    """Stands for the call: it has variables, and nobody at the other end."""

    def __init__(self, variables: Mapping[str, object]) -> None:
        self.variables = Variables(variables)
        self.remembered: dict[str, object] = {}

    def set_variable(self, name: str, value: object, by: str) -> None:
        self.variables[name] = self.remembered[name] = value

    def tell_client(self, message: Mapping[str, Any]) -> bool:
        return False

    async def ask_client(self, name: str, arguments: Mapping[str, object], *, patience: float) -> str:
        raise ToolError("There is no caller's application outside a call.")
