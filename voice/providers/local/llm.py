"""The local language model for calls."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from voice.providers.base import Finished, LlmChunk, LlmSettings, Message, ProviderError, ToolRequest, ToolSchema
from voice.providers.local.client import NAME, Connection
from voice.providers.local.forms import filled_in, form
from voice.providers.local.markers import MarkerReader, rendered
from voice.tools.arguments import complaint, parsed

# What the arguments of a tool may take.
FORM_TOKENS = 200


class LocalLlm:
    """Qwen through the model process. It knows one model, whatever the settings name.

    It is too small to write arguments that always fit: where they do not, it is asked for them once more, with a
    grammar that leaves it no choice.
    """

    name = "local-qwen"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        reader = MarkerReader(tools)
        asked = rendered(messages, tools)
        written, wanted = "", list[ToolRequest]()
        end: Finished | None = None
        request = self._connection.request(
            "llm",
            messages=asked,
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
                written += header["text"]
                for chunk in reader.push(header["text"]):
                    if isinstance(chunk, ToolRequest):
                        wanted.append(chunk)
                    else:
                        yield chunk
        if end is None:
            raise ProviderError(NAME, "The local language model broke off.", retryable=True)
        for chunk in reader.finish():
            if isinstance(chunk, ToolRequest):
                wanted.append(chunk)
            else:
                yield chunk
        # Only now is the model free to be asked again, and still has the conversation in mind.
        said: Message = {"role": "assistant", "content": written.strip()}
        for tool_request in wanted:
            schema = next(tool for tool in tools if tool.name == tool_request.name)
            yield await self._fitting(tool_request, schema, [*asked, said])
        yield replace(end, reason="tool_calls") if reader.asked else end

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        with contextlib.suppress(ProviderError):
            await self._connection.one("warm", messages=rendered(messages, tools))

    def constrained(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """What holds an answer to a JSON Schema: a grammar is made of it."""
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "form", "schema": schema}}}

    async def _fitting(self, request: ToolRequest, schema: ToolSchema, asked: Sequence[Message]) -> ToolRequest:
        """The request with arguments that fit, if the conversation has them."""
        if not complaint(schema, parsed(request.arguments)):
            return request
        try:
            written = parsed(await self._fill_in(schema, asked))
        except ProviderError:
            written = None
        if written is None:
            return request
        heard = " ".join(message["content"] for message in asked if message["role"] != "system")
        return replace(request, arguments=json.dumps(filled_in(written, schema, heard)))

    async def _fill_in(self, schema: ToolSchema, asked: Sequence[Message]) -> str:
        """The arguments of a tool, written under a grammar. What is not known is null. Raises ProviderError."""
        question = (
            f"[Fill in the form of {schema.name}, from what I have told you. "
            "Write null for everything that I have not told you.]"
        )
        request = self._connection.request(
            "llm",
            messages=[*asked, {"role": "user", "content": question}],
            temperature=0.0,
            max_tokens=FORM_TOKENS,
            extra=self.constrained(form(schema)),
        )
        async with contextlib.aclosing(request) as events:  # type: ignore[type-var]
            return "".join([header.get("text", "") async for header, _ in events])
