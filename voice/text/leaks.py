"""Tool calls that a model prints as text: found while it is written, so that a caller never hears JSON read out."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voice.providers.base import TextDelta, ToolRequest

# How a call begins that was meant for a machine, whatever follows...
_SURE = ("<tool_call", "<function", "<|python_tag|>", "<|tool_call", "[TOOL_CALLS]", "functions.")
# ...and how one may begin: a brace only with a quote behind it, a fence only around such a thing.
_UNSURE = ("{", "[{", "```")
# What stands before the call's bracket: fences, tags, a name.
_HEAD = re.compile(
    r"(?:```\w*|<[^<>{]*>|\[TOOL_CALLS\]|\s)*(?:(?:functions\.)?(?P<name>[\w-]+)(?::\d+)?\s*)?(?!\[TOOL_CALLS)(?=[\[{(])"
)
_TAGGED = re.compile(r"<function=([\w-]+)>")
_OBJECT = re.compile(r"[\[{(]\s*(?:\{\s*)?(?:[\"'}]|$)")
_CLOSERS = ("```", "</tool_call>", "</function>", "</function_call>", "<|tool_call_end|>", "<|eom_id|>")
# So much is looked at before something that may begin a call is taken for speech, and so much before a call that
# does not end is taken for none.
UNDECIDED = 40
LONGEST = 4_000
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Leak:
    """Text that was meant for a machine and names no known tool. It must not be spoken."""

    text: str


Part = TextDelta | ToolRequest | Leak


class LeakGuard:
    """Takes a model's text as it comes and gives back what is to be spoken: at once, unless it may begin a tool call.

    `names` are the tools that there are. Ordinary braces and brackets pass. Behind a call nothing is spoken, for it
    would be a result that the model has made up.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._openers = (*_SURE, *_UNSURE, *(f"{name}(" for name in names))
        letters = {re.escape(opener[0]) for opener in self._openers if opener[0].isalnum()}
        self._maybe = re.compile(rf"[{{<`\[]|\b[{''.join(sorted(letters))}]")
        self._held = ""
        self._closing = False
        self._asked = False

    def push(self, text: str) -> Iterator[Part]:
        """The parts that are certain now that `text` has come."""
        self._held += text
        yield from self._parts(over=False)

    def finish(self) -> Iterator[Part]:
        """The rest: no more text comes."""
        yield from self._parts(over=True)

    def _parts(self, *, over: bool) -> Iterator[Part]:
        while self._held and self._closed(over=over):
            yield from self._speak(self._begin(over=over))
            if not self._held:
                return
            size = self._size(over=over)
            if size is None:
                return
            if size == 0:
                yield from self._speak(1)
                continue
            written, self._held = self._held[:size], self._held[size:]
            self._closing = True
            if requests := self._requests(written):
                self._asked = True
                yield from requests
            else:
                yield Leak(written)

    def _speak(self, count: int) -> Iterator[TextDelta]:
        text, self._held = self._held[:count], self._held[count:]
        if text and not self._asked:
            yield TextDelta(text)

    def _begin(self, *, over: bool) -> int:
        """Where a call begins, or may begin once more text has come."""
        for match in self._maybe.finditer(self._held):
            rest = self._held[match.start() :]
            if rest.startswith(self._openers) or (not over and any(o.startswith(rest) for o in self._openers)):
                return match.start()
        return len(self._held)

    def _closed(self, *, over: bool) -> bool:
        """Drop the fence or tag behind a call. False while that may still be coming."""
        while self._closing:
            rest = self._held.lstrip(" \n;")
            closer = next((closer for closer in _CLOSERS if rest.startswith(closer)), "")
            if closer:
                self._held = rest[len(closer) :]
            elif not over and any(closer.startswith(rest) for closer in _CLOSERS):
                return False
            else:
                self._closing = False
        return True

    def _size(self, *, over: bool) -> int | None:
        """How long the call is that may begin what is held: None if more text must tell, 0 if it is none."""
        held = self._held
        if not over and any(opener.startswith(held) and opener != held for opener in self._openers):
            return None
        sure = held.startswith(_SURE)
        head = _HEAD.match(held)
        if head is None:
            if over or len(held) > (LONGEST if sure else UNDECIDED):
                return len(held) if sure else 0
            return None
        start = head.end()
        if not sure and not head["name"] and not _OBJECT.match(held, start):
            return 0
        end = _end(held, start)
        if end is None and (over or len(held) > LONGEST):
            return len(held) if sure or len(held) > start + 1 else 0
        return end

    # --- what a call says

    def _requests(self, written: str) -> list[ToolRequest]:
        """The known tools that a call names; none if it names another one, too."""
        head = _HEAD.match(written)
        if head is None:
            return []
        tagged = _TAGGED.search(written)
        name = tagged[1] if tagged else head["name"]
        value = _value(written[head.end() :])
        calls = [(name, value)] if name else list(_calls(value, self._names))
        if not all(called in self._names and isinstance(arguments, dict | str) for called, arguments in calls):
            return []
        return [ToolRequest(f"said-{next(_numbers)}", called, _text(arguments)) for called, arguments in calls]


def _end(text: str, start: int) -> int | None:
    """Where the bracket that opens at `start` is closed; None if it is not."""
    depth, quote, escaped = 0, "", False
    for place in range(start, len(text)):
        sign = text[place]
        if quote:
            if escaped or sign == "\\":
                escaped = not escaped
            elif sign == quote:
                quote = ""
        elif sign in "\"'":
            quote = sign
        elif sign in "{[(":
            depth += 1
        elif sign in "}])":
            depth -= 1
            if depth == 0:
                return place + 1
    return None


def _value(source: str) -> Any:
    """What a bracketed text holds: JSON, a Python literal, or the arguments of a Python call. None if nothing known."""
    if source.startswith("(") and source.endswith(")"):
        inside = source[1:-1].strip()
        if inside.startswith("{"):
            return _value(inside)
        try:
            call = ast.parse(f"f({inside})", mode="eval").body
            return {word.arg: ast.literal_eval(word.value) for word in call.keywords}  # type: ignore[attr-defined]
        except (SyntaxError, ValueError):
            return None
    try:
        return json.loads(source)
    except ValueError:
        try:
            return ast.literal_eval(source)
        except (SyntaxError, ValueError):
            return None


def _calls(value: Any, names: Collection[str]) -> Iterator[tuple[str, Any]]:
    """The (name, arguments) in a printed call, in the shapes that models know from their training."""
    if isinstance(value, list):
        for one in value:
            yield from _calls(one, names)
    elif isinstance(value, Mapping):
        if isinstance(inner := value.get("tool_calls") or value.get("tool_uses") or value.get("function"), dict | list):
            yield from _calls(inner, names)
        elif name := next((value[key] for key in ("name", "tool", "function", "recipient_name") if key in value), None):
            given = (value[key] for key in ("arguments", "parameters", "args", "input") if key in value)
            yield str(name).removeprefix("functions."), next(given, {})
        elif len(value) == 1 and (only := next(iter(value))) in names:
            yield only, value[only]


def _text(arguments: Mapping[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)
