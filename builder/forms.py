"""Forms of the agent page and of connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlsplit

from django import forms
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from accounts.models import Organization
from builder import starters, voices
from builder.config import LOCAL, AgentConfig
from builder.models import Agent, ModelConnection

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[ModelConnection]
else:
    _ModelForm = forms.ModelForm

LANGUAGES = [("en", "English")]


def schema(path: str) -> FieldInfo:
    """The schema of the setting at a dotted path of AgentConfig, such as `voice.speed`."""
    *parents, name = path.split(".")
    model: type[BaseModel] = AgentConfig
    for parent in parents:
        model = cast("type[BaseModel]", model.model_fields[parent].annotation)
    return model.model_fields[name]


def _bound(path: str, kind: str) -> Any:
    """The limit that the schema sets: `ge`, `le` or `max_length`."""
    return next((getattr(rule, kind) for rule in schema(path).metadata if hasattr(rule, kind)), None)


class NumberField(forms.FloatField):
    """Shows 12, not 12.0."""

    def prepare_value(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) and value.is_integer() else value


class MinutesField(NumberField):
    """Minutes for people, seconds in the config."""

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value(round(value / 60, 4) if isinstance(value, int | float) else value)

    def clean(self, value: Any) -> float | None:
        minutes = super().clean(value)
        return None if minutes is None else round(minutes * 60, 1)


def _number(path: str, label: str, help_text: str, *, step: float = 0.1) -> NumberField:
    """A number field with the limits of the schema."""
    return NumberField(
        label=label, help_text=help_text, step_size=None, min_value=_bound(path, "ge"), max_value=_bound(path, "le"),
        widget=forms.NumberInput(attrs={"step": step}),
    )  # fmt: skip


def _whole(path: str, label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text=help_text, min_value=_bound(path, "ge"), max_value=_bound(path, "le")
    )


def _text(label: str, help_text: str, *, path: str = "", rows: int = 2, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=_bound(path, "max_length") if path else 500,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


@dataclass(frozen=True, slots=True)
class Group:
    """A titled part of the advanced settings."""

    title: str
    hint: str
    fields: list[forms.BoundField]


class AgentForm(forms.Form):
    """The agent page. `PATHS` says which setting of AgentConfig each control sets; every setting has one."""

    PATHS: ClassVar[Mapping[str, str]] = {
        "prompt": "prompt",
        "greeting": "greeting",
        "language": "language",
        "voice": "voice.id",
        "speed": "voice.speed",
        "connection": "model.connection",
        "model": "model.name",
        "temperature": "model.temperature",
        "max_tokens": "model.max_tokens",
        "finished_silence": "turns.finished_silence",
        "unfinished_silence": "turns.unfinished_silence",
        "finished_probability": "turns.finished_probability",
        "interruptible": "turns.interruptible",
        "interruption_speech": "turns.interruption_speech",
        "check_in_after": "inactivity.check_in_after",
        "check_in_text": "inactivity.check_in_text",
        "check_ins": "inactivity.check_ins",
        "farewell_text": "inactivity.farewell_text",
        "phrase_slow": "phrases.slow",
        "phrase_still_slow": "phrases.still_slow",
        "phrase_trouble": "phrases.trouble",
        "phrase_giving_up": "phrases.giving_up",
        "phrase_goodbye": "phrases.goodbye",
        "phrase_time_is_up": "phrases.time_is_up",
        "phrase_no_transfer": "phrases.no_transfer",
        "phrase_correction": "phrases.correction",
        "slow_after": "slow_after",
        "max_duration_minutes": "max_duration",
        "can_end_call": "can_end_call",
    }
    GROUPS: ClassVar = [
        (
            "Turn taking",
            "When the agent answers, and when it lets itself be interrupted.",
            (
                "finished_silence",
                "unfinished_silence",
                "finished_probability",
                "interruptible",
                "interruption_speech",
            ),
        ),
        (
            "Silence",
            "What happens when the caller says nothing.",
            ("check_in_after", "check_in_text", "check_ins", "farewell_text"),
        ),
        (
            "When something is slow or wrong",
            "A caller hears words, never silence.",
            (
                "slow_after",
                "phrase_slow",
                "phrase_still_slow",
                "phrase_trouble",
                "phrase_giving_up",
                "phrase_correction",
            ),
        ),
        (
            "Limits",
            "How a call comes to its end.",
            ("max_duration_minutes", "phrase_time_is_up", "can_end_call", "phrase_goodbye", "phrase_no_transfer"),
        ),
    ]

    revision = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(
        label="Name", max_length=120, help_text="What people see in lists, and what the agent is called."
    )
    prompt = _text(
        "Prompt",
        "Who the agent is, what it knows and how it behaves. Write facts as plain sentences.",
        path="prompt",
        rows=16,
        required=False,
    )
    greeting = _text(
        "Greeting",
        "The agent's first words, said exactly so. Empty: the caller speaks first.",
        path="greeting",
        required=False,
    )
    language = forms.ChoiceField(
        label="Language", choices=LANGUAGES, help_text="What the caller speaks and the agent answers in."
    )
    voice = forms.ChoiceField(label="Voice", choices=voices.CHOICES)
    speed = _number("voice.speed", "Speed", "1 is the voice's own pace.", step=0.05)
    connection = forms.ChoiceField(label="Language model", help_text="Where the answers are made.")
    model = forms.CharField(
        label="Model name",
        required=False,
        max_length=120,
        help_text="As the service calls it. Empty: the connection's default.",
    )
    temperature = _number("model.temperature", "Temperature", "0 gives the same answer each time; higher varies more.")
    max_tokens = _whole(
        "model.max_tokens", "Longest answer", "In tokens; a token is about four letters. Callers prefer short answers."
    )

    finished_silence = _number(
        "turns.finished_silence", "Pause after a finished sentence", "Seconds before the agent answers.", step=0.05
    )
    unfinished_silence = _number(
        "turns.unfinished_silence",
        "Pause after an unfinished sentence",
        "Seconds that the agent waits for the caller to go on.",
    )
    finished_probability = _number(
        "turns.finished_probability",
        "Certainty that the caller has finished",
        "From 0 to 1. Higher waits more often, lower answers sooner.",
        step=0.05,
    )
    interruptible = forms.BooleanField(
        label="The caller may interrupt", required=False, help_text="Off: the agent always finishes what it says."
    )
    interruption_speech = _number(
        "turns.interruption_speech",
        "Speech that interrupts",
        "Seconds of speech that stop the agent whatever the words are. A shorter sound needs words.",
    )

    check_in_after = _number("inactivity.check_in_after", "Check in after", "Seconds of silence.", step=1)
    check_in_text = _text("Check-in", "What the agent asks then.")
    check_ins = _whole("inactivity.check_ins", "Number of check-ins", "After that many the agent says goodbye.")
    farewell_text = _text("Farewell", "What it says before it hangs up.")

    slow_after = _number("slow_after", "An answer is slow after", "Seconds.", step=0.5)
    phrase_slow = _text("When the answer is slow", "Said while the caller waits.")
    phrase_still_slow = _text("When it stays slow", "Said again and again until the answer is there.")
    phrase_trouble = _text("When an answer failed", "Said when a service did not answer.")
    phrase_giving_up = _text("When the call must end", "Said when it keeps failing.")

    max_duration_minutes = MinutesField(
        label="Longest call",
        help_text="Minutes.",
        min_value=_bound("max_duration", "ge") / 60,
        max_value=_bound("max_duration", "le") / 60,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    phrase_goodbye = _text("Goodbye", "Said when the agent hangs up without words of its own.")
    phrase_time_is_up = _text("When the time is up", "Said before the longest call ends.")
    phrase_no_transfer = _text("When a transfer fails", "Said to the caller, who is still there.")
    phrase_correction = _text("To take back a claim", "Said when the agent claimed to have done what it has not.")
    can_end_call = forms.BooleanField(
        label="The agent may hang up", required=False, help_text="It does so when the conversation is over."
    )

    def __init__(self, data: Any = None, *, organization: Organization, agent: Agent, **kwargs: Any) -> None:
        config = AgentConfig.model_validate(agent.draft)
        values = config.model_dump()
        initial = {field: _get(values, path) for field, path in self.PATHS.items()}
        initial |= {"name": agent.name, "revision": agent.draft_revision}
        super().__init__(data, initial=initial, **kwargs)
        self.config = config
        """The draft as stored; after `is_valid`, as it is to be stored."""
        self.connections = {connection.pk: connection for connection in organization.model_connections.all()}
        choices = [(LOCAL, "On this machine"), *((key, known.name) for key, known in self.connections.items())]
        if config.model.connection not in dict(choices):
            choices.append((config.model.connection, "A deleted connection"))
        self._field("connection").choices = choices

    def _field(self, name: str) -> Any:
        return self.fields[name]

    @property
    def groups(self) -> Iterator[Group]:
        """The advanced settings, in the order of the page."""
        for title, hint, names in self.GROUPS:
            yield Group(title, hint, [self[name] for name in names])

    def clean_connection(self) -> str:
        chosen: str = self.cleaned_data["connection"]
        if chosen != LOCAL and chosen not in self.connections:
            raise forms.ValidationError("This connection was deleted. Choose another one.")
        return chosen

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        data["model"] = self._model_name(data["connection"], data["model"])
        values = self.config.model_dump()
        for field, path in self.PATHS.items():
            _set(values, path, data[field])
        chosen = voices.voice(data["voice"])
        values["voice"]["provider"] = chosen.provider if chosen else values["voice"]["provider"]
        try:
            self.config = AgentConfig.model_validate(values)
        except ValidationError as error:
            self._add_schema_errors(error)
        return data

    def _model_name(self, connection: str, name: str) -> str:
        """A local agent has one model; elsewhere the name may be left to the connection."""
        if connection == LOCAL:
            return str(schema("model.name").default)
        # The local model's name stays in the field when the choice changes from local; no service knows it.
        if not name or name == schema("model.name").default:
            return self.connections[connection].default_model
        return name

    def _add_schema_errors(self, error: ValidationError) -> None:
        fields = {path: field for field, path in self.PATHS.items()}
        for problem in error.errors():
            self.add_error(fields.get(".".join(map(str, problem["loc"]))), problem["msg"])


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


class RestoreForm(forms.Form):
    """`revision` is the draft that is to be replaced."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class PreviewForm(forms.Form):
    """Some words to hear."""

    text = forms.CharField(max_length=300)
    voice = forms.ChoiceField(choices=voices.CHOICES)
    speed = forms.FloatField(min_value=_bound("voice.speed", "ge"), max_value=_bound("voice.speed", "le"))


class ConnectionForm(_ModelForm):
    """A connection. The key is write-only: it is never shown, and leaving it empty keeps the one that is stored."""

    api_key = forms.CharField(
        label="API key",
        required=False,
        max_length=500,
        strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"}),
        help_text="Stored encrypted and never shown again. Services on your own machine often need none.",
    )

    class Meta:
        model = ModelConnection
        fields = ("name", "base_url", "api_key", "default_model")
        labels: ClassVar = {"base_url": "Base URL", "default_model": "Model"}
        help_texts: ClassVar = {
            "base_url": "Up to and including /v1, such as https://api.openai.com/v1",
            "default_model": "The model that agents use unless they name another.",
        }
        widgets: ClassVar = {"base_url": forms.URLInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Kept before the form writes what was typed into the instance.
        self.stored_key = self.instance.api_key
        self.stored_url = self.instance.base_url

    def clean_base_url(self) -> str:
        url = str(self.cleaned_data["base_url"]).strip().rstrip("/").removesuffix("/chat/completions")
        try:
            parts = urlsplit(url)
            complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            complete = False
        if not complete:
            raise forms.ValidationError("Write a whole address, such as https://api.openai.com/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise forms.ValidationError("Leave out user names, keys and everything from ? or # on.")
        return url

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = ModelConnection.objects.filter(organization=self.instance.organization, name=name)
        if others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is already a connection of this name.")
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("api_key"):
            data["api_key"] = self.stored_key
            if self.stored_key and _origin(data.get("base_url", "")) not in ("", _origin(self.stored_url)):
                # Else whoever may edit a connection could have its key sent to a server of theirs.
                self.add_error("api_key", "The address is another one now, so enter the key again.")
        return data


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
