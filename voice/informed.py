"""A brain that is not ours and knows what the documents say: passages stand behind the words that it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace

from voice import events
from voice.brain import Ask, Brain, Brains, Output, Seat
from voice.knowledge import Knowledge, consult


def informed(brains: Brains, knowledge: Knowledge | None) -> Brains:
    """The same brains, which are told with each turn what fits it; without `knowledge` as they are."""
    if knowledge is None:
        return brains
    return lambda seat: InformedBrain(brains(seat), knowledge, seat)


class InformedBrain:
    """Passes everything on, and looks things up for turns that are certain."""

    def __init__(self, brain: Brain, knowledge: Knowledge, seat: Seat) -> None:
        self._brain = brain
        self._knowledge = knowledge
        self._seat = seat

    @property
    def name(self) -> str:
        return self._brain.name

    async def start(self, floor: Callable[[], None]) -> None:
        await self._brain.start(floor)

    def notice(self, event: events.Event) -> None:
        self._brain.notice(event)

    def hearing(self, text: str) -> None:
        self._brain.hearing(text)

    async def reply(self, ask: Ask) -> AsyncIterator[Output]:
        seat = self._seat
        if ask.text:
            await ask.certain.wait()  # what it is asked, it may act upon
            known = await consult(
                self._knowledge,
                ask.text,
                turn=ask.turn,
                budget=seat.spec.knowledge_budget,
                clock=seat.clock,
                emit=seat.emit,
            )
            ask = replace(ask, text=ask.text + known)
        async with aclosing(self._brain.reply(ask)) as outputs:  # type: ignore[type-var]
            async for output in outputs:
                yield output

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        self._brain.keep(turn, caller, agent, whole=whole)

    async def close(self) -> None:
        await self._brain.close()
