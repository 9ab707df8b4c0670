"""What a model prints for a machine is never spoken, and ordinary text is not held up by the search for it."""

from __future__ import annotations

import json

import pytest

from voice.providers.base import TextDelta, ToolRequest
from voice.text.leaks import Leak, LeakGuard

TOOLS = ("book_table", "weather")
DAY = {"day": "Friday"}


def read(*pieces: str, tools: tuple[str, ...] = TOOLS) -> tuple[str, list[tuple[str, object]], list[str]]:
    """The text to speak, the tools asked for, and what was dropped."""
    guard = LeakGuard(tools)
    parts = [part for piece in pieces for part in guard.push(piece)] + list(guard.finish())
    return (
        "".join(part.text for part in parts if isinstance(part, TextDelta)),
        [(part.name, json.loads(part.arguments)) for part in parts if isinstance(part, ToolRequest)],
        [part.text for part in parts if isinstance(part, Leak)],
    )


CALLS = [
    '{"name": "book_table", "arguments": {"day": "Friday"}}',
    '{ "name": "book_table", "parameters": {"day": "Friday"} }',
    '{"name": "book_table", "arguments": "{\\"day\\": \\"Friday\\"}"}',
    "{'name': 'book_table', 'arguments': {'day': 'Friday'}}",
    '{"type": "function", "function": {"name": "book_table", "arguments": {"day": "Friday"}}}',
    '{"tool": "book_table", "args": {"day": "Friday"}}',
    '{"tool_calls": [{"name": "book_table", "arguments": {"day": "Friday"}}]}',
    '{"book_table": {"day": "Friday"}}',
    '[{"name": "book_table", "arguments": {"day": "Friday"}}]',
    '```json\n{"name": "book_table", "arguments": {"day": "Friday"}}\n```',
    '```\n{"name": "book_table", "arguments": {"day": "Friday"}}\n```',
    '<tool_call>\n{"name": "book_table", "arguments": {"day": "Friday"}}\n</tool_call>',
    '<function=book_table>{"day": "Friday"}</function>',
    '<|python_tag|>{"name": "book_table", "parameters": {"day": "Friday"}}',
    '[TOOL_CALLS] [{"name": "book_table", "arguments": {"day": "Friday"}}]',
    'functions.book_table({"day": "Friday"})',
    'functions.book_table:0 {"day": "Friday"}',
    'book_table(day="Friday")',
    "book_table(day='Friday')",
]


@pytest.mark.parametrize("cut", ["whole", "signs"])
@pytest.mark.parametrize("call", CALLS)
def test_a_printed_call_of_a_known_tool_becomes_the_call(call: str, cut: str) -> None:
    written = f"Let me book that. {call}"
    pieces = [written] if cut == "whole" else list(written)
    assert read(*pieces) == ("Let me book that. ", [("book_table", DAY)], [])


def test_several_printed_calls_are_all_asked_for() -> None:
    first, second = '{"name": "weather", "arguments": {}}', CALLS[0]
    both = f"<tool_call>{first}</tool_call>\n<tool_call>{second}</tool_call>"
    assert read(*both)[1] == [("weather", {}), ("book_table", DAY)]


def test_what_follows_a_call_is_made_up_and_not_spoken() -> None:
    assert read('{"name": "weather", "arguments": {}} It is sunny, 24 degrees.')[0] == ""


@pytest.mark.parametrize(
    "leak",
    [
        '{"name": "fly", "arguments": {}}',
        '{"day": "Friday", "time": "10:00"}',
        '```json\n{"answer": "At nine."}',
        "<tool_call>\n<function=fly>\n<parameter=day>Friday</parameter>\n",
        "functions.fly(to='Rome')",
        '{"name": "weather", "arguments": {"place": ',
    ],
)
def test_what_names_no_known_tool_is_dropped(leak: str) -> None:
    text, asked, dropped = read(*f"Well. {leak}")
    assert (text, asked) == ("Well. ", [])
    assert "".join(dropped) == leak


def test_speech_goes_on_behind_what_was_dropped() -> None:
    assert read('{"mood": "happy"} We open at nine.')[0] == " We open at nine."


@pytest.mark.parametrize(
    "text",
    [
        "Dear {name}, we are open {hours}.",
        "See [1] and [the list].",
        "It costs < 5 dollars, or <b>more</b>.",
        "The functions of the weather station, and the weather (it rains).",
        "Type `help` or ```help``` please.",
        "An open { brace",
        "f(x) is functional fun",
        "Booking a book_table",
        "Wait {",
    ],
)
def test_ordinary_text_is_spoken_as_it_is(text: str) -> None:
    assert read(text) == (text, [], [])
    assert read(*text) == (text, [], [])


def test_ordinary_words_are_not_held_back() -> None:
    guard = LeakGuard(TOOLS)
    for word in "We are open from nine to five, for brunch, and both of us will be there.".split(" "):
        assert list(guard.push(f" {word}")) == [TextDelta(f" {word}")]
