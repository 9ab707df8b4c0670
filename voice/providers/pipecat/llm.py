"""Answers by Pipecat's LLM services."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from voice.providers.base import Finished, LlmChunk, LlmSettings, Message, TextDelta, ToolRequest, ToolSchema
from voice.providers.language import system_text
from voice.providers.pipecat.pool import Pool
from voice.providers.pipecat.spec import ServiceSpec, library


class PipecatLlm:
    """One service for each answer that is being made at the same time; `close` stops them.

    No aggregators are needed: the whole conversation goes along with each request, and a service's wish to call tools
    is the engine's to run. The model is the service's own; `LlmSettings.model` names the service.
    """

    def __init__(self, spec: ServiceSpec, *, name: str = "pipecat") -> None:
        self.name = name
        self._pool = Pool(spec, "LLMService", name)
        self._fixed = frozenset(spec.params.get("settings", ()))
        """The settings that are the service's own."""

    async def close(self) -> None:
        await self._pool.close()

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        """Answer a conversation. Closing the iterator interrupts the service. Raises ProviderError."""
        async with self._pool.use() as hosted:
            host = library(self.name)
            delta = type(hosted.service.settings).from_mapping(self._delta(messages, settings))
            context = host.LLMContext(
                [message for message in messages if message["role"] != "system"],
                [_schema(host, tool) for tool in tools],
            )
            given = [host.frames.LLMUpdateSettingsFrame(delta=delta), host.frames.LLMContextFrame(context)]
            reason, usage = "stop", None
            async with aclosing(hosted.work(given)) as pushed:  # type: ignore[type-var]
                async for frame in pushed:
                    if isinstance(frame, host.frames.LLMTextFrame):
                        yield TextDelta(frame.text)
                    elif isinstance(frame, host.frames.FunctionCallsStartedFrame):
                        reason = "tool_calls"
                        for call in frame.function_calls:
                            yield ToolRequest(call.tool_call_id, call.function_name, json.dumps(call.arguments))
                    elif isinstance(frame, host.frames.MetricsFrame):
                        data = [one.value for one in frame.data if isinstance(one, host.LLMUsageMetricsData)]
                        usage = data[-1] if data else usage
            yield _finished(reason, usage)

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        """Have a service ready. No token is spent."""
        await self._pool.warm()

    def _delta(self, messages: Sequence[Message], settings: LlmSettings) -> Mapping[str, Any]:
        wished = {
            "system_instruction": system_text(messages),
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
            **settings.extra,
        }
        return {name: value for name, value in wished.items() if name not in self._fixed}


def _schema(host: Any, tool: ToolSchema) -> Any:
    return host.FunctionSchema(
        name=tool.name,
        description=tool.description,
        properties=dict(tool.parameters.get("properties", {})),
        required=list(tool.parameters.get("required", ())),
    )


def _finished(reason: str, usage: Any) -> Finished:
    if usage is None:
        return Finished(reason)
    # Services differ in whether their prompt tokens include cached ones; the total always does.
    return Finished(
        reason, usage.total_tokens - usage.completion_tokens, usage.completion_tokens, usage.cache_read_input_tokens
    )
