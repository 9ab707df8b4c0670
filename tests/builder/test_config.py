"""AgentConfig, the form that sets it, what changed between two of it, and what the engine makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from accounts.models import Organization
from builder import voices
from builder.changes import PARTS, Change, changes, grouped, settings_of
from builder.compile import AgentNotReady, Service, compile_agent, default_model
from builder.config import AgentConfig, HearingChoice, ModelChoice, Source, VariableChoice, VoiceChoice, VoiceSource
from builder.forms import AgentForm
from builder.models import AgentVersion
from builder.vendors import Access
from tests.builder.pages import page_data
from tests.conftest import AgentFactory, ConnectionFactory, VersionFactory
from voice.spec import Ambient, Inactivity, TransferTarget, TurnTaking, Voice

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
        assert set(AgentForm.PATHS.values()) == paths(AgentConfig)
        assert sorted(AgentForm.PATHS) == sorted(name for _, names in PARTS for name in names)

    def test_every_default_voice_is_one_that_can_be_chosen(self) -> None:
        assert voices.voice(Voice().id) is not None

    def test_it_takes_the_draft_as_it_shows_it(self, agent_factory: AgentFactory, workspace: Organization) -> None:
        config = AgentConfig(
            prompt="Two\nlines.",
            voice=VoiceChoice(id="joe", speed=0.85),
            keyterms=("Bright Harbor", "Ortiz"),
            ambient=Ambient(bed="office", volume=0.5),
            transfers=(
                TransferTarget(name="Front_desk", to="+14155550100", when="They ask for a person.", warm=True),
                TransferTarget(name="Night", to="sip:night@example.org"),
            ),
            variables=(
                VariableChoice(name="customer", test="Ann", description="As the shop knows them"),
                VariableChoice(name="visits", type="number", default="3"),
            ),
            timezone="Europe/Berlin",
            honesty="flag",
            hedge_after=1.5,
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
            ("timezone", "Middle/Earth"),
        ],
    )
    def test_what_the_schema_forbids_is_said_at_the_control(
        self, control: str, value: str, agent_factory: AgentFactory, workspace: Organization
    ) -> None:
        agent = agent_factory()
        form = AgentForm(page_data(agent, **{control: value}), organization=workspace, agent=agent)
        assert set(form.errors) == {control}

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ({"name": "system__mine"}, "system__mine cannot be set"),
            ({"name": "two words"}, "no name of a variable"),
            ({"name": "visits", "type": "number", "default": "many"}, "“many” is no number"),
            ({"name": "day", "type": "date", "test": "2026-02-30"}, "“2026-02-30” is no date"),
        ],
    )
    def test_a_variable_that_cannot_be_is_said_at_its_control(
        self, row: dict[str, str], words: str, agent_factory: AgentFactory, workspace: Organization
    ) -> None:
        agent = agent_factory()
        whole = {"name": "x", "type": "string", "default": "", "test": "", "description": ""} | row
        data = page_data(agent, **{f"variables.{name}": [value] for name, value in whole.items()})
        form = AgentForm(data, organization=workspace, agent=agent)
        assert words in str(form.errors["variables"])


class TestChanges:
    def test_they_are_in_the_words_of_the_page(self, connection_factory: ConnectionFactory) -> None:
        made = connection_factory("Groq")
        after = AgentConfig(
            voice=VoiceChoice(id="am_puck"),
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

    def test_a_local_agent_needs_no_account(self, version_factory: VersionFactory) -> None:
        compiled = compile_agent(self.version(version_factory(), prompt="Hi.", can_end_call=True))
        assert {service.access for service in compiled.services} == {None}
        assert (compiled.spec.name, compiled.spec.prompt, compiled.spec.model.provider) == ("Reception", "Hi.", "local")
        assert compiled.spec.can_end_call

    def test_variables_have_their_defaults_and_in_test_calls_their_test_values(
        self, version_factory: VersionFactory
    ) -> None:
        variables = [
            {"name": "visits", "type": "number", "default": "3", "test": "7", "description": "How often"},
            {"name": "customer"},
        ]
        compiled = compile_agent(self.version(version_factory(), variables=variables, timezone="Europe/Berlin"))
        assert [(one.name, one.value) for one in compiled.spec.variables] == [("visits", 3), ("customer", None)]
        assert compiled.spec.timezone == "Europe/Berlin"
        assert compiled.test_values == {"visits": 7}

    def test_an_agent_that_may_not_hang_up_has_no_tool_for_it(self, version_factory: VersionFactory) -> None:
        assert compile_agent(self.version(version_factory(), can_end_call=False)).spec.can_end_call is False

    def test_a_connection_becomes_an_access_with_its_key(
        self, version_factory: VersionFactory, connection_factory: ConnectionFactory
    ) -> None:
        made = connection_factory()
        choice = ModelChoice(connection=made.pk, name="large", temperature=0.0)
        compiled = compile_agent(self.version(version_factory(), model=choice))
        access = Access("compatible", "Groq", "https://llm.example.org/v1", "sk-secret")
        assert [service for service, _ in compiled.models] == [Service("llm", access, "large")]
        assert (compiled.spec.model.provider, compiled.spec.model.name) == ("Groq", "large")
        assert "sk-secret" not in compiled.spec.model_dump_json()
        assert "sk-secret" not in repr(compiled)

    @pytest.mark.parametrize(
        ("vendor", "model", "answers"),
        [
            ("line", "", ("agent", "line")),
            ("webagent", "conversation-relay", ("agent", "conversation-relay")),
            ("openai", "gpt-realtime-2", ("realtime", "gpt-realtime-2")),
        ],
    )
    def test_a_program_or_a_model_that_speaks_answers_in_place_of_a_language_model(
        self,
        vendor: str,
        model: str,
        answers: tuple[str, str],
        version_factory: VersionFactory,
        connection_factory: ConnectionFactory,
    ) -> None:
        made = connection_factory("Ours", vendor=vendor, base_url="https://agent.example.org", default_model="")
        choice = ModelChoice(connection=made.pk, name=model or default_model(made, "llm"))
        compiled = compile_agent(self.version(version_factory(), model=choice))
        assert compiled.answering is not None
        assert (compiled.answering.role, compiled.answering.model) == answers
        assert compiled.models == ()
        assert compiled.spec.model.provider.startswith("Ours")

    def test_each_role_has_its_own_chain(
        self, version_factory: VersionFactory, connection_factory: ConnectionFactory
    ) -> None:
        deepgram = connection_factory("Deepgram", vendor="deepgram", base_url="", default_model="")
        cartesia = connection_factory("Cartesia", vendor="cartesia", base_url="", default_model="")
        claude = connection_factory("Claude", vendor="anthropic", base_url="", default_model="claude-opus-5-5")
        compiled = compile_agent(
            self.version(
                version_factory(),
                hearing=HearingChoice(connection=deepgram.pk, fallbacks=(Source(connection=cartesia.pk),)),
                voice=VoiceChoice(
                    connection=cartesia.pk, id="", fallbacks=(VoiceSource(connection=deepgram.pk, id="thalia"),)
                ),
                model=ModelChoice(fallbacks=(Source(connection=claude.pk),), max_tokens=99),
            )
        )
        assert [service.name for service in compiled.hearing] == ["Deepgram nova-3", "Cartesia ink-2"]
        assert [(service.name, voice.id) for service, voice in compiled.voices] == [
            ("Cartesia sonic-3.6", "f786b574-daa5-4673-aa0c-cbe3e8534c02"),
            ("Deepgram aura-2", "thalia"),
        ]
        assert [(model.provider, model.name, model.max_tokens) for _, model in compiled.models] == [
            ("local", "qwen2.5-1.5b", 99),
            ("Claude", "claude-opus-5-5", 99),
        ]
        assert compiled.hearing[0].access == Access("deepgram", "Deepgram", "https://api.deepgram.com", "sk-secret")

    def test_an_account_that_does_not_do_what_is_asked_of_it_is_named(
        self, version_factory: VersionFactory, connection_factory: ConnectionFactory
    ) -> None:
        claude = connection_factory("Claude", vendor="anthropic")
        with pytest.raises(AgentNotReady, match="Claude does not offer voices"):
            compile_agent(self.version(version_factory(), voice=VoiceChoice(connection=claude.pk, id="x")))

    def test_a_compatible_service_has_no_voice_of_its_own_choice(
        self, version_factory: VersionFactory, connection_factory: ConnectionFactory
    ) -> None:
        made = connection_factory()
        with pytest.raises(AgentNotReady, match="Choose a voice of Groq"):
            compile_agent(self.version(version_factory(), voice=VoiceChoice(connection=made.pk, id="")))

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

    def test_without_the_local_model_the_fallback_answers(
        self, version_factory: VersionFactory, connection_factory: ConnectionFactory, settings: Any
    ) -> None:
        settings.LLM = "none"
        choice = ModelChoice(fallbacks=(Source(connection=connection_factory().pk),))
        compiled = compile_agent(self.version(version_factory(), model=choice))
        assert (compiled.spec.model.provider, compiled.spec.model.name) == ("Groq", "small")


class TestRows:
    @pytest.fixture
    def submit(self, agent_factory: AgentFactory, workspace: Organization) -> Any:
        def submit(**data: Any) -> AgentForm:
            agent = agent_factory()
            return AgentForm(page_data(agent, **data), organization=workspace, agent=agent)

        return submit

    def rows(self, *rows: tuple[str, str, str, str]) -> dict[str, list[str]]:
        names = ("name", "to", "when", "warm")
        return {f"transfers.{names[place]}": [row[place] for row in rows] for place in range(4)}

    def test_a_name_and_a_number_are_tidied(self, submit: Any) -> None:
        form = submit(**self.rows(("Front desk", "+1 (415) 555-0100", " Asked for. ", "yes"), ("", "", "", "")))
        assert form.is_valid(), form.errors
        assert form.config.transfers == (
            TransferTarget(name="Front_desk", to="+14155550100", when="Asked for.", warm=True),
        )

    @pytest.mark.parametrize(
        ("row", "complaint"),
        [
            (("Desk", "", "", ""), "Number or SIP address is missing"),
            (("Desk", "call me", "", ""), "no phone number"),
            (("42", "+14155550100", "", ""), "begin with a letter"),
        ],
    )
    def test_what_is_wrong_in_a_row_is_said_with_its_number(
        self, row: tuple[str, str, str, str], complaint: str, submit: Any
    ) -> None:
        form = submit(**self.rows(("Night", "+14155550101", "", ""), row))
        assert set(form.errors) == {"transfers"}
        assert "Row 2" in form.errors["transfers"][0]
        assert complaint in form.errors["transfers"][0]

    def test_two_of_one_name_are_refused(self, submit: Any) -> None:
        form = submit(**self.rows(("Desk", "+14155550101", "", ""), ("Desk", "+14155550102", "", "")))
        assert form.errors["transfers"] == ["Two of them have the same name."]

    def test_fallbacks_are_chosen_among_the_connections_of_the_role(
        self, submit: Any, connection_factory: ConnectionFactory
    ) -> None:
        claude = connection_factory("Claude", vendor="anthropic", default_model="")
        form = submit(**{"model_fallbacks.connection": [claude.pk], "model_fallbacks.model": [""]})
        assert form.is_valid(), form.errors
        assert form.config.model.fallbacks == (Source(connection=claude.pk),)
        refused = submit(**{"hearing_fallbacks.connection": [claude.pk], "hearing_fallbacks.model": [""]})
        assert set(refused.errors) == {"hearing_fallbacks"}

    def test_they_are_said_with_the_names_of_the_connections(self, connection_factory: ConnectionFactory) -> None:
        claude = connection_factory("Claude", vendor="anthropic")
        choice = ModelChoice(fallbacks=(Source(connection=claude.pk, model="haiku"), Source()))
        (change,) = changes(AgentConfig(), AgentConfig(model=choice))
        assert (change.label, change.before) == ("If the model fails", "")
        assert change.after == "Claude · haiku\nOn this machine"


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("+1 (415) 555-01.00", "+14155550100"),
        (" 110 ", "110"),
        ("sip:front-desk (1)@example.org", "sip:front-desk (1)@example.org"),
        ("+1 415 {{extension}}", "+1 415 {{extension}}"),
        ("{{ owner.phone-number }}", "{{ owner.phone-number }}"),
        ("the front desk", "the front desk"),
    ],
)
def test_a_number_to_transfer_to_is_kept_as_it_is_dialled(written: str, dialled: str) -> None:
    target = {"name": "desk", "to": written}
    assert AgentConfig.model_validate({"transfers": [target]}).transfers[0].to == dialled
