"""A brain and nothing around it: asked as a conversation asks, with what it did and said taken down."""

from __future__ import annotations

import asyncio
from typing import Any, Literal, TypeVar

from tests.voice.fakes import FakeControl, agent
from voice import events
from voice.brain import Ask, Brains, Output, Say, Seat
from voice.clock import CallClock
from voice.events import Event, Word
from voice.tools import ToolError

PATIENCE = 10.0

E = TypeVar("E", bound=Event)


class Control(FakeControl):
    """A call of an agent who speaks English and Spanish."""

    def set_language(self, language: str) -> None:
        if language not in ("en", "es"):
            raise ToolError(f"This agent does not speak {language}.")
        super().set_language(language)


class Talk:
    def __init__(self, brains: Brains) -> None:
        self.control = Control()
        self.events: list[Event] = []
        self.wants_floor = asyncio.Event()
        self.turn = 0
        self._clock = CallClock(asyncio.get_running_loop())
        self.brain = brains(
            Seat(
                call_id="call_1",
                spec=agent(),
                clock=self._clock,
                emit=self._emit,
                control=self.control,
            )
        )

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self.brain.notice(event)

    async def __aenter__(self) -> Talk:
        await self.brain.start(self.wants_floor.set)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.brain.close()

    async def ask(self, text: str, source: Literal["speech", "typed", "keypad"] = "speech") -> list[Output]:
        """All of the answer to a turn. Raises ProviderError."""
        ask = self.asked(text, source)
        async with asyncio.timeout(PATIENCE):
            return [output async for output in self.brain.reply(ask)]

    def asked(self, text: str, source: Literal["speech", "typed", "keypad"] = "speech") -> Ask:
        self.turn += 1
        self._emit(events.CallerTurn(at=0, turn=self.turn, text=text, started=0, ended=0, source=source))
        ask = Ask(self.turn, text, asyncio.Event())
        ask.certain.set()
        return ask

    async def unasked(self) -> list[Output]:
        """What the brain says when it has asked for the floor. Raises ProviderError."""
        async with asyncio.timeout(PATIENCE):
            await self.wants_floor.wait()
            self.wants_floor.clear()
            ask = Ask(self.turn, "", asyncio.Event())
            ask.certain.set()
            return [output async for output in self.brain.reply(ask)]

    def hear(self, *words: str, cut: str | None = None) -> None:
        """The caller has heard a reply, or its beginning: then `cut` is what they have not heard."""
        text = " ".join(words)
        self._emit(events.AgentSpeechStarted(at=0, turn=self.turn))
        self._emit(events.AgentHeard(at=0, turn=self.turn, words=[Word(word, 0, 0) for word in words]))
        turn = events.AgentTurn(
            at=0, turn=self.turn, text=text, started=1, ended=2.5, interrupted=cut is not None, unheard=cut or ""
        )
        self._emit(turn)
        self.brain.keep(self.turn, "…", text, whole=cut is None)

    def press(self, digits: str) -> None:
        for digit in digits:
            self._emit(events.DigitPressed(at=0, digit=digit))

    def message(self, data: dict[str, Any]) -> None:
        self._emit(events.ClientMessage(at=0, data=data))

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


def said(outputs: list[Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, Say))
