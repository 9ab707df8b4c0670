"""The Brain protocol (a turn in, words and actions out) and the brain that is a language model with tools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from voice import events
from voice.clock import CallClock
from voice.providers.base import Finished, Llm, LlmSettings, Message, ProviderError, TextDelta, ToolRequest
from voice.tools import Tool, ToolError

Emit = Callable[[events.Event], None]

# A model that keeps asking for tools is stopped after so many rounds.
TOOL_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Say:
    """Some text to speak: a token, a word, a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up when all is spoken."""

    detail: str = ""


Output = Say | EndCall


@dataclass(frozen=True, slots=True)
class Ask:
    """A turn to be answered. `certain` is set once the caller is known to have finished: nothing that has an
    effect outside the call may be done before."""

    turn: int
    text: str
    certain: asyncio.Event


class Brain(Protocol):
    """What decides on the agent's words. It owns the history of the conversation."""

    async def prewarm(self) -> None:
        """Get ready while the call connects. Failures are silent: they show at the first turn."""

    def hearing(self, text: str) -> None:
        """The caller's words so far; a chance to prepare."""

    def reply(self, ask: Ask) -> AsyncIterator[Output]:
        """Answer a turn. Raises ProviderError. Closing the iterator drops the answer."""

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        """A turn is over: remember the caller's words and those of the agent's that were heard.

        `whole` says that the answer was heard to its end; `caller` is empty where only the agent spoke, `agent`
        where the caller went on before anything was heard. An answer that is not kept leaves no trace.
        """


class LlmBrain:
    """A language model that is asked anew at each turn, and runs the tools that it asks for."""

    def __init__(
        self,
        *,
        llm: Llm,
        settings: LlmSettings,
        prompt: str,
        tools: Sequence[Tool],
        clock: CallClock,
        emit: Emit,
    ) -> None:
        self._llm = llm
        self._settings = settings
        self._system: Message = {"role": "system", "content": prompt}
        self._tools = {tool.schema.name: tool for tool in tools}
        self._schemas = [tool.schema for tool in tools]
        self._clock = clock
        self._emit = emit
        self._history: list[Message] = []
        self._generated: dict[int, list[Message]] = {}
        self._requests = 0
        self._warming: asyncio.Task[None] | None = None

    async def prewarm(self) -> None:
        await self._llm.prewarm(self._messages(), tools=self._schemas, settings=self._settings)

    def hearing(self, text: str) -> None:
        if self._warming is not None:
            self._warming.cancel()
        messages = self._messages({"role": "user", "content": text})
        warm = self._llm.prewarm(messages, tools=self._schemas, settings=self._settings)
        self._warming = asyncio.get_running_loop().create_task(warm, name="prewarm")

    async def reply(self, ask: Ask) -> AsyncIterator[Output]:
        if self._warming is not None:
            self._warming.cancel()
            self._warming = None
        made: list[Message] = []
        self._generated[ask.turn] = made
        for _ in range(TOOL_ROUNDS):
            wanted: list[ToolRequest] = []
            text = ""
            async for chunk in self._request(ask, made):
                if isinstance(chunk, ToolRequest):
                    wanted.append(chunk)
                else:
                    text += chunk.text
                    yield Say(chunk.text)
            made.append(_assistant(text, wanted))
            if not wanted:
                return
            await ask.certain.wait()
            for request in wanted:
                result, action = await self._run(ask.turn, request)
                made.append({"role": "tool", "tool_call_id": request.id, "content": result})
                if action is not None:
                    yield action
                    return
        raise ProviderError(self._llm.name, f"The model asked for tools {TOOL_ROUNDS} times in one turn.")

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        if caller:
            self._history.append({"role": "user", "content": caller})
        made = self._generated.pop(turn, [])
        if made and not whole and _is_plain(made[-1]):
            # The words are kept as they were heard; what tools did, was done.
            made = made[:-1]
        self._history += made
        if agent and not (made and _is_plain(made[-1])):
            self._history.append({"role": "assistant", "content": agent if whole else f"{agent} —"})

    def _messages(self, *ending: Message) -> list[Message]:
        """All of the conversation and then `ending`. Caller turns without an answer between them become one."""
        messages = [self._system]
        for message in (*self._history, *ending):
            if message["role"] == messages[-1]["role"] == "user":
                messages[-1] = {"role": "user", "content": f"{messages[-1]['content']} {message['content']}"}
            else:
                messages.append(message)
        return messages

    async def _request(self, ask: Ask, made: list[Message]) -> AsyncIterator[TextDelta | ToolRequest]:
        """One request to the model, told in events from its start to its end, however it ends."""
        self._requests += 1
        request = f"model-{ask.turn}-{self._requests}"
        messages = self._messages({"role": "user", "content": ask.text}, *made)
        self._emit(
            events.ModelRequested(
                at=self._clock.now(),
                turn=ask.turn,
                request=request,
                provider=self._llm.name,
                model=self._settings.model,
                messages=messages,
                tools=list(self._tools),
                speculative=not ask.certain.is_set(),
            )
        )
        text, first, end = "", True, Finished("cancelled")
        try:
            async for chunk in self._llm.stream(messages, tools=self._schemas, settings=self._settings):
                if first:
                    first = False
                    self._emit(events.ModelFirstToken(at=self._clock.now(), turn=ask.turn, request=request))
                if isinstance(chunk, Finished):
                    end = chunk
                    continue
                if isinstance(chunk, TextDelta):
                    text += chunk.text
                yield chunk
        except ProviderError:
            end = Finished("error")
            raise
        finally:
            self._emit(
                events.ModelFinished(
                    at=self._clock.now(),
                    turn=ask.turn,
                    request=request,
                    text=text,
                    finish=end.reason,
                    input_tokens=end.input_tokens,
                    output_tokens=end.output_tokens,
                    cached_tokens=end.cached_tokens,
                )
            )

    async def _run(self, turn: int, request: ToolRequest) -> tuple[str, EndCall | None]:
        """Run one tool; its result as the model reads it, and what it does to the call."""
        arguments, error, result, action = _parse(request.arguments), "", "", None
        self._emit(
            events.ToolCalled(
                at=self._clock.now(),
                turn=turn,
                tool_call=request.id,
                name=request.name,
                arguments=arguments or {"raw": request.arguments},
            )
        )
        started = self._clock.now()
        try:
            if request.name not in self._tools:
                raise ToolError(f"There is no tool named {request.name}.")
            if arguments is None:
                raise ToolError("The arguments are not a JSON object.")
            outcome = await self._tools[request.name].run(arguments)
            result = outcome.text
            action = EndCall(outcome.text) if outcome.ends_call else None
        except ToolError as failure:
            error = str(failure)
        self._emit(
            events.ToolReturned(
                at=self._clock.now(),
                turn=turn,
                tool_call=request.id,
                name=request.name,
                result=result,
                error=error,
                took=round(self._clock.now() - started, 4),
            )
        )
        return (f"Error: {error}" if error else result), action


def _is_plain(message: Message) -> bool:
    return message["role"] == "assistant" and not message.get("tool_calls")


def _parse(arguments: str) -> dict[str, object] | None:
    try:
        parsed = json.loads(arguments or "{}")
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _assistant(text: str, wanted: Sequence[ToolRequest]) -> Message:
    message: Message = {"role": "assistant", "content": text}
    if wanted:
        message["tool_calls"] = [
            {"id": w.id, "type": "function", "function": {"name": w.name, "arguments": w.arguments}} for w in wanted
        ]
    return message
