"""What is special about the Gemini API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.voice.providers.fake_http import Exchange
from tests.voice.providers.hosted import ASK, GOOGLE, KEY, TOOL, answer, asking, hello, piece, refusing, replying, said
from voice.providers.base import (
    Finished,
    LlmChunk,
    LlmSettings,
    Message,
    ProviderError,
    TextDelta,
    ToolRequest,
    ToolSchema,
)
from voice.providers.google import calls


def function(name: str, *, signature: str = "", **call: Any) -> dict[str, Any]:
    part: dict[str, Any] = {"functionCall": {"name": name, **call}}
    return part | ({"thoughtSignature": signature} if signature else {})


def followed_up(chunks: list[LlmChunk]) -> list[Message]:
    """The conversation after the tools that were asked for have answered."""
    requests = [chunk for chunk in chunks if isinstance(chunk, ToolRequest)]
    made = [
        {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": one.arguments}}
        for one in requests
    ]
    results = [{"role": "tool", "tool_call_id": one.id, "content": f"result of {one.arguments}"} for one in requests]
    return [*ASK, {"role": "assistant", "content": said(chunks), "tool_calls": made}, *results]


async def test_the_request_is_what_the_protocol_asks_for() -> None:
    async with asking(GOOGLE, hello(GOOGLE)) as (model, server):
        await answer(model, tools=[TOOL])
    (request,) = server.requests
    assert request.headers["x-goog-api-key"] == KEY
    assert KEY not in request.path
    assert request.body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hello?"}]}],
        "generationConfig": {
            "maxOutputTokens": 50,
            "temperature": 0.5,
            "thinkingConfig": {"thinkingLevel": "minimal"},
        },
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "look_up", "description": "Looks something up.", "parameters": TOOL.parameters}
                ]
            }
        ],
    }


async def test_a_tool_without_parameters_has_no_schema() -> None:
    async with asking(GOOGLE, hello(GOOGLE)) as (model, server):
        await answer(model, tools=[ToolSchema("end_call", "Hangs up.", {"type": "object", "properties": {}})])
    (tools,) = server.requests[0].body["tools"]
    assert tools["functionDeclarations"] == [{"name": "end_call", "description": "Hangs up."}]


@pytest.mark.parametrize("model_name", ["gemini-9-flash", "models/gemini-9-flash"])
async def test_a_model_may_be_named_as_it_is_listed(model_name: str) -> None:
    async with asking(GOOGLE, hello(GOOGLE)) as (model, server):
        await answer(model, settings=LlmSettings(model_name))
    assert server.requests[0].path == "/v1/models/gemini-9-flash:streamGenerateContent?alt=sse"


async def test_a_models_name_cannot_lead_elsewhere() -> None:
    async with asking(GOOGLE, hello(GOOGLE)) as (model, server):
        await answer(model, settings=LlmSettings("../files?x=#"))
    assert server.requests[0].path == "/v1/models/..%2Ffiles%3Fx%3D%23:streamGenerateContent?alt=sse"


async def test_several_tool_calls_go_back_with_the_ids_and_the_signature_they_came_with() -> None:
    asks = replying(
        piece({"text": "Let me see."}),
        piece(function("look_up", id="fc-1", args={"what": "a"}, signature="sig-a")),
        piece(function("look_up", id="fc-2", args={"what": "b"}), finish="STOP"),
    )
    async with asking(GOOGLE, asks, hello(GOOGLE)) as (model, server):
        chunks = await answer(model, tools=[TOOL])
        text, first, second, end = chunks
        await answer(model, followed_up(chunks), tools=[TOOL])
    assert text == TextDelta("Let me see.")
    assert isinstance(first, ToolRequest)
    assert isinstance(second, ToolRequest)
    assert (first.name, json.loads(first.arguments), json.loads(second.arguments)) == (
        "look_up",
        {"what": "a"},
        {"what": "b"},
    )
    assert first.id != second.id
    assert end == Finished("tool_calls")
    assert server.requests[1].body["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "Let me see."},
                function("look_up", args={"what": "a"}, id="fc-1", signature="sig-a"),
                function("look_up", args={"what": "b"}, id="fc-2"),
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "look_up", "response": {"result": result}, "id": call}}
                for call, result in (("fc-1", 'result of {"what": "a"}'), ("fc-2", 'result of {"what": "b"}'))
            ],
        },
    ]


async def test_a_call_that_came_without_an_id_goes_back_without_one() -> None:
    asks = replying(piece(function("end_call"), function("end_call"), finish="STOP"))
    async with asking(GOOGLE, asks, hello(GOOGLE)) as (model, server):
        chunks = await answer(model)
        requests = [chunk for chunk in chunks if isinstance(chunk, ToolRequest)]
        assert len({request.id for request in requests}) == 2
        assert requests[0].arguments == "{}"
        await answer(model, followed_up(chunks))
    assert server.requests[1].body["contents"][1]["parts"] == [function("end_call", args={})] * 2


@pytest.mark.parametrize(
    ("model_name", "signature"), [("gemini-3-flash", "skip_thought_signature_validator"), ("gemini-2.5-flash", None)]
)
async def test_a_call_that_another_model_made_is_accepted(model_name: str, signature: str | None) -> None:
    foreign: list[LlmChunk] = [ToolRequest("call_1", "look_up", "{}"), ToolRequest("call_2", "look_up", "{}")]
    async with asking(GOOGLE, hello(GOOGLE)) as (model, server):
        await answer(model, followed_up(foreign), settings=LlmSettings(model_name))
    first, second = server.requests[0].body["contents"][1]["parts"]
    assert first.get("thoughtSignature") == signature
    assert "thoughtSignature" not in second
    assert "id" not in first["functionCall"]


async def test_memory_of_calls_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_MOST", 2)
    memory = calls.Calls()
    first, *others = [memory.remember(calls.Made(f"fc-{number}", "")) for number in range(3)]
    assert memory.recall(first) is None
    assert [made.id for made in map(memory.recall, others) if made] == ["fc-1", "fc-2"]


async def test_the_caller_has_the_first_word_even_if_the_agent_greeted_them() -> None:
    async with asking(GOOGLE, hello(GOOGLE)) as (model, server):
        await answer(model, [{"role": "assistant", "content": "Welcome!"}, {"role": "user", "content": "Hello?"}])
    assert server.requests[0].body["contents"] == [
        {"role": "user", "parts": [{"text": "(The call begins.)"}]},
        {"role": "model", "parts": [{"text": "Welcome!"}]},
        {"role": "user", "parts": [{"text": "Hello?"}]},
    ]
    assert "systemInstruction" not in server.requests[0].body


async def test_all_tokens_are_counted_thoughts_too() -> None:
    usage: dict[str, Any] = {
        "promptTokenCount": 9,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 4,
        "cachedContentTokenCount": 6,
    }
    events = [piece({"text": "Hm.", "thought": True}, **usage), piece({"text": "Hi"}, finish="MAX_TOKENS", **usage)]
    async with asking(GOOGLE, replying(*events)) as (model, _):
        assert await answer(model) == [TextDelta("Hi"), Finished("length", 9, 7, 6)]


@pytest.mark.parametrize(
    ("model_name", "complaints", "thinking"),
    [
        ("gemini-2.5-flash", 0, {"thinkingBudget": 0}),
        ("gemini-2.5-pro", 1, {"thinkingBudget": 128}),
        ("gemini-2.0-flash", 2, None),
        ("gemini-3.5-flash-lite", 0, {"thinkingLevel": "minimal"}),
        ("gemini-3.1-pro-preview", 1, {"thinkingLevel": "low"}),
    ],
)
async def test_a_model_thinks_as_little_as_it_can(
    model_name: str, complaints: int, thinking: dict[str, Any] | None
) -> None:
    message = "Budget 0 is invalid. This model only works in thinking mode."
    handlers = [refusing(400, {"error": {"message": message}})] * complaints
    async with asking(GOOGLE, *handlers, hello(GOOGLE)) as (model, server):
        assert said(await answer(model, settings=LlmSettings(model_name, max_tokens=50))) == "Hello."
    config = server.requests[-1].body["generationConfig"]
    assert config.get("thinkingConfig") == thinking
    # Thoughts come out of the allowance: a model that thinks needs more of it.
    assert (config["maxOutputTokens"] > 1000) == (complaints == 1)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"promptFeedback": {"blockReason": "SAFETY"}}, "safety filter"),
        ({"promptFeedback": {"blockReason": "NEW_REASON"}}, "NEW_REASON"),
        (piece(finish="PROHIBITED_CONTENT"), "prohibited"),
        (piece({"text": ""}, finish="RECITATION"), "recited"),
    ],
)
async def test_a_block_is_told_in_words(event: dict[str, Any], words: str) -> None:
    async with asking(GOOGLE, replying(event)) as (model, _):
        with pytest.raises(ProviderError, match=f"declined to answer: .*{words}") as failed:
            await answer(model)
    assert not failed.value.retryable


async def test_a_malformed_tool_call_is_told() -> None:
    async with asking(GOOGLE, replying(piece(finish="MALFORMED_FUNCTION_CALL"))) as (model, _):
        with pytest.raises(ProviderError, match="called a tool in a wrong way") as failed:
            await answer(model)
    assert failed.value.retryable


async def test_a_wrong_key_is_said_to_be_wrong_though_google_calls_the_request_invalid() -> None:
    body = {"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}
    async with asking(GOOGLE, refusing(400, body)) as (model, server):
        with pytest.raises(ProviderError, match="key is wrong"):
            await answer(model)
    assert len(server.requests) == 1


async def test_a_quota_that_is_used_up_is_told_apart_from_haste() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(429, {"error": {"message": "You exceeded your current quota, please check your plan."}})

    async with asking(GOOGLE, handle) as (model, _):
        with pytest.raises(ProviderError, match="quota is used up"):
            await answer(model)
