"""What was said and done in a realtime session, to be told to the next one when its connection is lost."""

from __future__ import annotations

from typing import Any

from voice.providers.base import ToolRequest

_UNKNOWN = "[The caller said something here that was not written down.]"


class Items:
    """A conversation as the server remembers it, in words, in its order."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Any]] = {}
        self._made = 0

    def heard(self, item: str) -> None:
        """The caller has said something, whose words are still to come."""
        self._items.setdefault(item, caller_said(_UNKNOWN))

    def understood(self, item: str, text: str) -> None:
        """What the caller said. Not even a word: it was a noise."""
        if item in self._items and text:
            self._items[item] = caller_said(text)
        elif not text:
            self._items.pop(item, None)

    def wrote(self, item: str, text: str) -> None:
        """Some more of what the agent says."""
        said = self._items.setdefault(item, _agent_said(""))
        said["content"][0]["text"] += text

    def cut(self, item: str, text: str) -> None:
        """Only `text` of it was heard."""
        if not text:
            self._items.pop(item, None)
        elif item in self._items:
            self._items[item] = _agent_said(text)

    def called(self, request: ToolRequest) -> None:
        """The agent has asked for a tool."""
        self._items[request.id] = {
            "type": "function_call",
            "call_id": request.id,
            "name": request.name,
            "arguments": request.arguments,
        }

    def add(self, item: dict[str, Any]) -> None:
        """An item that we have made."""
        self._made += 1
        self._items[f"ours-{self._made}"] = item

    def all(self) -> list[dict[str, Any]]:
        """The items to create again. Of tools only those whose result is known."""
        results = {item["call_id"] for item in self._items.values() if item["type"] == "function_call_output"}
        return [
            item
            for item in self._items.values()
            if (item["type"] != "function_call" or item["call_id"] in results)
            and (item["type"] != "message" or item["content"][0]["text"].strip())
        ]


def caller_said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def result_of(request: str, text: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": request, "output": text}


def _agent_said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
