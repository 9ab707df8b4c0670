"""A thousand calls under random faults, with random callers, leave nothing behind. Seeded, on the virtual clock."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.voice.fakes import (
    NO_FAULT,
    Caller,
    FakeEndOfTurn,
    FakeKnowledge,
    FakeLlm,
    FakeStt,
    FakeTool,
    FakeTts,
    FakeVad,
    FallsSilent,
    FarEnd,
    Fault,
    HangsUp,
    Kind,
    Presses,
    Sends,
    Speaks,
    Step,
    Types,
    agent,
    chat_model,
)
from voice.brain import llm_brain
from voice.clock import run_virtual
from voice.conversation import Conversation, EndReason, Services
from voice.events import CallEnded, Event
from voice.health import Health
from voice.media import FRAME_SECONDS
from voice.media.pacer import Pacer
from voice.providers.base import ToolRequest
from voice.spec import Inactivity, Patience, Voice
from voice.speech import PhraseCache, VoiceService

pytestmark = pytest.mark.slow

WAVES, CALLS = 5, 200
KINDS: tuple[Kind, ...] = (
    "silent", "stalls", "cut", "refused", "busy", "hiccup", "garbage", "broken", "wordless",
)  # fmt: skip
SPEC = agent(
    greeting="Hello.",
    patience=Patience(longest_answer=6.0, no_audio=2.0),
    inactivity=Inactivity(check_in_after=2.0, check_ins=1, check_in_text="Hello?", farewell_text="Goodbye."),
    max_duration=12.0,
)
LOOKS_UP, ENDS = ToolRequest("t1", "look_up", "{}"), ToolRequest("t2", "end_call", "{}")


@dataclass
class Shared:
    """What the calls of a process share."""

    pacer: Pacer = field(default_factory=Pacer)
    phrases: PhraseCache = field(default_factory=PhraseCache)
    health: Health = field(default_factory=lambda: Health(asyncio.get_running_loop().time))


class Soaked:
    """One call: its caller, its providers, and how it ended."""

    def __init__(self, chance: random.Random, shared: Shared) -> None:
        self.chance = chance
        self.caller = Caller(list(self._script()))
        self.stts = [FakeStt(self.caller, fault=self._fault()), FakeStt(self.caller, name="spare-stt")]
        answer = chance.choices(("We are open from nine to five.", [LOOKS_UP], [ENDS]), (7, 2, 1))[0]
        self.llms = [FakeLlm(answer, "Certainly.", fault=self._fault()), FakeLlm(name="spare", fault=self._fault())]
        self.voices = [FakeTts(fault=self._fault()), FakeTts("spare-tts", fault=self._fault())]
        self.end: CallEnded | None = None
        self._frames = 0
        self.call = Conversation(
            call_id="call_soak", spec=SPEC, services=self._services(shared), transport=self._far_end(), sink=self._sink
        )

    def _script(self) -> Iterator[Step]:
        chance = self.chance
        at = chance.uniform(0.2, 2.0)
        for _ in range(chance.randint(1, 2)):
            kind = chance.choices((Speaks, Types, Presses, Sends), (8, 1, 1, 1))[0]
            if kind is Speaks:
                words = chance.choice(("When are you open?", "Yes.", "", "I would like to book a table and"))
                yield Speaks(at, words, seconds=chance.uniform(0.2, 1.5))
            elif kind is Types:
                yield Types(at, "When are you open?")
            elif kind is Presses:
                yield Presses(at, "12#")
            else:
                yield Sends(at, {"context": "The caller looks at invoice 7."})
            at += chance.uniform(0.5, 3.0)
        if chance.random() < 0.05:
            yield FallsSilent(at)
            at += 8.0
        if chance.random() < 0.85:
            yield HangsUp(at + chance.uniform(0.0, 5.0))

    def _fault(self) -> Fault:
        chance = self.chance
        since = asyncio.get_running_loop().time() + chance.uniform(0.0, 4.0)
        return Fault(chance.choice(KINDS), since=since) if chance.random() < 0.4 else NO_FAULT

    def _far_end(self) -> FarEnd:
        return FarEnd(breaks_at=asyncio.get_running_loop().time() + 3.0) if self.chance.random() < 0.05 else FarEnd()

    def _services(self, shared: Shared) -> Services:
        return Services(
            stt=self.stts[: self.chance.randint(1, 2)],
            voices=[VoiceService(tts=one, voice=Voice()) for one in self.voices[: self.chance.randint(1, 2)]],
            brain=llm_brain(
                [chat_model(one) for one in self.llms[: self.chance.randint(1, 2)]],
                health=shared.health,
                knowledge=FakeKnowledge(fault=self._fault()),
            ),
            vad=FakeVad(),
            end_of_turn=FakeEndOfTurn(0.9, 0.2, fault=self._fault()),
            pacer=shared.pacer,
            phrases=shared.phrases,
            health=shared.health,
            tools=[FakeTool(fault=self._fault())],
        )

    def _sink(self, event: Event) -> None:
        assert self.end is None, "an event after the end"
        if isinstance(event, CallEnded):
            self.end = event

    async def run(self) -> None:
        self.caller.begin(self.call)
        await self.call.run()

    def sound(self) -> None:
        self.caller.sound(self.call, self._frames * FRAME_SECONDS)
        self._frames += 1

    @property
    def streams(self) -> int:
        return (
            sum(stt.open_streams for stt in self.stts)
            + sum(llm.streaming for llm in self.llms)
            + sum(voice.speaking for voice in self.voices)
        )


async def wave(chance: random.Random, shared: Shared) -> Counter[str]:
    """A few hundred calls, a new one every frame; how they ended. One loop makes the sound of all callers."""
    calls: list[Soaked] = []
    running: list[asyncio.Task[None]] = []
    while len(calls) < CALLS or not all(task.done() for task in running):
        if len(calls) < CALLS:
            calls.append(Soaked(chance, shared))
            running.append(asyncio.create_task(calls[-1].run(), name="call"))
        await asyncio.sleep(FRAME_SECONDS)
        for soaked in calls:
            if soaked.end is None:
                soaked.sound()
    for task in running:
        task.result()
    await asyncio.sleep(0.1)
    assert [soaked.streams for soaked in calls if soaked.streams] == []
    left = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert left == []
    return Counter(str(soaked.end.reason) if soaked.end else "" for soaked in calls)


def test_a_thousand_calls_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    """Memory is counted in allocated blocks: it does not depend on what the allocator gives back to the system."""
    caplog.set_level(logging.CRITICAL)  # a log that is kept for the report would grow
    ends: Counter[str] = Counter()
    blocks: list[int] = []
    timers: list[int] = []

    async def soak() -> None:
        chance, shared = random.Random(7), Shared()
        for _ in range(WAVES):
            ends.update(await wave(chance, shared))
            gc.collect()
            blocks.append(sys.getallocatedblocks())
            await asyncio.sleep(60.0)
            timers.append(len(asyncio.get_running_loop()._scheduled))  # type: ignore[attr-defined]

    run_virtual(soak())
    assert ends.total() == WAVES * CALLS
    assert set(ends) <= set(EndReason)
    assert len(ends) >= 6, ends
    assert timers == [0] * WAVES
    assert blocks[-1] < blocks[0] * 1.05
    assert (blocks[-1] - blocks[0]) / (CALLS * (WAVES - 1)) < 20, blocks
