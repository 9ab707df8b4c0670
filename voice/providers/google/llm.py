"""The adapter: how the Gemini API is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx

from voice.providers.api import Api
from voice.providers.base import LlmSettings, Message, ToolSchema
from voice.providers.google.calls import Calls
from voice.providers.google.contents import conversation
from voice.providers.google.schema import understood
from voice.providers.google.stream import ContentReader
from voice.providers.language import THINKING_TOKENS, HostedLlm, Request, Wish, system_text


class GoogleLlm(HostedLlm):
    """Gemini; `base_url` is what comes before `/models`."""

    def __init__(
        self, base_url: str, api_key: str, *, client: httpx.AsyncClient | None = None, name: str = "google"
    ) -> None:
        super().__init__(Api(name, base_url, secret=api_key, headers={"x-goog-api-key": api_key}, client=client))
        self._calls = Calls()

    async def list_models(self) -> list[str]:
        """The names of the models that can chat, in alphabetical order. Raises ProviderError."""
        answer = await self._api.json("GET", "/models", what="list of models", params={"pageSize": "1000"})
        try:
            return sorted(
                str(model["name"]).removeprefix("models/")
                for model in answer["models"]
                if "generateContent" in model["supportedGenerationMethods"]
            )
        except (KeyError, TypeError):
            raise self._api.failures.garbled(str(answer)) from None

    def _request(self, messages: Sequence[Message], tools: Sequence[ToolSchema], settings: LlmSettings) -> Request:
        signed = not _is_second_generation(settings.model)
        body: dict[str, Any] = {
            "contents": conversation(messages, self._calls, signed=signed),
            "generationConfig": {"maxOutputTokens": settings.max_tokens},
        }
        if system := system_text(messages):
            body["systemInstruction"] = {"parts": [{"text": system}]}
        if tools:
            body["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in tools]}]
        name = quote(settings.model.removeprefix("models/"), safe="")
        path = f"/models/{name}:streamGenerateContent"
        return Request(path, body, wishes=_wishes(settings), extra=settings.extra, params={"alt": "sse"})

    def _reader(self) -> ContentReader:
        return ContentReader(self._api.failures, self._calls)


def _declaration(tool: ToolSchema) -> dict[str, Any]:
    declaration: dict[str, Any] = {"name": tool.name, "description": tool.description}
    # An object without properties is refused: a tool without parameters has no schema at all.
    if tool.parameters.get("properties"):
        declaration["parameters"] = understood(tool.parameters)
    return declaration


def _wishes(settings: LlmSettings) -> tuple[Wish, ...]:
    """As little thinking as the model can be brought to. Its second generation counts thoughts in tokens, later ones
    know levels, and the larger models of both always think."""
    least: tuple[dict[str, Any], dict[str, Any]]
    if _is_second_generation(settings.model):
        least = ({"thinkingBudget": 0}, {"thinkingBudget": 128})
    else:
        least = ({"thinkingLevel": "minimal"}, {"thinkingLevel": "low"})
    none, little = ({"thinkingConfig": config} for config in least)
    little["maxOutputTokens"] = settings.max_tokens + THINKING_TOKENS  # type: ignore[assignment]
    return (
        Wish(("temperature",), ({"generationConfig": {"temperature": settings.temperature}},)),
        Wish(("thinking", "budget"), ({"generationConfig": none}, {"generationConfig": little})),
    )


def _is_second_generation(model: str) -> bool:
    return model.removeprefix("models/").startswith("gemini-2")
