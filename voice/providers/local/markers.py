"""Tools for a model that was not taught to call any: it writes a marker at the end of what it says.

`Thank you for calling, goodbye! [end_call]`, or with arguments `[book {"day": "Friday"}]`. So what is to be spoken
streams at once, and a tool costs a few tokens. A marker is never spoken.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence

from voice.providers.base import Message, TextDelta, ToolRequest, ToolSchema

# A bracket that is not closed within so many characters was none of ours.
LONGEST_MARKER = 400
_FLAGS = re.DOTALL | re.IGNORECASE
_numbers = itertools.count(1)
# A small model hangs up too readily: it needs to see when to, and when not to.
_HANGING_UP = (
    "Hang up only when the caller says goodbye or needs nothing more. Examples:",
    'Caller: "Thanks, bye!" You: "You\'re welcome, goodbye! [end_call]"',
    'Caller: "No, that was all." You: "Thank you for calling, goodbye! [end_call]"',
    'Caller: "I would like an appointment." You: "Of course. Which day suits you?"',
    'Caller: "Is Ms. Jones there?" You: "I don\'t know, but a colleague can call you back."',
)


def instructions(tools: Sequence[ToolSchema]) -> str:
    """What the model is told about the tools, before its prompt: behind it, it answers from these examples rather than
    from the prompt's facts."""
    if not tools:
        return ""
    lines = ["You have these actions. Write the action in brackets, after your words, when its moment has come:"]
    for tool in tools:
        names = list(tool.parameters.get("properties", {}))
        required = [name for name in names if name in tool.parameters.get("required", ())]
        arguments = f" {json.dumps(dict.fromkeys(required, '...'))}" if required else ""
        lines.append(f"[{tool.name}{arguments}] {tool.description}")
    if any(tool.name == "end_call" for tool in tools):
        lines += _HANGING_UP
    return "\n".join(lines)


def rendered(messages: Sequence[Message], tools: Sequence[ToolSchema]) -> list[Message]:
    """A conversation as the model reads it: system, user and assistant only, tool calls as the markers it wrote."""
    told = instructions(tools)
    result: list[Message] = []
    names: dict[str, str] = {}
    for message in messages:
        role, content = message["role"], str(message.get("content") or "")
        if role == "assistant":
            for call in message.get("tool_calls") or ():
                names[call["id"]] = call["function"]["name"]
                content = f"{content} {_marker(call['function'])}".strip()
        elif role == "tool":
            role, content = "user", f"[{names.get(message.get('tool_call_id', ''), 'action')}: {content}]"
        result.append({"role": role, "content": content})
    if told:
        if result and result[0]["role"] == "system":
            result[0] = {"role": "system", "content": f"{told}\n\n{result[0]['content']}".strip()}
        else:
            result.insert(0, {"role": "system", "content": told})
    return result


def _marker(function: Message) -> str:
    arguments = str(function.get("arguments") or "{}")
    return f"[{function['name']}]" if arguments == "{}" else f"[{function['name']} {arguments}]"


class MarkerReader:
    """Takes the model's text as it comes; gives the text to speak at once, and the tools that it asks for.

    Text is held back only from an opening bracket on, until it is known to be a marker or none. After the first tool
    nothing more is spoken. A marker whose arguments are no JSON is given as it was written: whoever asks for it sees to
    that.
    """

    def __init__(self, tools: Sequence[ToolSchema]) -> None:
        self._names = {_plain(tool.name): tool.name for tool in tools}
        # The longest first: "book table" is not the tool "book".
        longest_first = sorted((tool.name for tool in tools), key=len, reverse=True)
        names = "|".join(r"[\s_-]*".join(map(re.escape, re.split(r"[\s_-]+", name))) for name in longest_first)
        self._begun = re.compile(rf"\[\s*({names})(?![\w-])", re.IGNORECASE)
        # Either with JSON, in which there may be brackets, or with anything else up to the closing one.
        self._whole = re.compile(rf"{self._begun.pattern}\s*(?:[:(]?\s*(\{{.*\}})\s*\)?\s*|([^\[\]]*))\]", _FLAGS)
        self._held = ""
        self._last = ""
        self.asked = False

    def push(self, text: str) -> Iterator[TextDelta | ToolRequest]:
        if not self._names:
            yield TextDelta(text)
            return
        self._held += text
        while self._held:
            bracket = self._held.find("[")
            if bracket < 0:
                yield from self._speak(len(self._held.rstrip()) or 0)
                return
            yield from self._speak(len(self._held[:bracket].rstrip()))
            start = self._held.find("[")
            if match := self._whole.match(self._held, start):
                self._held = self._held[match.end() :]
                yield from self._ask(match[1], match[2] or match[3])
            elif len(self._held) > LONGEST_MARKER or not self._may_be_marker(start):
                yield from self._speak(start + 1)
            else:
                return

    def finish(self) -> Iterator[TextDelta | ToolRequest]:
        """The end of the text. An opened marker that names a tool and was never closed counts as written."""
        opened = self._begun.match(self._held.lstrip()) if self._names else None
        if opened and not self.asked:
            yield from self._ask(opened[1], self._held.lstrip()[opened.end() :])
        else:
            yield from self._speak(len(self._held.rstrip()))
        self._held = ""

    def _ask(self, written: str, arguments: str) -> Iterator[ToolRequest]:
        """Nobody asks a question and hangs up: such a marker was written by mistake."""
        name = self._names[_plain(written)]
        if name == "end_call" and self._last == "?":
            return
        self.asked = True
        yield ToolRequest(f"local-{next(_numbers)}", name, arguments.strip(" \n:()") or "{}")

    def _may_be_marker(self, start: int) -> bool:
        """Whether what is held from the bracket on can still become the marker of a tool."""
        written = _plain(self._held[start + 1 :])
        return bool(self._begun.match(self._held, start)) or any(name.startswith(written) for name in self._names)

    def _speak(self, count: int) -> Iterator[TextDelta]:
        """Let go of the first `count` characters. White space waits for what comes after it."""
        text, self._held = self._held[:count], self._held[count:]
        if text and not self.asked:
            self._last = text.rstrip()[-1:] or self._last
            yield TextDelta(text)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).lower()
