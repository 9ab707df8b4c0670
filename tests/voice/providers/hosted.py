"""What the tests of hosted language models share: how each vendor's wire looks, and short ways to ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.voice.providers.fake_http import Exchange, FakeServer, Handler, serving
from voice.providers.anthropic import AnthropicLlm
from voice.providers.base import LlmChunk, LlmSettings, Message, TextDelta, ToolSchema
from voice.providers.google import GoogleLlm
from voice.providers.language import HostedLlm
from voice.providers.openai.responses import OpenAiResponses

KEY = "sk-secret-0123456789"
SETTINGS = LlmSettings(model="model-1", temperature=0.5, max_tokens=50)
ASK: list[Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
TOOL = ToolSchema("look_up", "Looks something up.", {"type": "object", "properties": {"what": {"type": "string"}}})
_TLS = httpx.create_ssl_context()

Event = dict[str, Any] | str


@dataclass(frozen=True)
class Wire:
    """A vendor's protocol, as far as every one has such a thing."""

    make: Callable[..., HostedLlm]
    path: str
    first: Sequence[Event]
    """The events of an answer up to its first word, "Hel"."""
    rest: Sequence[Event]
    """Those that follow: "lo.", and the goodbye."""
    error: Event
    """Reports "overloaded" in the middle of an answer."""
    refusal: dict[str, Any]
    """The body of a refused request, with the message "no"."""


def block(index: int, kind: str, **fields: Any) -> Event:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def delta(index: int, kind: str, **fields: Any) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def block_stop(index: int) -> Event:
    return {"type": "content_block_stop", "index": index}


def message_start(**usage: int) -> Event:
    return {"type": "message_start", "message": {"id": "msg_1", "content": [], "usage": usage}}


def message_end(reason: str = "end_turn", **usage: int) -> list[Event]:
    return [
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2, **usage}},
        {"type": "message_stop"},
    ]


def piece(*parts: dict[str, Any], finish: str = "", **usage: Any) -> Event:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": list(parts)}}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": usage}


def output_text(text: str) -> Event:
    return {"type": "response.output_text.delta", "output_index": 0, "delta": text}


def completed(kind: str = "completed", **response: Any) -> Event:
    return {"type": f"response.{kind}", "response": {"id": "resp_1", "status": kind, **response}}


ANTHROPIC = Wire(
    make=AnthropicLlm,
    path="/v1/messages",
    first=[
        message_start(input_tokens=5, output_tokens=1),
        block(0, "text", text=""),
        {"type": "ping"},
        delta(0, "text_delta", text="Hel"),
    ],
    rest=[delta(0, "text_delta", text="lo."), block_stop(0), *message_end()],
    error={"type": "error", "error": {"type": "overloaded_error", "message": "overloaded"}},
    refusal={"type": "error", "error": {"type": "invalid_request_error", "message": "no"}},
)
GOOGLE = Wire(
    make=GoogleLlm,
    path="/v1/models/model-1:streamGenerateContent?alt=sse",
    first=[piece({"text": "Hel"}, promptTokenCount=5)],
    rest=[piece({"text": "lo."}, finish="STOP", promptTokenCount=5, candidatesTokenCount=2)],
    error={"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}},
    refusal={"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}},
)
RESPONSES = Wire(
    make=OpenAiResponses,
    path="/v1/responses",
    first=[
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "content": []}},
        output_text("Hel"),
    ],
    rest=[output_text("lo."), completed(usage={"input_tokens": 5, "output_tokens": 2})],
    error={"type": "error", "code": "server_error", "message": "overloaded", "param": None},
    refusal={"error": {"message": "no", "type": "invalid_request_error"}},
)
WIRES = {"anthropic": ANTHROPIC, "google": GOOGLE, "openai_responses": RESPONSES}


@asynccontextmanager
async def asking(wire: Wire, *handlers: Handler, **options: Any) -> AsyncIterator[tuple[HostedLlm, FakeServer]]:
    """An adapter, and the server that it speaks to."""
    async with serving(*handlers) as server:
        options.setdefault("client", httpx.AsyncClient(verify=_TLS, trust_env=False))
        model = wire.make(server.url, KEY, **options)
        try:
            yield model, server
        finally:
            await model.close()


async def answer(
    model: HostedLlm,
    messages: Sequence[Message] = ASK,
    *,
    tools: Sequence[ToolSchema] = (),
    settings: LlmSettings = SETTINGS,
) -> list[LlmChunk]:
    return [chunk async for chunk in model.stream(messages, tools=tools, settings=settings)]


def said(chunks: Sequence[LlmChunk]) -> str:
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, TextDelta))


def replying(*events: Event) -> Handler:
    """Streams events and then closes the answer in good order. None of the three vendors says "[DONE]"."""

    async def handle(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send(*events)
        await exchange.end()

    return handle


def refusing(status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> Handler:
    async def handle(exchange: Exchange) -> None:
        await exchange.answer(status, body, **headers)

    return handle


def hello(wire: Wire) -> Handler:
    return replying(*wire.first, *wire.rest)
