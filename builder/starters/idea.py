"""A sentence into a draft, by a language model of the workspace. People read it before anything is made of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from builder import engine
from builder.starters import RECEPTIONIST, STYLE
from builder.vendors import Access
from voice.providers.base import LlmSettings, ProviderError, TextDelta, ToolRequest, ToolSchema

SECONDS = 60.0
TASK = f"""You write voice agents that answer phone calls. From one sentence about what somebody needs, write the agent.

The prompt says who the agent is, what it does and which facts it knows, as plain sentences, in at most 250 words. \
It contains this paragraph: “{STYLE}” Facts that you cannot know, such as prices, hours and addresses, stand in \
[square brackets] to be filled in. The agent never claims to have done what it has no tool for.
The greeting is one or two spoken sentences. Suggest a tool only where a service has to be asked or told something. \
Variables are facts that differ from call to call.

A good prompt looks like this:
{RECEPTIONIST.config.prompt}"""


class SuggestedTool(BaseModel):
    name: str = Field(max_length=64)
    description: str = Field("", max_length=300)


class SuggestedVariable(BaseModel):
    name: str = Field(max_length=64, pattern=r"^[A-Za-z_]\w*$")
    default: str = Field("", max_length=200)


class Idea(BaseModel):
    """What a model made of a sentence."""

    name: str = Field(max_length=120)
    prompt: str = Field(min_length=1, max_length=20_000)
    greeting: str = Field("", max_length=1_000)
    tools: list[SuggestedTool] = Field(default_factory=list, max_length=10)
    variables: list[SuggestedVariable] = Field(default_factory=list, max_length=20)


WRITE = ToolSchema("write_agent", "Writes down the agent.", Idea.model_json_schema())


async def write(sentence: str, access: Access, model: str) -> Idea:
    """The draft that `model` makes of a sentence. Raises ProviderError, also for an answer that is no draft."""
    llm = engine.own_llm(access)
    messages: list[dict[str, Any]] = [{"role": "system", "content": TASK}, {"role": "user", "content": sentence}]
    settings = LlmSettings(model, temperature=0.4, max_tokens=3_000)
    text, arguments = "", ""
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in llm.stream(messages, tools=[WRITE], settings=settings):
                match chunk:
                    case ToolRequest(arguments=written):
                        arguments = arguments or written
                    case TextDelta(text=more):
                        text += more
    except TimeoutError:
        raise ProviderError(access.name, f"{access.name} wrote no draft within {SECONDS:.0f} seconds.") from None
    finally:
        await llm.close()
    return _read(arguments or text, access.name)


def _read(answer: str, provider: str) -> Idea:
    """The draft in an answer, which may have words around its JSON."""
    try:
        return Idea.model_validate(json.loads(answer[answer.find("{") : answer.rfind("}") + 1]))
    except (ValueError, ValidationError):
        raise ProviderError(
            provider, f"{provider} did not answer with a draft. Try again, or take another model."
        ) from None
