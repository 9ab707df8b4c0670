"""A program behind plain HTTP, taken for a language model.

It is sent `{call, metadata, messages, text}`: the call, the conversation so far, and the caller's last words. It
answers with text, at once or while it is made: as `text/plain`, as JSON `{"text": …}`, or as server-sent events of
such JSON. JSON may also hang up, with `"endCall": true`, or transfer, with `"transferCall": "+14155550100"`.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import httpx

from voice.providers.api import Api
from voice.providers.base import Finished, LlmChunk, LlmSettings, Message, TextDelta, ToolRequest, ToolSchema
from voice.providers.failures import message_of
from voice.providers.language import text_of


class TextLlm:
    """A program at an address. One object serves all its calls; what it is told of one is in its settings' `extra`."""

    def __init__(
        self,
        url: str,
        *,
        client: httpx.AsyncClient,
        headers: Mapping[str, str] | None = None,
        secret: str = "",
        name: str = "webagent",
    ) -> None:
        self.name = name
        self._path = "/" if url.endswith("/") else ""
        self._api = Api(name, url, secret=secret, headers=headers, client=client)

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        """Answer a conversation. Closing the iterator closes the connection."""
        body = {**settings.extra, "messages": list(messages), "text": _last_words(messages)}
        wants: list[ToolRequest] = []
        async with (
            self._api.open("POST", self._path, what="agent", json=body) as response,
            aclosing(self._chunks(response)) as chunks,  # type: ignore[type-var]
        ):
            async for chunk in chunks:
                if isinstance(chunk, ToolRequest):
                    wants.append(chunk)
                elif chunk.text:
                    yield chunk
        for want in wants:
            yield want
        yield Finished("tool_calls" if wants else "stop")

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        """Nothing: any request would be a turn."""

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[TextDelta | ToolRequest]:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind == "text/event-stream":
            async with aclosing(self._api.sse_json(response)) as events:  # type: ignore[type-var]
                async for event in events:
                    for chunk in self._object(event):
                        yield chunk
        elif kind == "text/plain":
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            async with aclosing(self._api.audio(response)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    yield TextDelta(decoder.decode(piece))
        else:
            answer = await self._api.parsed(response)
            if not isinstance(answer, dict):
                raise self._api.failures.garbled(str(answer))
            for chunk in self._object(answer):
                yield chunk

    def _object(self, answer: dict[str, Any]) -> Iterator[TextDelta | ToolRequest]:
        if error := answer.get("error"):
            raise self._api.failures.told(message_of(error))
        if text := answer.get("text"):
            yield TextDelta(str(text))
        if to := answer.get("transferCall"):
            yield ToolRequest("transfer", "transferCall", json.dumps({"destination": to}))
        elif answer.get("endCall"):
            yield ToolRequest("end", "endCall", "{}")


def _last_words(messages: Sequence[Message]) -> str:
    """What the caller has said since the agent spoke; empty where the agent has something to say by itself."""
    last = messages[-1]
    return text_of(last) if last["role"] == "user" else ""
