"""The tools of one call: what the model asks for is checked, run in time, and told in events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from voice import events
from voice.clock import CallClock
from voice.providers.base import ToolRequest, ToolSchema
from voice.tools import Action, CallControl, Outcome, Tool, ToolError, ToolPolicy
from voice.tools.arguments import complaint, parsed
from voice.variables import render

Emit = Callable[[events.Event], None]

INTERRUPTED = "Not done: the caller interrupted before it was finished."
UNTAKEN = "Not done: the caller interrupted before it could happen."
RUNNING = "Started. You will be told the result when it is there; until then do not say that it is done."


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a tool request: `text` is what the model reads."""

    request: ToolRequest
    text: str
    action: Action | None = None
    say: str = ""
    error: str = ""
    whole: str = ""
    """The result before it was cut to what a model reads."""


@dataclass(eq=False, slots=True)
class _Started:
    """A request whose tool runs, or has run."""

    request: ToolRequest
    task: asyncio.Task[Result]
    late: bool = False
    """Nobody waits for it any more; its result is told when it is there."""


class Toolbox:
    """Runs the tools of one call. `late` takes the results that come after their turn has gone on."""

    def __init__(
        self,
        tools: Sequence[Tool],
        *,
        control: CallControl,
        clock: CallClock,
        emit: Emit,
        late: Callable[[Result], None],
    ) -> None:
        self._tools = {tool.schema.name: tool for tool in tools}
        self._control = control
        self._clock = clock
        self._emit = emit
        self._late = late
        self._running: set[asyncio.Task[Result]] = set()
        self._latest: dict[str, _Started] = {}
        self._malformed: set[tuple[int, str]] = set()
        self.offered: Collection[str] | None = None
        """The names of those that may be used now; None is all of them."""

    @property
    def schemas(self) -> list[ToolSchema]:
        """What the model is told of the tools, with what the variables of the call are now."""
        return [self._described(tool.schema) for name, tool in self._tools.items() if self._may_use(name)]

    @property
    def names(self) -> Collection[str]:
        return [name for name in self._tools if self._may_use(name)]

    def speech(self, requests: Sequence[ToolRequest]) -> str:
        """What to say before these tools run, if anything."""
        found = next((words for request in requests if (words := self._policy(request).speech)), "")
        return render(found, self._control.variables)

    async def run(self, turn: int, requests: Sequence[ToolRequest]) -> list[Result]:
        """Run tools side by side; their results in the order of the requests.

        Cancelled by an interruption, it stops the tools that may be stopped; the others go on, and their results come
        late. `leave` says what to tell the model of either.
        """
        started = [self._start(turn, request) for request in requests]
        waited = [one.task for one in started if not self._policy(one.request).background]
        try:
            if waited:
                await asyncio.wait(waited)
        finally:
            results = [self._leave(one) for one in started]
        return results

    def leave(self, request_id: str, *, whole: bool) -> str:
        """What the model is told of a request when its turn is over, heard to its end (`whole`) or interrupted.

        A tool that is still running is stopped if it may be; else its result comes late.
        """
        started = self._latest.get(request_id)
        if started is None:
            return INTERRUPTED
        result = self._leave(started)
        return result.text if whole or result.action is None else UNTAKEN

    async def close(self) -> None:
        """Stop everything."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    # --- one tool

    def _start(self, turn: int, request: ToolRequest) -> _Started:
        task = asyncio.get_running_loop().create_task(self._run(turn, request), name=f"tool {request.name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        started = self._latest[request.id] = _Started(request, task)
        return started

    def _leave(self, started: _Started) -> Result:
        """The result, or what stands for it: nobody waits any longer."""
        request, task, policy = started.request, started.task, self._policy(started.request)
        if task.cancelled():
            return Result(request, INTERRUPTED)
        if task.done():
            return task.result()
        if policy.cancellable and not policy.background:
            task.cancel()
            return Result(request, INTERRUPTED)
        if not started.late:
            started.late = True
            task.add_done_callback(lambda done: None if done.cancelled() else self._late(done.result()))
        return Result(request, RUNNING)

    async def _run(self, turn: int, request: ToolRequest) -> Result:
        arguments, started = parsed(request.arguments), self._clock.now()
        self._emit(
            events.ToolCalled(
                at=started,
                turn=turn,
                tool_call=request.id,
                name=request.name,
                arguments=arguments if arguments is not None else {"raw": request.arguments},
            )
        )
        outcome, error = Outcome(""), ""
        try:
            outcome = await self._outcome(turn, request, arguments)
        except ToolError as failure:
            error = str(failure)
        except asyncio.CancelledError:
            if _is_cancelled():
                error = INTERRUPTED
                raise
            error = "The tool gave up."
        except Exception as failure:
            error = f"The tool broke: {type(failure).__name__}: {failure}"
        finally:
            self._emit(
                events.ToolReturned(
                    at=self._clock.now(),
                    turn=turn,
                    tool_call=request.id,
                    name=request.name,
                    result=outcome.text,
                    error=error,
                    took=round(self._clock.now() - started, 4),
                )
            )
        for name, value in outcome.variables.items():
            self._control.set_variable(name, value, request.name)
        if error:
            return Result(request, f"Error: {error}", error=error)
        text = _limited(outcome.text, self._policy(request).result_limit)
        return Result(request, text, outcome.action, outcome.say, whole=outcome.text)

    async def _outcome(self, turn: int, request: ToolRequest, arguments: dict[str, object] | None) -> Outcome:
        tool = self._tools.get(request.name)
        if tool is None or not self._may_use(request.name):
            raise ToolError(f"There is no tool named {request.name}.")
        if (wrong := complaint(tool.schema, arguments)) or arguments is None:
            raise ToolError(self._repair(turn, request.name, wrong))
        try:
            async with asyncio.timeout(tool.policy.timeout) as patience:
                return await tool.run(arguments, self._control)
        except TimeoutError:
            if not patience.expired():
                raise
            longest = f"{tool.policy.timeout:g} s"
            raise ToolError(
                f"It took longer than {longest} and was given up. Tell the caller that it did not work."
            ) from None

    def _repair(self, turn: int, name: str, wrong: str) -> str:
        """Let the model mend a tool's arguments once a turn."""
        if (turn, name) not in self._malformed:
            self._malformed.add((turn, name))
            return f"{wrong} Nothing was done. Call it again with right arguments, or ask the caller for them."
        return f"{wrong} Nothing was done. Do not call it again now: ask the caller for what is missing."

    def _may_use(self, name: str) -> bool:
        return self.offered is None or name in self.offered

    def _described(self, schema: ToolSchema) -> ToolSchema:
        if "{{" not in schema.description:
            return schema
        return replace(schema, description=render(schema.description, self._control.variables))

    def _policy(self, request: ToolRequest) -> ToolPolicy:
        tool = self._tools.get(request.name)
        return tool.policy if tool is not None else ToolPolicy()


def _is_cancelled() -> bool:
    """Whether somebody has cancelled this task, and it was not the tool that gave up by itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _limited(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n[cut off: the result was {len(text)} characters long]"
