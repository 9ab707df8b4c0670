"""The Responses API: OpenAI's newer way to ask for an answer, in typed items and typed events.

The conversation is ours and goes along whole with each request; the server is told to store nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from voice.providers.api import Api
from voice.providers.base import Finished, LlmChunk, LlmSettings, Message, TextDelta, ToolRequest, ToolSchema
from voice.providers.failures import Failures, message_of
from voice.providers.language import THINKING_TOKENS, HostedLlm, Request, Wish, system_text, text_of

_REASONING_MODEL = re.compile(r"(gpt-[5-9]|o\d)")


class OpenAiResponses(HostedLlm):
    """OpenAI's models; `base_url` is what comes before `/responses`."""

    def __init__(
        self, base_url: str, api_key: str, *, client: httpx.AsyncClient | None = None, name: str = "openai_responses"
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        super().__init__(Api(name, base_url, secret=api_key, headers=headers, client=client))

    def _request(self, messages: Sequence[Message], tools: Sequence[ToolSchema], settings: LlmSettings) -> Request:
        body: dict[str, Any] = {
            "model": settings.model,
            "input": [item for message in messages for item in _items(message)],
            "max_output_tokens": settings.max_tokens,
            "store": False,
            "stream": True,
        }
        if system := system_text(messages):
            body["instructions"] = system
        if tools:
            body["tools"] = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                    "strict": False,
                }
                for tool in tools
            ]
        return Request("/responses", body, wishes=_wishes(settings), extra=settings.extra)

    def _reader(self) -> ResponseReader:
        return ResponseReader(self._api.failures)


def _wishes(settings: LlmSettings) -> tuple[Wish, ...]:
    """As little reasoning as the model can be brought to: none since GPT-5.1, minimal in GPT-5, low in the o series."""
    wishes = [Wish(("temperature",), ({"temperature": settings.temperature},))]
    if _REASONING_MODEL.match(settings.model):
        room = {"max_output_tokens": settings.max_tokens + THINKING_TOKENS}
        none, minimal, low = ({"reasoning": {"effort": effort}} for effort in ("none", "minimal", "low"))
        wishes.append(Wish(("reasoning", "effort"), (none, minimal | room, low | room)))
    return tuple(wishes)


def _items(message: Message) -> Iterator[dict[str, Any]]:
    """A message as input items: its text, and each of its tool calls."""
    text = text_of(message)
    if message["role"] == "tool":
        yield {"type": "function_call_output", "call_id": message["tool_call_id"], "output": text}
    elif text and message["role"] in ("user", "assistant"):
        yield {"role": message["role"], "content": text}
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield {
            "type": "function_call",
            "call_id": call["id"],
            "name": function["name"],
            "arguments": function["arguments"],
        }


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: str


class ResponseReader:
    """Reads one response, whose output comes in numbered items: messages, tool calls, and reasoning."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._calls: dict[int, _Call] = {}
        self._response: dict[str, Any] = {}
        self._begun = False

    def event(self, event: dict[str, Any]) -> Iterator[LlmChunk]:
        match event.get("type"):
            case "response.created":
                self._begun = True
            case "response.output_text.delta" | "response.refusal.delta":
                self._begun = True
                if event["delta"]:
                    yield TextDelta(event["delta"])
            case "response.output_item.added" | "response.output_item.done" if event["item"]["type"] == "function_call":
                item = event["item"]
                self._calls[event["output_index"]] = _Call(item["call_id"], item["name"], item.get("arguments") or "")
            case "response.function_call_arguments.delta":
                self._calls[event["output_index"]].arguments += event["delta"]
            case "response.function_call_arguments.done":
                self._calls[event["output_index"]].arguments = event["arguments"]
            case "response.completed" | "response.incomplete":
                self._response = event["response"]
                self._judge(self._response.get("incomplete_details") or {})
            case "response.failed":
                raise self._failures.told(message_of(event["response"].get("error")))
            case "error":
                raise self._failures.told(message_of(event.get("error") or event))

    def end(self) -> Iterator[LlmChunk]:
        if not self._response:
            raise self._failures.broken_off() if self._begun else self._failures.nothing()
        for _, call in sorted(self._calls.items()):
            yield ToolRequest(call.id, call.name, call.arguments or "{}")
        usage = self._response.get("usage") or {}
        yield Finished(
            reason=self._reason(),
            input_tokens=usage.get("input_tokens"),
            output_tokens=usage.get("output_tokens"),
            cached_tokens=(usage.get("input_tokens_details") or {}).get("cached_tokens"),
        )

    def _reason(self) -> str:
        if self._calls:
            return "tool_calls"
        return "length" if self._response.get("incomplete_details") else "stop"

    def _judge(self, incomplete: dict[str, Any]) -> None:
        """Being cut short is an end like any other; being filtered is none."""
        if incomplete.get("reason") == "content_filter":
            raise self._failures.declined("its content filter took offence")
