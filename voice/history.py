"""What a language model is told of the conversation: messages in the OpenAI shape, made from what came of each turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from voice.providers.base import Message, ToolRequest
from voice.toolbox import Result


def assistant(text: str, wanted: Sequence[ToolRequest]) -> Message:
    """What the model has said, and the tools that it has asked for."""
    message: Message = {"role": "assistant", "content": text}
    if wanted:
        message["tool_calls"] = [
            {"id": w.id, "type": "function", "function": {"name": w.name, "arguments": w.arguments}} for w in wanted
        ]
    return message


def told(result: Result) -> Message:
    return _result(result.request.id, result.text)


def answered(made: Sequence[Message], missing: Callable[[str], str]) -> list[Message]:
    """`made` with a result behind every tool call: the turn may have ended before the last ones had theirs."""
    calls = made[-1].get("tool_calls", ()) if made else ()
    return [*made, *(_result(call["id"], missing(call["id"])) for call in calls)]


def as_heard(made: Sequence[Message], words: str) -> list[Message]:
    """The messages of an interrupted turn, with the words of the agent that were heard in place of those written."""
    left, heard = words.split(), list[Message]()
    for message in made:
        if message["role"] == "assistant":
            count = len(str(message["content"]).split())
            message = {**message, "content": " ".join(left[:count])}
            left = left[count:]
        heard.append(message)
    if left:
        heard.append({"role": "assistant", "content": " ".join(left)})
    said = [message for message in heard if message["role"] == "assistant" and message["content"]]
    if said:
        said[-1]["content"] += " —"
    return [message for message in heard if not is_empty(message)]


def is_empty(message: Message) -> bool:
    """Neither words nor tools: no vendor takes such a message."""
    return message["role"] == "assistant" and not message["content"] and not message.get("tool_calls")


def joined(messages: Iterable[Message]) -> list[Message]:
    """The messages as models want them: caller turns without an answer between them become one."""
    result: list[Message] = []
    for message in messages:
        if result and message["role"] == result[-1]["role"] == "user":
            result[-1] = {"role": "user", "content": f"{result[-1]['content']} {message['content']}"}
        else:
            result.append(message)
    return result


def _result(request_id: str, text: str) -> Message:
    return {"role": "tool", "tool_call_id": request_id, "content": text}
