"""Brains that ask a program at each turn, with all of the conversation: it need not keep anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace

import httpx

from voice.brain import Ask, Brain, Brains, LlmBrain, Output, Seat
from voice.chain import ChatModel
from voice.health import Health
from voice.providers.base import Llm, LlmChunk, LlmSettings, Message, ToolSchema
from voice.providers.openai import OpenAiLlm
from voice.providers.webagent.call import WebCall
from voice.providers.webagent.plain import TextLlm
from voice.providers.webagent.tools import EndCallTool, TransferCallTool


def chat_brain(
    base_url: str,
    api_key: str,
    *,
    client: httpx.AsyncClient,
    call: WebCall,
    model: str = "custom",
    name: str = "webagent",
    early: bool = False,
) -> Brains:
    """A program that speaks OpenAI's chat completions, as Vapi asks a custom language model: the body has `call` and
    `metadata` besides, and the tools `endCall` and `transferCall` act on the call.

    With `early` it may be asked for what the caller has not finished saying, and not be heard: it must then do nothing
    but write.
    """
    llm = OpenAiLlm(base_url, api_key, client=client, name=name)
    return _brains(llm, call, model, early)


def text_brain(llm: TextLlm, *, call: WebCall, early: bool = False) -> Brains:
    """A program behind plain HTTP. `early` is as in `chat_brain`."""
    return _brains(llm, call, "", early)


def _brains(llm: Llm, call: WebCall, model: str, early: bool) -> Brains:
    health = Health()

    def make(seat: Seat) -> Brain:
        extra = {"call": call.described(seat.call_id), "metadata": dict(call.metadata)}
        spec = seat.spec.model
        settings = LlmSettings(model=model, temperature=spec.temperature, max_tokens=spec.max_tokens, extra=extra)
        seat = replace(seat, tools=[*seat.tools, EndCallTool(), TransferCallTool()])
        if early:
            return LlmBrain(seat, [ChatModel(llm=llm, settings=settings)], health=health)
        return CertainBrain(seat, [ChatModel(llm=_Unwarmed(llm), settings=settings)], health=health)

    return make


class CertainBrain(LlmBrain):
    """Asks only for turns that are certain: whatever the program does may have an effect."""

    async def reply(self, ask: Ask) -> AsyncIterator[Output]:
        await ask.certain.wait()
        async with aclosing(super().reply(ask)) as outputs:  # type: ignore[type-var]
            async for output in outputs:
                yield output


class _Unwarmed:
    """A model to which no request goes that is not a turn."""

    def __init__(self, llm: Llm) -> None:
        self.name = llm.name
        self._llm = llm

    def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        return self._llm.stream(messages, tools=tools, settings=settings)

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        return
