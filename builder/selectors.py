"""What the pages of agents and connections read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from accounts.models import Organization
from builder import voices
from builder.config import LOCAL, AgentConfig
from builder.models import Agent, AgentVersion, ModelConnection

RECENT = timedelta(days=7)

DraftState = Literal["new", "changed", "published"]


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent in the list. `recent_calls` are those of the last seven days."""

    agent: Agent
    draft_state: DraftState
    model: str
    voice: str
    recent_calls: int
    last_call_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection and the agents that use it, in their draft or live."""

    connection: ModelConnection
    agents: list[Agent]
    has_key: bool


def agent_list(organization: Organization) -> list[AgentRow]:
    """The workspace's agents, the one changed last first."""
    recent = Q(calls__started_at__gte=timezone.now() - RECENT)
    agents = (
        organization.agents.filter(deleted_at=None)
        .select_related("organization", "live_version")
        .annotate(recent_calls=Count("calls", filter=recent), last_call_at=Max("calls__started_at"))
    )
    names = dict(organization.model_connections.values_list("pk", "name"))
    return [
        AgentRow(
            agent,
            draft_state(agent),
            model_label(agent.draft_config, names),
            voices.label(agent.draft_config.voice.id),
            agent.recent_calls,
            agent.last_call_at,
        )
        for agent in agents
    ]


def draft_state(agent: Agent) -> DraftState:
    """ "new" when it was never published, "changed" when its draft says something else than its live version."""
    if agent.live_version is None:
        return "new"
    return "changed" if agent.has_unpublished_changes else "published"


def model_label(config: AgentConfig, names: dict[str, str]) -> str:
    """Which language model answers, in words; `names` are those of the workspace's connections by id."""
    if config.model.connection == LOCAL:
        return "On this machine"
    service = names.get(config.model.connection)
    return f"{service} · {config.model.name}" if service else "A deleted connection"


def published_versions(agent: Agent) -> QuerySet[AgentVersion]:
    """The newest first."""
    return agent.versions.filter(number__isnull=False).select_related("created_by").order_by("-number")


def version_before(version: AgentVersion) -> AgentVersion | None:
    """The published version that `version` followed."""
    return published_versions(version.agent).filter(number__lt=version.number).first()


def connection_list(organization: Organization) -> list[ConnectionRow]:
    """The workspace's connections by name."""
    agents = list(organization.agents.filter(deleted_at=None).select_related("organization", "live_version"))
    used = [(agent, connections_of(agent)) for agent in agents]
    return [
        ConnectionRow(connection, [agent for agent, keys in used if connection.pk in keys], bool(connection.api_key))
        for connection in organization.model_connections.all()
    ]


def connections_of(agent: Agent) -> set[str]:
    """Where the draft and the live version have their answers from."""
    configs = [agent.draft_config] + ([agent.live_version.parsed_config] if agent.live_version else [])
    return {config.model.connection for config in configs}


def problem(agent: Agent) -> str:
    """Why the draft could not take a call as it is and what to do, or ""."""
    connection = agent.draft_config.model.connection
    if connection == LOCAL and settings.LLM == "none":
        return "This installation runs without its local language model. Choose a connection instead."
    if connection != LOCAL and not agent.organization.model_connections.filter(pk=connection).exists():
        return "The connection to its language model was deleted. Choose another language model."
    return ""
