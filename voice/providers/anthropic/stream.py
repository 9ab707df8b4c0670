"""From the events of a streamed message to `LlmChunk`s."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from voice.providers.base import Finished, LlmChunk, TextDelta, ToolRequest
from voice.providers.failures import Failures, message_of

_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: str


class MessageReader:
    """Reads one message, whose content comes in numbered blocks: text, tool calls, and thoughts, which nobody hears."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._calls: dict[int, _Call] = {}
        self._usage: dict[str, int] = {}
        self._reason = ""
        self._begun = False
        self._ended = False

    def event(self, event: dict[str, Any]) -> Iterator[LlmChunk]:
        match event.get("type"):
            case "message_start":
                self._begun = True
                self._count(event["message"].get("usage"))
            case "content_block_start":
                yield from self._block(event["index"], event["content_block"])
            case "content_block_delta":
                yield from self._delta(event["index"], event["delta"])
            case "content_block_stop":
                if call := self._calls.pop(event["index"], None):
                    yield ToolRequest(call.id, call.name, call.arguments or "{}")
            case "message_delta":
                self._count(event.get("usage"))
                self._stop(event["delta"])
            case "message_stop":
                self._ended = True
            case "error":
                raise self._failures.told(message_of(event.get("error")))

    def end(self) -> Iterator[LlmChunk]:
        if not self._begun:
            raise self._failures.nothing()
        if not self._ended:
            raise self._failures.broken_off()
        cached = self._usage.get("cache_read_input_tokens")
        written = self._usage.get("cache_creation_input_tokens", 0)
        read = self._usage.get("input_tokens")
        yield Finished(
            reason=_REASONS.get(self._reason, self._reason or "stop"),
            # The vendor counts what came from its cache, or went into it, apart.
            input_tokens=None if read is None else read + written + (cached or 0),
            output_tokens=self._usage.get("output_tokens"),
            cached_tokens=cached,
        )

    def _block(self, index: int, block: dict[str, Any]) -> Iterator[TextDelta]:
        if block["type"] == "tool_use":
            given = block.get("input")
            self._calls[index] = _Call(block["id"], block["name"], json.dumps(given) if given else "")
        elif block["type"] == "text" and block.get("text"):
            yield TextDelta(block["text"])

    def _delta(self, index: int, delta: dict[str, Any]) -> Iterator[TextDelta]:
        if delta["type"] == "text_delta" and delta["text"]:
            yield TextDelta(delta["text"])
        elif delta["type"] == "input_json_delta" and index in self._calls:
            self._calls[index].arguments += delta["partial_json"]

    def _stop(self, delta: dict[str, Any]) -> None:
        self._reason = delta.get("stop_reason") or self._reason
        if self._reason == "refusal":
            details = delta.get("stop_details") or {}
            raise self._failures.declined(details.get("explanation") or details.get("category") or "refusal")

    def _count(self, usage: dict[str, int | None] | None) -> None:
        """Take the counts so far; they come cumulative, and not all in each event."""
        self._usage |= {name: count for name, count in (usage or {}).items() if isinstance(count, int)}
