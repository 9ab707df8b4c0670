"""The adapter: requests, retries, time limits, and the differences between servers that call themselves compatible."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import httpx

from voice.providers.api import FIRST_SECONDS, Api
from voice.providers.base import LlmChunk, LlmSettings, Message, ProviderError, ToolSchema
from voice.providers.failures import Refused
from voice.providers.language import model_ids
from voice.providers.openai.stream import Assembler, NotAStream, ServerSaid

# A model on our own machine may have to be read from disk first; that happens while the call connects.
WARM_SECONDS = 120.0


@dataclass(slots=True)
class _Dialect:
    """What a model at this server does not understand, as learnt from its refusals."""

    usage: bool = True
    max_tokens: str = "max_tokens"
    temperature: bool = True

    def learn(self, complaint: str) -> bool:
        """Adapt to what the server complained of; False if there is nothing left to adapt."""
        complaint = complaint.lower()
        if "max_completion_tokens" in complaint and self.max_tokens == "max_tokens":
            self.max_tokens = "max_completion_tokens"
        elif "temperature" in complaint and self.temperature:
            self.temperature = False
        elif self.usage:
            self.usage = False
        else:
            return False
        return True


class OpenAiLlm:
    """A server with an OpenAI-compatible chat API; `base_url` is what comes before `/chat/completions`.

    One object serves all calls that use the server, over connections that are kept; `close` closes them. Where people
    type the address, hand it a `client` that refuses private ones.
    """

    def __init__(
        self, base_url: str, api_key: str, *, client: httpx.AsyncClient | None = None, name: str = "openai"
    ) -> None:
        self.name = name
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._api = Api(name, base_url, secret=api_key, headers=headers, client=client)
        self._dialects: dict[str, _Dialect] = {}
        self._is_local = _is_loopback(base_url)

    async def close(self) -> None:
        await self._api.close()

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        """Answer a conversation. Closing the iterator closes the connection, which stops the model."""
        assembler = Assembler()
        async with self._answer(_body(messages, tools, settings), settings.model) as response:
            try:
                if "json" in response.headers.get("Content-Type", ""):
                    # The server ignored `stream` and sends the whole answer.
                    for chunk in assembler.chunk(await self._whole(response)):
                        yield chunk
                else:
                    async with aclosing(self._api.sse(response)) as events:  # type: ignore[type-var]
                        async for data in events:
                            for chunk in assembler.data(data):
                                yield chunk
            except NotAStream as error:
                raise self._api.failures.garbled(str(error)) from None
            except ServerSaid as error:
                raise self._api.failures.told(str(error)) from None
        if assembler.empty and not assembler.reason:
            raise self._api.failures.nothing()
        for end in assembler.finish():
            yield end

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        """Get ready for these messages.

        On our own machine the model reads the prompt, for one token: it costs nothing, and Ollama and llama.cpp keep
        what they have read. Elsewhere tokens are money: only the connection is opened, unless it was used just now.
        """
        if not self._is_local:
            await self._api.warm("/models")
            return
        with suppress(ProviderError, TimeoutError):
            warming = LlmSettings(settings.model, settings.temperature, 1, settings.extra)
            async with asyncio.timeout(WARM_SECONDS):
                await self._complete(_body(messages, tools, warming), settings.model, WARM_SECONDS)

    async def list_models(self) -> list[str]:
        """The names of the models that the server offers, in alphabetical order. Raises ProviderError."""
        return await model_ids(self._api)

    async def check(self, model: str) -> float:
        """Ask `model` for one token; the seconds that took. Raises ProviderError, which says what is wrong."""
        started = time.monotonic()
        body = _body([{"role": "user", "content": "Hi"}], (), LlmSettings(model=model, max_tokens=1))
        answer = await self._complete(body, model, FIRST_SECONDS)
        if not isinstance(answer.get("choices"), list):
            raise self._api.failures.garbled(str(answer))
        return time.monotonic() - started

    # --- requests

    async def _complete(self, body: dict[str, Any], model: str, patience: float) -> dict[str, Any]:
        """A completion that is not streamed."""
        async with self._answer(body | {"stream": False}, model, patience) as response:
            answer = await self._whole(response)
        if "error" in answer:
            raise self._api.failures.told(str(answer["error"]))
        return answer

    @asynccontextmanager
    async def _answer(
        self, body: dict[str, Any], model: str, patience: float = FIRST_SECONDS
    ) -> AsyncIterator[httpx.Response]:
        """The server's answer with its body still to come. Asks in other words where that helps."""
        dialect = replace(self._dialects.get(model) or _Dialect())
        while True:
            asked = _spoken_in(dialect, body)
            try:
                async with self._api.open(
                    "POST", "/chat/completions", what=f"model named {model}", patience=patience, json=asked
                ) as response:
                    self._dialects[model] = dialect
                    yield response
                    return
            except Refused as refusal:
                if refusal.status not in (400, 422) or not dialect.learn(str(refusal)):
                    raise

    async def _whole(self, response: httpx.Response) -> dict[str, Any]:
        answer = await self._api.parsed(response)
        if not isinstance(answer, dict):
            raise self._api.failures.garbled(str(answer))
        return answer


def _body(messages: Sequence[Message], tools: Sequence[ToolSchema], settings: LlmSettings) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": list(messages),
        "stream": True,
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
    }
    if tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
            }
            for tool in tools
        ]
    return body | dict(settings.extra)


def _spoken_in(dialect: _Dialect, body: dict[str, Any]) -> dict[str, Any]:
    """`body` as this model understands it."""
    body = dict(body)
    if dialect.usage and body["stream"]:
        body["stream_options"] = {"include_usage": True}
    if not dialect.temperature:
        body.pop("temperature", None)
    body[dialect.max_tokens] = body.pop("max_tokens")
    return body


def _is_loopback(base_url: str) -> bool:
    try:
        host = httpx.URL(base_url).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False
