"""The adapter: how the Messages API is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from voice.providers.anthropic.messages import CACHED, conversation
from voice.providers.anthropic.stream import MessageReader
from voice.providers.api import Api
from voice.providers.base import LlmSettings, Message, ToolSchema
from voice.providers.language import THINKING_TOKENS, HostedLlm, Request, Wish, model_ids, system_text

_VERSION = "2023-06-01"


class AnthropicLlm(HostedLlm):
    """Claude; `base_url` is what comes before `/messages`.

    The instructions, the tools and the conversation so far are kept in the vendor's prompt cache from turn to turn.
    """

    def __init__(
        self, base_url: str, api_key: str, *, client: httpx.AsyncClient | None = None, name: str = "anthropic"
    ) -> None:
        headers = {"x-api-key": api_key, "anthropic-version": _VERSION}
        super().__init__(Api(name, base_url, secret=api_key, headers=headers, client=client))

    async def list_models(self) -> list[str]:
        """The names of the models that the key may use, in alphabetical order. Raises ProviderError."""
        return await model_ids(self._api, params={"limit": "1000"})

    def _request(self, messages: Sequence[Message], tools: Sequence[ToolSchema], settings: LlmSettings) -> Request:
        body: dict[str, Any] = {
            "model": settings.model,
            "max_tokens": settings.max_tokens,
            "messages": conversation(messages),
            "stream": True,
        }
        if system := system_text(messages):
            body["system"] = [{"type": "text", "text": system, "cache_control": CACHED}]
        if tools:
            body["tools"] = [
                {
                    "name": tool.name,
                    "description": tool.description,
                    "input_schema": {"type": "object", **tool.parameters},
                }
                for tool in tools
            ]
        return Request("/messages", body, wishes=_wishes(settings), extra=settings.extra)

    def _reader(self) -> MessageReader:
        return MessageReader(self._api.failures)


def _wishes(settings: LlmSettings) -> tuple[Wish, ...]:
    """Models of 2026 take no temperature, and the largest cannot be kept from thinking, but told to think little."""
    little = {"output_config": {"effort": "low"}, "max_tokens": settings.max_tokens + THINKING_TOKENS}
    return (
        Wish(("temperature",), ({"temperature": min(settings.temperature, 1.0)},)),
        Wish(("thinking", "effort"), ({"thinking": {"type": "disabled"}}, little)),
    )
