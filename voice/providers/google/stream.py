"""From the pieces of a streamed content to `LlmChunk`s."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from voice.providers.base import Finished, LlmChunk, ProviderError, TextDelta, ToolRequest
from voice.providers.failures import Failures, message_of
from voice.providers.google.calls import Calls, Made

_REASONS = {"STOP": "stop", "MAX_TOKENS": "length"}
_DECLINED = {
    "SAFETY": "its safety filter took offence",
    "RECITATION": "the answer would have recited somebody's text",
    "LANGUAGE": "it does not speak this language",
    "BLOCKLIST": "a forbidden word came up",
    "PROHIBITED_CONTENT": "the content is prohibited",
    "SPII": "the answer would have held personal data",
    "OTHER": "it gave no reason",
}


class ContentReader:
    """Reads one answer. Every piece is a whole response with some of the parts; usage is told again in each."""

    def __init__(self, failures: Failures, calls: Calls) -> None:
        self._failures = failures
        self._calls = calls
        self._usage: dict[str, int] = {}
        self._reason = ""
        self._begun = False
        self._has_called = False

    def event(self, event: dict[str, Any]) -> Iterator[LlmChunk]:
        if error := event.get("error"):
            raise self._failures.told(message_of(error))
        if blocked := (event.get("promptFeedback") or {}).get("blockReason"):
            raise self._failures.declined(_DECLINED.get(blocked, blocked))
        self._usage = event.get("usageMetadata") or self._usage
        for candidate in (event.get("candidates") or ())[:1]:
            self._begun = True
            for part in (candidate.get("content") or {}).get("parts") or ():
                yield from self._part(part)
            self._reason = candidate.get("finishReason") or self._reason
        if failure := self._failure():
            raise failure

    def end(self) -> Iterator[LlmChunk]:
        if not self._begun:
            raise self._failures.nothing()
        if not self._reason:
            raise self._failures.broken_off()
        answered = self._usage.get("candidatesTokenCount")
        thought = self._usage.get("thoughtsTokenCount")
        counted = answered is not None or thought is not None
        yield Finished(
            reason="tool_calls" if self._has_called else _REASONS.get(self._reason, self._reason.lower()),
            input_tokens=self._usage.get("promptTokenCount"),
            output_tokens=(answered or 0) + (thought or 0) if counted else None,
            cached_tokens=self._usage.get("cachedContentTokenCount"),
        )

    def _part(self, part: dict[str, Any]) -> Iterator[LlmChunk]:
        if part.get("thought"):
            return
        if text := part.get("text"):
            yield TextDelta(text)
        if call := part.get("functionCall"):
            self._has_called = True
            made = Made(call.get("id") or "", part.get("thoughtSignature") or "")
            yield ToolRequest(self._calls.remember(made), call["name"], json.dumps(call.get("args") or {}))

    def _failure(self) -> ProviderError | None:
        if self._reason in _DECLINED:
            return self._failures.declined(_DECLINED[self._reason])
        if self._reason in ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"):
            return self._failures.told(f"the model called a tool in a wrong way ({self._reason})")
        return None
