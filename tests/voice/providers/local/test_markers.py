from __future__ import annotations

import pytest

from voice.providers.base import TextDelta, ToolRequest, ToolSchema
from voice.providers.local.markers import MarkerReader, instructions, rendered
from voice.tools.end_call import EndCallTool

END = EndCallTool.schema
PARAMETERS = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
BOOK = ToolSchema("book_table", "Book a table.", PARAMETERS)


def read(*pieces: str, tools=(END, BOOK)) -> tuple[str, list[tuple[str, str]]]:
    reader = MarkerReader(tools)
    chunks = [chunk for piece in pieces for chunk in reader.push(piece)]
    chunks += reader.finish()
    text = "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta))
    return text, [(chunk.name, chunk.arguments) for chunk in chunks if isinstance(chunk, ToolRequest)]


@pytest.mark.parametrize(
    "pieces",
    [
        ["Goodbye! [end_call]"],
        ["Good", "bye", "! ", "[", "end", "_", "call", "]"],
        ["Goodbye! [END CALL]"],
        ["Goodbye! [end_call {}]"],
        ["Goodbye! [end_call()]"],
        ["Goodbye! [end_call"],
        ["Goodbye! [end_call] Have a nice day."],
    ],
)
def test_a_marker_is_asked_for_and_never_spoken(pieces):
    assert read(*pieces) == ("Goodbye!", [("end_call", "{}")])


def test_arguments_are_passed_on_as_written():
    assert read('One moment. [book_table {"day": ', '"Friday [late]"}]') == (
        "One moment.",
        [("book_table", '{"day": "Friday [late]"}')],
    )


@pytest.mark.parametrize(
    ("marker", "name", "arguments"),
    [
        ("[book table: Friday at ten]", "book_table", "Friday at ten"),
        ("[book_table day=Friday]", "book_table", "day=Friday"),
        ('[book_table {"day": "Fri', "book_table", '{"day": "Fri'),
        ("[book-it]", "book-it", "{}"),
        ("[book 2]", "book", "2"),
    ],
)
def test_a_marker_that_is_not_quite_right_is_asked_for_and_never_spoken(marker, name, arguments):
    tools = (END, BOOK, ToolSchema("book", "", {}), ToolSchema("book-it", "", {}))
    assert read(f"Well. {marker}", tools=tools) == ("Well.", [(name, arguments)])
    assert read(*f"Well. {marker}", tools=tools) == ("Well.", [(name, arguments)])


@pytest.mark.parametrize("text", ["It is [number] dollars.", "See [1] and [2].", "An open [ bracket", "a[i]"])
def test_other_brackets_are_spoken(text):
    assert read(*text) == (text, [])


def test_text_streams_at_once():
    reader = MarkerReader([END])
    assert list(reader.push("We are open")) == [TextDelta("We are open")]
    assert list(reader.push(" today. [en")) == [TextDelta(" today.")]


def test_without_tools_nothing_is_read_into_the_text():
    assert read("Goodbye! [end_call]", tools=()) == ("Goodbye! [end_call]", [])


def test_the_model_is_told_of_its_tools_before_an_unchanged_prompt():
    messages = rendered([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}], [END, BOOK])
    assert messages[0]["content"].endswith("\n\nBe kind.")
    assert '[book_table {"day": "..."}] Book a table.' in messages[0]["content"]
    assert instructions([]) == ""
    assert rendered([{"role": "user", "content": "Hi"}], [])[0] == {"role": "user", "content": "Hi"}


def test_past_tool_calls_are_shown_as_the_model_wrote_them():
    call = {"id": "c1", "type": "function", "function": {"name": "book_table", "arguments": '{"day": "Friday"}'}}
    messages = rendered(
        [
            {"role": "assistant", "content": "One moment.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "Booked."},
        ],
        [],
    )
    assert messages == [
        {"role": "assistant", "content": 'One moment. [book_table {"day": "Friday"}]'},
        {"role": "user", "content": "[book_table: Booked.]"},
    ]


def test_nobody_asks_a_question_and_hangs_up():
    assert read("Which day suits you? [end_call]") == ("Which day suits you?", [])
    assert read("One moment? ", '[book_table {"day": "Friday"}]')[1] == [("book_table", '{"day": "Friday"}')]
