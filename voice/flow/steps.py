"""The steps that do something by themselves: branches, tools, menus, answers from documents, and the ways out."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing

from voice.brain import Seat
from voice.clock import CallClock
from voice.flow import slots
from voice.flow.expressions import ExpressionError, parse
from voice.flow.slots.choices import choice
from voice.flow.slots.numbers import numbers
from voice.flow.spec import (
    BranchStep,
    EndStep,
    HandOffStep,
    Key,
    KnowledgeStep,
    MenuStep,
    PostStep,
    SayStep,
    SetStep,
    SmsStep,
    ToolStep,
    TransferStep,
)
from voice.flow.talk import Talk, taken
from voice.flow.walk import Go, Part, Walk
from voice.knowledge import Knowledge, look_up, written
from voice.providers.base import ToolRequest
from voice.toolbox import Result, Toolbox
from voice.tools import EndCall, HandOff, Tool, Transfer
from voice.values import fitting
from voice.variables import render, value_at

KnowledgeOf = Callable[[tuple[str, ...]], Knowledge | None]
"""The documents in these folders; without any, all that the agent has."""

FROM_DOCUMENTS = (
    "Answer the caller's question from the knowledge base and from nothing else, in one or two short sentences. "
    "If the answer is not there, say that you do not know."
)


def sending_tool(step: PostStep | SmsStep) -> str:
    """The name of the tool that sends what the step posts or writes."""
    return f"{step.kind}_{step.id}"


class Steps:
    """Walks the steps of one call, those that converse and collect excepted."""

    def __init__(
        self, talk: Talk, seat: Seat, *, knowledge: KnowledgeOf, clock: CallClock, tools: Sequence[Tool]
    ) -> None:
        self._talk = talk
        self._seat = seat
        self._knowledge = knowledge
        self._clock = clock
        self._toolbox = Toolbox(tools, control=seat.control, clock=clock, emit=seat.emit, late=lambda result: None)
        self._schemas: Mapping[str, Mapping[str, object]] = {
            tool.schema.name: tool.schema.parameters.get("properties", {}) for tool in tools
        }
        self._numbers = itertools.count(1)
        self._work: asyncio.Task[list[Result]] | None = None
        """What the step that the call is in waits for; an interruption does not stop it."""
        self._aside: set[asyncio.Task[list[Result]]] = set()

    async def close(self) -> None:
        await self._toolbox.close()
        working = [*self._aside, *([self._work] if self._work else ())]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    # --- without the caller

    async def branch(self, walk: Walk, step: BranchStep) -> AsyncIterator[Part]:
        for case in step.cases:
            if parse(case.condition).holds(walk.variables):
                yield Go(case.to, f"because {case.condition}")
                return
        yield Go(step.otherwise, "no condition holds")

    async def set(self, walk: Walk, step: SetStep) -> AsyncIterator[Part]:
        for assignment in step.values:
            try:
                walk.set(assignment.name, parse(assignment.value).value(walk.variables), step.title)
            except ExpressionError as error:
                walk.note(f"{step.title} could not set {assignment.name}. {error}")
        yield Go(step.next, "it is set")

    async def say(self, walk: Walk, step: SayStep) -> AsyncIterator[Part]:
        yield self._talk.say(walk, step.say, interruptible=step.interruptible)
        yield Go(step.next, "it was said")

    # --- tools

    async def tool(self, walk: Walk, step: ToolStep) -> AsyncIterator[Part]:
        if self._work is None:
            await walk.certain()
            self._work = self._start(walk, step.function or step.tool, walk.arguments(step.arguments))
            if step.say:
                yield self._talk.say(walk, step.say)
        (result,) = await asyncio.shield(self._work)
        self._work = None
        if result.say:
            yield self._talk.say(walk, result.say)
        if result.action is not None:
            yield result.action
        elif result.error:
            yield Go(step.failure, f"it failed: {result.error}")
        else:
            self._assign(walk, step, result.whole or result.text)
            yield Go(step.success, "it worked")

    async def send(self, walk: Walk, step: PostStep | SmsStep) -> AsyncIterator[Part]:
        if self._work is None:
            await walk.certain()
            work = self._start(walk, sending_tool(step), _sent(walk, step))
            if not step.wait:
                self._aside.add(work)
                work.add_done_callback(self._aside.discard)
                yield Go(step.next, "it is on its way")
                return
            self._work = work
        (result,) = await asyncio.shield(self._work)
        self._work = None
        yield Go(step.failure, f"it failed: {result.error}") if result.error else Go(step.next, "it was sent")

    def _start(self, walk: Walk, name: str, arguments: dict[str, object]) -> asyncio.Task[list[Result]]:
        kinds = self._schemas.get(name, {})
        fitted = {key: _as_wanted(value, kinds.get(key)) for key, value in arguments.items()}
        request = ToolRequest(f"step-{next(self._numbers)}", name, json.dumps(fitted, default=str))
        return asyncio.create_task(self._toolbox.run(walk.ask.turn, [request]), name=f"step {walk.state.step}")

    def _assign(self, walk: Walk, step: ToolStep, text: str) -> None:
        if step.result:
            walk.set(step.result, text, step.title)
        if not step.assign:
            return
        try:
            data = json.loads(text)
        except ValueError:
            walk.note(f"{step.title} did not answer in JSON, so that nothing could be taken from it.")
            return
        for name, path in step.assign.items():
            if (value := value_at(data, path)) is not None:
                walk.set(name, value, step.title)

    # --- documents

    async def ask_question(self, walk: Walk, step: KnowledgeStep) -> AsyncIterator[Part]:
        if step.question:
            yield self._talk.say(walk, step.question)
        elif walk.heard and not walk.answered:
            async with aclosing(self.look_up(walk, step)) as parts:  # type: ignore[type-var]
                async for part in parts:
                    yield part

    async def look_up(self, walk: Walk, step: KnowledgeStep) -> AsyncIterator[Part]:
        """Answer what the caller has asked."""
        if step.question and (go := await self._talk.judged_route(walk, ())):
            yield go
            return
        knowledge = self._knowledge(step.folders)
        passages = (
            await look_up(
                knowledge,
                walk.heard,
                turn=walk.ask.turn,
                budget=max(self._seat.spec.knowledge_budget, 2.0),
                clock=self._clock,
                emit=self._seat.emit,
            )
            if knowledge is not None
            else ()
        )
        if not passages:
            yield Go(step.nothing_found, "nothing was found")
            return
        self._talk.instruct(FROM_DOCUMENTS, tools=())
        async with aclosing(self._talk.answer(walk, known=written(passages))) as outputs:  # type: ignore[type-var]
            async for output in outputs:
                yield output
        yield Go(step.next, "it is answered")

    # --- menus

    async def offer(self, walk: Walk, step: MenuStep) -> AsyncIterator[Part]:
        walk.expect_keys(1)
        yield self._talk.say(walk, step.say or offered(step.keys))

    async def choose(self, walk: Walk, step: MenuStep) -> AsyncIterator[Part]:
        pressed = slots.keyed(walk.heard)
        key = _pressed(step.keys, pressed) if pressed is not None else _named(step.keys, walk.heard)
        if key is not None:
            yield Go(key.to, f"key {key.key}" if pressed is not None else f"“{walk.heard}”")
            return
        if pressed is None:
            routes = self._talk.open_routes(walk, ())
            keys = [known for known in step.keys if known.words]
            options = [*(f"the caller wants {known.words[0]}" for known in keys), *(route.when for route in routes)]
            chosen = await self._talk.which(walk, options) if options else None
            if chosen is not None:
                known = keys[chosen] if chosen < len(keys) else None
                yield Go(known.to, f"“{walk.heard}”") if known else taken(routes[chosen - len(keys)])
                return
        walk.state.tries += 1
        if walk.state.tries > step.retries:
            yield Go(step.failed, f"nothing was chosen in {walk.state.tries} tries")
            return
        yield self._talk.say(walk, step.again)
        async for part in self.offer(walk, step):
            yield part

    # --- ways out

    async def transfer(self, walk: Walk, step: TransferStep, *, failed: bool = False) -> AsyncIterator[Part]:
        target = next((one for one in self._seat.spec.transfers if one.name == step.target), None)
        if target is None or failed:
            why = "nobody took the call" if target else f"nobody is called {step.target or 'anything'}"
            yield Go(step.failure, why)
            return
        if step.say:
            yield self._talk.say(walk, step.say)
        yield Transfer(to=target.to, label=target.name, warm=target.warm, brief=walk.words(step.brief))

    async def hand_off(self, walk: Walk, step: HandOffStep, team: Collection[str]) -> AsyncIterator[Part]:
        if step.agent and step.agent not in team:
            yield Go(step.next, "that agent cannot take the call")
            return
        if step.say:
            yield self._talk.say(walk, step.say)
        message = walk.words(step.message)
        if step.agent:
            yield HandOff(step.agent, message)
            return
        if message:
            walk.do(lambda: self._talk.brain.told(message))
        yield Go(step.next, "it is handed over")

    async def end(self, walk: Walk, step: EndStep) -> AsyncIterator[Part]:
        if step.say:
            yield self._talk.say(walk, step.say)
        yield EndCall(walk.words(step.reason) or f"The flow ended with {step.title}.")


def _sent(walk: Walk, step: PostStep | SmsStep) -> dict[str, object]:
    """The arguments of the tool that sends it."""
    if isinstance(step, SmsStep):
        return {name: render(getattr(step, name), walk.variables) for name in ("recipient", "text")}
    return {re.sub(r"\W+", "_", name): value for name, value in walk.arguments(step.body).items()}


def offered(keys: Sequence[Key]) -> str:
    """The keys of a menu as they are read out."""
    return " ".join(f"For {key.words[0]}, press {key.key}." if key.words else f"Press {key.key}." for key in keys)


def _pressed(keys: Sequence[Key], pressed: str) -> Key | None:
    return next((key for key in keys if key.key == pressed[:1]), None)


def _named(keys: Sequence[Key], heard: str) -> Key | None:
    """The key whose words, or whose number, were said."""
    words = {word: key for key in keys for word in key.words}
    if (word := choice(heard, list(words), positions=False) if words else None) is not None:
        return words[word]
    said = set(numbers(heard))
    return next((key for key in keys if key.key.isdigit() and said == {int(key.key)}), None)


def _as_wanted(value: object, schema: object) -> object:
    """A value as a tool's schema wants it, if it can be so: flows write texts."""
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    if not isinstance(value, str) or kind not in ("number", "integer", "boolean"):
        return str(value) if kind == "string" and value is not None and not isinstance(value, str) else value
    try:
        found = fitting(value, "boolean" if kind == "boolean" else "number")
    except ValueError:
        return value
    return found
