"""Answers by Pipecat's services: one of our own, and OpenAI's against a fake of its server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.voice.providers.fake_http import Exchange, Handler, serving, stop, text, tool
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
from voice.providers.pipecat import PipecatLlm, ServiceSpec

OURS = ServiceSpec(path="tests.voice.providers.pipecat.services.Thinker")
TOOL = ToolSchema("look_up", "Looks something up.", {"type": "object", "properties": {"what": {"type": "string"}}})
SETTINGS = LlmSettings("the spec", temperature=0.5, max_tokens=50)


def asking(said: str) -> list[Message]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": said}]


async def answer(model: PipecatLlm, messages: Sequence[Message], **how: Any) -> list[LlmChunk]:
    asked: dict[str, Any] = {"tools": (), "settings": SETTINGS} | how
    return [chunk async for chunk in model.stream(messages, **asked)]


@asynccontextmanager
async def thinking(spec: ServiceSpec = OURS) -> AsyncIterator[PipecatLlm]:
    model = PipecatLlm(spec, name="Ours")
    try:
        yield model
    finally:
        await model.close()


async def test_words_come_and_then_the_end(services: Any) -> None:
    async with thinking() as model:
        for _ in range(2):
            assert await answer(model, asking("hello there")) == [
                TextDelta("hello "),
                TextDelta("there "),
                Finished("stop"),
            ]
    (service,) = services.Thinker.made
    assert (service.settings.temperature, service.settings.max_tokens) == (0.5, 50)
    assert service.settings.system_instruction == "Be brief."
    assert service.contexts[0].get_messages() == [{"role": "user", "content": "hello there"}]


async def test_tools_are_left_to_the_engine(services: Any) -> None:
    async with thinking() as model:
        chunks = await answer(model, asking("tools"), tools=[TOOL])
    assert chunks == [
        TextDelta("tools "),
        ToolRequest("call_1", "look_up", '{"what": 1}'),
        ToolRequest("call_2", "look_up", '{"what": 2}'),
        Finished("tool_calls"),
    ]
    (schema,) = services.Thinker.made[0].contexts[0].tools.standard_tools
    assert (schema.name, schema.properties) == ("look_up", TOOL.parameters["properties"])


async def test_settings_of_the_spec_come_before_the_agents(services: Any) -> None:
    async with thinking(ServiceSpec(path=OURS.path, params={"settings": {"temperature": None, "top_p": 0.9}})) as model:
        await answer(model, asking("hello"), settings=LlmSettings("m", extra={"seed": 7}))
    settings = services.Thinker.made[0].settings
    assert (settings.temperature, settings.top_p, settings.max_tokens, settings.seed) == (None, 0.9, 220, 7)


async def test_closing_the_iterator_interrupts_the_service(services: Any) -> None:
    async with thinking() as model:
        stream = model.stream(asking("stuck"), tools=(), settings=SETTINGS)
        assert await anext(stream) == TextDelta("stuck ")
        await stream.aclose()  # type: ignore[attr-defined]
        assert services.Thinker.made[0].cancelled
        assert await answer(model, asking("hello")) == [TextDelta("hello "), Finished("stop")]


async def test_answers_at_the_same_time_have_a_service_each(services: Any) -> None:
    async with thinking() as model:
        first, second = await asyncio.gather(answer(model, asking("one")), answer(model, asking("two")))
    assert (first[0], second[0]) == (TextDelta("one "), TextDelta("two "))
    assert len(services.Thinker.made) == 2


async def test_prewarming_makes_a_service_that_is_then_used(services: Any) -> None:
    async with thinking() as model:
        for _ in range(2):
            await model.prewarm(asking("hello"), tools=(), settings=SETTINGS)
        assert [service.contexts for service in services.Thinker.made] == [[]]
        await answer(model, asking("hello"))
    assert len(services.Thinker.made) == 1


# --- OpenAI's class


@asynccontextmanager
async def openai(*handlers: Handler) -> AsyncIterator[tuple[PipecatLlm, Any]]:
    async with serving(*handlers) as server:
        params = {"base_url": server.url, "settings": {"model": "gpt-test"}}
        params["api_key"] = "sk-openai"
        async with thinking(ServiceSpec(path="pipecat.services.openai.llm.OpenAILLMService", params=params)) as model:
            yield model, server


def replying(*chunks: dict[str, Any]) -> Handler:
    async def handle(exchange: Exchange) -> None:
        await exchange.stream(*({"id": "1", "object": "chat.completion.chunk", **chunk} for chunk in chunks))

    return handle


async def test_openais_class_answers_over_its_own_protocol_with_tools_and_usage() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    asks = replying(
        text("Let me see."),
        tool({"index": 0, "id": "call_a", "function": {"name": "look_up", "arguments": '{"what": '}}),
        tool({"index": 0, "function": {"arguments": '"a"}'}}),
        stop("tool_calls"),
        {"choices": [], "usage": usage},
    )
    async with openai(asks, replying(text("It is here."), stop())) as (model, server):
        first = await answer(model, asking("Where?"), tools=[TOOL])
        assert first[:2] == [TextDelta("Let me see."), ToolRequest("call_a", "look_up", '{"what": "a"}')]
        assert isinstance(first[2], Finished)
        assert (first[2].reason, first[2].input_tokens, first[2].output_tokens) == ("tool_calls", 9, 3)
        calls = [{"id": "call_a", "type": "function", "function": {"name": "look_up", "arguments": '{"what": "a"}'}}]
        followed_up: list[Message] = [
            *asking("Where?"),
            {"role": "assistant", "content": "Let me see.", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call_a", "content": "here"},
        ]
        assert await answer(model, followed_up, tools=[TOOL]) == [TextDelta("It is here."), Finished("stop")]
    body = server.requests[1].body
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("gpt-test", 0.5, 50)
    assert body["messages"] == followed_up
    assert body["tools"][0]["function"]["name"] == "look_up"
    assert server.requests[0].headers["authorization"] == "Bearer sk-openai"


async def test_closing_the_iterator_hangs_up_on_openais_server() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.send({"id": "1", "object": "chat.completion.chunk", **text("and ")})
            await asyncio.sleep(0.005)

    async with openai(handle) as (model, server):
        stream = model.stream(asking("Go on."), tools=(), settings=SETTINGS)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.hung_up.wait(), 2)


@pytest.mark.parametrize(
    ("status", "words", "retryable"), [(401, "API key is wrong", False), (400, "refused the request", False)]
)
async def test_a_refusal_is_told_in_words(status: int, words: str, retryable: bool) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(status, {"error": {"message": "no"}})

    async with openai(handle) as (model, _):
        with pytest.raises(ProviderError, match=words) as failed:
            await answer(model, asking("Hello?"))
    assert failed.value.retryable == retryable
