"""The Brain protocol (a turn in, words and actions out) and the brain that is a language model with tools."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from voice import events
from voice.chain import ChatModel, ModelChain, Question
from voice.clock import CallClock
from voice.guardrails import instructed
from voice.health import Health
from voice.history import answered, as_heard, assistant, is_empty, joined, told
from voice.knowledge import Knowledge, consult
from voice.providers.base import Message, ProviderError, TextDelta, ToolRequest
from voice.spec import AgentSpec
from voice.text.leaks import Leak, LeakGuard, Part
from voice.toolbox import Result, Toolbox
from voice.tools import Action, CallControl, Tool
from voice.variables import render

Emit = Callable[[events.Event], None]

# A model reads ahead when there are so many words more: reading one or two costs a small machine more than it saves.
WORDS_AHEAD = 4
# A model that keeps asking for tools is stopped after so many rounds.
TOOL_ROUNDS = 5
# A model that has only printed what was meant for a machine is asked again.
IN_WORDS = "[Nothing of that could be spoken. Answer the caller in words, or call one of your tools.]"
LEAK_LIMIT = 500
OPENING = "[The call has begun. Say your first words to the caller.]"
UNTRUE = '[You said "{claim}", but no tool has done that. Do it now with the right tool, or say that it is not done.]'


@dataclass(frozen=True, slots=True)
class Say:
    """Some text to speak: a token, a word, a sentence. Once begun, an uninterruptible one is heard to its end.

    After one with a `pause` nothing comes for a while: what there is of a sentence is spoken.
    """

    text: str
    interruptible: bool = True
    pause: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing more is to be said, and that is meant: a reply without a word is no failure."""


Output = Say | Silence | Action


@dataclass(frozen=True, slots=True)
class Ask:
    """A turn to be answered. `certain` is set once the caller is known to have finished: nothing that has an
    effect outside the call may be done before. Without a text the brain has asked for the floor itself."""

    turn: int
    text: str
    certain: asyncio.Event


class Brain(Protocol):
    """What decides on the agent's words. It owns the history of the conversation."""

    @property
    def name(self) -> str:
        """Who answers, for events."""

    async def start(self, floor: Callable[[], None]) -> None:
        """Get ready while the call connects. Failures are silent: they show at the first turn.

        Whenever the brain has something to say by itself it calls `floor`; `reply` is then called with an `Ask`
        without text, as soon as nobody speaks.
        """

    def notice(self, event: events.Event) -> None:
        """Something happened on the call. Everything does come by here, so be quick."""

    def hearing(self, text: str) -> None:
        """The caller's words so far; a chance to prepare."""

    def reply(self, ask: Ask) -> AsyncIterator[Output]:
        """Answer a turn. Raises ProviderError. Closing the iterator drops the answer."""

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        """A turn is over: remember the caller's words and those of the agent's that were heard.

        `whole` says that the answer was heard to its end; `caller` is empty where only the agent spoke, `agent`
        where the caller went on before anything was heard. An answer that is not kept leaves no trace.
        """

    async def close(self) -> None:
        """The call is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What a brain is given of its call. `past` is what was said before it took over: ("caller" or "agent", words)."""

    call_id: str
    spec: AgentSpec
    clock: CallClock
    emit: Emit
    control: CallControl
    tools: Sequence[Tool] = ()
    past: Sequence[tuple[str, str]] = ()
    team: Collection[str] = ()
    """The agents to whom the call can be handed, by their keys."""


Brains = Callable[[Seat], Brain]
"""Makes the brain of a call."""


def llm_brain(
    models: Sequence[ChatModel], *, health: Health | None = None, knowledge: Knowledge | None = None
) -> Brains:
    """Brains that are language models: the first of `models` answers, the next ones stand by."""
    shared = health or Health()
    return lambda seat: LlmBrain(seat, models, health=shared, knowledge=knowledge)


class LlmBrain:
    """A language model that is asked anew at each turn, and runs the tools that it asks for."""

    def __init__(
        self, seat: Seat, models: Sequence[ChatModel], *, health: Health, knowledge: Knowledge | None = None
    ) -> None:
        spec = seat.spec
        self._chain = ModelChain(
            models,
            patience=spec.patience,
            hedge_after=spec.hedge_after,
            health=health,
            clock=seat.clock,
            emit=seat.emit,
        )
        self.name = self._chain.name
        self._toolbox = Toolbox(
            seat.tools, control=seat.control, clock=seat.clock, emit=seat.emit, late=self._told_late
        )
        self._knowledge = knowledge
        self._budget = spec.knowledge_budget
        self._clock = seat.clock
        self._emit = seat.emit
        self._guardrails = spec.guardrails
        self._prompt = instructed(spec.prompt, spec.guardrails)
        self._temperature: float | None = None
        self._variables = seat.control.variables
        self._history: list[Message] = [
            {"role": "user" if who == "caller" else "assistant", "content": words} for who, words in seat.past
        ]
        self._news: list[Message] = []
        self._generated: dict[int, list[Message]] = {}
        self._warming: asyncio.Task[None] | None = None
        self._words_read = 0
        self._floor: Callable[[], None] = lambda: None

    async def start(self, floor: Callable[[], None]) -> None:
        self._floor = floor
        await self._chain.prewarm(self._messages(), self._toolbox.schemas)

    def notice(self, event: events.Event) -> None:
        if isinstance(event, events.ClientMessage) and (text := event.data.get("context")):
            self._news.append({"role": "user", "content": f"[{text}]"})
        elif isinstance(event, events.ClaimDoubted) and event.then == "corrected":
            self._news.append({"role": "user", "content": UNTRUE.format(claim=event.claim)})

    def hearing(self, text: str) -> None:
        words = len(text.split())
        if words < self._words_read + WORDS_AHEAD:
            return
        self._words_read = words
        if self._warming is not None:
            self._warming.cancel()
        self._take_news()
        warm = self._chain.prewarm(self._messages({"role": "user", "content": text}), self._toolbox.schemas)
        self._warming = asyncio.get_running_loop().create_task(warm, name="prewarm")

    async def reply(self, ask: Ask) -> AsyncIterator[Output]:
        self.begin(ask.turn)
        async with aclosing(self.go_on(ask)) as outputs:  # type: ignore[type-var]
            async for output in outputs:
                yield output

    async def go_on(self, ask: Ask, *, known: str | None = None, hint: str = "") -> AsyncIterator[Output]:
        """Answer within a turn that has begun. `known` is what the model is to answer from; None looks it up. `hint` is
        told behind everything else."""
        made = self._generated[ask.turn]
        known = await self._look_up(ask) if known is None else known
        hint = hint or ("" if ask.text or self._history else OPENING)
        spoken, mend = False, ""
        for _ in range(TOOL_ROUNDS):
            wanted: list[ToolRequest] = []
            text = ""
            async with aclosing(self._answer(ask, self._asked(ask, known, made, mend or hint))) as answer:  # type: ignore[type-var]
                async for part in answer:
                    if isinstance(part, TextDelta):
                        text += part.text
                        yield Say(part.text)
                    elif isinstance(part, ToolRequest):
                        wanted.append(part)
                    else:
                        mend = IN_WORDS
            spoken = spoken or bool(text.strip())
            if not wanted and (spoken or not mend):
                made.append(assistant(text, ()))
                return
            if not wanted:
                continue
            made.append(assistant(text, wanted))
            await ask.certain.wait()
            if not spoken and (words := self._toolbox.speech(wanted)):
                spoken = True
                yield Say(words, pause=True)
            elif text:
                yield Say("", pause=True)
            results = await self._toolbox.run(ask.turn, wanted)
            for result in results:
                if result.say:
                    yield Say(result.say, pause=True)
            if action := next((result.action for result in results if result.action is not None), None):
                # Whether it comes to that is known when the turn is over.
                yield action
                return
            made += [told(result) for result in results]
        raise ProviderError(self.name, f"The model asked for tools {TOOL_ROUNDS} times in one turn.")

    def begin(self, turn: int) -> None:
        """A turn begins, from nothing: what was made of it before was dropped."""
        self._words_read = 0
        if self._warming is not None:
            self._warming.cancel()
            self._warming = None
        self._take_news()
        self._generated[turn] = []

    def said(self, turn: int, words: str) -> None:
        """The agent says words that the model has not written."""
        self._generated[turn].append(assistant(words, ()))

    def told(self, text: str) -> None:
        """The model is to know this from the next turn on."""
        self._news.append({"role": "user", "content": f"[{text}]"})

    def instruct(self, prompt: str, *, tools: Collection[str] | None, temperature: float | None = None) -> None:
        """From now on it answers by this prompt, with these of its tools (None: all), at this temperature (None: as
        the agent's spec has it)."""
        self._prompt = instructed(prompt, self._guardrails)
        self._temperature = temperature
        self._toolbox.offered = tools

    async def judge(self, ask: Ask, question: str, form: Mapping[str, Any]) -> str:
        """What the model says to a question about the conversation, in JSON that fits the schema `form` as far as the
        model can be held to it. Nothing of that is spoken or remembered. Raises ProviderError."""
        aside: Message = {"role": "user", "content": f"{ask.text}\n[{question}]"}
        asked = Question(
            turn=ask.turn,
            messages=self._messages(*self._generated[ask.turn], aside),
            tools=(),
            speculative=not ask.certain.is_set(),
            form=form,
        )
        async with aclosing(self._chain.stream(asked)) as answer:  # type: ignore[type-var]
            return "".join([chunk.text async for chunk in answer if isinstance(chunk, TextDelta)])

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        if caller:
            self._history.append({"role": "user", "content": caller})
        made = answered(self._generated.pop(turn, []), lambda call: self._toolbox.leave(call, whole=whole))
        if not whole:
            made = as_heard(made, agent)
        elif agent and not any(message["role"] == "assistant" for message in made):
            made = [{"role": "assistant", "content": agent}]
        self._history += [message for message in made if not is_empty(message)]

    async def close(self) -> None:
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)
        await self._toolbox.close()

    # --- asking

    async def _answer(self, ask: Ask, messages: Sequence[Message]) -> AsyncIterator[Part]:
        """The model's answer, without the tool calls that it may print into its words."""
        guard = LeakGuard(self._toolbox.names)
        question = Question(
            turn=ask.turn,
            messages=messages,
            tools=self._toolbox.schemas,
            speculative=not ask.certain.is_set(),
            temperature=self._temperature,
        )
        async with aclosing(self._chain.stream(question)) as answer:  # type: ignore[type-var]
            async for chunk in answer:
                for part in guard.push(chunk.text) if isinstance(chunk, TextDelta) else (chunk,):
                    yield self._noted(part)
        for part in guard.finish():
            yield self._noted(part)

    def _noted(self, part: Part) -> Part:
        if isinstance(part, Leak):
            text = part.text[:LEAK_LIMIT]
            self._emit(events.AgentLogged(at=self._clock.now(), name="speech_leak", level="warning", text=text))
        return part

    # --- history

    def _told_late(self, result: Result) -> None:
        """A tool has come to its end after its turn had gone on."""
        self._news.append({"role": "user", "content": f"[Result of {result.request.name}: {result.text}]"})
        self._floor()

    def _take_news(self) -> None:
        """What came in while a turn was going on stands behind that turn."""
        self._history += self._news
        self._news.clear()

    def _asked(self, ask: Ask, known: str, made: Sequence[Message], hint: str) -> list[Message]:
        ending = [{"role": "user", "content": ask.text + known}] if ask.text else []
        return self._messages(*ending, *made, *([{"role": "user", "content": hint}] if hint else ()))

    def _messages(self, *ending: Message) -> list[Message]:
        """All of the conversation and then `ending`."""
        prompt: Message = {"role": "system", "content": render(self._prompt, self._variables)}
        return joined((prompt, *self._history, *ending))

    async def _look_up(self, ask: Ask) -> str:
        """What the knowledge base has to say about the turn, as the model reads it behind the caller's words."""
        if self._knowledge is None or not ask.text:
            return ""
        return await consult(
            self._knowledge, ask.text, turn=ask.turn, budget=self._budget, clock=self._clock, emit=self._emit
        )
