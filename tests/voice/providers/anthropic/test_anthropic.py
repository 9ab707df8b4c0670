"""What is special about Anthropic's Messages API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.voice.providers.fake_http import Exchange
from tests.voice.providers.hosted import (
    ANTHROPIC,
    ASK,
    KEY,
    SETTINGS,
    TOOL,
    Event,
    answer,
    asking,
    block,
    block_stop,
    delta,
    hello,
    message_end,
    message_start,
    replying,
    said,
)
from voice.providers.base import Finished, LlmSettings, Message, ProviderError, TextDelta, ToolRequest

CACHED = {"type": "ephemeral"}


async def sent(*messages: Message) -> list[dict[str, Any]]:
    """The messages that are sent for a conversation."""
    async with asking(ANTHROPIC, hello(ANTHROPIC)) as (model, server):
        await answer(model, messages)
    found: list[dict[str, Any]] = server.requests[0].body["messages"]
    return found


def asked(*calls: tuple[str, str], text: str = "") -> Message:
    """The agent's message with tool calls: an id and arguments each."""
    tool_calls = [
        {"id": call, "type": "function", "function": {"name": "look_up", "arguments": arguments}}
        for call, arguments in calls
    ]
    return {"role": "assistant", "content": text, "tool_calls": tool_calls}


async def test_the_request_is_what_the_protocol_asks_for() -> None:
    async with asking(ANTHROPIC, hello(ANTHROPIC)) as (model, server):
        await answer(model, tools=[TOOL])
    (request,) = server.requests
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.body == {
        "model": "model-1",
        "max_tokens": 50,
        "stream": True,
        "temperature": 0.5,
        "thinking": {"type": "disabled"},
        "system": [{"type": "text", "text": "Be brief.", "cache_control": CACHED}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello?", "cache_control": CACHED}]}],
        "tools": [{"name": "look_up", "description": "Looks something up.", "input_schema": TOOL.parameters}],
    }


async def test_the_caller_has_the_first_word_even_if_the_agent_greeted_them() -> None:
    messages = await sent(
        {"role": "system", "content": "Be brief."},
        {"role": "assistant", "content": "Welcome!"},
        {"role": "user", "content": "Hello?"},
    )
    assert [(message["role"], message["content"][0]["text"]) for message in messages] == [
        ("user", "(The call begins.)"),
        ("assistant", "Welcome!"),
        ("user", "Hello?"),
    ]


async def test_the_caller_has_the_last_word_even_if_they_say_nothing() -> None:
    messages = await sent({"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Welcome!"})
    silence = {"type": "text", "text": "(The caller is silent.)", "cache_control": CACHED}
    assert messages[-1] == {"role": "user", "content": [silence]}
    assert [message["role"] for message in await sent(ASK[0])] == ["user"]


async def test_tool_results_go_back_in_the_callers_turn_together_with_what_follows() -> None:
    messages = await sent(
        {"role": "user", "content": "Two things."},
        asked(("a", '{"what": "a"}'), ("b", ""), text="Let me see."),
        {"role": "tool", "tool_call_id": "a", "content": "first"},
        {"role": "tool", "tool_call_id": "b", "content": "second"},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "  "},
    )
    assert messages == [
        {"role": "user", "content": [{"type": "text", "text": "Two things."}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "a", "name": "look_up", "input": {"what": "a"}},
                {"type": "tool_use", "id": "b", "name": "look_up", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "first"},
                {"type": "tool_result", "tool_use_id": "b", "content": "second"},
                {"type": "text", "text": "And?", "cache_control": CACHED},
            ],
        },
    ]


async def test_several_tool_calls_with_streamed_arguments_come_whole() -> None:
    events: list[Event] = [
        message_start(input_tokens=5),
        block(0, "text", text=""),
        delta(0, "text_delta", text="Let me see."),
        block_stop(0),
        block(1, "tool_use", id="toolu_a", name="look_up", input={}),
        delta(1, "input_json_delta", partial_json=""),
        delta(1, "input_json_delta", partial_json='{"what": '),
        delta(1, "input_json_delta", partial_json='"a"}'),
        block_stop(1),
        block(2, "tool_use", id="toolu_b", name="end_call", input={}),
        block_stop(2),
        *message_end("tool_use"),
    ]
    async with asking(ANTHROPIC, replying(*events)) as (model, _):
        chunks = await answer(model, tools=[TOOL])
    assert chunks == [
        TextDelta("Let me see."),
        ToolRequest("toolu_a", "look_up", '{"what": "a"}'),
        ToolRequest("toolu_b", "end_call", "{}"),
        Finished("tool_calls", input_tokens=5, output_tokens=2),
    ]


async def test_tokens_from_the_cache_and_into_it_are_counted() -> None:
    start = message_start(input_tokens=4, cache_creation_input_tokens=10, cache_read_input_tokens=100, output_tokens=1)
    async with asking(ANTHROPIC, replying(start, *message_end("max_tokens", output_tokens=50))) as (model, _):
        assert await answer(model) == [Finished("length", input_tokens=114, output_tokens=50, cached_tokens=100)]


async def test_thoughts_are_not_spoken() -> None:
    events: list[Event] = [
        message_start(),
        block(0, "thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm."),
        delta(0, "signature_delta", signature="abc"),
        block_stop(0),
        block(1, "text", text="Hello."),
        block_stop(1),
        *message_end(),
    ]
    async with asking(ANTHROPIC, replying(*events)) as (model, _):
        assert said(await answer(model)) == "Hello."


async def test_a_model_that_always_thinks_is_told_to_think_little_and_given_room() -> None:
    async def thinker(exchange: Exchange) -> None:
        if exchange.body.get("thinking"):
            message = "thinking.type.disabled is not supported for this model."
            await exchange.answer(400, {"type": "error", "error": {"message": message}})
        else:
            await hello(ANTHROPIC)(exchange)

    async with asking(ANTHROPIC, thinker) as (model, server):
        assert said(await answer(model)) == "Hello."
    body = server.requests[-1].body
    assert body["output_config"] == {"effort": "low"}
    assert body["max_tokens"] > 1000


async def test_a_temperature_is_never_more_than_claude_takes() -> None:
    async with asking(ANTHROPIC, hello(ANTHROPIC)) as (model, server):
        await answer(model, settings=LlmSettings("model-1", temperature=1.5))
    assert server.requests[0].body["temperature"] == 1.0


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"type": "refusal", "category": "cyber", "explanation": "That could do harm."}, "That could do harm"),
        ({"type": "refusal", "category": "cyber"}, "cyber"),
        (None, "refusal"),
    ],
)
async def test_a_refusal_to_answer_is_told_in_words(details: dict[str, Any] | None, words: str) -> None:
    end = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}, "usage": {}}
    async with asking(ANTHROPIC, replying(*ANTHROPIC.first, end, {"type": "message_stop"})) as (model, _):
        stream = model.stream(ASK, tools=(), settings=SETTINGS)
        assert await anext(stream) == TextDelta("Hel")
        with pytest.raises(ProviderError, match=f"declined to answer: {words}") as failed:
            await anext(stream)
    assert not failed.value.retryable
