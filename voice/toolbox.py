"""The tools of one call: what the model asks for is checked, run in time, and told in events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from voice import events
from voice.clock import CallClock
from voice.providers.base import ToolRequest, ToolSchema
from voice.tools import Action, CallControl, Outcome, Tool, ToolError, ToolPolicy

Emit = Callable[[events.Event], None]

INTERRUPTED = "Not done: the caller interrupted before it was finished."
RUNNING = "Started. You will be told the result when it is there; until then do not say that it is done."


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a tool request: `text` is what the model reads."""

    request: ToolRequest
    text: str
    action: Action | None = None
    failed: bool = False


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
        self._running: dict[str, asyncio.Task[Result]] = {}
        self._malformed: dict[int, int] = {}
        self.schemas: list[ToolSchema] = [tool.schema for tool in tools]

    def speech(self, requests: Sequence[ToolRequest]) -> str:
        """What to say before these tools run, if anything."""
        return next((words for request in requests if (words := self._policy(request).speech)), "")

    async def run(self, turn: int, requests: Sequence[ToolRequest]) -> list[Result]:
        """Run tools side by side; their results in the order of the requests.

        Cancelled by an interruption, it stops the tools that may be stopped; the others go on, and their results come
        late. `unfinished` says what to tell the model of either.
        """
        started = [(request, self._start(turn, request)) for request in requests]
        waited = [task for request, task in started if not self._policy(request).background]
        try:
            if waited:
                await asyncio.wait(waited)
        except asyncio.CancelledError:
            for request, task in started:
                if self._policy(request).cancellable and not self._policy(request).background:
                    task.cancel()
                elif not task.done():
                    self._expect(task)
            raise
        results = []
        for request, task in started:
            if task.done():
                results.append(task.result())
            else:
                self._expect(task)
                results.append(Result(request, RUNNING))
        return results

    def unfinished(self, request_id: str) -> str:
        """What the model is told of a request that an interruption left without a result."""
        task = self._running.get(request_id)
        return RUNNING if task is not None and not task.cancelling() else INTERRUPTED

    async def close(self) -> None:
        """Stop everything."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    # --- one tool

    def _start(self, turn: int, request: ToolRequest) -> asyncio.Task[Result]:
        task = asyncio.get_running_loop().create_task(self._run(turn, request), name=f"tool {request.name}")
        self._running[request.id] = task
        task.add_done_callback(lambda _: self._running.pop(request.id, None))
        return task

    def _expect(self, task: asyncio.Task[Result]) -> None:
        task.add_done_callback(lambda done: None if done.cancelled() else self._late(done.result()))

    async def _run(self, turn: int, request: ToolRequest) -> Result:
        arguments, started = _parsed(request.arguments), self._clock.now()
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
            error = INTERRUPTED
            raise
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
            return Result(request, f"Error: {error}", failed=True)
        return Result(request, _limited(outcome.text, self._policy(request).result_limit), outcome.action)

    async def _outcome(self, turn: int, request: ToolRequest, arguments: dict[str, object] | None) -> Outcome:
        tool = self._tools.get(request.name)
        if tool is None:
            raise ToolError(f"There is no tool named {request.name}.")
        if (complaint := _complaint(tool.schema, arguments)) or arguments is None:
            raise ToolError(self._repair(turn, complaint))
        try:
            async with asyncio.timeout(tool.policy.timeout):
                return await tool.run(arguments, self._control)
        except TimeoutError:
            longest = f"{tool.policy.timeout:.0f} s"
            raise ToolError(
                f"It took longer than {longest} and was given up. Tell the caller that it did not work."
            ) from None

    def _repair(self, turn: int, complaint: str) -> str:
        """Let the model mend its arguments once a turn."""
        tries = self._malformed[turn] = self._malformed.get(turn, 0) + 1
        if tries == 1:
            return f"{complaint} Nothing was done. Call it again with right arguments, or ask the caller for them."
        return f"{complaint} Nothing was done. Do not call it again now: ask the caller for what is missing."

    def _policy(self, request: ToolRequest) -> ToolPolicy:
        tool = self._tools.get(request.name)
        return tool.policy if tool is not None else ToolPolicy()


def _parsed(arguments: str) -> dict[str, object] | None:
    try:
        parsed = json.loads(arguments or "{}")
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _complaint(schema: ToolSchema, arguments: dict[str, object] | None) -> str:
    """What is wrong with the arguments, or ""."""
    if arguments is None:
        return "The arguments are not a JSON object."
    error = best_match(Draft202012Validator(dict(schema.parameters)).iter_errors(arguments))
    if error is None:
        return ""
    where = ".".join(map(str, error.absolute_path))
    return f"The argument {where} is wrong: {error.message}." if where else f"The arguments are wrong: {error.message}."


def _limited(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n[cut off: the result was {len(text)} characters long]"
