"""What the pages of agents and connections read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.db.models import Count, Max, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from builder import engine, vendors, voices
from builder.compile import AgentNotReady, compile_config
from builder.config import LOCAL, AgentConfig
from builder.models import Agent, AgentVersion, ModelConnection, Tool
from builder.vendors import Access
from voice.providers.vendor import VoiceChoice

RECENT = timedelta(days=7)
VOICES_SECONDS = 600

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
    """A connection and what uses it: agents, in their draft or live, and tools that send text messages."""

    connection: ModelConnection
    vendor: str
    roles: list[str]
    users: list[Agent | Tool]
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
    names |= dict(organization.voice_files.values_list("pk", "name"))
    return [
        AgentRow(
            agent,
            draft_state(agent),
            model_label(agent.draft_config, names),
            voice_label(agent.draft_config, names),
            agent.recent_calls,
            agent.last_call_at,
        )
        for agent in agents
    ]


def agent_names(organization: Organization) -> dict[str, str]:
    """By their ids, in the order of the names."""
    return dict(organization.agents.filter(deleted_at=None).order_by("name").values_list("pk", "name"))


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


def voice_label(config: AgentConfig, names: dict[str, str]) -> str:
    """Which voice speaks, in words."""
    if config.voice.connection == LOCAL:
        return names.get(config.voice.id, voices.label(config.voice.id))
    return names.get(config.voice.connection, "A deleted connection")


def published_versions(agent: Agent) -> QuerySet[AgentVersion]:
    """The newest first."""
    return agent.versions.filter(number__isnull=False).select_related("created_by").order_by("-number")


def versions_in_use(agent: Agent) -> QuerySet[AgentVersion]:
    """The published versions, with `ran`, their calls so far, and `running`, those of them that go on."""
    running = Count("calls", filter=Q(calls__state="live"))
    return published_versions(agent).annotate(ran=Count("calls"), running=running)


def compared(agent: Agent) -> list[tuple[str, str, AgentConfig]]:
    """What can be compared, as (key, label, config): the draft and every version, the newest first."""
    versions = [
        (each.pk, f"{each.label} {each.note}".strip(), each.parsed_config) for each in published_versions(agent)
    ]
    return [("draft", "The draft", agent.draft_config), *versions]


def version_before(version: AgentVersion) -> AgentVersion | None:
    """The published version that `version` followed."""
    return published_versions(version.agent).filter(number__lt=version.number).first()


def connection_list(organization: Organization) -> list[ConnectionRow]:
    """The workspace's connections by name."""
    agents = list(organization.agents.filter(deleted_at=None).select_related("organization", "live_version"))
    used: list[tuple[Agent | Tool, set[str]]] = [(agent, connections_of(agent)) for agent in agents]
    used += [(tool, {tool.config.get("connection", "")}) for tool in _that_write(organization.pk)]
    return [
        ConnectionRow(
            connection,
            vendors.label(connection.vendor),
            [vendors.ROLES[role] for role in vendors.roles(connection.vendor)],
            [user for user, keys in used if connection.pk in keys],
            bool(connection.api_key),
        )
        for connection in organization.model_connections.all()
    ]


def connections_of(agent: Agent) -> set[str]:
    """Everything that the draft and the live version hear, speak, answer and write with."""
    return {connection for config in agent.configs for connection in config.connections}


def users_of(connection: ModelConnection) -> list[Agent | Tool]:
    """What uses a connection, as the list of connections says it."""
    agents = Agent.objects.filter(organization_id=connection.organization_id, deleted_at=None)
    using = [agent for agent in agents.select_related("live_version") if connection.pk in connections_of(agent)]
    return [*using, *_that_write(connection.organization_id).filter(config__connection=connection.pk)]


def _that_write(organization_id: str) -> QuerySet[Tool]:
    """The tools that send text messages."""
    return Tool.objects.filter(organization_id=organization_id, kind=Tool.Kind.SMS).select_related("organization")


def problem(agent: Agent) -> str:
    """Why the draft could not take a call as it is and what to do, or ""."""
    try:
        compile_config(agent, agent.draft_config)
    except AgentNotReady as error:
        return str(error)
    return ""


def voices_of(connection: ModelConnection) -> list[dict[str, str]]:
    """The voices that a connection can speak with, asked for at most every ten minutes. Raises ProviderError."""
    return [*_added(connection), *map(_voice, account_voices(connection))]


def account_voices(connection: ModelConnection) -> list[VoiceChoice]:
    """The voices of an account, asked for at most every ten minutes. Raises ProviderError."""
    listed = voices_at_hand(connection)
    if listed is None:
        listed = async_to_sync(engine.voices)(Access.by(connection))
        cache.set(_voices_key(connection), listed, VOICES_SECONDS)
    return listed


def voices_at_hand(connection: ModelConnection) -> list[VoiceChoice] | None:
    """The voices of an account that was asked within the last ten minutes."""
    listed: list[VoiceChoice] | None = cache.get(_voices_key(connection))
    return listed


def known_language(connection: ModelConnection, voice: str) -> str:
    """The language that a voice of a connection was made for, where that is known without asking anybody."""
    known = vendors.vendors().get(connection.vendor)
    listed = voices_at_hand(connection) or (known.voices if known else ())
    return next((each.language for each in listed if each.id == voice), "")


def _voices_key(connection: ModelConnection) -> str:
    return f"builder.voices:{connection.pk}:{hash(Access.by(connection))}"


def known_voices(connection: ModelConnection) -> list[dict[str, str]]:
    """Those that are known without asking."""
    known = vendors.vendors().get(connection.vendor)
    return [*_added(connection), *map(_voice, known.voices if known else ())]


def _added(connection: ModelConnection) -> list[dict[str, str]]:
    """Those that were added by their ids."""
    return [{"id": each.voice, "label": f"{each.label} (added)"} for each in connection.added_voices.all()]


def _voice(choice: VoiceChoice) -> dict[str, str]:
    said = ", ".join(filter(None, (choice.gender, choice.language if choice.language != "en" else "")))
    return {"id": choice.id, "label": f"{choice.label} ({said})" if said else choice.label}


def connection_facts(organization: Organization) -> dict[str, dict[str, Any]]:
    """For the agent page's script, by connection: the known models of each role, and where its voices are listed."""
    return {
        found.pk: {
            **{role: vendors.models(found.vendor, role) for role in vendors.roles(found.vendor)},
            "answers": [model for role in vendors.ANSWERS for model in vendors.models(found.vendor, role)],
            "voicesUrl": reverse("connection_voices", args=[organization.slug, found.pk]),
        }
        for found in organization.model_connections.all()
    }
