"""Forms of the agent page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, cast

from django import forms
from pydantic import ValidationError

from accounts.models import Organization
from builder import starters, vendors, voices
from builder.compile import default_model
from builder.config import LOCAL, AgentConfig, HandOffChoice
from builder.controls import Advanced, AgentControls
from builder.drawing import DrawnField
from builder.fields import RowsField, bound, schema
from builder.models import Agent, ModelConnection
from builder.sounds import selectors as sounds
from voice.providers.vendor import Role

CONNECTIONS: Mapping[str, tuple[Role, ...]] = {
    "hearing_connection": ("stt",),
    "voice_connection": ("tts",),
    "connection": vendors.ANSWERS,
}
"""The controls that choose a connection, and for which roles."""
FALLBACK_ROWS: Mapping[str, Role] = {"hearing_fallbacks": "stt", "voice_fallbacks": "tts", "model_fallbacks": "llm"}


@dataclass(frozen=True, slots=True)
class Group:
    """A titled part of the advanced settings."""

    title: str
    hint: str
    fields: list[forms.BoundField]


class AgentForm(AgentControls):
    """The agent page."""

    bound_field_class = DrawnField

    def __init__(self, data: Any = None, *, organization: Organization, agent: Agent, **kwargs: Any) -> None:
        config = agent.draft_config
        values = config.model_dump()
        initial = {field: _get(values, path) for field, path in self.PATHS.items()}
        initial |= {"name": agent.name, "revision": agent.draft_revision}
        super().__init__(data, initial=initial, **kwargs)
        self.config = config
        """The draft as stored; after `is_valid`, as it is to be stored."""
        self.connections = {connection.pk: connection for connection in organization.model_connections.all()}
        self.voice_files = {file.pk for file in organization.voice_files.all()}
        for name, roles in CONNECTIONS.items():
            self._field(name).choices = self._sources(roles, initial[name])
        self._field("knowledge").choices = _folders(organization, config.knowledge)
        self._field("pronunciations").choices = _dictionaries(organization, config.pronunciations)
        self._field("ambient_bed").choices = sounds.choices(organization, config.ambient.bed)
        for name, role in FALLBACK_ROWS.items():
            rows: RowsField = self._field(name)
            rows.offer("connection", self._sources((role,), *(row["connection"] for row in initial[name])))
        for name in ("interruption_speech", "dictation"):
            self._field(name).offer(initial[name])
        self._field("webhook_secret").choices = _secrets(organization, config.webhook.secret)
        self._field("handoffs").offer("agent", _agents(organization, agent, config.handoffs))
        self.tool_names = dict(organization.tools.values_list("pk", "name"))
        gone = [(key, "A deleted tool") for key in initial["tools"] if key not in self.tool_names]
        self._field("tools").choices = [*self.tool_names.items(), *gone]

    def _field(self, name: str) -> Any:
        return self.fields[name]

    def _sources(self, roles: Sequence[Role], *chosen: str) -> list[tuple[str, str]]:
        """Where one of these roles can be had from. What was chosen and is gone is offered too, to be seen."""
        known = [
            found for found in self.connections.values() if any(vendors.has_role(found.vendor, role) for role in roles)
        ]
        choices = [(LOCAL, "On this machine"), *((found.pk, found.name) for found in known)]
        gone = [key for key in chosen if key not in dict(choices)]
        return choices + [(key, "A deleted connection") for key in dict.fromkeys(gone)]

    @property
    def groups(self) -> Iterator[Group]:
        """The advanced settings, in the order of the page."""
        for part in self.PARTS:
            if issubclass(part, Advanced):
                yield Group(part.TITLE, part.HINT, [self[name] for name in part.PATHS])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self._require_connections(data)
        if not self.errors:
            self._require_names(data)
        if self.errors:
            return data
        values = self.config.model_dump()
        for field, path in self.PATHS.items():
            _set(values, path, data[field])
        try:
            self.config = AgentConfig.model_validate(values)
        except ValidationError as error:
            self._add_schema_errors(error)
        return data

    def clean_tools(self) -> list[str]:
        chosen: list[str] = self.cleaned_data["tools"]
        if any(key not in self.tool_names for key in chosen):
            raise forms.ValidationError("A tool was deleted. Take it out.")
        return chosen

    def clean_transfers(self) -> list[dict[str, Any]]:
        rows = self.cleaned_data["transfers"]
        if len({row["name"] for row in rows}) < len(rows):
            raise forms.ValidationError("Two of them have the same name.")
        return [{**row, "warm": bool(row["warm"])} for row in rows]

    def clean_handoffs(self) -> list[dict[str, Any]]:
        rows = self.cleaned_data["handoffs"]
        if len({row["agent"] for row in rows}) < len(rows):
            raise forms.ValidationError("An agent is in two of them.")
        return [{**row, "greets": bool(row["greets"])} for row in rows]

    def clean_languages(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.cleaned_data["languages"]
        if len({row["language"] for row in rows}) < len(rows):
            raise forms.ValidationError("A language is in two of them.")
        return rows

    def _require_connections(self, data: Mapping[str, Any]) -> None:
        used = [(name, data.get(name, LOCAL)) for name in CONNECTIONS]
        used += [(name, row["connection"]) for name in FALLBACK_ROWS for row in data.get(name, ())]
        for name, chosen in used:
            if chosen != LOCAL and chosen not in self.connections:
                self.add_error(name, "This connection was deleted. Choose another one.")

    def _require_names(self, data: dict[str, Any]) -> None:
        """Models and voices, where they have to be known."""
        if data["voice_connection"] == LOCAL:
            data["voice_model"] = ""
            if not self._is_ours(data["voice"]):
                self.add_error("voice", "Choose one of the voices.")
        elif self._is_ours(data["voice"]):
            data["voice"] = ""  # a local one, which stays in the control when the choice changes from local
        if data["hearing_connection"] == LOCAL:
            data["hearing_model"] = ""
        data["model"] = self._model_name(data["connection"], data["model"])
        if not data["model"]:
            self.add_error("model", "Write which model answers; this service has no default.")

    def _is_ours(self, voice: str) -> bool:
        """A voice of this machine, or one that was uploaded."""
        return voices.voice(voice) is not None or voice in self.voice_files

    def _model_name(self, connection: str, name: str) -> str:
        """A local agent has one model; elsewhere the name may be left to the connection."""
        if connection == LOCAL:
            return str(schema("model.name").default)
        # The local model's name stays in the field when the choice changes from local; no service knows it.
        if not name or name == schema("model.name").default:
            return default_model(self.connections[connection], "llm")
        return name

    def _add_schema_errors(self, error: ValidationError) -> None:
        fields = {path: field for field, path in self.PATHS.items()}
        for problem in error.errors():
            path = ".".join(str(part) for part in problem["loc"] if isinstance(part, str))
            self.add_error(
                next((field for known, field in fields.items() if f"{path}.".startswith(f"{known}.")), None),
                problem["msg"],
            )


def _folders(organization: Organization, chosen: tuple[str, ...]) -> list[tuple[str, str]]:
    """The folders to choose from. One that was chosen and is gone can be taken off."""
    known = list(organization.knowledge_folders.values_list("pk", "name"))
    return known + [(key, "A deleted folder") for key in chosen if key not in dict(known)]


def _secrets(organization: Organization, chosen: str) -> list[tuple[str, str]]:
    """The secrets to choose from, with one that was chosen and is gone."""
    names = list(organization.secrets.values_list("name", flat=True))
    gone = [chosen] if chosen and chosen not in names else []
    return [("", "none"), *((name, name) for name in names), *((name, f"{name}, which was deleted") for name in gone)]


def _agents(organization: Organization, agent: Agent, chosen: Sequence[HandOffChoice]) -> list[tuple[str, str]]:
    """The other agents of the workspace, with those that were chosen and are gone."""
    known = dict(organization.agents.filter(deleted_at=None).exclude(pk=agent.pk).values_list("pk", "name"))
    gone = {one.agent: "A deleted agent" for one in chosen if one.agent not in known}
    return [*known.items(), *gone.items()] or [("", "There is no other agent yet")]


def _dictionaries(organization: Organization, chosen: Sequence[str]) -> list[tuple[str, str]]:
    """The dictionaries to choose from. One that was chosen and is gone can be taken off."""
    known = list(organization.pronunciation_dictionaries.values_list("pk", "name"))
    return known + [(key, "A deleted dictionary") for key in chosen if key not in dict(known)]


def _get(values: Mapping[str, Any], path: str) -> Any:
    return reduce(lambda part, key: part[key], path.split("."), values)


def _set(values: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    reduce(lambda part, key: part[key], parents, values)[name] = value


class NewAgentForm(forms.Form):
    """What a new agent starts from, and what it is called; without a name it has the one of its start."""

    start = forms.ChoiceField(choices=[(known.key, known.title) for known in starters.STARTERS], initial="blank")
    name = forms.CharField(
        label="Name", max_length=120, required=False, help_text="You can change it later, and everything else too."
    )

    @property
    def starter(self) -> starters.Starter:
        return starters.starter(self.cleaned_data["start"]) or starters.BLANK


class PublishForm(forms.Form):
    """`revision` is the draft whose changes are on the page."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        label="What changed, in your words",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Winter opening hours", "autocomplete": "off"}),
        help_text="Optional. It stands in the list of versions.",
    )


class CompareForm(forms.Form):
    """Two of the versions, or the draft."""

    earlier = forms.ChoiceField(label="From")
    later = forms.ChoiceField(label="To")

    def __init__(self, data: Any, *, choices: list[tuple[str, str]]) -> None:
        super().__init__(data, initial={"earlier": choices[min(1, len(choices) - 1)][0], "later": choices[0][0]})
        for name in ("earlier", "later"):
            cast("forms.ChoiceField", self.fields[name]).choices = choices


class RevisionForm(forms.Form):
    """`revision` is the draft that is meant."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class SaveForm(RevisionForm):
    """An edit of draft `revision` as text, of somebody who chose in the light of draft `seen`."""

    text = forms.CharField(required=False, strip=False)
    name = forms.CharField(required=False, max_length=120)
    seen = forms.IntegerField(required=False)
    choices = forms.CharField(required=False)


class PreviewForm(forms.Form):
    """Some words to hear, in a voice of a connection."""

    text = forms.CharField(max_length=300)
    connection = forms.ChoiceField()
    model = forms.CharField(required=False, max_length=300)
    voice = forms.CharField(required=False, max_length=200)
    speed = forms.FloatField(min_value=bound("voice.speed", "ge"), max_value=bound("voice.speed", "le"))
    volume = forms.FloatField(
        required=False, min_value=bound("voice.volume", "ge"), max_value=bound("voice.volume", "le")
    )

    def __init__(self, data: Any, *, organization: Organization) -> None:
        super().__init__(data)
        self._connections = {found.pk: found for found in organization.model_connections.all()}
        self._voice_files = set(organization.voice_files.values_list("pk", flat=True))
        connection = cast("forms.ChoiceField", self.fields["connection"])
        connection.choices = [(LOCAL, ""), *((key, "") for key in self._connections)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        voice = data.get("voice", "")
        if data.get("connection") == LOCAL and voices.voice(voice) is None and voice not in self._voice_files:
            self.add_error("voice", "Choose one of the voices.")
        return data

    @property
    def chosen(self) -> ModelConnection | None:
        """The connection that speaks; None for this machine."""
        return self._connections.get(self.cleaned_data["connection"])
