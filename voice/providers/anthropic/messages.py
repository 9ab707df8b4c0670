"""From chat messages in the OpenAI shape to those of the Messages API.

There the instructions stand apart, caller and agent take turns with the caller first, tool calls are blocks of the
agent's message, and their results blocks of the caller's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from voice.providers.base import Message
from voice.providers.language import Turn, alternating, arguments_of, text_of

CACHED = {"type": "ephemeral"}
"""Marks a block: what comes up to its end is kept for some minutes, and read again at a tenth of the price."""


def conversation(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The conversation without its instructions, to be cached up to its end."""
    turns = alternating(_turns(messages), caller="user", text=_text)
    turns[-1][1][-1]["cache_control"] = CACHED
    return [{"role": role, "content": blocks} for role, blocks in turns]


def _turns(messages: Sequence[Message]) -> Iterator[Turn]:
    for message in messages:
        text = text_of(message)
        match message["role"]:
            case "user":
                yield "user", _text(text)
            case "tool":
                yield "user", [{"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": text}]
            case "assistant":
                calls = [_call(call) for call in message.get("tool_calls") or ()]
                yield "assistant", [*_text(text), *calls]


def _text(text: str) -> list[dict[str, Any]]:
    """A block of text; a blank one is refused."""
    return [{"type": "text", "text": text}] if text.strip() else []


def _call(call: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": call["id"], "name": call["function"]["name"], "input": arguments_of(call)}
