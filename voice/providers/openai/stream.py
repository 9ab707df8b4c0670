"""From the lines of a streamed chat completion to `LlmChunk`s, for servers that follow the protocol more or less."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from voice.providers.base import Finished, TextDelta, ToolRequest
from voice.providers.failures import message_of


class NotAStream(ValueError):
    """The server sent something that is not a chat completion."""


class ServerSaid(Exception):
    """The server reported an error in the middle of its answer."""


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


class Unthinking:
    """Drops `<think>…</think>` from text that comes in pieces: a reasoning model's thoughts are not for the caller."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._pending = ""
        self._thinking = False
        self._begun = False

    def feed(self, text: str) -> str:
        """What can be said of the text so far; the beginning of a tag is kept back until it is one or is not."""
        text, said = self._pending + text, ""
        self._pending = ""
        while text:
            tag = self._CLOSE if self._thinking else self._OPEN
            before, found, after = text.partition(tag)
            if not found:
                kept = _overlap(text, tag)
                self._pending = text[len(text) - kept :] if kept else ""
                before = text[: len(text) - kept]
            said += "" if self._thinking else before
            if found:
                self._thinking = not self._thinking
            text = after
        return self._trimmed(said)

    def rest(self) -> str:
        """What was kept back and is no tag, now that the text is over."""
        pending, self._pending = self._pending, ""
        return "" if self._thinking else self._trimmed(pending)

    def _trimmed(self, text: str) -> str:
        """The blank lines that follow a thought are no beginning of an answer."""
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        return text


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if tag.startswith(text[-size:])), 0)


class Assembler:
    """Takes the JSON of one chunk after another and gives the text at once, whole tool calls and the end at the end."""

    def __init__(self) -> None:
        self._calls: dict[object, _Call] = {}
        self._text = Unthinking()
        self._usage: dict[str, Any] = {}
        self.reason = ""
        """Why the model stopped; empty while it has not."""
        self.empty = True

    def data(self, data: str) -> Iterator[TextDelta]:
        """Take the data of one event of the stream."""
        if data and data != "[DONE]":
            yield from self.chunk(_parsed(data))

    def chunk(self, chunk: dict[str, Any]) -> Iterator[TextDelta]:
        """Take a chunk, or a whole completion from a server that does not stream."""
        if error := chunk.get("error"):
            raise ServerSaid(message_of(error))
        self._usage = chunk.get("usage") or self._usage
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices:
            return
        choice = choices[0]
        delta = choice.get("delta") or choice.get("message") or {}
        if text := self._text.feed(_text_of(delta.get("content"))):
            self.empty = False
            yield TextDelta(text)
        for place, call in enumerate(delta.get("tool_calls") or ()):
            self._tool(place, call)
        self.reason = choice.get("finish_reason") or self.reason

    def finish(self) -> Iterator[TextDelta | ToolRequest | Finished]:
        """The stream has ended well: what was kept back, the tool calls, and how it ended."""
        if rest := self._text.rest():
            yield TextDelta(rest)
        calls = [call for call in self._calls.values() if call.name]
        for number, call in enumerate(calls, 1):
            yield ToolRequest(call.id or f"call_{number}", call.name, call.arguments or "{}")
        details = self._usage.get("prompt_tokens_details") or {}
        yield Finished(
            reason="tool_calls" if calls else self.reason or "stop",
            input_tokens=self._usage.get("prompt_tokens"),
            output_tokens=self._usage.get("completion_tokens"),
            cached_tokens=details.get("cached_tokens"),
        )

    def _tool(self, place: int, call: dict[str, Any]) -> None:
        """Add to a call. Its index says which; servers that send whole calls may leave it out, or give all the same."""
        self.empty = False
        function = call.get("function") or {}
        index: object = call.get("index")
        if index is None:
            index = call.get("id") or place
        known = self._calls.get(index)
        if known is not None and known.id and call.get("id") not in (None, "", known.id) and function.get("name"):
            index = call["id"]
        known = self._calls.setdefault(index, _Call())
        known.id = known.id or call.get("id") or ""
        known.name = known.name or function.get("name") or ""
        arguments = function.get("arguments")
        known.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""


def _parsed(data: str) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except ValueError:
        raise NotAStream(data[:80]) from None
    if not isinstance(chunk, dict):
        raise NotAStream(data[:80])
    return chunk


def _text_of(content: object) -> str:
    """The text of a content, which some servers send in parts of several kinds."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, dict) and part.get("type") == "text")
        return "".join(str(part.get("text", "")) for part in parts)
    return ""
