"""Voices and languages."""

from __future__ import annotations

from collections.abc import Iterator

from builder import voices
from builder.config import LOCAL
from builder.problems.model import Problem, error, warning
from builder.problems.subject import Subject
from builder.selectors import known_language
from voice.providers.local import espeak
from voice.providers.local.brought import is_brought

HEARD_HERE = ("en",)
"""The languages that the recogniser of this machine understands."""


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


def a_voice_is_gone(subject: Subject) -> Iterator[Problem]:
    for source, place in subject.voices:
        if source.connection != LOCAL or not source.id or voices.voice(source.id):
            continue
        if source.id in subject.voice_files:
            continue
        gone = (
            "The voice that was uploaded is deleted." if is_brought(source.id) else f"There is no voice “{source.id}”."
        )
        yield error(gone, "Choose another one.", *place, "id")


def a_voice_speaks_another_language(subject: Subject) -> Iterator[Problem]:
    wanted = _primary(subject.config.language)
    for source, place in subject.voices:
        if source.connection == LOCAL:
            yield from _here(subject, source.id, wanted, (*place, "id"))
            continue
        connection = subject.connections.get(source.connection)
        spoken = known_language(connection, source.id) if connection else ""
        if spoken and _primary(spoken) != wanted:
            yield warning(
                f"The voice was made for another language ({spoken}) than the agent's ({subject.config.language}).",
                "Choose another voice, or listen whether it will do.",
                *place,
                "id",
            )


def _here(subject: Subject, voice: str, wanted: str, place: tuple[str | int, ...]) -> Iterator[Problem]:
    """Our own voices: all speak English, some with an accent; other languages need a program for their sounds."""
    file = subject.voice_files.get(voice)
    if file is not None and file.kind == file.Kind.PIPER and _primary(file.language) != wanted:
        yield error(f"{file.name} speaks {file.language} only.", "Choose another voice.", *place)
        return
    if wanted != "en":
        if wanted not in espeak.KOKORO or voice == voices.LIGHT:
            yield error(f"The voice does not speak the agent's language ({wanted}).", "Choose another voice.", *place)
        elif not espeak.installed():
            yield error(
                f"To speak {espeak.KOKORO[wanted][1]} here, the program {espeak.PROGRAM} is missing.",
                "Install it on this machine, or choose a voice of a connection.",
                *place,
            )
        return
    known = voices.voice(voice)
    if known and _primary(known.language) != "en":
        yield warning(
            f"{known.label} speaks English with an accent: the voice is {voices.NAMES[known.language]}.",
            "Choose an English voice, unless that is meant.",
            *place,
        )


def nobody_understands_the_language(subject: Subject) -> Iterator[Problem]:
    config = subject.config
    spoken = [config.language, *(one.language for one in config.languages)]
    wanted = next((each for each in map(_primary, spoken) if each not in HEARD_HERE), "")
    for chosen in subject.chain("stt"):
        if chosen.source.connection == LOCAL and wanted:
            yield error(
                f"The recognition of this machine understands English only, not the agent's language ({wanted}).",
                "Choose the recognition of a connection.",
                *chosen.place,
                "connection",
            )
