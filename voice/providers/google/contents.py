"""From chat messages in the OpenAI shape to the contents of the Gemini API.

There the instructions stand apart, caller and model take turns, tool calls are parts of the model's content and their
results parts of the caller's, which name the tool. A call goes back with the id and signature that it came with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from voice.providers.base import Message
from voice.providers.google.calls import Calls
from voice.providers.language import Turn, alternating, arguments_of, text_of

# Stands for the signature of a call that another model made, as Google's documentation allows.
_NO_SIGNATURE = "skip_thought_signature_validator"


def conversation(messages: Sequence[Message], calls: Calls, *, signed: bool) -> list[dict[str, Any]]:
    """The conversation without its instructions. `signed` says that the model refuses calls without a signature."""
    turns = alternating(_turns(messages, calls, signed), caller="user", text=_text)
    return [{"role": role, "parts": parts} for role, parts in turns]


def _turns(messages: Sequence[Message], calls: Calls, signed: bool) -> Iterator[Turn]:
    names: dict[str, str] = {}
    for message in messages:
        match message["role"]:
            case "user":
                yield "user", _text(text_of(message))
            case "tool":
                call = message["tool_call_id"]
                result = {"name": names.get(call, "unknown"), "response": {"result": text_of(message)}}
                yield "user", [{"functionResponse": result | _id(call, calls)}]
            case "assistant":
                asked: list[dict[str, Any]] = message.get("tool_calls") or []
                names |= {call["id"]: call["function"]["name"] for call in asked}
                parts = [_call(call, calls) for call in asked]
                if signed and asked and calls.recall(asked[0]["id"]) is None:
                    parts[0]["thoughtSignature"] = _NO_SIGNATURE
                yield "model", [*_text(text_of(message)), *parts]


def _text(text: str) -> list[dict[str, Any]]:
    return [{"text": text}] if text.strip() else []


def _call(call: dict[str, Any], calls: Calls) -> dict[str, Any]:
    function = {"name": call["function"]["name"], "args": arguments_of(call)} | _id(call["id"], calls)
    made = calls.recall(call["id"])
    signature = {"thoughtSignature": made.signature} if made and made.signature else {}
    return {"functionCall": function} | signature


def _id(call: str, calls: Calls) -> dict[str, str]:
    made = calls.recall(call)
    return {"id": made.id} if made and made.id else {}
