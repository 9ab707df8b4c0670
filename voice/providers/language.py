"""What the adapters to hosted language models share.

A vendor's adapter says how a request is written and how its events are read. The rest is here: the connection, the way
from one to the other, and fields that not every model takes.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from voice.providers.api import Api
from voice.providers.base import LlmChunk, LlmSettings, Message, ToolSchema
from voice.providers.failures import Refused

# A model that cannot be kept from thinking does it out of the same allowance as it answers.
THINKING_TOKENS = 1024

# What stands for the caller where a vendor wants them to have the first and the last word, and the agent had it.
OPENING = "(The call begins.)"
SILENCE = "(The caller is silent.)"

Turn = tuple[str, list[dict[str, Any]]]
"""Who speaks, in the vendor's word for it, and the blocks of what they say."""


class Reader(Protocol):
    """Reads one answer."""

    def event(self, event: dict[str, Any]) -> Iterator[LlmChunk]:
        """What an event of the stream tells. Raises ProviderError for one that tells of a failure."""

    def end(self) -> Iterator[LlmChunk]:
        """The stream is over: what was still to tell, `Finished` the last. Raises ProviderError if it broke off."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Something asked of a model that not every model grants. `words` are those by which a refusal names it, `choices`
    the fields that ask for it, the best first. Where all are refused it is not asked."""

    words: tuple[str, ...]
    choices: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A request for an answer. `path` follows the base URL, `extra` is laid over all the rest."""

    path: str
    body: Mapping[str, Any]
    wishes: Sequence[Wish] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, str] | None = None


class HostedLlm(ABC):
    """A vendor's language models. One object serves all calls, over connections that are kept; `close` closes them."""

    def __init__(self, api: Api) -> None:
        self.name = api.name
        self._api = api
        self._refused: dict[tuple[str, tuple[str, ...]], int] = {}
        """How many choices of a wish a model has refused, by the model and the wish's words."""

    async def close(self) -> None:
        await self._api.close()

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        """Answer a conversation. Closing the iterator closes the connection, which stops the model."""
        reader = self._reader()
        async with (
            self._open(self._request(messages, tools, settings), settings.model) as response,
            aclosing(self._api.sse_json(response)) as events,  # type: ignore[type-var]
        ):
            async for event in events:
                for chunk in self._told(reader, event):
                    yield chunk
        for chunk in reader.end():
            yield chunk

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        """Open the connection, unless it was used just now. Tokens are money: none is spent."""
        await self._api.warm("/models")

    async def list_models(self) -> list[str]:
        """The names of the models that can be used, in alphabetical order. Raises ProviderError."""
        return await model_ids(self._api)

    @abstractmethod
    def _request(self, messages: Sequence[Message], tools: Sequence[ToolSchema], settings: LlmSettings) -> Request:
        """How the vendor is asked."""

    @abstractmethod
    def _reader(self) -> Reader:
        """What reads the answer to one request."""

    def _told(self, reader: Reader, event: dict[str, Any]) -> list[LlmChunk]:
        try:
            return list(reader.event(event))
        except (AttributeError, IndexError, KeyError, TypeError):
            raise self._api.failures.garbled(json.dumps(event)) from None

    @asynccontextmanager
    async def _open(self, request: Request, model: str) -> AsyncIterator[httpx.Response]:
        """The answer with its body still to come. Asks again without what the model refuses, and remembers it."""
        while True:
            body, asked = dict(request.body), {}
            for wish in request.wishes:
                asked[wish.words] = self._refused.get((model, wish.words), 0)
                if asked[wish.words] < len(wish.choices):
                    body = merged(body, wish.choices[asked[wish.words]])
            try:
                async with self._api.open(
                    "POST",
                    request.path,
                    what=f"model named {model}",
                    json=merged(body, request.extra),
                    params=request.params,
                ) as response:
                    yield response
                    return
            except Refused as refusal:
                if refusal.status not in (400, 422) or not self._learn(request, model, asked, str(refusal)):
                    raise

    def _learn(self, request: Request, model: str, asked: Mapping[tuple[str, ...], int], complaint: str) -> bool:
        """Take note of what the model complained of; False if it is nothing that could be left out."""
        complaint = complaint.lower()
        for wish in request.wishes:
            refused = asked[wish.words]
            if refused < len(wish.choices) and any(word in complaint for word in wish.words):
                # Not counted up: another call may have learnt the same at the same time.
                known = self._refused.get((model, wish.words), 0)
                self._refused[model, wish.words] = max(known, refused + 1)
                return True
        return False


async def model_ids(api: Api, **request: Any) -> list[str]:
    """The models that a server lists in OpenAI's shape, in alphabetical order. Raises ProviderError."""
    try:
        answer = await api.json("GET", "/models", what="list of models", **request)
    except Refused as refusal:
        if refusal.status in (404, 405):
            raise api.failures.no_list() from None
        raise
    try:
        listed = answer if isinstance(answer, list) else answer["data"]
        return sorted({str(model["id"]) for model in listed})
    except (KeyError, TypeError):
        raise api.failures.garbled(str(answer)) from None


async def check_models(llm: HostedLlm) -> str:
    """Try an account without spending, and close `llm`. Raises ProviderError."""
    try:
        models = await llm.list_models()
    finally:
        await llm.close()
    return f"The key works; {len(models)} models can be used."


def merged(fields: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` with `more` laid over them, objects within objects too."""
    result = dict(fields)
    for name, value in more.items():
        known = result.get(name)
        result[name] = merged(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return result


def alternating(turns: Iterable[Turn], *, caller: str, text: Callable[[str], list[dict[str, Any]]]) -> list[Turn]:
    """Turns in which each speaker follows the other, and `caller` has the first word and the last. `text` makes blocks
    of what stands for them where they have not."""
    result: list[Turn] = []
    for speaker, blocks in turns:
        if not blocks:
            continue
        if result and result[-1][0] == speaker:
            result[-1][1].extend(blocks)
        else:
            result.append((speaker, list(blocks)))
    if not result or result[0][0] != caller:
        result.insert(0, (caller, text(OPENING)))
    if result[-1][0] != caller:
        result.append((caller, text(SILENCE)))
    return result


def system_text(messages: Sequence[Message]) -> str:
    """The instructions of a conversation."""
    texts = (text_of(message) for message in messages if message["role"] in ("system", "developer"))
    return "\n\n".join(text for text in texts if text)


def text_of(message: Message) -> str:
    """The text of a message, whether it is plain or in parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def arguments_of(call: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a tool call of a message. What the model wrote may be no JSON object: then none."""
    try:
        parsed = json.loads(call["function"].get("arguments") or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
