"""The adapter against a server that speaks the real protocol over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from core import http
from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving, stop, text, tool
from voice.providers import api
from voice.providers.base import Finished, LlmChunk, LlmSettings, ProviderError, TextDelta, ToolRequest, ToolSchema
from voice.providers.openai import OpenAiLlm

KEY = "sk-secret-0123456789"
SETTINGS = LlmSettings(model="gpt-test", temperature=0.5, max_tokens=50)
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
TLS = httpx.create_ssl_context()
TOOL = ToolSchema("look_up", "Looks something up.", {"type": "object", "properties": {"what": {"type": "string"}}})


@pytest.fixture(autouse=True)
async def adapter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Closes the clients of the test, and makes waits short."""
    made: list[OpenAiLlm] = []
    original = OpenAiLlm.__init__

    def remember(self: OpenAiLlm, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(OpenAiLlm, "__init__", remember)
    monkeypatch.setattr(api, "SHORT_WAIT", 0.01)
    yield
    for one in made:
        await one.close()


def hosted(server: FakeServer, **kwargs: Any) -> OpenAiLlm:
    """The adapter as it treats a server that is not on this machine."""
    kwargs.setdefault("client", httpx.AsyncClient(verify=TLS, trust_env=False))
    made = OpenAiLlm(server.url, KEY, **kwargs)
    made._is_local = False
    return made


async def answer(model: OpenAiLlm, *, tools: tuple[ToolSchema, ...] = ()) -> list[LlmChunk]:
    return [chunk async for chunk in model.stream(ASK, tools=tools, settings=SETTINGS)]


def said(chunks: list[LlmChunk]) -> str:
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta))


def replying(*chunks: dict[str, Any] | str) -> Handler:
    async def handle(exchange: Exchange) -> None:
        await exchange.stream(*chunks)

    return handle


def refusing(status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> Handler:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(status, body, **headers)

    return handle


HELLO = replying(text("Hel"), text("lo."), stop())


# --- answers


async def test_words_come_as_they_are_made_and_the_end_comes_last() -> None:
    usage = {"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}
    async with serving(replying(text("Hel"), text("lo."), stop(), {"choices": [], "usage": usage})) as server:
        chunks = await answer(hosted(server))
    assert chunks == [
        TextDelta("Hel"),
        TextDelta("lo."),
        Finished("stop", input_tokens=12, output_tokens=3, cached_tokens=8),
    ]


async def test_the_request_is_what_the_protocol_asks_for() -> None:
    async with serving(HELLO) as server:
        await answer(hosted(server), tools=(TOOL,))
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "gpt-test",
        "messages": ASK,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_tokens": 50,
        "tools": [
            {
                "type": "function",
                "function": {"name": "look_up", "description": "Looks something up.", "parameters": TOOL.parameters},
            }
        ],
    }


async def test_no_key_means_no_authorization() -> None:
    async with serving(HELLO) as server:
        await answer(OpenAiLlm(server.url, ""))
    assert "authorization" not in server.requests[0].headers


async def test_extra_settings_go_into_the_request() -> None:
    async with serving(HELLO) as server:
        settings = LlmSettings(model="m", extra={"top_p": 0.9})
        assert [chunk async for chunk in hosted(server).stream(ASK, tools=(), settings=settings)]
    assert server.requests[0].body["top_p"] == 0.9


async def test_all_calls_share_a_connection() -> None:
    async with serving(HELLO) as server:
        model = hosted(server)
        for _ in range(3):
            await answer(model)
    assert (len(server.requests), server.connections) == (3, 1)


async def test_the_first_words_do_not_wait_for_the_rest() -> None:
    more = asyncio.Event()

    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(text("Hello,"))
        await more.wait()
        await exchange.send(text(" you."), stop(), "[DONE]")
        await exchange.end()

    async with serving(handle) as server:
        stream = hosted(server).stream(ASK, tools=(), settings=SETTINGS)
        assert await anext(stream) == TextDelta("Hello,")
        more.set()
        assert [chunk async for chunk in stream] == [TextDelta(" you."), Finished("stop")]


@pytest.mark.parametrize("size", [1, 7])
async def test_it_makes_no_difference_how_the_network_cuts_the_stream(size: int) -> None:
    lines = [": keep-alive", 'data: {"choices":[{"delta":{"content":"Grüße"}}]}', "data: [DONE]", ""]
    stream = "\r\n\r\n".join(lines).encode()

    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        for place in range(0, len(stream), size):
            await exchange.part(stream[place : place + size])
        await exchange.end()

    async with serving(handle) as server:
        assert said(await answer(hosted(server))) == "Grüße"


async def test_a_server_that_does_not_stream_is_understood() -> None:
    whole = {
        "choices": [{"message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }
    async with serving(refusing(200, whole)) as server:
        assert await answer(hosted(server)) == [TextDelta("Hello."), Finished("stop", 5, 2)]


async def test_an_end_without_done_is_an_end() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(text("Hello."))
        await exchange.end()

    async with serving(handle) as server:
        assert await answer(hosted(server)) == [TextDelta("Hello."), Finished("stop")]


# --- thoughts


async def test_thoughts_are_not_spoken() -> None:
    reasoning = {
        "choices": [{"delta": {"reasoning_content": "The caller says hello.", "reasoning": "Hm", "content": None}}]
    }
    async with serving(
        replying(
            reasoning, text("<thi"), text("nk>I should greet."), text(" Yes.</th"), text("ink>\n\nHel"), text("lo <b")
        )
    ) as server:
        assert said(await answer(hosted(server))) == "Hello <b"


async def test_text_in_parts_loses_its_thoughts_too() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": "Hello."}]
    async with serving(replying({"choices": [{"delta": {"content": parts}}]})) as server:
        assert said(await answer(hosted(server))) == "Hello."


# --- tools


async def test_tool_calls_in_parallel_are_put_together_from_their_pieces() -> None:
    async with serving(
        replying(
            text("Let me see."),
            tool({"index": 0, "id": "call_a", "function": {"name": "look_up", "arguments": ""}}),
            tool({"index": 0, "function": {"arguments": '{"wh'}}),
            tool({"index": 1, "id": "call_b", "function": {"name": "look_up", "arguments": '{"what": '}}),
            tool({"index": 0, "function": {"arguments": 'at": "a"}'}}, {"index": 1, "function": {"arguments": '"b"}'}}),
            stop("tool_calls"),
        )
    ) as server:
        chunks = await answer(hosted(server), tools=(TOOL,))
    assert chunks == [
        TextDelta("Let me see."),
        ToolRequest("call_a", "look_up", '{"what": "a"}'),
        ToolRequest("call_b", "look_up", '{"what": "b"}'),
        Finished("tool_calls"),
    ]


@pytest.mark.parametrize("index", [{}, {"index": 0}, {"index": None}])
async def test_whole_tool_calls_are_kept_apart_when_their_index_does_not(index: dict[str, Any]) -> None:
    async with serving(
        replying(
            tool({**index, "id": "a", "function": {"name": "look_up", "arguments": '{"what": "a"}'}}),
            tool({**index, "id": "b", "function": {"name": "look_up", "arguments": '{"what": "b"}'}}),
            stop(),
        )
    ) as server:
        chunks = await answer(hosted(server), tools=(TOOL,))
    assert chunks == [
        ToolRequest("a", "look_up", '{"what": "a"}'),
        ToolRequest("b", "look_up", '{"what": "b"}'),
        Finished("tool_calls"),
    ]


async def test_a_tool_call_without_id_or_text_arguments_is_made_whole() -> None:
    async with serving(
        replying(
            tool({"function": {"name": "look_up", "arguments": {"what": "a"}}}, {"function": {"name": "end_call"}}),
            stop(),
        )
    ) as server:
        chunks = await answer(hosted(server), tools=(TOOL,))
    assert chunks[:2] == [ToolRequest("call_1", "look_up", '{"what": "a"}'), ToolRequest("call_2", "end_call", "{}")]


# --- cancelling


async def test_closing_the_iterator_hangs_up_on_the_server() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.send(text("and "))
            await asyncio.sleep(0.005)

    async with serving(handle) as server:
        stream = hosted(server).stream(ASK, tools=(), settings=SETTINGS)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.hung_up.wait(), 2)


async def test_cancelling_the_task_before_the_first_word_hangs_up_on_the_server() -> None:
    async def handle(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with serving(handle) as server:
        task = asyncio.ensure_future(answer(hosted(server)))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.hung_up.wait(), 2)


# --- asking again


@pytest.mark.parametrize(
    "first",
    [refusing(502), refusing(503, b"", Retry_After="0"), refusing(429, b"", Retry_After="0"), refusing(429)],
)
async def test_a_passing_refusal_is_asked_again_once(first: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(first, HELLO) as server:
        assert said(await answer(hosted(server))) == "Hello."
    async with serving(first) as server:
        with pytest.raises(ProviderError) as failed:
            await answer(hosted(server))
    assert failed.value.retryable
    assert len(server.requests) == 2


async def test_a_connection_that_was_lost_before_the_answer_is_made_again() -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.cut()

    async with serving(cut, HELLO) as server:
        assert said(await answer(hosted(server))) == "Hello."


@pytest.mark.parametrize("wait", ["30", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_caller_is_not_kept_waiting_for_a_long_retry_after(wait: str) -> None:
    async with serving(refusing(429, {"error": {"message": "Slow down"}}, Retry_After=wait)) as server:
        with pytest.raises(ProviderError, match=r"accepts no more requests.*429: Slow down"):
            await answer(hosted(server))
    assert len(server.requests) == 1


async def test_usage_is_not_asked_of_a_server_that_refuses_the_question() -> None:
    async def picky(exchange: Exchange) -> None:
        if "stream_options" in exchange.body:
            await exchange.answer(400, {"error": {"message": "Unknown field stream_options"}})
        else:
            await HELLO(exchange)

    async with serving(picky) as server:
        model = hosted(server)
        assert said(await answer(model)) == "Hello."
        assert said(await answer(model)) == "Hello."
    # It is remembered: the second answer took one request.
    assert len(server.requests) == 3


async def test_newer_models_get_their_newer_parameters() -> None:
    async def newer(exchange: Exchange) -> None:
        if "max_tokens" in exchange.body:
            said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            await exchange.answer(400, {"error": {"message": said}})
        elif "temperature" in exchange.body:
            await exchange.answer(400, {"error": {"message": "'temperature' does not support 0.5 with this model."}})
        else:
            await HELLO(exchange)

    async with serving(newer) as server:
        assert said(await answer(hosted(server))) == "Hello."
    assert server.requests[-1].body["max_completion_tokens"] == 50
    assert "stream_options" in server.requests[-1].body


async def test_a_refusal_for_another_reason_teaches_nothing() -> None:
    async with serving(
        refusing(400, {"error": {"message": "too long"}}), refusing(400, {"error": {"message": "too long"}}), HELLO
    ) as server:
        model = hosted(server)
        with pytest.raises(ProviderError, match=r"refused the request for the model named gpt-test.*too long"):
            await answer(model)
        await answer(model)
    assert "stream_options" in server.requests[-1].body


# --- failures


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}."}}, "key is wrong"),
        (403, {"error": "no"}, "not allowed to use the model named gpt-test"),
        (404, {"error": {"message": "The model does not exist"}}, "no model named gpt-test"),
        (404, b"<html>Not Found</html>", "/v1; check this one"),
        (
            429,
            {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
            "quota is used up",
        ),
        (500, b"oops", "The server failed"),
        (301, b"", "https://new.example/v1"),
        (422, {"detail": [{"msg": "bad role"}]}, "bad role"),
    ],
)
async def test_a_refusal_is_told_with_its_mend_and_without_the_key(status: int, body: Any, words: str) -> None:
    async with serving(refusing(status, body, Location="https://new.example/v1")) as server:
        with pytest.raises(ProviderError, match=words) as failed:
            await answer(hosted(server, name="My models"))
    assert failed.value.provider == "My models"
    assert KEY not in str(failed.value)
    assert str(status) in str(failed.value)


async def test_a_server_that_is_not_running_is_named(unused_tcp_port: int) -> None:
    with pytest.raises(ProviderError, match=f"Nothing listens at http://127.0.0.1:{unused_tcp_port}/v1"):
        await answer(OpenAiLlm(f"http://127.0.0.1:{unused_tcp_port}/v1/", KEY))


@pytest.mark.parametrize("url", ["nonsense", "ftp://example.com/v1", "http://host:port/v1"])
async def test_an_address_that_is_none_is_said_to_be_none(url: str) -> None:
    with pytest.raises(ProviderError, match="is not an address"):
        await answer(OpenAiLlm(url, KEY))
    with pytest.raises(ProviderError, match="is not an address"):
        await OpenAiLlm(url, KEY).list_models()


async def test_words_that_came_before_the_connection_was_lost_were_given() -> None:
    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(text("Hello, I"))
        exchange.cut()

    async with serving(handle) as server:
        stream = hosted(server).stream(ASK, tools=(), settings=SETTINGS)
        assert await anext(stream) == TextDelta("Hello, I")
        with pytest.raises(ProviderError, match="hung up in the middle"):
            await anext(stream)
    assert len(server.requests) == 1


@pytest.mark.parametrize("garbage", ["{broken", "[1, 2]", "<html>"])
async def test_garbage_is_told_apart_from_an_answer(garbage: str) -> None:
    async with serving(replying(garbage)) as server:
        with pytest.raises(ProviderError, match="was not understood"):
            await answer(hosted(server))


async def test_a_page_instead_of_an_answer_is_told_apart() -> None:
    async with serving(refusing(200, b"<html>Welcome</html>")) as server:
        with pytest.raises(ProviderError, match="ended its answer before it had begun"):
            await answer(hosted(server))


async def test_an_error_in_the_middle_of_a_stream_is_told() -> None:
    async with serving(replying(text("He"), {"error": {"message": f"overloaded, {KEY}"}})) as server:
        with pytest.raises(ProviderError, match=r"reported: overloaded, \[the key\]"):
            await answer(hosted(server))


@pytest.mark.parametrize("comments", [False, True])
async def test_a_silent_model_is_given_up_even_if_its_server_sends_comments(
    monkeypatch: pytest.MonkeyPatch, comments: bool
) -> None:
    monkeypatch.setattr(api, "GAP_SECONDS", 0.1)
    monkeypatch.setattr(api, "FIRST_SECONDS", 0.1)

    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(text("Hello"))
        while comments:
            await exchange.part(b": still working\n\n")
            await asyncio.sleep(0.02)
        await asyncio.sleep(60)

    async with serving(handle) as server:
        model = hosted(server, client=httpx.AsyncClient(timeout=0.1, trust_env=False))
        with pytest.raises(ProviderError, match="silent for too long"):
            await answer(model)
        await asyncio.wait_for(server.hung_up.wait(), 2)


async def test_a_slow_first_byte_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with serving(handle) as server:
        monkeypatch.setattr(api, "_timeout", lambda patience: httpx.Timeout(0.05))
        with pytest.raises(ProviderError, match="silent for too long"):
            await answer(hosted(server))
    assert len(server.requests) == 1


# --- with the client that refuses private addresses


async def test_it_streams_and_hangs_up_through_the_guarded_client(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]

    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        while True:
            await exchange.send(text("and "))
            await asyncio.sleep(0.005)

    async with serving(HELLO, handle) as server:
        model = hosted(server, client=http.async_client(own_machine=True, tls=TLS))
        assert said(await answer(model)) == "Hello."
        stream = model.stream(ASK, tools=(), settings=SETTINGS)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.wait_for(server.hung_up.wait(), 2)


async def test_a_private_address_is_refused_with_the_setting_that_allows_it() -> None:
    model = OpenAiLlm("http://192.168.1.7:11434/v1", KEY, client=http.async_client(tls=TLS))
    with pytest.raises(ProviderError, match=r"OUTBOUND_ALLOWED_PRIVATE_HOSTS=192\.168\.1\.7:11434"):
        await model.check("qwen")


async def test_a_refused_connection_is_told_through_it_too(settings: Any, unused_tcp_port: int) -> None:
    settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"localhost:{unused_tcp_port}"]
    model = OpenAiLlm(f"http://localhost:{unused_tcp_port}/v1", KEY, client=http.async_client(tls=TLS))
    with pytest.raises(ProviderError, match="Nothing listens at"):
        await model.check("qwen")


# --- getting ready


async def test_prewarming_a_hosted_model_opens_the_connection_and_spends_nothing() -> None:
    async def handle(exchange: Exchange) -> None:
        await (HELLO(exchange) if exchange.method == "POST" else exchange.answer(200, {"data": []}))

    async with serving(handle) as server:
        model = hosted(server)
        for _ in range(3):
            await model.prewarm(ASK, tools=(), settings=SETTINGS)
        await answer(model)
    assert [request.method for request in server.requests] == ["GET", "POST"]
    assert server.connections == 1


async def test_prewarming_a_model_on_this_machine_lets_it_read_the_prompt() -> None:
    async with serving(refusing(200, {"choices": [{"message": {"content": "H"}}]})) as server:
        await OpenAiLlm(server.url, "").prewarm(ASK, tools=(TOOL,), settings=SETTINGS)
    body = server.requests[0].body
    assert (body["max_tokens"], body["messages"], body["stream"], len(body["tools"])) == (1, ASK, False, 1)


@pytest.mark.parametrize("local", [True, False])
async def test_prewarming_never_fails(unused_tcp_port: int, local: bool) -> None:
    model = OpenAiLlm(f"http://127.0.0.1:{unused_tcp_port}/v1", KEY)
    model._is_local = local
    await model.prewarm(ASK, tools=(), settings=SETTINGS)


# --- the connection's page


async def test_it_lists_the_models_by_name() -> None:
    async with serving(refusing(200, {"data": [{"id": "b"}, {"id": "a"}, {"id": "b"}]})) as server:
        assert await hosted(server).list_models() == ["a", "b"]
    assert server.requests[0].path == "/v1/models"


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (refusing(404, b""), "does not list its models"),
        (refusing(401, b""), "key is wrong"),
        (refusing(200, b"<html>"), "was not understood"),
        (refusing(200, {"data": [1]}), "was not understood"),
    ],
)
async def test_a_list_that_is_none_is_said_to_be_none(handler: Handler, words: str) -> None:
    async with serving(handler) as server:
        with pytest.raises(ProviderError, match=words):
            await hosted(server).list_models()


async def test_a_check_asks_for_one_token_and_tells_how_long_it_took() -> None:
    async with serving(refusing(200, {"choices": [{"message": {"content": "Hi"}}]})) as server:
        assert 0 < await hosted(server).check("gpt-test") < 5
    assert (server.requests[0].body["model"], server.requests[0].body["max_tokens"]) == ("gpt-test", 1)


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (refusing(401, {"error": {"message": "no"}}), "key is wrong"),
        (refusing(200, b"<html>"), "was not understood"),
        (refusing(200, {"object": "page"}), "was not understood"),
        (refusing(200, {"error": {"message": "overloaded"}}), "overloaded"),
    ],
)
async def test_a_check_that_fails_says_what_is_wrong(handler: Handler, words: str) -> None:
    async with serving(handler) as server:
        with pytest.raises(ProviderError, match=words):
            await hosted(server).check("gpt-test")
