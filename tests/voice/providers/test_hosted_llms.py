"""What holds for every hosted language model, against servers that speak each vendor's protocol and break it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.voice.providers.fake_http import Exchange
from tests.voice.providers.hosted import (
    ASK,
    KEY,
    SETTINGS,
    WIRES,
    Wire,
    answer,
    asking,
    hello,
    refusing,
    replying,
    said,
)
from voice.providers import api
from voice.providers.base import Finished, LlmSettings, ProviderError, TextDelta
from voice.providers.catalogue import vendor
from voice.providers.vendor import Account


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SHORT_WAIT", 0.01)


# --- answers


async def test_words_come_as_they_are_made_and_the_end_comes_last(wire: Wire) -> None:
    more = asyncio.Event()

    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(*wire.first)
        await more.wait()
        await exchange.send(*wire.rest)
        await exchange.end()

    async with asking(wire, handle) as (model, server):
        stream = model.stream(ASK, tools=(), settings=SETTINGS)
        assert await anext(stream) == TextDelta("Hel")
        more.set()
        words, end = [chunk async for chunk in stream]
    assert words == TextDelta("lo.")
    assert isinstance(end, Finished)
    assert (end.reason, end.input_tokens, end.output_tokens) == ("stop", 5, 2)
    assert (server.requests[0].method, server.requests[0].path) == ("POST", wire.path)


async def test_all_calls_share_a_connection(wire: Wire) -> None:
    async with asking(wire, hello(wire)) as (model, server):
        for _ in range(3):
            assert said(await answer(model)) == "Hello."
    assert (len(server.requests), server.connections) == (3, 1)


async def test_closing_the_iterator_hangs_up_on_the_server(wire: Wire) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.send(*wire.first)
            await asyncio.sleep(0.005)

    async with asking(wire, handle) as (model, server):
        stream = model.stream(ASK, tools=(), settings=SETTINGS)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.hung_up.wait(), 2)


async def test_extra_settings_are_laid_over_the_request(wire: Wire) -> None:
    async with asking(wire, hello(wire)) as (model, server):
        await answer(model, settings=LlmSettings("model-1", extra={"generationConfig": {"topP": 0.9}, "other": 1}))
    body = server.requests[0].body
    assert body["other"] == 1
    assert body["generationConfig"]["topP"] == 0.9
    assert wire is not WIRES["google"] or body["generationConfig"]["maxOutputTokens"] == 220


async def test_what_a_model_refuses_is_left_out_from_then_on(wire: Wire) -> None:
    def temperature(body: dict[str, Any]) -> bool:
        return "temperature" in body or "temperature" in body.get("generationConfig", {})

    async def picky(exchange: Exchange) -> None:
        if temperature(exchange.body):
            complaint = {"error": {"message": "`temperature` is deprecated for this model."}}
            await exchange.answer(400, complaint)
        else:
            await hello(wire)(exchange)

    async with asking(wire, picky) as (model, server):
        assert said(await answer(model)) == "Hello."
        assert said(await answer(model)) == "Hello."
        assert [temperature(request.body) for request in server.requests] == [True, False, False]
        # Another model may take it.
        await answer(model, settings=LlmSettings("model-2"))
    assert temperature(server.requests[3].body)


# --- failures


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "refused the request for the model named model-1"),
        (401, "key is wrong"),
        (403, "not allowed"),
        (404, "no model named model-1"),
        (500, "server failed"),
        (503, "overloaded. Try again"),
        (529, "overloaded. Try again"),
    ],
)
async def test_a_refusal_is_told_with_its_mend_and_without_the_key(wire: Wire, status: int, words: str) -> None:
    body = {"error": {"message": f"no {KEY}"}}
    async with asking(wire, refusing(status, body), name="My models") as (model, _):
        with pytest.raises(ProviderError, match=words) as failed:
            await answer(model)
    assert failed.value.provider == "My models"
    assert KEY not in str(failed.value)
    assert failed.value.retryable == (status >= 500)


@pytest.mark.parametrize(("status", "wait"), [(429, "0"), (429, ""), (503, "0"), (529, "0.01")])
async def test_a_passing_refusal_is_asked_again_once(wire: Wire, status: int, wait: str) -> None:
    first = refusing(status, wire.refusal, **({"Retry_After": wait} if wait else {}))
    async with asking(wire, first, hello(wire)) as (model, _):
        assert said(await answer(model)) == "Hello."
    async with asking(wire, first) as (model, server):
        with pytest.raises(ProviderError):
            await answer(model)
    assert len(server.requests) == 2


async def test_a_caller_is_not_kept_waiting_for_a_long_retry_after(wire: Wire) -> None:
    async with asking(wire, refusing(429, wire.refusal, Retry_After="30")) as (model, server):
        with pytest.raises(ProviderError, match="accepts no more requests") as failed:
            await answer(model)
    assert failed.value.retryable
    assert len(server.requests) == 1


async def test_a_slow_first_byte_is_given_up(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(api, "_timeout", lambda patience: httpx.Timeout(0.05))
    async with asking(wire, handle) as (model, _):
        with pytest.raises(ProviderError, match="silent for too long"):
            await answer(model)


async def test_words_that_came_before_the_connection_was_lost_were_given(wire: Wire) -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(*wire.first)
        exchange.cut()

    async with asking(wire, handle) as (model, server):
        stream = model.stream(ASK, tools=(), settings=SETTINGS)
        assert await anext(stream) == TextDelta("Hel")
        with pytest.raises(ProviderError, match="hung up in the middle"):
            await anext(stream)
    assert len(server.requests) == 1


async def test_an_answer_without_a_goodbye_is_no_whole_answer(wire: Wire) -> None:
    async with asking(wire, replying(*wire.first)) as (model, _):
        with pytest.raises(ProviderError, match="ended its answer in the middle"):
            await answer(model)


@pytest.mark.parametrize("page", [refusing(200, b"<html>Welcome</html>"), refusing(200, {"hello": 1}), replying()])
async def test_an_answer_without_events_is_none(wire: Wire, page: Any) -> None:
    async with asking(wire, page) as (model, _):
        with pytest.raises(ProviderError, match="ended its answer before it had begun"):
            await answer(model)


@pytest.mark.parametrize("garbage", ["{broken", "[1, 2]", "<html>"])
async def test_garbage_is_told_apart_from_an_answer(wire: Wire, garbage: str) -> None:
    async with asking(wire, replying(*wire.first, garbage)) as (model, _):
        with pytest.raises(ProviderError, match="was not understood"):
            await answer(model)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("anthropic", {"type": "content_block_delta"}),
        ("anthropic", {"type": "content_block_start", "index": 0, "content_block": None}),
        ("google", {"candidates": ["what"]}),
        ("openai_responses", {"type": "response.output_item.done", "item": 3}),
        ("openai_responses", {"type": "response.function_call_arguments.delta", "output_index": 7, "delta": ""}),
    ],
)
async def test_an_event_of_a_wrong_shape_is_not_understood(name: str, event: dict[str, Any]) -> None:
    wire = WIRES[name]
    async with asking(wire, replying(*wire.first, event, *wire.rest)) as (model, _):
        with pytest.raises(ProviderError, match="was not understood"):
            await answer(model)


async def test_an_event_of_an_unknown_kind_does_no_harm(wire: Wire) -> None:
    async with asking(wire, replying(*wire.first, {"type": "news", "news": 1}, *wire.rest)) as (model, _):
        assert said(await answer(model)) == "Hello."


async def test_an_error_in_the_middle_of_a_stream_is_told(wire: Wire) -> None:
    async with asking(wire, replying(*wire.first, wire.error)) as (model, _):
        stream = model.stream(ASK, tools=(), settings=SETTINGS)
        assert await anext(stream) == TextDelta("Hel")
        with pytest.raises(ProviderError, match="reported: overloaded") as failed:
            await anext(stream)
    assert failed.value.retryable


# --- getting ready, and the connection's page


async def test_prewarming_opens_the_connection_and_spends_nothing(wire: Wire) -> None:
    async def handle(exchange: Exchange) -> None:
        await (hello(wire)(exchange) if exchange.method == "POST" else exchange.answer(200, {"data": []}))

    async with asking(wire, handle) as (model, server):
        for _ in range(3):
            await model.prewarm(ASK, tools=(), settings=SETTINGS)
        await answer(model)
    assert [request.method for request in server.requests] == ["GET", "POST"]
    assert server.connections == 1


async def test_prewarming_never_fails(wire: Wire, unused_tcp_port: int) -> None:
    model = wire.make(f"http://127.0.0.1:{unused_tcp_port}/v1", KEY)
    await model.prewarm(ASK, tools=(), settings=SETTINGS)
    await model.close()


@pytest.mark.parametrize("name", WIRES)
async def test_a_check_tries_the_key_without_spending(name: str) -> None:
    listed = {
        "data": [{"id": "b"}, {"id": "a"}],
        "models": [
            {"name": "models/b", "supportedGenerationMethods": ["generateContent"]},
            {"name": "models/a", "supportedGenerationMethods": ["generateContent", "countTokens"]},
            {"name": "models/vectors", "supportedGenerationMethods": ["embedContent"]},
        ],
    }
    async with asking(WIRES[name], refusing(200, listed)) as (model, server):
        assert (
            await vendor(name).check(Account(base_url=server.url, api_key=KEY))
            == "The key works; 2 models can be used."
        )
        assert await model.list_models() == ["a", "b"]
    assert {(request.method, request.path.partition("?")[0]) for request in server.requests} == {("GET", "/v1/models")}


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": {"message": "no"}}, "key is wrong"),
        (200, b"<html>", "not understood"),
        (200, {}, "not understood"),
    ],
)
async def test_a_check_that_fails_says_what_is_wrong(name: str, status: int, body: Any, words: str) -> None:
    async with asking(WIRES[name], refusing(status, body)) as (_, server):
        with pytest.raises(ProviderError, match=words):
            await vendor(name).check(Account(base_url=server.url, api_key=KEY))
