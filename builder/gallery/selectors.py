"""What the library's pages read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from django.urls import reverse

from accounts.models import Organization
from builder import vendors, voices
from builder.config import LOCAL
from builder.gallery.models import VoiceFile
from builder.models import Agent, ModelConnection
from builder.selectors import voices_at_hand
from builder.voices import VoiceGroup
from voice.providers.local import espeak
from voice.providers.local.styles import styles
from voice.providers.vendor import VoiceChoice

HERE = "This machine"


@dataclass(frozen=True, slots=True)
class LibraryVoice:
    """A voice at a source: "local", or the id of a connection, which `source_name` names."""

    source: str
    source_name: str
    id: str
    label: str
    description: str
    language: str
    gender: str
    favourite: bool
    note: str = ""
    """What it can and cannot speak, where that is not plain."""
    brought: str = ""
    """The address to delete it at, for one that was brought."""
    styles: tuple[str, ...] = ()
    """What it is like: measured of our own voices, in their vendor's words of others."""

    @property
    def say(self) -> str:
        """For a listen button."""
        return json.dumps({"connection": self.source, "voice": self.id})


@dataclass(frozen=True, slots=True)
class Account:
    """A connection that has voices; `asked` when all of them are listed, not the best known alone."""

    connection: ModelConnection
    asked: bool


@dataclass(frozen=True, slots=True)
class Library:
    voices: list[LibraryVoice]
    accounts: list[Account]

    def sources(self) -> list[tuple[str, str]]:
        return [(LOCAL, HERE), *((each.connection.pk, each.connection.name) for each in self.accounts)]

    def languages(self) -> list[str]:
        return sorted({voice.language for voice in self.voices if voice.language})

    def styles(self) -> list[str]:
        return sorted({style for voice in self.voices for style in voice.styles})

    def chosen(self, wanted: Mapping[str, str]) -> list[LibraryVoice]:
        """The voices that fit `source`, `language`, `gender`, `style`, `favourites` and the words `q`: favourites
        first."""
        words = wanted.get("q", "").casefold().split()
        exact = [(name, wanted[name]) for name in ("source", "language", "gender") if wanted.get(name)]
        found = [
            voice
            for voice in self.voices
            if all(getattr(voice, name) == value for name, value in exact)
            and (not wanted.get("style") or wanted["style"] in voice.styles)
            and (voice.favourite or not wanted.get("favourites"))
            and all(word in _searched(voice) for word in words)
        ]
        return sorted(found, key=lambda voice: not voice.favourite)

    def find(self, source: str, voice: str) -> LibraryVoice | None:
        return next((each for each in self.voices if (each.source, each.id) == (source, voice)), None)


def library(organization: Organization) -> Library:
    """All voices that can be listed without asking anybody."""
    connections = [found for found in organization.model_connections.all() if vendors.has_role(found.vendor, "tts")]
    at_hand = {found.pk: voices_at_hand(found) for found in connections}
    marked = set(organization.favourite_voices.values_list("connection", "voice"))
    listed = [*_files(organization, marked), *_local(marked)]
    for found in connections:
        listed += _added(organization, found, marked)
        listed += _hosted(found, at_hand[found.pk], marked)
    unique = {(voice.source, voice.id): voice for voice in reversed(listed)}
    return Library(
        list(reversed(unique.values())), [Account(found, at_hand[found.pk] is not None) for found in connections]
    )


Marked = Collection[tuple[str, str]]


def _local(marked: Marked) -> Iterator[LibraryVoice]:
    has_espeak = espeak.installed()
    for group in voices.GROUPS:
        for voice in group.voices:
            yield LibraryVoice(
                source=LOCAL,
                source_name=HERE,
                id=voice.id,
                label=voice.label,
                description=voice.description,
                language=voice.language,
                gender=voice.gender,
                favourite=(LOCAL, voice.id) in marked,
                note=voice.note(espeak=has_espeak),
                styles=styles(voice.id),
            )


def _files(organization: Organization, marked: Marked) -> Iterator[LibraryVoice]:
    """Voices that were uploaded."""
    for file in organization.voice_files.all():
        yield LibraryVoice(
            source=LOCAL,
            source_name=HERE,
            id=file.pk,
            label=file.name,
            description=f"Your own {file.get_kind_display()} voice",
            language=file.language,
            gender=file.gender,
            favourite=(LOCAL, file.pk) in marked,
            brought=reverse("voice_file_delete", args=[organization.slug, file.pk]),
        )


def _added(organization: Organization, connection: ModelConnection, marked: Marked) -> Iterator[LibraryVoice]:
    """Voices of a connection that were added by their ids."""
    for voice in connection.added_voices.all():
        yield LibraryVoice(
            source=connection.pk,
            source_name=connection.name,
            id=voice.voice,
            label=voice.label,
            description="Added by its id",
            language=voice.language,
            gender=voice.gender,
            favourite=(connection.pk, voice.voice) in marked,
            brought=reverse("voice_remove", args=[organization.slug, voice.pk]),
        )


def voice_groups(organization: Organization) -> list[VoiceGroup]:
    """The voices of this machine for a select: ours, and before them those that were uploaded."""
    own = tuple(
        voices.VoiceChoice(file.pk, file.name, f"Your own {file.get_kind_display()} voice")
        for file in organization.voice_files.all()
    )
    has_espeak = espeak.installed()
    ours = [
        VoiceGroup(
            group.label,
            tuple(
                replace(voice, description=voice.description or voice.note(espeak=has_espeak)) for voice in group.voices
            ),
        )
        for group in voices.GROUPS
    ]
    return [VoiceGroup(voices.OWN, own), *ours] if own else ours


def agents_using(file: VoiceFile) -> list[Agent]:
    """The agents, not deleted, whose draft or live version speaks with an uploaded voice."""
    agents = Agent.objects.filter(organization_id=file.organization_id, deleted_at=None)
    return [agent for agent in agents.select_related("live_version") if file.pk in _voices_of(agent)]


def _voices_of(agent: Agent) -> set[str]:
    return {voice for config in agent.configs for voice in config.voices}


def _hosted(connection: ModelConnection, asked: list[VoiceChoice] | None, marked: Marked) -> Iterator[LibraryVoice]:
    offered = vendors.vendor(connection.vendor).voices if asked is None else asked
    for voice in offered:
        yield LibraryVoice(
            source=connection.pk,
            source_name=connection.name,
            id=voice.id,
            label=voice.label,
            description="",
            language=voice.language,
            gender=voice.gender,
            favourite=(connection.pk, voice.id) in marked,
            styles=voice.styles,
        )


def _searched(voice: LibraryVoice) -> str:
    parts = (voice.label, voice.id, voice.description, voice.source_name, voice.language, voice.gender, voice.note)
    return " ".join((*parts, *voice.styles)).casefold()
