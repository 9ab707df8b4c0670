"""The local language model for calls."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from voice.providers.base import Finished, LlmChunk, LlmSettings, Message, ProviderError, ToolSchema
from voice.providers.local.client import NAME, Connection
from voice.providers.local.markers import MarkerReader, rendered


class LocalLlm:
    """Qwen through the model process. It knows one model, whatever the settings name."""

    name = "local-qwen"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        reader = MarkerReader(tools)
        end: Finished | None = None
        request = self._connection.request(
            "llm",
            messages=rendered(messages, tools),
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            extra=dict(settings.extra),
        )
        async with contextlib.aclosing(request) as events:  # type: ignore[type-var]
            async for header, _ in events:
                if "reason" in header:
                    counts = (header["input_tokens"], header["output_tokens"], header["cached_tokens"])
                    end = Finished(header["reason"], *counts)
                    continue
                for chunk in reader.push(header["text"]):
                    yield chunk
        if end is None:
            raise ProviderError(NAME, "The local language model broke off.", retryable=True)
        for chunk in reader.finish():
            yield chunk
        yield replace(end, reason="tool_calls") if reader.asked else end

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        with contextlib.suppress(ProviderError):
            await self._connection.one("warm", messages=rendered(messages, tools))
