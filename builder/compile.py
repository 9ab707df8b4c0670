"""From a version to what the engine runs: its `AgentSpec`, and the providers that hear, speak and answer for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db.models import QuerySet

from builder import vendors
from builder.config import LOCAL, AgentConfig, HandOffChoice, Source, VoiceChoice, VoiceSource
from builder.flow import bound_flow, bound_sending, tools_in
from builder.gallery.models import VoiceFile
from builder.knowledge.models import KnowledgeFolder
from builder.models import Agent, AgentVersion, ModelConnection
from builder.pronunciations.selectors import pronunciations
from builder.sounds.models import AmbientSound
from builder.tools.agents import bound_tools
from builder.tools.bind import BoundTool, ToolsNotReady, secrets_of
from builder.vendors import Access
from builder.webhook import BoundWebhook
from voice.flow.spec import HandOffStep
from voice.media.ambient import NAMES
from voice.providers.local.brought import is_brought
from voice.providers.vendor import Role
from voice.spec import AgentSpec, Ambient, HandOffTarget, Languages, Model, Pronunciation, Variable, Voice

NAME_LENGTH = 60


class AgentNotReady(Exception):
    """The agent cannot take a call as it is; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Service:
    """A model in one role. Without `access` it is one of this installation's own, whose `model` has no name."""

    role: Role
    access: Access | None = None
    model: str = ""

    @property
    def name(self) -> str:
        """What events call the provider. Only an event about a language model names the model by itself."""
        if self.access is None:
            return LOCAL
        return self.access.name if self.role == "llm" else f"{self.access.name} {self.model}"[:NAME_LENGTH]


@dataclass(frozen=True, slots=True)
class Library:
    """The folders of a workspace that an agent looks things up in."""

    organization_id: str
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledAgent:
    """Of each chain the first one works, and the next ones take over when it fails."""

    spec: AgentSpec
    hearing: tuple[Service, ...]
    voices: tuple[tuple[Service, Voice], ...]
    models: tuple[tuple[Service, Model], ...]
    answering: Service | None = None
    """Who answers in place of language models: a model that hears and speaks, or a program of somebody's own."""
    organization_id: str = ""
    agent_id: str = ""
    voice: str = ""
    """With a model that speaks itself: its voice; empty leaves it to the vendor."""
    tools: tuple[BoundTool, ...] = ()
    """Of the workspace's library."""
    about: str = ""
    """What is in the library, by the names of its folders."""
    documents: Library | None = None
    """None where there is nothing to look up."""
    test_values: Mapping[str, object] = field(default_factory=dict)
    """What variables are in test calls."""
    webhook: BoundWebhook | None = None
    """Whom to ask before a call begins."""
    team: Mapping[str, CompiledAgent] = field(default_factory=dict)
    """The agents that the call can come to, by their ids; of them none has a team of its own."""

    @property
    def is_realtime(self) -> bool:
        """One model hears and speaks."""
        return self.answering is not None and self.answering.role == "realtime"

    @property
    def services(self) -> list[Service]:
        """All of them, with those of the team."""
        answering = [self.answering] if self.answering else [service for service, _ in self.models]
        others = [service for other in self.team.values() for service in other.services]
        return [*self.hearing, *(service for service, _ in self.voices), *answering, *others]


def compile_agent(version: AgentVersion) -> CompiledAgent:
    """What the engine runs for `version`. Raises AgentNotReady when something that it needs is not there."""
    return compile_config(version.agent, version.parsed_config)


def compile_config(agent: Agent, config: AgentConfig) -> CompiledAgent:
    """What the engine would run for `agent` if a version said what `config` says. Raises AgentNotReady."""
    made = _alone(agent, config)
    return replace(made, team=_team(agent, config, made))


def _alone(agent: Agent, config: AgentConfig) -> CompiledAgent:
    """An agent without those that it may hand the call over to."""
    resolve = _Resolver(agent.organization_id, config)
    answering = _answering(config, resolve)
    models = [] if answering else _models(config, resolve)
    voices = [_voice(source, config.voice, resolve) for source in (config.voice, *config.voice.fallbacks)]
    hearing = [_service("stt", source, resolve) for source in (config.hearing, *config.hearing.fallbacks)]
    made = spec(
        agent.name,
        config,
        voice=voices[0][1],
        model=_model(answering or models[0][0], config),
        pronunciations=pronunciations(agent.organization_id, config.pronunciations),
        handoffs=_handoffs(agent, config),
        ambient=_ambient(agent.organization_id, config.ambient),
    )
    _require_ears(config, hearing[0])
    own_voice = config.voice.id if config.voice.connection == config.model.connection else ""
    flow = config.flow if not answering else None  # others have no steps
    try:
        ids = tuple(dict.fromkeys((*config.tools, *(tools_in(flow) if flow else ()))))
        tools = bound_tools(agent.organization_id, ids)
        if flow:
            made = made.model_copy(update={"flow": bound_flow(flow, dict(zip(ids, tools, strict=True)), config.tools)})
            tools += tuple(bound_sending(flow, agent.organization_id))
    except ToolsNotReady as error:
        raise AgentNotReady(str(error)) from error
    return CompiledAgent(
        made,
        tuple(hearing),
        tuple(voices),
        tuple(models),
        answering,
        organization_id=agent.organization_id,
        agent_id=agent.pk,
        voice=own_voice,
        tools=tools,
        test_values=config.test_values,
        webhook=bound_webhook(agent.organization_id, config),
        about=", ".join(_folders(agent.organization_id, config.knowledge)),
        documents=Library(agent.organization_id, config.knowledge) if config.knowledge else None,
    )


def _team(agent: Agent, config: AgentConfig, made: CompiledAgent) -> dict[str, CompiledAgent]:
    """All to whom the call can come, also by way of others; in a circle it comes back to `made`."""
    team, waiting = {agent.pk: made}, _next_agents(config)
    if waiting and made.is_realtime:
        raise AgentNotReady("A model that hears and speaks cannot hand a call over. Take the other agents out.")
    while waiting:
        key = waiting.pop()
        other = _agents(agent.organization_id).filter(pk=key).first() if key not in team else None
        if other is None:
            continue
        found = other.live_version.parsed_config if other.live_version else AgentConfig.model_validate(other.draft)
        team[key] = _alone(other, found)
        if team[key].is_realtime:
            raise AgentNotReady(f"{other.name} cannot take over a call: its model hears and speaks by itself.")
        waiting += _next_agents(found)
    return team if len(team) > 1 else {}


def _agents(organization_id: str) -> QuerySet[Agent]:
    return Agent.objects.filter(organization_id=organization_id, deleted_at=None).select_related("live_version")


def _next_agents(config: AgentConfig) -> list[str]:
    """The ids of those that it hands calls over to itself."""
    steps = config.flow.steps if config.flow else ()
    return [one.agent for one in config.handoffs] + [one.agent for one in steps if isinstance(one, HandOffStep)]


def _handoffs(agent: Agent, config: AgentConfig) -> tuple[HandOffTarget, ...]:
    """Raises AgentNotReady for an agent that is not there."""
    if not config.handoffs:
        return ()
    names = dict(_agents(agent.organization_id).values_list("pk", "name"))
    if any(one.agent not in names for one in config.handoffs):
        raise AgentNotReady("An agent that this one hands over to was deleted. Take it out on the agent's page.")
    called: dict[str, HandOffChoice] = {}
    for one in config.handoffs:
        name = re.sub(r"\W+", "_", names[one.agent], flags=re.ASCII).strip("_")[:60]
        called[name if re.match("[A-Za-z]", name) and name not in called else one.agent] = one
    return tuple(
        HandOffTarget(name=name, to=one.agent, when=one.when, say=one.say, greets=one.greets)
        for name, one in called.items()
    )


def _require_ears(config: AgentConfig, first: Service) -> None:
    """Raises AgentNotReady where recognition does not understand what is to be spoken."""
    if first.access is not None:
        if config.detect_language and not vendors.vendor(first.access.vendor).detects:
            raise AgentNotReady(f"{first.access.name} does not detect languages. Turn that off, or choose another one.")
    elif config.language != "en" or config.languages or config.detect_language:
        raise AgentNotReady(
            "The speech recognition on this machine understands English only. Choose a connection for it, or English."
        )


def _folders(organization_id: str, ids: tuple[str, ...]) -> list[str]:
    """The names of those folders that are there."""
    if not ids:
        return []
    folders = KnowledgeFolder.objects.filter(organization_id=organization_id, pk__in=ids)
    return list(folders.order_by("name").values_list("name", flat=True))


def bound_webhook(organization_id: str, config: AgentConfig) -> BoundWebhook | None:
    """Whom to ask before a call, with their secret; None where nobody is. Raises AgentNotReady."""
    hook = config.webhook
    if not hook.url:
        return None
    secrets = secrets_of(organization_id, {hook.secret}) if hook.secret else {}
    if hook.secret and hook.secret not in secrets:
        raise AgentNotReady(f"The secret {hook.secret} of the web hook was deleted. Choose another one.")
    return BoundWebhook(hook.url, secrets.get(hook.secret, ""), hook.timeout)


class _Resolver:
    """Finds the accounts that a config names."""

    def __init__(self, organization_id: str, config: AgentConfig) -> None:
        self.owner = organization_id
        found = ModelConnection.objects.filter(pk__in=config.connections, organization_id=organization_id)
        self._connections = {connection.pk: connection for connection in found}

    def find(self, connection_id: str) -> ModelConnection | None:
        return self._connections.get(connection_id)

    def connection(self, connection_id: str, role: Role) -> ModelConnection:
        connection = self.find(connection_id)
        what = vendors.ROLES[role].lower()
        if connection is None:
            raise AgentNotReady(
                f"A connection that this agent uses for {what} was deleted. Choose another one on the agent's page."
            )
        if not vendors.has_role(connection.vendor, role):
            raise AgentNotReady(f"{connection.name} does not offer {what}. Choose another one on the agent's page.")
        return connection


def _service(role: Role, source: Source, resolve: _Resolver) -> Service:
    if source.connection == LOCAL:
        return Service(role)
    connection = resolve.connection(source.connection, role)
    return Service(role, Access.by(connection), source.model or default_model(connection, role))


def default_model(connection: ModelConnection, role: Role) -> str:
    """The model of a connection where none is named; "" if it has to be."""
    known = vendors.models(connection.vendor, "agent") or vendors.models(connection.vendor, role)
    first = known[0] if known else ""
    return (connection.default_model or first) if role == "llm" else first


def _ambient(organization_id: str, ambient: Ambient) -> Ambient:
    """A sound that is not the workspace's own is left out: a call can do without."""
    if not ambient.bed or ambient.bed in NAMES:
        return ambient
    own = AmbientSound.objects.filter(pk=ambient.bed, organization_id=organization_id)
    return ambient if own.exists() else Ambient()


def _voice(source: VoiceSource, choice: VoiceChoice, resolve: _Resolver) -> tuple[Service, Voice]:
    """A voice at `source`, as fast and as loud as the agent's choice says."""
    service = _service("tts", source, resolve)
    how = {"speed": choice.speed, "volume": choice.volume}
    if service.access is None:
        if is_brought(source.id) and not VoiceFile.objects.filter(pk=source.id, organization_id=resolve.owner).exists():
            raise AgentNotReady("The voice of this agent was deleted. Choose another one on the agent's page.")
        return service, Voice(id=source.id or Voice().id, **how)
    offered = vendors.vendor(service.access.vendor).voices
    chosen = source.id or (offered[0].id if offered else "")
    if not chosen and service.access.vendor == vendors.COMPATIBLE:
        raise AgentNotReady(f"Choose a voice of {service.access.name} on the agent's page.")
    return service, Voice(provider=service.access.name, id=chosen, **how)


def _answering(config: AgentConfig, resolve: _Resolver) -> Service | None:
    """Who answers, if it is not a language model."""
    choice = config.model
    connection = resolve.find(choice.connection)
    role = vendors.answers(connection.vendor, choice.name) if connection else "llm"
    if connection is None or role == "llm":
        return None
    return Service(role, Access.by(connection), choice.name or default_model(connection, role))


def _models(config: AgentConfig, resolve: _Resolver) -> list[tuple[Service, Model]]:
    """The language models that can answer. The local one is left out where the installation has none."""
    first = config.model
    chain = [Source(connection=first.connection, model=first.name), *first.fallbacks]
    if settings.LLM == "none":
        chain = [source for source in chain if source.connection != LOCAL]
    if not chain:
        raise AgentNotReady(
            "This installation runs without its local language model. Choose a connection on the agent's page."
        )
    models = []
    for source in chain:
        service = _service("llm", source, resolve)
        if service.access is not None and not service.model:
            raise AgentNotReady(f"Write which language model of {service.access.name} answers on the agent's page.")
        models.append((service, _model(service, config)))
    return models


def _model(service: Service, config: AgentConfig) -> Model:
    name = service.model if service.access else Model().name
    choice = config.model
    return Model(provider=service.name, name=name, temperature=choice.temperature, max_tokens=choice.max_tokens)


def spec(
    name: str,
    config: AgentConfig,
    *,
    voice: Voice,
    model: Model,
    pronunciations: tuple[Pronunciation, ...] = (),
    handoffs: tuple[HandOffTarget, ...] = (),
    ambient: Ambient | None = None,
) -> AgentSpec:
    """The engine's description of an agent, with the voice and the language model that it begins with."""
    return AgentSpec(
        name=name,
        prompt=config.prompt,
        greeting=config.greeting,
        first_speaker=config.first_speaker,
        disclosure=config.disclosure,
        guardrails=config.guardrails,
        noise_suppression=config.noise_suppression,
        language=config.language,
        languages=Languages(
            voices={one.language: voice.model_copy(update={"id": one.voice or voice.id}) for one in config.languages},
            detect=config.detect_language,
        ),
        keyterms=config.keyterms,
        variables=tuple(Variable(name=one.name, type=one.type, default=one.default) for one in config.variables),
        timezone=config.timezone,
        pronunciations=pronunciations,
        voice=voice,
        model=model,
        turns=config.turns,
        inactivity=config.inactivity,
        phrases=config.phrases,
        patience=config.patience,
        digits=config.digits,
        ambient=config.ambient if ambient is None else ambient,
        recording=config.recording,
        answering=config.answering,
        transfers=config.transfers,
        handoffs=handoffs,
        can_end_call=config.can_end_call,
        can_send_digits=config.can_send_digits,
        honesty=config.honesty,
        hedge_after=config.hedge_after,
        thinking_after=config.thinking_after,
        slow_after=config.slow_after,
        max_duration=config.max_duration,
    )
