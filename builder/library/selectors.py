"""What the library's pages read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from accounts.models import Organization
from builder import vendors, voices
from builder.config import LOCAL
from builder.models import ModelConnection
from builder.selectors import voices_at_hand
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

    def chosen(self, wanted: Mapping[str, str]) -> list[LibraryVoice]:
        """The voices that fit `source`, `language`, `gender`, `favourites` and the words `q`; favourites first."""
        words = wanted.get("q", "").casefold().split()
        exact = [(name, wanted[name]) for name in ("source", "language", "gender") if wanted.get(name)]
        found = [
            voice
            for voice in self.voices
            if all(getattr(voice, name) == value for name, value in exact)
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
    listed = [*_local(marked)]
    for found in connections:
        listed += _hosted(found, at_hand[found.pk], marked)
    return Library(listed, [Account(found, at_hand[found.pk] is not None) for found in connections])


def _local(marked: Iterable[tuple[str, str]]) -> Iterator[LibraryVoice]:
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
            )


def _hosted(
    connection: ModelConnection, asked: list[VoiceChoice] | None, marked: Iterable[tuple[str, str]]
) -> Iterator[LibraryVoice]:
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
        )


def _searched(voice: LibraryVoice) -> str:
    return (
        f"{voice.label} {voice.id} {voice.description} {voice.source_name} {voice.language} {voice.gender}".casefold()
    )
