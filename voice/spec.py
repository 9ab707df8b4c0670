"""AgentSpec: the frozen, validated description of an agent that the engine runs.

It holds what to say and how to behave; the providers themselves are handed to the conversation beside it
(`voice.conversation.Services`), so a spec has no secret in it and can be stored with the call.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Voice(Frozen):
    """Which voice speaks, and how fast (1.0 is the voice's own pace)."""

    provider: str = "local"
    id: str = "af_heart"
    speed: float = Field(1.0, ge=0.5, le=2.0)


class Model(Frozen):
    """Which language model answers. `provider` is for events and prices; the adapter is in Services."""

    provider: str = "local"
    name: str = "qwen2.5-1.5b"
    temperature: float = Field(0.3, ge=0.0, le=2.0)
    max_tokens: int = Field(220, ge=1, le=4096)


class TurnTaking(Frozen):
    """When the agent takes the turn and when it gives it up. All in seconds."""

    finished_silence: float = Field(0.2, ge=0.1, le=3.0)
    """Silence after which a caller who sounds finished is answered."""
    unfinished_silence: float = Field(1.2, ge=0.2, le=10.0)
    """Silence after which a caller who sounds unfinished is answered all the same."""
    finished_probability: float = Field(0.5, ge=0.0, le=1.0)
    """What the end-of-turn model must say for "finished"."""
    interruptible: bool = True
    interruption_speech: float = Field(0.6, ge=0.1, le=5.0)
    """Speech over the agent that is an interruption whatever its words; shorter speech needs words."""


class Inactivity(Frozen):
    check_in_after: float = Field(12.0, ge=2.0)
    check_in_text: str = "Are you still there?"
    check_ins: int = Field(2, ge=0, le=10)
    farewell_text: str = "I can't hear you any more, so I'll hang up now. Goodbye."


class Phrases(Frozen):
    """What the agent says when something is wrong: a caller hears words, never silence."""

    slow: str = "One moment, please."
    trouble: str = "I'm sorry, I'm having trouble answering right now. Could you say that again?"
    giving_up: str = "I'm sorry, something is wrong on my side, so I have to end the call. Please try again later."
    goodbye: str = "Thank you for calling. Goodbye."
    time_is_up: str = "I'm sorry, we have reached the longest time for a call. Goodbye."


class AgentSpec(Frozen):
    """An agent as the engine runs it."""

    name: str = Field(min_length=1, max_length=120)
    prompt: str = ""
    greeting: str = ""
    """Said first, in these words; empty means that the caller speaks first."""
    language: str = "en"
    voice: Voice = Voice()
    model: Model = Model()
    turns: TurnTaking = TurnTaking()
    inactivity: Inactivity = Inactivity()
    phrases: Phrases = Phrases()
    tools: tuple[Literal["end_call"], ...] = ("end_call",)
    max_duration: float = Field(1800.0, ge=10.0, le=14400.0)
    slow_after: float = Field(2.5, ge=0.5, le=30.0)
    """Seconds after the caller's turn at which `phrases.slow` is said if nothing else was."""
