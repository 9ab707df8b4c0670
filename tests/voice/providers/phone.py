"""A call in real time, for brains that live behind real sockets: the caller waits for what they hear, then goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.voice.fakes import Caller, FakeStt, FakeTts, FakeVad, FarEnd, Speaks, agent
from voice import events
from voice.brain import Brains
from voice.conversation import Conversation, EndReason, Services
from voice.events import Event
from voice.media.pacer import Pacer
from voice.spec import AgentSpec, Voice
from voice.speech import PhraseCache, VoiceService

# A test that waits for so long has failed.
PATIENCE = 30.0

E = TypeVar("E", bound=Event)


class Phone:
    """One call, from the caller's side."""

    def __init__(self, brain: Brains, spec: AgentSpec) -> None:
        self.events: list[Event] = []
        self.line = FarEnd(takes_messages=True)
        self.voice = FakeTts(first=0.02)
        self._more = asyncio.Event()
        self._caller = Caller([])
        self.call = Conversation(
            call_id="call_1",
            spec=spec,
            services=Services(
                stt=[FakeStt(self._caller)],
                voices=[VoiceService(tts=self.voice, voice=Voice())],
                brain=brain,
                vad=FakeVad(),
                pacer=Pacer(),
                phrases=PhraseCache(),
            ),
            transport=self.line,
            sink=self._take,
        )

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._more.set()

    async def until(self, kind: type[E], fits: Callable[[E], bool] = lambda event: True) -> E:
        """Wait for the first event of a kind that fits."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for event in self.events:
                        if isinstance(event, kind) and fits(event):
                            return event
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError("It did not come. There were:\n" + "\n".join(map(str, self.events))) from None

    async def hears(self, text: str) -> events.AgentTurn:
        """Wait until the agent has said `text`, as a whole turn."""
        return await self.until(events.AgentTurn, lambda turn: turn.text == text)

    async def ended(self) -> events.CallEnded:
        return await self.until(events.CallEnded)

    def types(self, text: str) -> None:
        self.call.on_text(text)

    def speaks(self, text: str, seconds: float = 0.8) -> None:
        self._caller.speeches.append(Speaks(self.call.clock.now() + 0.1, text, seconds))

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def run(self) -> None:
        talking = asyncio.create_task(self._caller.run(self.call))
        try:
            await self.call.run()
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)


@asynccontextmanager
async def calling(brain: Brains, **spec: Any) -> AsyncIterator[Phone]:
    """A call with an agent who greets nobody by itself. The caller hangs up at the end, if they are still there."""
    phone = Phone(brain, agent(**{"greeting": "", **spec}))
    running = asyncio.create_task(phone.run())
    try:
        yield phone
    finally:
        phone.call.end(EndReason.CALLER)
        await running
