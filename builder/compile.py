"""From a version to what the engine runs: its `AgentSpec`, and which language model answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

from builder.config import LOCAL, AgentConfig, ModelChoice
from builder.models import AgentVersion, ModelConnection
from voice.spec import AgentSpec, Model


class AgentNotReady(Exception):
    """The agent cannot take a call as it is; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible service: equal endpoints share one client."""

    base_url: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CompiledAgent:
    """`endpoint` is None when the local language model answers."""

    spec: AgentSpec
    endpoint: Endpoint | None


def compile_agent(version: AgentVersion) -> CompiledAgent:
    """What the engine runs for `version`. Raises AgentNotReady when there is no language model to answer for it."""
    config = version.parsed_config
    agent = version.agent
    if config.model.connection == LOCAL:
        if settings.LLM == "none":
            raise AgentNotReady(
                "This installation runs without its local language model. Choose a connection on the agent's page."
            )
        return CompiledAgent(spec(agent.name, config, provider=LOCAL), None)
    connection = ModelConnection.objects.filter(
        pk=config.model.connection, organization_id=agent.organization_id
    ).first()
    if connection is None:
        raise AgentNotReady("The model connection of this agent was deleted. Choose another one on the agent's page.")
    return CompiledAgent(
        spec(agent.name, config, provider=connection.name), Endpoint(connection.base_url, connection.api_key)
    )


def spec(name: str, config: AgentConfig, *, provider: str) -> AgentSpec:
    """The engine's description of an agent; `provider` names its language model in events."""
    return AgentSpec(
        name=name,
        prompt=config.prompt,
        greeting=config.greeting,
        language=config.language,
        voice=config.voice,
        model=_model(config.model, provider),
        turns=config.turns,
        inactivity=config.inactivity,
        phrases=config.phrases,
        can_end_call=config.can_end_call,
        slow_after=config.slow_after,
        max_duration=config.max_duration,
    )


def _model(choice: ModelChoice, provider: str) -> Model:
    return Model(provider=provider, name=choice.name, temperature=choice.temperature, max_tokens=choice.max_tokens)
