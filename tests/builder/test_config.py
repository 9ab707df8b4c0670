"""AgentConfig, the form that sets it, what changed between two of it, and what the engine makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from accounts.models import Organization
from builder import voices
from builder.changes import PARTS, Change, changes, grouped, settings_of
from builder.compile import AgentNotReady, Endpoint, compile_agent
from builder.config import AgentConfig, ModelChoice
from builder.forms import AgentForm
from builder.models import AgentVersion
from tests.builder.pages import page_data
from tests.conftest import AgentFactory, ConnectionFactory, VersionFactory
from voice.spec import Inactivity, TurnTaking, Voice

pytestmark = pytest.mark.django_db


def paths(model: type[BaseModel], prefix: str = "") -> set[str]:
    """Every setting of a config, dotted."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= paths(kind, f"{prefix}{name}.")
        else:
            found.add(prefix + name)
    return found


class TestConfig:
    def test_the_hash_tells_two_configs_apart_and_knows_the_same_one(self) -> None:
        stored = AgentConfig(prompt="A").as_json()
        again = AgentConfig.model_validate(dict(reversed(stored.items())))
        assert again.content_hash() == AgentConfig(prompt="A").content_hash()
        assert again.content_hash() != AgentConfig(prompt="B").content_hash()

    def test_unknown_settings_are_refused(self) -> None:
        with pytest.raises(ValidationError):
            AgentConfig.model_validate({"promt": "typo"})


class TestForm:
    def test_every_setting_has_its_control_and_its_part_of_the_page(self) -> None:
        assert set(AgentForm.PATHS.values()) == paths(AgentConfig) - {"voice.provider"}
        assert sorted(AgentForm.PATHS) == sorted(name for _, names in PARTS for name in names)

    def test_every_default_voice_is_one_that_can_be_chosen(self) -> None:
        assert voices.voice(Voice().id) is not None

    def test_it_takes_the_draft_as_it_shows_it(self, agent_factory: AgentFactory, workspace: Organization) -> None:
        config = AgentConfig(
            prompt="Two\nlines.",
            voice=Voice(id="joe", speed=0.85),
            turns=TurnTaking(finished_silence=0.35, interruptible=False),
            inactivity=Inactivity(check_in_after=7.5, check_ins=0),
            max_duration=95.0,
            can_end_call=False,
        )
        agent = agent_factory(config=config)
        form = AgentForm(page_data(agent), organization=workspace, agent=agent)
        assert form.is_valid(), form.errors
        assert form.config == config

    def test_a_connection_lends_its_model_when_none_is_named(
        self, agent_factory: AgentFactory, workspace: Organization, connection_factory: ConnectionFactory
    ) -> None:
        agent, made = agent_factory(), connection_factory(default_model="large")
        data = page_data(agent, connection=made.pk)  # the control still holds the local model's name
        form = AgentForm(data, organization=workspace, agent=agent)
        assert form.is_valid(), form.errors
        assert form.config.model == ModelChoice(connection=made.pk, name="large")
        named = AgentForm(data | {"model": "other"}, organization=workspace, agent=agent)
        assert named.is_valid(), named.errors
        assert named.config.model.name == "other"

    def test_whole_numbers_are_shown_without_a_point(
        self, agent_factory: AgentFactory, workspace: Organization
    ) -> None:
        form = AgentForm(organization=workspace, agent=agent_factory())
        assert 'value="12"' in str(form["check_in_after"])
        assert 'value="30"' in str(form["max_duration_minutes"])

    @pytest.mark.parametrize(
        ("control", "value"),
        [
            ("name", " "),
            ("prompt", "x" * 40_001),
            ("speed", "0.1"),
            ("check_in_after", "1"),
            ("max_duration_minutes", "0.1"),
        ],
    )
    def test_what_the_schema_forbids_is_said_at_the_control(
        self, control: str, value: str, agent_factory: AgentFactory, workspace: Organization
    ) -> None:
        agent = agent_factory()
        form = AgentForm(page_data(agent, **{control: value}), organization=workspace, agent=agent)
        assert set(form.errors) == {control}


class TestChanges:
    def test_they_are_in_the_words_of_the_page(self, connection_factory: ConnectionFactory) -> None:
        made = connection_factory("Groq")
        after = AgentConfig(
            voice=Voice(id="am_puck"),
            model=ModelChoice(connection=made.pk, name="small"),
            turns=TurnTaking(interruptible=False, finished_silence=0.4),
            max_duration=90.0,
        )
        said = {change.label: (change.before, change.after) for change in changes(AgentConfig(), after)}
        assert said == {
            "Voice": ("Heart", "Puck"),
            "Language model": ("On this machine", "Groq"),
            "Model name": ("qwen2.5-1.5b", "small"),
            "Pause after a finished sentence": ("0.2 s", "0.4 s"),
            "The caller may interrupt": ("on", "off"),
            "Longest call": ("30 min", "1.5 min"),
        }

    def test_a_long_text_is_compared_line_by_line(self) -> None:
        before = "\n".join(f"Line {number}." for number in range(10))
        after = before.replace("Line 5.", "Line five.")
        (change,) = changes(AgentConfig(prompt=before), AgentConfig(prompt=after))
        assert ("-", "Line 5.") in change.lines
        assert ("+", "Line five.") in change.lines
        assert (change.added, change.removed, change.touched) == (1, 1, 2)
        assert (" ", "Line 0.") not in change.lines

    def test_without_an_earlier_version_a_new_agent_is_what_they_are_measured_by(self) -> None:
        assert changes(None, AgentConfig()) == []
        assert [change.field for change in changes(None, AgentConfig(prompt="A"))] == ["prompt"]

    def test_they_are_grouped_as_the_page_is(self) -> None:
        found = changes(None, AgentConfig(prompt="A", max_duration=60.0))
        assert [(group.title, [change.field for change in group.changes]) for group in grouped(found)] == [
            ("What it says", ["prompt"]),
            ("Limits", ["max_duration_minutes"]),
        ]

    def test_a_connection_that_is_gone_has_a_name_too(self) -> None:
        (change, *_) = changes(AgentConfig(model=ModelChoice(connection="conn_gone")), AgentConfig())
        assert isinstance(change, Change)
        assert change.before == "a deleted connection"

    def test_every_setting_can_be_read(self) -> None:
        shown = {label for _, values in settings_of(AgentConfig()) for label, _ in values}
        assert len(shown) == len(AgentForm.PATHS)


class TestCompile:
    def version(self, made: AgentVersion, **changes: Any) -> AgentVersion:
        made.config = AgentConfig(**changes).as_json()
        return made

    def test_a_local_agent_has_no_endpoint(self, version_factory: VersionFactory) -> None:
        compiled = compile_agent(self.version(version_factory(), prompt="Hi.", can_end_call=True))
        assert compiled.endpoint is None
        assert (compiled.spec.name, compiled.spec.prompt, compiled.spec.model.provider) == ("Reception", "Hi.", "local")
        assert compiled.spec.can_end_call

    def test_an_agent_that_may_not_hang_up_has_no_tool_for_it(self, version_factory: VersionFactory) -> None:
        assert compile_agent(self.version(version_factory(), can_end_call=False)).spec.can_end_call is False

    def test_a_connection_becomes_an_endpoint_with_its_key(
        self, version_factory: VersionFactory, connection_factory: ConnectionFactory
    ) -> None:
        made = connection_factory()
        choice = ModelChoice(connection=made.pk, name="large", temperature=0.0)
        compiled = compile_agent(self.version(version_factory(), model=choice))
        assert compiled.endpoint == Endpoint("https://llm.example.org/v1", "sk-secret")
        assert (compiled.spec.model.provider, compiled.spec.model.name) == ("Groq", "large")
        assert "sk-secret" not in compiled.spec.model_dump_json()

    def test_a_connection_of_another_workspace_is_not_reached(
        self, version_factory: VersionFactory, connection_factory: ConnectionFactory, other_workspace: Organization
    ) -> None:
        foreign = connection_factory(organization=other_workspace)
        with pytest.raises(AgentNotReady, match="was deleted"):
            compile_agent(self.version(version_factory(), model=ModelChoice(connection=foreign.pk)))

    def test_without_the_local_model_a_local_agent_is_not_ready(
        self, version_factory: VersionFactory, settings: Any
    ) -> None:
        settings.LLM = "none"
        with pytest.raises(AgentNotReady, match="Choose a connection"):
            compile_agent(version_factory())
