"""What checks look at: an agent's config, and what its workspace has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accounts.models import Organization
from builder import vendors
from builder.config import LOCAL, AgentConfig, Source, VoiceSource
from builder.gallery.models import VoiceFile
from builder.knowledge.models import KnowledgeFolder
from builder.measures.selectors import prompt_speed
from builder.models import Agent, ModelConnection
from builder.references import Names, Place
from builder.tools.models import Tool
from voice.providers.vendor import Role

LETTERS_A_TOKEN = 4.4
"""Of English, in the models' own counting."""


A_TOOL = 80
"""Tokens that the description of a tool takes."""


def tokens(text: str) -> int:
    """About as many as a language model counts."""
    return round(len(text.strip()) / LETTERS_A_TOKEN)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A service that a config names for a role, and where: `place` is that of the choice, `number` its position in the
    chain."""

    role: Role
    source: Source
    place: Place
    number: int


@dataclass(frozen=True)
class Subject:
    """Everything is read at most once, however many checks ask for it."""

    agent: Agent
    config: AgentConfig

    @classmethod
    def of(cls, agent: Agent, config: AgentConfig) -> Subject:
        return cls(agent, config)

    @property
    def organization(self) -> Organization:
        return self.agent.organization

    @cached_property
    def values(self) -> dict[str, Any]:
        """The config as JSON, without what is as it is by itself."""
        return self.config.model_dump(mode="json", exclude_defaults=True)

    @cached_property
    def names(self) -> Names:
        return Names.of(self.organization)

    @cached_property
    def connections(self) -> Mapping[str, ModelConnection]:
        return {found.pk: found for found in self.organization.model_connections.all()}

    @cached_property
    def tools(self) -> Mapping[str, Tool]:
        """Those that the config names, wherever it does."""
        return {tool.pk: tool for tool in self.organization.tools.filter(pk__in=self.tool_ids)}

    @property
    def tool_ids(self) -> set[str]:
        steps = self.config.flow.steps if self.config.flow else ()
        of_steps = {step.tool for step in steps if step.kind == "tool" and step.tool}
        return {*self.config.tools, *of_steps}

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The names of those that have a value."""
        return frozenset(self.organization.secrets.values_list("name", flat=True))

    @cached_property
    def voice_files(self) -> Mapping[str, VoiceFile]:
        return {found.pk: found for found in self.organization.voice_files.all()}

    @cached_property
    def folders(self) -> Mapping[str, KnowledgeFolder]:
        return {found.pk: found for found in self.organization.knowledge_folders.filter(pk__in=self.config.knowledge)}

    @property
    def answering_vendor(self) -> str:
        """The vendor of the first language model, "local" for our own, "" for a connection that is gone."""
        connection = self.config.model.connection
        if connection == LOCAL:
            return LOCAL
        return self.connections[connection].vendor if connection in self.connections else ""

    @property
    def answers_by(self) -> Role:
        """In which role the first choice for the language model answers."""
        vendor = self.answering_vendor
        return vendors.answers(vendor, self.config.model.name) if vendor not in ("", LOCAL) else "llm"

    @cached_property
    def prompt_speed(self) -> float | None:
        """Tokens a second at which the language model reads; None where nobody has measured it."""
        return prompt_speed(self.organization, self.answering_vendor, self.config.model.name)

    @property
    def prompt_tokens(self) -> int:
        """About as many as the model is sent before the conversation: prompt and tools."""
        return tokens(self.config.prompt) + A_TOOL * len(self.config.tools)

    def chain(self, role: Role) -> list[Chosen]:
        """The first choice for a role, and what stands behind it."""
        name = {"stt": "hearing", "tts": "voice", "llm": "model"}[role]
        choice = getattr(self.config, name)
        first = Source(connection=choice.connection, model=choice.name) if role == "llm" else choice
        rest = [
            Chosen(role, each, (name, "fallbacks", number), number + 1) for number, each in enumerate(choice.fallbacks)
        ]
        return [Chosen(role, first, (name,), 0), *rest]

    @property
    def chosen(self) -> Iterator[Chosen]:
        """All services that the config names."""
        for role in ("stt", "tts", "llm"):
            yield from self.chain(role)

    @property
    def voices(self) -> list[tuple[VoiceSource, Place]]:
        voice = self.config.voice
        behind = [(each, ("voice", "fallbacks", number)) for number, each in enumerate(voice.fallbacks)]
        return [(VoiceSource(connection=voice.connection, model=voice.model, id=voice.id), ("voice",)), *behind]
