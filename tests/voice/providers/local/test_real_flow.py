"""The local language model in a flow: the platform keeps the state, and the model has only to talk and to judge."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.voice.fakes import FakeLlm
from tests.voice.flow.calls import call, flow, said, steps, variables
from voice.providers.base import LlmChunk, LlmSettings, Message, ToolSchema
from voice.providers.local import LocalModels

pytestmark = [pytest.mark.models, pytest.mark.slow]

PROMPT = (
    "You are the receptionist of Lakeside Dental. Answer in one short sentence. A check-up costs 90 dollars. "
    "Parking is behind the house."
)
STEPS = (
    {
        "kind": "collect",
        "id": "book",
        "slots": [
            {"name": "caller", "type": "name", "question": "What is your name?"},
            {"name": "day", "type": "date", "question": "Which day suits you?", "period": "future"},
            {"name": "number", "type": "phone", "question": "What is your phone number?", "confirm": True},
        ],
        "next": "talk",
    },
    {
        "kind": "conversation",
        "id": "talk",
        "say": "You are booked. Do you have a question?",
        "routes": [{"when": "they want nothing more, and say goodbye", "to": "bye"}],
    },
    {"kind": "end", "id": "bye", "say": "See you on {{day}}, {{caller}}!"},
)


class StandingStill(FakeLlm):
    """The real model in calls on the virtual clock: time stands still while it thinks, however long that takes."""

    def __init__(self, models: LocalModels, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._model, self._loop = models.llm, loop

    def constrained(self, form: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._model.constrained(form)

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        async def answer() -> list[LlmChunk]:
            return [chunk async for chunk in self._model.stream(messages, tools=tools, settings=settings)]

        for chunk in asyncio.run_coroutine_threadsafe(answer(), self._loop).result():
            yield chunk


@pytest.fixture
def model(models_socket: Path, models_dir: Path) -> Iterator[StandingStill]:
    """On a loop of its own, for nobody waits for sockets on the virtual one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result()

    models = LocalModels(models_socket, models_dir)
    try:
        run(models.start())
        yield StandingStill(models, loop)
        run(models.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_it_holds_to_three_steps_while_the_caller_strays(model: StandingStill) -> None:
    result = call(
        flow(*STEPS),
        "It's Alice Baker.",
        "What does a check-up cost?",
        "Next Tuesday, then.",
        "Four one five, five five five, oh one three two.",
        "Yes, that's right.",
        "Is there parking?",
        "No, that is all. Thank you, goodbye!",
        llm=model,
        spec={"prompt": PROMPT},
    )
    assert variables(result) == {"caller": "Alice Baker", "day": "2026-12-01", "number": "+14155550132"}
    assert steps(result) == ["book", "talk", "bye"]
    turns = said(result)
    assert turns[0] == "What is your name?"
    aside = turns[2]
    assert "90" in aside or "ninety" in aside
    assert aside.endswith("Which day suits you?")  # what was asked for is not forgotten
    assert "behind" in turns[6]
    assert turns[-1] == "See you on Tuesday, December 1, Alice Baker!"
    assert result.end.reason == "agent_ended"
