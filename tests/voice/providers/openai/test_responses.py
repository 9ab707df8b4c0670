"""What is special about OpenAI's Responses API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.voice.providers.hosted import (
    ASK,
    KEY,
    RESPONSES,
    TOOL,
    Event,
    answer,
    asking,
    completed,
    hello,
    output_text,
    refusing,
    replying,
    said,
)
from voice.providers.base import Finished, LlmSettings, ProviderError, TextDelta, ToolRequest


def item(kind: str, index: int, **fields: Any) -> Event:
    return {"type": f"response.output_item.{kind}", "output_index": index, "item": fields}


def arguments(kind: str, index: int, **fields: Any) -> Event:
    return {"type": f"response.function_call_arguments.{kind}", "output_index": index, **fields}


async def test_the_request_is_what_the_protocol_asks_for() -> None:
    async with asking(RESPONSES, hello(RESPONSES)) as (model, server):
        await answer(model, tools=[TOOL])
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "model-1",
        "instructions": "Be brief.",
        "input": [{"role": "user", "content": "Hello?"}],
        "max_output_tokens": 50,
        "temperature": 0.5,
        "store": False,
        "stream": True,
        "tools": [
            {
                "type": "function",
                "name": "look_up",
                "description": "Looks something up.",
                "parameters": TOOL.parameters,
                "strict": False,
            }
        ],
    }


async def test_tool_calls_and_their_results_go_back_as_items() -> None:
    calls = [
        {"id": call, "type": "function", "function": {"name": "look_up", "arguments": '{"what": "it"}'}}
        for call in ("call_a", "call_b")
    ]
    async with asking(RESPONSES, hello(RESPONSES)) as (model, server):
        await answer(
            model,
            [
                *ASK,
                {"role": "assistant", "content": "Let me see.", "tool_calls": calls},
                {"role": "tool", "tool_call_id": "call_a", "content": "first"},
                {"role": "tool", "tool_call_id": "call_b", "content": ""},
            ],
        )
    assert server.requests[0].body["input"][1:] == [
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_a", "name": "look_up", "arguments": '{"what": "it"}'},
        {"type": "function_call", "call_id": "call_b", "name": "look_up", "arguments": '{"what": "it"}'},
        {"type": "function_call_output", "call_id": "call_a", "output": "first"},
        {"type": "function_call_output", "call_id": "call_b", "output": ""},
    ]


async def test_several_tool_calls_with_streamed_arguments_come_whole() -> None:
    call = {"type": "function_call", "name": "look_up", "arguments": ""}
    events: list[Event] = [
        output_text("Let me see."),
        item("added", 1, **call, id="fc_1", call_id="call_a"),
        item("added", 2, **call, id="fc_2", call_id="call_b"),
        arguments("delta", 1, delta='{"what": '),
        arguments("delta", 2, delta='{"what": "b"'),
        arguments("delta", 1, delta='"a"}'),
        arguments("done", 1, arguments='{"what": "a"}'),
        item("done", 2, **{**call, "arguments": '{"what": "b"}'}, id="fc_2", call_id="call_b"),
        item("done", 3, type="function_call", name="end_call", call_id="call_c"),
        completed(usage={"input_tokens": 9, "input_tokens_details": {"cached_tokens": 6}, "output_tokens": 3}),
    ]
    async with asking(RESPONSES, replying(*events)) as (model, _):
        chunks = await answer(model, tools=[TOOL])
    assert chunks == [
        TextDelta("Let me see."),
        ToolRequest("call_a", "look_up", '{"what": "a"}'),
        ToolRequest("call_b", "look_up", '{"what": "b"}'),
        ToolRequest("call_c", "end_call", "{}"),
        Finished("tool_calls", input_tokens=9, output_tokens=3, cached_tokens=6),
    ]


async def test_reasoning_is_not_spoken_but_a_refusal_is() -> None:
    events: list[Event] = [
        item("added", 0, type="reasoning", summary=[]),
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "Hm."},
        {"type": "response.refusal.delta", "output_index": 1, "delta": "I would rather not."},
        completed(),
    ]
    async with asking(RESPONSES, replying(*events)) as (model, _):
        assert await answer(model) == [TextDelta("I would rather not."), Finished("stop")]


async def test_an_answer_that_was_cut_short_ends_so() -> None:
    end = completed("incomplete", incomplete_details={"reason": "max_output_tokens"})
    async with asking(RESPONSES, replying(output_text("Hel"), end)) as (model, _):
        assert await answer(model) == [TextDelta("Hel"), Finished("length")]


async def test_a_filtered_answer_is_told_in_words() -> None:
    end = completed("incomplete", incomplete_details={"reason": "content_filter"})
    async with asking(RESPONSES, replying(output_text("Hel"), end)) as (model, _):
        with pytest.raises(ProviderError, match="declined to answer: its content filter"):
            await answer(model)


async def test_a_response_that_failed_is_told() -> None:
    end = completed("failed", error={"code": "server_error", "message": "The model crashed."})
    async with asking(RESPONSES, replying(output_text("Hel"), end)) as (model, _):
        with pytest.raises(ProviderError, match="reported: The model crashed") as failed:
            await answer(model)
    assert failed.value.retryable


@pytest.mark.parametrize(
    ("model_name", "complaints", "effort"),
    [("gpt-4.1-mini", 0, None), ("gpt-5.4-mini", 0, "none"), ("gpt-5", 1, "minimal"), ("o4-mini", 2, "low")],
)
async def test_a_model_reasons_as_little_as_it_can(model_name: str, complaints: int, effort: str | None) -> None:
    complaint = refusing(400, {"error": {"message": "Unsupported value: 'reasoning.effort' does not support this."}})
    async with asking(RESPONSES, *[complaint] * complaints, hello(RESPONSES)) as (model, server):
        assert said(await answer(model, settings=LlmSettings(model_name, max_tokens=50))) == "Hello."
    body = server.requests[-1].body
    assert body.get("reasoning", {}).get("effort") == effort
    # Reasoning comes out of the allowance: a model that reasons needs more of it.
    assert (body["max_output_tokens"] > 1000) == (complaints > 0)
