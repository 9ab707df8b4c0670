"""AgentConfig: the one schema of what can be set on an agent, in its draft and in its versions.

It is the engine's `AgentSpec` with choices in place of resolved things: *connections* instead of adapters, switches
instead of tools. `builder.compile` turns one into the other.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from builder.tools.kinds import secrets_in
from voice.flow.spec import ConversationStep, Flow, KnowledgeStep, PostStep, SmsStep, Step
from voice.spec import (
    AgentSpec,
    Ambient,
    Answering,
    Digits,
    Disclosure,
    Frozen,
    Guardrails,
    Inactivity,
    Model,
    Patience,
    Phrases,
    Recording,
    Timezone,
    TransferTarget,
    TurnTaking,
    Variable,
    Voice,
)
from voice.tools.addresses import whole_url
from voice.values import fitting, in_letters

LOCAL = "local"
"""The `connection` of the models that run beside this installation."""
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
"""ISO 639-1."""
FALLBACKS = 4
"""So many may stand behind the first choice."""


def _default(setting: str) -> Any:
    return AgentSpec.model_fields[setting].default


class Source(Frozen):
    """The local model, or one at the connection with that id: `model`, or the default there where it is empty."""

    connection: str = Field(LOCAL, min_length=1, max_length=40)
    model: str = Field("", max_length=300)


class VoiceSource(Source):
    """A voice there; the vendor's first where `id` is empty."""

    id: str = Field("", max_length=200)


class HearingChoice(Source):
    """What recognises the caller's speech, and what does when that fails."""

    fallbacks: tuple[Source, ...] = Field((), max_length=FALLBACKS)


class VoiceChoice(VoiceSource):
    """Which voice speaks, how fast and how loud (1.0 is its own pace and loudness), and which ones do when it fails."""

    id: str = Field(Voice().id, max_length=200)
    speed: float = Field(Voice().speed, ge=0.5, le=2.0)
    volume: float = Field(Voice().volume, ge=0.2, le=2.0)
    fallbacks: tuple[VoiceSource, ...] = Field((), max_length=FALLBACKS)


class ModelChoice(Frozen):
    """Which language model answers: the local one, or `name` at the connection with that id; and which do when it
    fails."""

    connection: str = Field(LOCAL, min_length=1, max_length=40)
    name: str = Field(Model().name, min_length=1, max_length=300)
    temperature: float = Field(Model().temperature, ge=0.0, le=2.0)
    max_tokens: int = Field(Model().max_tokens, ge=1, le=4096)
    fallbacks: tuple[Source, ...] = Field((), max_length=FALLBACKS)


class VariableChoice(Variable):
    """A variable, what it is in test calls, and what it is for."""

    test: Annotated[str, BeforeValidator(in_letters)] = Field("", max_length=2_000)
    description: str = Field("", max_length=300)

    @field_validator("test")
    @classmethod
    def _fits_too(cls, test: str, info: ValidationInfo) -> str:
        if test and "type" in info.data:
            fitting(test, info.data["type"])
        return test


class LanguageChoice(Frozen):
    """A language that the agent can go on in, and who speaks it: a voice of the agent's own connection."""

    language: LanguageCode
    voice: str = Field("", max_length=200)


class HandOffChoice(Frozen):
    """Another agent of the workspace, and when it takes over."""

    agent: str = Field(min_length=1, max_length=40)
    when: str = Field("", max_length=500)
    say: str = Field("", max_length=500)
    greets: bool = False


class Webhook(Frozen):
    """What is asked before a call begins. `secret` is the name of one, sent as a bearer token."""

    url: str = Field("", max_length=2_000)
    secret: str = Field("", max_length=40)
    timeout: float = Field(3.0, ge=0.5, le=10.0)

    @field_validator("url")
    @classmethod
    def _whole(cls, url: str) -> str:
        return whole_url(url) if url.strip() else ""


class AgentConfig(Frozen):
    """Everything about an agent that a version fixes. Its name is not part of it: renaming is no new version."""

    prompt: str = Field("", max_length=40_000)
    flow: Flow | None = None
    """Its steps, where it has any: they name tools of the library, folders and agents by their ids."""
    greeting: str = Field("Hello! How can I help you?", max_length=1_000)
    first_speaker: Literal["greeting", "model", "caller"] = _default("first_speaker")
    disclosure: Disclosure = Disclosure()
    language: LanguageCode = "en"
    languages: tuple[LanguageChoice, ...] = Field((), max_length=20)
    detect_language: bool = False
    noise_suppression: Literal["off", "auto", "max"] = _default("noise_suppression")
    guardrails: Guardrails = Guardrails()
    webhook: Webhook = Webhook()
    keyterms: tuple[str, ...] = Field((), max_length=100)
    knowledge: tuple[str, ...] = Field((), max_length=50)
    """The ids of the folders that it looks things up in."""
    pronunciations: tuple[str, ...] = Field((), max_length=20)
    """The ids of the dictionaries that say how words are said; where two have the same word, the first one's is."""
    variables: tuple[VariableChoice, ...] = Field((), max_length=64)
    timezone: Timezone = "UTC"
    hearing: HearingChoice = HearingChoice()
    voice: VoiceChoice = VoiceChoice()
    model: ModelChoice = ModelChoice()
    turns: TurnTaking = TurnTaking()
    inactivity: Inactivity = Inactivity()
    phrases: Phrases = Phrases()
    patience: Patience = Patience()
    digits: Digits = Digits()
    ambient: Ambient = Ambient()
    recording: Recording = Recording()
    answering: Answering = Answering()
    transfers: tuple[TransferTarget, ...] = Field((), max_length=20)
    handoffs: tuple[HandOffChoice, ...] = Field((), max_length=20)
    tools: tuple[str, ...] = Field((), max_length=40)
    """Ids of those of the workspace's library."""
    can_end_call: bool = True
    can_send_digits: bool = False
    honesty: Literal["off", "flag", "correct"] = _default("honesty")
    hedge_after: float | None = Field(_default("hedge_after"), ge=0.0, le=10.0)
    thinking_after: float = Field(_default("thinking_after"), ge=0.2, le=5.0)
    slow_after: float = Field(_default("slow_after"), ge=0.5, le=30.0)
    max_duration: float = Field(_default("max_duration"), ge=10.0, le=14_400.0)

    @field_validator("variables")
    @classmethod
    def _one_of_each_name(cls, variables: tuple[VariableChoice, ...]) -> tuple[VariableChoice, ...]:
        counted = Counter(one.name for one in variables)
        if twice := [name for name, times in counted.items() if times > 1]:
            raise ValueError(f"Two variables are called {twice[0]}.")
        return variables

    def as_json(self) -> dict[str, Any]:
        """The JSON data that a draft or a version stores."""
        return self.model_dump(mode="json")

    def content_hash(self) -> str:
        """The same for two configs that say the same, whatever the order of their keys."""
        text = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def test_values(self) -> dict[str, object]:
        """What its variables are in test calls."""
        return {one.name: fitting(one.test, one.type) for one in self.variables if one.test}

    @property
    def connections(self) -> set[str]:
        """The ids of all connections that it uses."""
        chosen: list[Source | ModelChoice] = [self.hearing, self.voice, self.model]
        for choice in (self.hearing, self.voice, self.model):
            chosen += choice.fallbacks
        sending = {step.connection for step in self._steps if isinstance(step, SmsStep)}
        return {*sending, *(each.connection for each in chosen)} - {LOCAL, ""}

    @property
    def voices(self) -> set[str]:
        """The ids of all voices that it speaks with, whatever connection they are of."""
        chosen = {source.id for source in (self.voice, *self.voice.fallbacks)}
        others = {one.voice for one in self.languages}
        return (chosen | others | {step.voice for step in self._steps if isinstance(step, ConversationStep)}) - {""}

    @property
    def folders(self) -> set[str]:
        """The ids of all folders that it or a step looks things up in."""
        steps = (step for step in self._steps if isinstance(step, KnowledgeStep))
        return {*self.knowledge, *(folder for step in steps for folder in step.folders)}

    @property
    def secrets(self) -> set[str]:
        """The names of all secrets that it needs itself, beside those of its tools."""
        posts = [step for step in self._steps if isinstance(step, PostStep)]
        named = secrets_in(*(text for one in posts for text in (one.url, *one.headers.values(), *one.body.values())))
        return named | ({self.webhook.secret} if self.webhook.url and self.webhook.secret else set())

    @property
    def _steps(self) -> tuple[Step, ...]:
        return self.flow.steps if self.flow else ()
