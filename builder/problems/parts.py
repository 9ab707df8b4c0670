"""Parts of the workspace that a config names by id: are they there, and is something in them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Count

from builder.config import LOCAL
from builder.problems.model import Problem, error, warning
from builder.problems.subject import Subject
from builder.references import Kind, Place, references
from voice.media.ambient import NAMES

WORDS: Mapping[Kind, tuple[str, str]] = {
    "connection": ("A connection", "Choose another one."),
    "sms": ("The connection for text messages", "Choose another one."),
    "tool": ("A tool", "Take it out."),
    "folder": ("A folder of knowledge", "Take it out."),
    "dictionary": ("A dictionary of pronunciations", "Take it out."),
    "agent": ("An agent that the call is handed to", "Choose another one."),
}


def something_is_gone(subject: Subject) -> Iterator[Problem]:
    config = subject.values
    for kind, place, key in references(config):
        if key == LOCAL and kind == "connection":
            continue
        if key not in subject.names.by_id.get(kind, {}):
            what, mend = WORDS[kind]
            yield error(f"{what} was deleted.", mend, *place, step=_step(config, place))


def _step(config: Mapping[str, Any], place: Place) -> str:
    """The id of the step that a place is in."""
    return str(config["flow"]["steps"][place[2]]["id"]) if place[:2] == ("flow", "steps") else ""


def a_sound_is_gone(subject: Subject) -> Iterator[Problem]:
    bed = subject.config.ambient.bed
    if bed and bed not in NAMES and not subject.organization.ambient_sounds.filter(pk=bed).exists():
        yield error("The background sound was deleted.", "Choose another one, or none.", "ambient", "bed")


def a_folder_is_empty(subject: Subject) -> Iterator[Problem]:
    counted = subject.organization.knowledge_folders.filter(pk__in=subject.config.knowledge)
    empty = dict(counted.annotate(count=Count("documents")).filter(count=0).values_list("pk", "name"))
    for number, key in enumerate(subject.config.knowledge):
        if key in empty:
            yield warning(
                f"There is nothing in the folder {empty[key]}.", "Put documents into it.", "knowledge", number
            )


def a_dictionary_is_empty(subject: Subject) -> Iterator[Problem]:
    counted = subject.organization.pronunciation_dictionaries.filter(pk__in=subject.config.pronunciations)
    empty = dict(counted.annotate(count=Count("entries")).filter(count=0).values_list("pk", "name"))
    for number, key in enumerate(subject.config.pronunciations):
        if key in empty:
            yield warning(
                f"There is nothing in the dictionary {empty[key]}.", "Put words into it.", "pronunciations", number
            )
