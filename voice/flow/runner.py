"""The brain that walks a flow: the platform keeps the state; the model speaks and judges where a step asks it to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from voice import events
from voice.brain import Ask, Brain, Brains, LlmBrain, Output, Say, Seat, Silence
from voice.chain import ChatModel
from voice.flow.collecting import Collecting
from voice.flow.spec import (
    BranchStep,
    CollectStep,
    ConversationStep,
    EndStep,
    Flow,
    HandOffStep,
    KnowledgeStep,
    MenuStep,
    PostStep,
    SayStep,
    SetStep,
    SmsStep,
    Step,
    ToolStep,
    TransferStep,
    as_flow,
)
from voice.flow.steps import KnowledgeOf, Steps, sending_tool
from voice.flow.talk import Talk
from voice.flow.walk import Go, Part, State, Walk
from voice.health import Health
from voice.knowledge import Knowledge
from voice.tools import EndCall, ToolError

# A flow that goes through so many steps in one turn goes in circles.
MOST_STEPS = 50
SPEAK = "[It is your turn: speak to the caller.]"


def agent_brain(
    models: Sequence[ChatModel],
    *,
    health: Health | None = None,
    knowledge: Knowledge | None = None,
    knowledge_of: KnowledgeOf | None = None,
) -> Brains:
    """Brains for agents with a flow and without one. The first of `models` answers, the next ones stand by.
    `knowledge_of` gives what single steps look up; by default that is `knowledge`, whatever the folders."""
    shared = health or Health()

    def make(seat: Seat) -> Brain:
        if seat.spec.flow is None:
            return LlmBrain(seat, models, health=shared, knowledge=knowledge)
        of = knowledge_of or (lambda folders: knowledge)
        return FlowBrain(seat, seat.spec.flow, models, health=shared, knowledge=knowledge, knowledge_of=of)

    return make


class FlowBrain:
    """Walks one call through its flow."""

    def __init__(
        self,
        seat: Seat,
        flow: Flow,
        models: Sequence[ChatModel],
        *,
        health: Health,
        knowledge: Knowledge | None,
        knowledge_of: KnowledgeOf,
    ) -> None:
        self._seat = seat
        self._flow = flow if flow.steps else as_flow()
        sending = {sending_tool(step) for step in self._flow.steps if isinstance(step, PostStep | SmsStep)}
        offered = [tool for tool in seat.tools if tool.schema.name not in sending]
        self._talk = Talk(
            LlmBrain(replace(seat, tools=offered), models, health=health, knowledge=knowledge), seat.spec, self._flow
        )
        self.name = self._talk.brain.name
        self._steps = Steps(self._talk, seat, knowledge=knowledge_of, clock=seat.clock, tools=seat.tools)
        self._collecting = Collecting(self._talk)
        self._state = State()
        self._voice, self._language = seat.spec.voice.id, seat.spec.language
        self._nobody_there = False
        """A transfer of the step that the call is in has failed."""
        self._floor: Callable[[], None] = lambda: None

    async def start(self, floor: Callable[[], None]) -> None:
        self._floor = floor
        first = self._flow.first
        if isinstance(first, ConversationStep):
            self._instruct(first)
            await self._talk.brain.start(floor)
        if not isinstance(first, ConversationStep) or first.say:
            floor()

    def notice(self, event: events.Event) -> None:
        self._talk.brain.notice(event)
        failed = isinstance(event, events.TransferFinished) and event.outcome == "failed"
        if failed and isinstance(self._flow.step(self._state.step), TransferStep):
            self._nobody_there = True
            self._floor()

    def hearing(self, text: str) -> None:
        if isinstance(self._flow.step(self._state.step) or self._flow.first, ConversationStep):
            self._talk.brain.hearing(text)

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        self._talk.brain.keep(turn, caller, agent, whole=whole)

    async def close(self) -> None:
        await self._steps.close()
        await self._talk.brain.close()

    # --- a turn

    async def reply(self, ask: Ask) -> AsyncIterator[Output]:
        walk = Walk(
            ask, self._flow, self._state, control=self._seat.control, clock=self._seat.clock, emit=self._seat.emit
        )
        walk.do(lambda: setattr(self, "_state", walk.state))
        self._talk.brain.begin(ask.turn)
        spoken = False
        parts = self._go_on(walk)
        for _ in range(MOST_STEPS):
            go: Go | None = None
            async with aclosing(parts) as given:  # type: ignore[type-var]
                async for part in given:
                    if isinstance(part, Go):
                        go = part
                        break
                    if isinstance(part, Say):
                        spoken = spoken or bool(part.text.strip())
                    else:
                        await walk.certain()
                    yield part
            if go is None:
                break
            parts = self._enter(walk, go)
        else:
            async for output in self._in_circles(walk):
                yield output
            return
        if spoken:
            # What was thought up in a pause is spoken before it is certain, and happens after.
            yield Say("", pause=True)
        await walk.certain()
        if not spoken:
            yield Silence()

    async def _go_on(self, walk: Walk) -> AsyncIterator[Part]:
        """Where the last turn has left the call."""
        step = walk.step
        failed, self._nobody_there = self._nobody_there, False
        match step:
            case None:
                first = self._flow.first
                parts = self._enter(walk, Go(first.id if first else "", "the call began"))
            case ConversationStep() | CollectStep() | MenuStep() | KnowledgeStep() if step.id == walk.state.listening:
                parts = self._hear(walk, step)
            case TransferStep() if failed and step.failure:
                parts = self._steps.transfer(walk, step, failed=True)
            case TransferStep() | EndStep() | HandOffStep():
                parts = self._back(walk, step)
            case _:
                parts = self._begin(walk, step)
        async with aclosing(parts) as given:  # type: ignore[type-var]
            async for part in given:
                yield part

    def _back(self, walk: Walk, step: Step) -> AsyncIterator[Part]:
        """What should have ended the talk with the caller has not: they interrupted it, or nobody took the call."""
        before = self._flow.step(walk.state.listening)
        if before is None:
            return self._begin(walk, step)
        walk.enter(before, "the caller is still there")
        return self._hear(walk, before)

    def _enter(self, walk: Walk, go: Go) -> AsyncIterator[Part]:
        step = self._flow.step(go.to)
        if step is None:
            return self._nowhere(walk, go)
        walk.enter(step, go.because)
        return self._begin(walk, step)

    # --- steps

    def _begin(self, walk: Walk, step: Step) -> AsyncIterator[Part]:
        match step:
            case ConversationStep():
                return self._converse(walk, step)
            case CollectStep():
                return self._speaking(walk, step, self._collecting.enter(walk, step))
            case MenuStep():
                return self._speaking(walk, step, self._steps.offer(walk, step))
            case KnowledgeStep():
                return self._speaking(walk, step, self._steps.ask_question(walk, step))
            case BranchStep():
                return self._steps.branch(walk, step)
            case SetStep():
                return self._steps.set(walk, step)
            case SayStep():
                return self._steps.say(walk, step)
            case ToolStep():
                return self._steps.tool(walk, step)
            case PostStep() | SmsStep():
                return self._steps.send(walk, step)
            case TransferStep():
                return self._steps.transfer(walk, step)
            case HandOffStep():
                return self._steps.hand_off(walk, step, self._seat.team)
            case EndStep():
                return self._steps.end(walk, step)

    def _hear(self, walk: Walk, step: Step) -> AsyncIterator[Part]:
        """The caller has spoken to a step that listens; without words, the brain has the floor."""
        match step:
            case ConversationStep():
                return self._answer(walk, step)
            case CollectStep() if walk.heard:
                return self._collecting.hear(walk, step)
            case MenuStep() if walk.heard:
                return self._steps.choose(walk, step)
            case KnowledgeStep() if walk.heard:
                return self._steps.look_up(walk, step)
        return _nothing()

    async def _speaking(self, walk: Walk, step: Step, parts: AsyncIterator[Part]) -> AsyncIterator[Part]:
        """A step that listens begins, in the agent's own voice."""
        walk.state.listening = step.id
        await self._sound(walk, "", "")
        async with aclosing(parts) as given:  # type: ignore[type-var]
            async for part in given:
                yield part

    # --- conversation

    async def _converse(self, walk: Walk, step: ConversationStep) -> AsyncIterator[Part]:
        """A conversation begins."""
        first = not walk.state.listening
        walk.state.listening = step.id
        await self._sound(walk, step.voice, step.language)
        self._instruct(step)
        if step.say:
            yield self._talk.say(walk, step.say)
        elif first and walk.heard:
            async for part in self._answer(walk, step):
                yield part
        elif not walk.answered:
            async for part in self._speak(walk, step, hint="" if walk.heard else SPEAK):
                yield part

    async def _answer(self, walk: Walk, step: ConversationStep) -> AsyncIterator[Part]:
        """The caller has spoken: a route is taken, or the model answers."""
        self._instruct(step)
        if walk.heard:
            walk.state.turns += 1
            go = self._talk.sure_route(walk, step.routes) or await self._talk.judged_route(walk, step.routes)
            if go is None and step.max_turns is not None and walk.state.turns > step.max_turns:
                go = Go(step.too_long, f"after {step.max_turns} turns")
            if go is not None:
                yield go
                return
        async for part in self._speak(walk, step):
            yield part

    async def _speak(self, walk: Walk, step: ConversationStep, *, hint: str = "") -> AsyncIterator[Part]:
        async with aclosing(self._talk.answer(walk, hint=hint)) as outputs:  # type: ignore[type-var]
            async for output in outputs:
                yield output
        # A tool may have set what a route waits for.
        if walk.heard and (go := self._talk.sure_route(walk, step.routes)):
            yield go

    def _instruct(self, step: ConversationStep) -> None:
        self._talk.instruct(step.prompt, tools=step.tools, temperature=step.temperature)

    async def _sound(self, walk: Walk, voice: str, language: str) -> None:
        """Have the step speak with its own voice and language, or with the agent's."""
        voice, language = voice or self._seat.spec.voice.id, language or self._seat.spec.language
        if (voice, language) == (self._voice, self._language):
            return
        await walk.certain()
        try:
            if language != self._language:
                self._seat.control.set_language(language)
                self._language = language
            if voice != self._voice:
                self._seat.control.set_voice(voice)
                self._voice = voice
        except ToolError as error:
            walk.note(str(error))

    # --- ends that nobody has meant

    async def _nowhere(self, walk: Walk, go: Go) -> AsyncIterator[Part]:
        where = walk.step.title if walk.step else "The flow"
        what = f"to {go.to}, which is not there" if go.to else "nowhere"
        walk.note(f"{where}: the route “{go.because}” leads {what}. The call ends.")
        yield self._talk.say(walk, self._seat.spec.phrases.goodbye)
        yield EndCall(f"The flow came to its end at {where}.")

    async def _in_circles(self, walk: Walk) -> AsyncIterator[Output]:
        """The flow would go on for ever without the caller: say so, and end the call."""
        await walk.certain()
        where = walk.step.title if walk.step else ""
        error = f"The flow went through {MOST_STEPS} steps, the last one {where}, without listening to the caller."
        self._seat.emit(
            events.ProviderFailed(
                at=self._seat.clock.now(),
                turn=walk.ask.turn,
                role="flow",
                provider="callwright",
                error=error,
                then="ending the call",
            )
        )
        yield self._talk.say(walk, self._seat.spec.phrases.giving_up, interruptible=False)
        yield EndCall(error, reason="error")


async def _nothing() -> AsyncIterator[Part]:
    """Nothing is said, and the caller is waited for."""
    for part in list[Part]():
        yield part
