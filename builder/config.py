"""AgentConfig: the one schema of what can be set on an agent, in its draft and in its versions.

It is the engine's `AgentSpec` with choices in place of resolved things: a model *connection* instead of an
adapter, switches instead of tools. `builder.compile` turns one into the other.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import Field

from voice.spec import AgentSpec, Frozen, Inactivity, Model, Phrases, TurnTaking, Voice

LOCAL = "local"
"""The `connection` of the language model that runs beside this installation."""


class ModelChoice(Frozen):
    """Which language model answers: the local one, or `name` at the connection with that id."""

    connection: str = Field(LOCAL, min_length=1, max_length=40)
    name: str = Field(Model().name, min_length=1, max_length=120)
    temperature: float = Field(Model().temperature, ge=0.0, le=2.0)
    max_tokens: int = Field(Model().max_tokens, ge=1, le=4096)


class AgentConfig(Frozen):
    """Everything about an agent that a version fixes. Its name is not part of it: renaming is no new version."""

    prompt: str = Field("", max_length=40_000)
    greeting: str = Field("Hello! How can I help you?", max_length=1_000)
    language: Literal["en"] = "en"
    voice: Voice = Voice()
    model: ModelChoice = ModelChoice()
    turns: TurnTaking = TurnTaking()
    inactivity: Inactivity = Inactivity()
    phrases: Phrases = Phrases()
    can_end_call: bool = True
    slow_after: float = Field(AgentSpec.model_fields["slow_after"].default, ge=0.5, le=30.0)
    max_duration: float = Field(AgentSpec.model_fields["max_duration"].default, ge=10.0, le=14_400.0)

    def as_json(self) -> dict[str, Any]:
        """The JSON data that a draft or a version stores."""
        return self.model_dump(mode="json")

    def content_hash(self) -> str:
        """The same for two configs that say the same, whatever the order of their keys."""
        text = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
