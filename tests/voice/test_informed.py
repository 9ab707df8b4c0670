"""Programs that answer calls are told what the documents say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tests.voice.fakes import FakeKnowledge, Speaks, hold_call
from voice import events
from voice.brain import Ask, Output, Say
from voice.informed import informed
from voice.knowledge import Passage


class Program:
    name = "program"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.kept: list[str] = []

    async def start(self, floor: Any) -> None: ...
    def notice(self, event: events.Event) -> None: ...
    def hearing(self, text: str) -> None: ...

    async def reply(self, ask: Ask) -> AsyncIterator[Output]:
        self.asked.append(ask.text)
        await asyncio.sleep(0.1)
        yield Say("At nine.")

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        self.kept.append(caller)

    async def close(self) -> None: ...


def test_what_fits_a_turn_stands_behind_its_words() -> None:
    program = Program()
    knowledge = FakeKnowledge(Passage("We open at nine.", "Hours", 1.0))
    call = hold_call(Speaks(2.0, "When?"), brain=informed(lambda seat: program, knowledge), ends_at=8.0)
    assert call.transcript[-1] == ("agent", "At nine.")
    (asked,) = program.asked
    assert asked.startswith("When?\n[From the knowledge base")
    assert "We open at nine." in asked
    assert program.kept == ["", "When?"]
    assert len(call.all(events.KnowledgeSearched)) == 1


def test_without_documents_a_program_is_asked_as_before() -> None:
    program = Program()
    hold_call(Speaks(2.0, "When?"), brain=informed(lambda seat: program, None), ends_at=8.0)
    assert program.asked[-1] == "When?"
