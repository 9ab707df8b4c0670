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

from voice.providers.base import LlmChunk, LlmSettings, Message, ProviderError, ToolSchema
from voice.providers.openai.failures import SHORT_WAIT, Failures, can_retry, wait_before_retry
from voice.providers.openai.stream import Assembler, NotAStream, ServerSaid

CONNECT_SECONDS = 5.0
FIRST_SECONDS = 15.0
GAP_SECONDS = 15.0
# A model on our own machine may have to be read from disk first; that happens while the call connects.
WARM_SECONDS = 120.0
# A connection used so lately is still open.
FRESH_SECONDS = 20.0
_BODY_BYTES = 20_000
# A conversation pauses for longer than the five seconds for which httpx would keep its connection.
_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=55.0)


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
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = client or httpx.AsyncClient(limits=_LIMITS, trust_env=False)
        self._failures = Failures(name, self._base_url, api_key)
        self._dialects: dict[str, _Dialect] = {}
        self._used_at = -FRESH_SECONDS
        self._is_local = _is_loopback(self._base_url)

    async def close(self) -> None:
        await self._client.aclose()

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
                    async for line in _lines(response):
                        for chunk in assembler.line(line):
                            yield chunk
            except NotAStream as error:
                raise self._failures.not_a_stream(str(error)) from None
            except ServerSaid as error:
                raise self._failures.told(str(error)) from None
            except (httpx.HTTPError, TimeoutError) as error:
                raise self._failures.of_transport(error) from error
        if assembler.empty and not assembler.reason:
            raise self._failures.nothing()
        for end in assembler.finish():
            yield end

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        """Get ready for these messages.

        On our own machine the model reads the prompt, for one token: it costs nothing, and Ollama and llama.cpp keep
        what they have read. Elsewhere tokens are money: only the connection is opened, unless it was used just now.
        """
        with suppress(ProviderError, httpx.HTTPError, TimeoutError):
            if self._is_local:
                warming = LlmSettings(settings.model, settings.temperature, 1, settings.extra)
                async with asyncio.timeout(WARM_SECONDS):
                    await self._complete(_body(messages, tools, warming), settings.model, WARM_SECONDS)
            elif time.monotonic() - self._used_at > FRESH_SECONDS:
                self._used_at = time.monotonic()
                await self._client.get(
                    f"{self._base_url}/models", headers=self._headers, timeout=_timeout(FIRST_SECONDS)
                )

    async def list_models(self) -> list[str]:
        """The names of the models that the server offers, in alphabetical order. Raises ProviderError."""
        try:
            response = await self._client.get(
                f"{self._base_url}/models", headers=self._headers, timeout=_timeout(FIRST_SECONDS)
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failures.of_transport(error) from error
        if response.status_code in (404, 405):
            raise self._failures.no_list()
        if response.status_code != httpx.codes.OK:
            raise self._refusal(response, response.text, "its models")
        try:
            listed = response.json()
            models = listed if isinstance(listed, list) else listed["data"]
            return sorted({str(model["id"]) for model in models})
        except (ValueError, KeyError, TypeError):
            raise self._failures.not_a_stream(response.text[:80]) from None

    async def check(self, model: str) -> float:
        """Ask `model` for one token; the seconds that took. Raises ProviderError, which says what is wrong."""
        started = time.monotonic()
        body = _body([{"role": "user", "content": "Hi"}], (), LlmSettings(model=model, max_tokens=1))
        answer = await self._complete(body, model, FIRST_SECONDS)
        if not isinstance(answer.get("choices"), list):
            raise self._failures.not_a_stream(str(answer)[:80])
        return time.monotonic() - started

    # --- requests

    async def _complete(self, body: dict[str, Any], model: str, patience: float) -> dict[str, Any]:
        """A completion that is not streamed."""
        async with self._answer(body | {"stream": False}, model, patience) as response:
            try:
                answer = await self._whole(response)
            except NotAStream as error:
                raise self._failures.not_a_stream(str(error)) from None
            except httpx.HTTPError as error:
                raise self._failures.of_transport(error) from error
        if "error" in answer:
            raise self._failures.told(str(answer["error"]))
        return answer

    @asynccontextmanager
    async def _answer(
        self, body: dict[str, Any], model: str, patience: float = FIRST_SECONDS
    ) -> AsyncIterator[httpx.Response]:
        """The server's answer with its body still to come. Asks again where that helps; raises ProviderError."""
        dialect = replace(self._dialects.get(model) or _Dialect())
        retried = False
        while True:
            try:
                response = await self._send(_spoken_in(dialect, body), patience)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if retried or not (isinstance(error, httpx.HTTPError) and can_retry(error)):
                    raise self._failures.of_transport(error) from error
                retried = True
                await asyncio.sleep(SHORT_WAIT / 6)
                continue
            except TimeoutError as error:
                raise self._failures.of_transport(error) from error
            async with aclosing(response):
                if response.status_code == httpx.codes.OK:
                    self._used_at = time.monotonic()
                    self._dialects[model] = dialect
                    yield response
                    return
                refusal = await self._refused(response, model)
                wait = wait_before_retry(response)
            if response.status_code in (400, 422) and dialect.learn(str(refusal)):
                continue
            if retried or wait is None:
                raise refusal
            retried = True
            await asyncio.sleep(wait)

    async def _send(self, body: dict[str, Any], patience: float) -> httpx.Response:
        request = self._client.build_request(
            "POST",
            f"{self._base_url}/chat/completions",
            json=body,
            headers=self._headers,
            timeout=_timeout(patience),
        )
        return await self._client.send(request, stream=True)

    async def _refused(self, response: httpx.Response, model: str) -> ProviderError:
        text = b""
        with suppress(httpx.HTTPError):
            async for part in response.aiter_bytes():
                text += part
                if len(text) > _BODY_BYTES:
                    break
        return self._refusal(response, text.decode(errors="replace"), model)

    def _refusal(self, response: httpx.Response, text: str, model: str) -> ProviderError:
        return self._failures.of_status(response.status_code, text, model, response.headers.get("Location", ""))

    async def _whole(self, response: httpx.Response) -> dict[str, Any]:
        await response.aread()
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise NotAStream(response.text[:80])
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


def _timeout(patience: float) -> httpx.Timeout:
    return httpx.Timeout(patience, connect=CONNECT_SECONDS)


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """The lines of a streamed answer. Raises TimeoutError when no data comes for too long, even if comments do."""
    loop = asyncio.get_running_loop()
    due = loop.time() + FIRST_SECONDS
    lines = response.aiter_lines()
    while True:
        async with asyncio.timeout_at(due):
            line = await anext(lines, None)
        if line is None:
            return
        if line.startswith("data:"):
            yield line
            due = loop.time() + GAP_SECONDS


def _is_loopback(base_url: str) -> bool:
    try:
        host = httpx.URL(base_url).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False
