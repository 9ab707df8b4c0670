"""The local model's tools: arguments that do not fit are asked for once more, under a grammar."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from voice.providers.base import Finished, LlmChunk, LlmSettings, ProviderError, TextDelta, ToolRequest, ToolSchema
from voice.providers.local.forms import filled_in
from voice.providers.local.llm import LocalLlm

BOOK = ToolSchema(
    "book_visit",
    "Book a visit.",
    {
        "type": "object",
        "properties": {"day": {"type": "string"}, "time": {"type": "string"}, "name": {"type": "string"}},
        "required": ["day", "time", "name"],
    },
)
WHOLE = '{"day": "Friday", "time": "10:00", "name": "Ann"}'
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Friday at ten, I am Ann."}]


class FakeConnection:
    """Gives its answers in turn, a sign at a time."""

    def __init__(self, *answers: str | ProviderError) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    async def request(self, op: str, **fields: Any) -> AsyncIterator[tuple[dict[str, Any], bytes]]:
        assert op == "llm"
        self.asked.append(fields)
        answer = self.answers.pop(0)
        if isinstance(answer, ProviderError):
            raise answer
        for sign in answer:
            yield {"event": "chunk", "text": sign}, b""
        yield {"reason": "stop", "input_tokens": 9, "output_tokens": 5, "cached_tokens": 0}, b""


async def ask(*answers: str | ProviderError) -> tuple[str, list[str], FakeConnection]:
    """What is spoken, the arguments of the tools asked for, and what the model was asked."""
    connection = FakeConnection(*answers)
    llm = LocalLlm(connection)  # type: ignore[arg-type]
    settings = LlmSettings("qwen", temperature=0.5, max_tokens=80)
    chunks: list[LlmChunk] = [chunk async for chunk in llm.stream(ASK, tools=[BOOK], settings=settings)]
    assert isinstance(chunks[-1], Finished)
    text = "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta))
    return text, [chunk.arguments for chunk in chunks if isinstance(chunk, ToolRequest)], connection


async def test_arguments_that_fit_are_taken_as_they_are() -> None:
    text, arguments, connection = await ask(f"One moment. [book_visit {WHOLE}]")
    assert (text, arguments) == ("One moment.", [WHOLE])
    assert len(connection.asked) == 1


@pytest.mark.parametrize(
    "marker",
    [
        "[book_visit]",
        '[book_visit {"day": "Friday"}]',
        '[book_visit {"day": Friday}]',
        "[book_visit day=Friday, time=10:00]",
        "[book_visit: Friday at ten]",
        '[book_visit {"day": "Friday", "time": "10',
        '[book_visit {"day": 5, "time": "10:00", "name": "Ann"}]',
    ],
)
async def test_arguments_that_do_not_fit_are_asked_for_once_more(marker: str) -> None:
    text, arguments, connection = await ask(f"One moment. {marker}", WHOLE)
    assert (text, [json.loads(one) for one in arguments]) == ("One moment.", [json.loads(WHOLE)])
    again = connection.asked[1]
    assert again["messages"][:-2] == connection.asked[0]["messages"], "what was read already is not read anew"
    assert again["messages"][-2] == {"role": "assistant", "content": f"One moment. {marker}"}
    assert again["temperature"] == 0.0
    form = again["extra"]["response_format"]["json_schema"]["schema"]
    assert form["required"] == ["day", "time", "name"]
    assert form["properties"]["day"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


@pytest.mark.parametrize("time", ["null", '"8:00 AM"'])
async def test_what_was_not_said_is_not_made_up(time: str) -> None:
    _, arguments, _ = await ask("One moment. [book_visit]", f'{{"day": "Friday", "time": {time}, "name": "Bob"}}')
    assert arguments == ['{"day": "Friday"}']


@pytest.mark.parametrize(
    ("value", "heard", "taken"),
    [
        ("9:30", "At nine thirty, please.", True),
        ("9:30", "At half past, please.", False),
        ("toothache", "My tooth hurts.", True),
        ("Ann Smith", "This is Ann.", True),
        ("2026-11-27", "Next Friday.", True),
        (4, "There are four of us.", True),
        (4, "For us.", False),
        (True, "Sure.", True),
    ],
)
def test_a_value_is_taken_if_it_was_said_in_whatever_form(value: object, heard: str, taken: bool) -> None:
    schema = ToolSchema("x", "", {"type": "object", "properties": {"value": {}}})
    assert filled_in({"value": value}, schema, heard) == ({"value": value} if taken else {})


@pytest.mark.parametrize("second", [ProviderError("local", "Busy."), '{"day": "Fri'])
async def test_a_form_that_is_not_filled_in_leaves_the_request_as_it_was(second: str | ProviderError) -> None:
    _, arguments, _ = await ask("[book_visit]", second)
    assert arguments == ["{}"]
