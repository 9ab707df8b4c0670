"""What changed between two configs, in the words of the agent page."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django import forms

from builder import voices
from builder.choices import BEDS
from builder.config import AgentConfig
from builder.drafts.merge import Nothing
from builder.fields import FlowField, LevelField, RowsField
from builder.forms import CONNECTIONS, AgentForm
from builder.gallery.models import VoiceFile
from builder.knowledge.models import KnowledgeFolder
from builder.models import Agent, ModelConnection, Tool
from builder.pronunciations.models import PronunciationDictionary
from builder.sounds.models import AmbientSound
from voice.flow.spec import Flow
from voice.providers.local.brought import is_brought

CONTEXT_LINES = 2

PARTS: list[tuple[str, tuple[str, ...]]] = [(part.TITLE, tuple(part.PATHS)) for part in AgentForm.PARTS]
"""The parts of the agent page and their controls."""

SECONDS = (
    "finished_silence",
    "unfinished_silence",
    "check_in_after",
    "thinking_after",
    "slow_after",
    "first_words",
    "words_gap",
    "longest_answer",
    "first_sound",
    "sound_gap",
    "no_audio",
    "webhook_timeout",
    "hedge_after",
    "digits_pause",
)
UNITS = {
    "speed": " times",
    "volume": " times",
    "max_tokens": " tokens",
    "max_duration_minutes": " min",
    **dict.fromkeys(SECONDS, " s"),
}
"""Said behind the number, which the page says beside it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs. `lines` are (mark, text) with mark "+", "-", " " or "…", for texts of several lines."""

    field: str
    label: str
    before: str
    after: str
    lines: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    @property
    def added(self) -> int:
        return sum(mark == "+" for mark, _ in self.lines)

    @property
    def touched(self) -> int:
        return self.added + self.removed

    @property
    def removed(self) -> int:
        return sum(mark == "-" for mark, _ in self.lines)


def changes(earlier: AgentConfig | None, later: AgentConfig) -> list[Change]:
    """The settings that differ, in the order of the page; without `earlier`, against a new agent's."""
    old, new = (earlier or AgentConfig()).model_dump(), later.model_dump()
    found = []
    for name, path in AgentForm.PATHS.items():
        was, now = _at(old, path), _at(new, path)
        if was != now:
            before, after = _words(name, was), _words(name, now)
            long = "\n" in before + after or len(before + after) > 200
            found.append(Change(name, _label(name), before, after, _lines(before, after) if long else []))
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """The changes of one part of the page."""

    title: str
    changes: list[Change]


def grouped(found: list[Change]) -> list[Group]:
    """Changes by the part of the page that they are in, in its order."""
    parts = [(title, [change for change in found if change.field in names]) for title, names in PARTS]
    return [Group(title, changed) for title, changed in parts if changed]


def summary(found: Sequence[Change], earlier: AgentConfig, later: AgentConfig) -> str:
    """The changes from one to the other in a line. Of a flow it names the steps."""
    labels = [change.label for change in found if change.field != "flow"]
    return ", ".join(dict.fromkeys([*labels, *_flow_summary(earlier.flow, later.flow)]))


def _flow_summary(earlier: Flow | None, later: Flow | None) -> Iterator[str]:
    was = {step.id: step for step in (earlier.steps if earlier else ())}
    now = {step.id: step for step in (later.steps if later else ())}
    yield from (f"Added {step.title}" for key, step in now.items() if key not in was)
    yield from (f"Deleted {step.title}" for key, step in was.items() if key not in now)
    for key, step in now.items():
        if key in was and was[key] != step:
            before, after = was[key].model_dump(), step.model_dump()
            fields = [name for name in after if before.get(name) != after[name]]
            yield f"Moved {step.title}" if fields == ["position"] else f"{step.title}: {', '.join(map(_plain, fields))}"
    if (earlier and (earlier.start, earlier.routes)) != (later and (later.start, later.routes)) and was and now:
        yield "Ways from everywhere"


def describe(place: str, value: Any) -> tuple[str, str]:
    """The setting at a dotted path of the config, or part of it, as (label, value in words)."""
    names = [name for name, path in AgentForm.PATHS.items() if f"{path}.".startswith(f"{place}.")]
    if not names:
        return _describe_plain(place, value)
    if AgentForm.PATHS[names[0]] == place:
        return _label(names[0]), _words(names[0], value)
    said = {name: _words(name, _at(value, AgentForm.PATHS[name].removeprefix(f"{place}."))) for name in names}
    return _plain(place), "\n".join(f"{_label(name)}: {words or 'empty'}" for name, words in said.items())


def _describe_plain(place: str, value: Any) -> tuple[str, str]:
    """Of what has no control: a step of a flow, or a part of one."""
    if value is Nothing.ABSENT:
        words = "not there"
    elif isinstance(value, dict) and value.get("kind"):
        words = f"{_plain(value['kind'])}: {value.get('name') or value.get('id', '')}"
    else:
        words = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    _, *parts = place.removeprefix("flow.").split(".") if place.startswith("flow.steps.") else ("", place)
    return ", ".join(_plain(part) for part in parts), words


def _plain(word: str) -> str:
    return word.replace("_", " ").replace(".", " ").capitalize()


def settings_of(config: AgentConfig) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every setting as (label, value in words), by the part of the page: for who may not edit."""
    values = config.model_dump()
    return [
        (title, [(_label(name), _words(name, _at(values, AgentForm.PATHS[name]))) for name in names])
        for title, names in PARTS
    ]


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values[key]
    return values


def _label(name: str) -> str:
    return str(AgentForm.base_fields[name].label)


def _words(name: str, value: Any) -> str:
    """A value as the page shows it."""
    control = AgentForm.base_fields[name]
    if isinstance(control, FlowField):
        return control.words(value)
    if isinstance(control, LevelField):
        return control.words(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "never"
    if name in CONNECTIONS:
        return _connection(value)
    if name == "voice":
        return voice_label(value)
    if name == "ambient_bed":
        return _bed(value)
    if name == "tools":
        return _tools(value)
    if isinstance(control, RowsField):
        return control.words(value, lambda column, text: NAMED[column](text) if column in NAMED else text)
    if name == "knowledge":
        return _folders(value)
    if name == "pronunciations":
        return _dictionaries(value)
    if isinstance(control, forms.ChoiceField):
        return str(dict(_flat(control.choices)).get(value, value))
    value = control.prepare_value(value)
    return (f"{value:g}" if isinstance(value, float) else str(value)) + UNITS.get(name, "")


def _connection(value: str) -> str:
    if value == "local":
        return "On this machine"
    found = ModelConnection.objects.filter(pk=value).values_list("name", flat=True).first()
    return found or "a deleted connection"


def _agent(value: str) -> str:
    found = Agent.objects.filter(pk=value, deleted_at=None).values_list("name", flat=True).first()
    return found or "a deleted agent"


NAMED: Mapping[str, Callable[[str], str]] = {"connection": _connection, "agent": _agent}
"""Columns of rows that hold ids."""


def voice_label(value: str) -> str:
    """A voice of this machine, or an uploaded one, for people."""
    if not is_brought(value):
        return voices.label(value)
    found = VoiceFile.objects.filter(pk=value).values_list("name", flat=True).first()
    return found or "a deleted voice"


def _bed(value: str) -> str:
    if value in dict(BEDS):
        return dict(BEDS)[value]
    found = AmbientSound.objects.filter(pk=value).values_list("name", flat=True).first()
    return found or "a deleted sound"


def _tools(ids: Sequence[str]) -> str:
    names = dict(Tool.objects.filter(pk__in=ids).values_list("pk", "name"))
    return "\n".join(names.get(key, "a deleted tool") for key in ids)


def _folders(ids: tuple[str, ...]) -> str:
    names = dict(KnowledgeFolder.objects.filter(pk__in=ids).values_list("pk", "name"))
    return ", ".join(names.get(key, "a deleted folder") for key in ids) or "none"


def _dictionaries(ids: tuple[str, ...]) -> str:
    names = dict(PronunciationDictionary.objects.filter(pk__in=ids).values_list("pk", "name"))
    return ", ".join(names.get(key, "a deleted dictionary") for key in ids) or "none"


def _flat(choices: Any) -> list[tuple[str, str]]:
    """Choices without their groups."""
    return [
        pair for value, label in choices for pair in (label if isinstance(label, list | tuple) else [(value, label)])
    ]


def _lines(before: str, after: str) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=CONTEXT_LINES, lineterm=""):
        if line.startswith(("---", "+++")) and not lines:
            continue
        lines.append(("…", "") if line.startswith("@@") else (line[:1] or " ", line[1:]))
    return lines[1:] if lines[:1] == [("…", "")] else lines
