"""Agents of other systems: what becomes of their settings, and that no part of a document is forgotten."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.config import AgentConfig
from builder.controls import AgentControls
from builder.documents import NotUnderstood
from builder.imports.draft import Around, Imported, label
from builder.imports.formats import FORMATS, read_agent
from builder.imports.report import Line
from builder.imports.source import HIDDEN, Source, written
from builder.references import Names
from builder.tools.kinds import HttpConfig
from tests.builder.imports.samples import CARTESIA, VAPI, WORKFLOW
from voice.flow.spec import CollectStep, ConversationStep, EndStep, ToolStep, TransferStep

CONNECTED = Around(
    {"openai": "conn_openai", "cartesia": "conn_cartesia", "elevenlabs": "conn_11", "deepgram": "conn_dg"}
)
SAMPLES = {"cartesia": CARTESIA, "vapi": VAPI, "vapi_workflow": WORKFLOW}


def imported(document: Any, around: Around = CONNECTED) -> Imported:
    return read_agent(json.dumps(document), around, Names())


def line(found: Imported, path: str) -> Line:
    return next(each for each in found.report if each.path == path)


def test_each_format_is_recognised() -> None:
    assert {key: imported(document).format for key, document in SAMPLES.items()} == {key: key for key in SAMPLES}


class TestCartesia:
    def test_its_settings_are_kept(self) -> None:
        found = imported(CARTESIA)
        config = found.config
        assert (found.name, config.greeting) == ("Front desk", "Hi, Acme here.")
        assert config.prompt == "You answer the phone. The caller is {{system__caller_id}}."
        assert (config.model.connection, config.model.name, config.model.max_tokens) == (
            "conn_openai",
            "gpt-5.4-mini",
            300,
        )
        assert (config.voice.connection, config.voice.id, config.voice.speed) == ("conn_cartesia", "voice-1", 1.1)
        assert config.keyterms == ("Acme",)
        assert (config.inactivity.check_in_after, config.inactivity.check_ins) == (10.0, 2)
        assert (config.can_end_call, config.can_send_digits) == (True, False)
        assert [(one.to, one.when) for one in config.transfers] == [("+14155550100", "They ask for billing")]
        assert (config.timezone, config.noise_suppression) == ("America/Los_Angeles", "auto")
        assert [(one.name, one.type, one.default) for one in config.variables] == [
            ("customer_name", "string", ""),
            ("visits", "number", ""),
            ("vip", "boolean", ""),
        ]
        assert config.test_values == {"customer_name": "Ann", "visits": 3, "vip": True}

    def test_what_cannot_be_a_variable_says_why(self) -> None:
        document = copy.deepcopy(CARTESIA)
        document["config"]["dynamic_variable_placeholders"] = {"first name": "Ann", "system__x": "y", "list": [1]}
        found = imported(document)
        assert found.config.variables == ()
        reasons = [each.why for each in found.report if "placeholders" in each.path]
        assert len(reasons) == 3
        assert reasons[-1] == "A variable is a text, a number, or true or false."

    def test_without_a_greeting_the_caller_speaks_first(self) -> None:
        document = copy.deepcopy(CARTESIA)
        del document["config"]["initial_message"]
        assert imported(document).config.first_speaker == "caller"

    def test_other_languages_are_kept_where_somebody_hears_them(self) -> None:
        document = copy.deepcopy(CARTESIA)
        document["config"]["language"] = {"primary": "es"}
        assert imported(document).config.language == "es"
        assert imported(document).config.hearing.connection == "conn_cartesia"
        alone = imported(document, Around())
        assert alone.config.language == "en"
        assert "understands English only" in line(alone, "config.language.primary").why
        document["config"]["language"] = {"primary": None}
        assert imported(document).config.detect_language

    def test_a_webhook_becomes_a_tool_whose_secrets_are_named(self) -> None:
        found = imported(CARTESIA)
        (tool,) = found.tools
        assert isinstance(tool.config, HttpConfig)
        number, size, by = tool.config.parameters
        assert (number.where, number.required, size.allowed, by.required) == ("path", True, "s, m", False)
        assert tool.config.timeout == 15.0
        assert found.report.secrets == ("find_order_token", "find_order_x_key")
        assert found.config.tools == ("find_order",)

    def test_what_is_lost_says_why(self) -> None:
        found = imported(CARTESIA)
        assert line(found, "config.audio.output.emotion").why == "Voices have no moods here."
        assert "not in the document" in line(found, "config.tools[0].id").why
        assert line(found, "id").fate == "lost"

    def test_without_an_account_the_models_of_this_machine_do_it(self) -> None:
        found = imported(CARTESIA, Around())
        assert (found.config.model.connection, found.config.voice.connection) == ("local", "local")
        assert "no connection to" in line(found, "config.model.id").why

    def test_a_member_gets_the_agent_without_its_tools(self) -> None:
        found = imported(CARTESIA, Around(for_admin=False))
        assert (found.tools, found.config.tools) == ((), ())
        assert "Only admins make tools" in line(found, "config.tools[1]").why


class TestVapiAssistant:
    def test_its_settings_are_kept(self) -> None:
        config = imported(VAPI).config
        assert config.prompt == "You are Stacy. It is {{system__time}}. The caller is {{system__caller_id}}."
        assert config.greeting == "Hello, this is Stacy."
        assert (config.model.connection, config.model.name) == ("conn_openai", "gpt-4.1")
        assert (config.voice.connection, config.voice.id, config.voice.speed) == ("conn_11", "sarah", 0.9)
        assert (config.hearing.connection, config.hearing.model) == ("conn_dg", "nova-3")
        assert config.phrases.goodbye == "Take care!"
        assert (config.answering.detect, config.answering.message) == (True, "Please call back.")
        assert (config.turns.finished_silence, config.turns.interruption_speech) == (0.4, 0.3)
        assert config.ambient.bed == "office"
        assert [(one.name, one.to, one.when) for one in config.transfers] == [
            ("An_emergency", "+14155550100", "An emergency")
        ]

    @pytest.mark.parametrize(
        ("mode", "first"),
        [
            ("assistant-speaks-first", "greeting"),
            ("assistant-waits-for-user", "caller"),
            ("assistant-speaks-first-with-model-generated-message", "model"),
        ],
    )
    def test_who_speaks_first_stays(self, mode: str, first: str) -> None:
        assert imported({**VAPI, "firstMessageMode": mode}).config.first_speaker == first

    @pytest.mark.parametrize(
        "noise",
        [
            {"backgroundDenoisingEnabled": True},
            {"backgroundSpeechDenoisingPlan": {"smartDenoisingPlan": {"enabled": True}}},
        ],
    )
    def test_noise_is_suppressed_as_before(self, noise: dict[str, Any]) -> None:
        assert imported({**VAPI, **noise}).config.noise_suppression == "auto"
        assert imported(VAPI).config.noise_suppression == "off"

    def test_of_two_parts_that_differ_the_one_that_does_not_count_is_told(self) -> None:
        found = imported({**VAPI, "endCallFunctionEnabled": False})  # which has a tool that ends calls
        assert found.config.can_end_call
        said = line(found, "endCallFunctionEnabled")
        assert (said.fate, said.why) == ("changed", "Another part of the document says otherwise, and counts.")

    def test_what_needs_an_account_names_it(self) -> None:
        found = imported(VAPI, Around())
        for path, vendor in (("model.model", "OpenAI"), ("voice.voiceId", "ElevenLabs"), ("transcriber.model", "Deep")):
            assert line(found, path).why.startswith(f"The workspace has no connection to {vendor}")

    def test_what_does_not_fit_is_made_to_fit_and_said(self) -> None:
        found = imported(VAPI)
        assert found.config.max_duration == 14_400
        assert line(found, "maxDurationSeconds").fate == "changed"
        assert "{{now}} is {{system__time}} here." in line(found, "model.messages[0].content").why

    def test_its_tools_become_tools_and_keys_secrets(self) -> None:
        found = imported(VAPI)
        pet, book = found.tools
        assert isinstance(pet.config, HttpConfig)
        assert pet.config.url == "https://pets.example.org/pets/{name}?clinic=1"
        assert (pet.config.speech, [(one.path, one.variable) for one in pet.config.assign]) == (
            "One moment.",
            [("pet.id", "pet_id")],
        )
        assert [each.path for each in found.report.lost if "tools[0]" in each.path] == ["model.tools[0].messages[1]"]
        assert found.secrets == {"find_pet_x_api_key": "sk-very-secret"}
        assert "sk-very-secret" not in json.dumps(found.report.as_json()) + pet.config.model_dump_json()
        assert isinstance(book.config, HttpConfig)
        assert (book.config.method, book.config.url) == ("POST", "https://hook.example.org/vapi")
        assert "not Vapi's message around them" in line(found, "model.tools[1]").why
        assert "google.calendar.event.create" in line(found, "model.tools[4]").why

    def test_the_number_that_it_forwards_to_stands_beside_those_of_its_tools(self) -> None:
        found = imported({**VAPI, "forwardingPhoneNumber": "+1 415 555 0177"})
        assert [one.to for one in found.config.transfers] == ["+14155550177", "+14155550100"]
        assert line(found, "forwardingPhoneNumber").fate == "changed"
        lost = line(imported({**VAPI, "forwardingPhoneNumber": "the desk"}), "forwardingPhoneNumber")
        assert (lost.fate, "no phone number" in lost.why) == ("lost", True)

    def test_keys_of_tools_of_one_name_are_two_secrets_where_they_differ(self) -> None:
        servers = [{"url": "https://a.example.org", "headers": {"X-Api-Key": key}} for key in ("one", "two", "one")]
        functions = [{"type": "function", "function": {"name": "book"}, "server": server} for server in servers]
        found = imported({**VAPI, "model": {**VAPI["model"], "tools": functions}})
        assert found.secrets == {"book_x_api_key": "one", "book_x_api_key_2": "two"}
        assert [list(tool.config.secrets) for tool in found.tools] == [
            ["book_x_api_key"],
            ["book_x_api_key_2"],
            ["book_x_api_key"],
        ]

    def test_more_people_and_tools_than_an_agent_has_are_told(self) -> None:
        people = [{"type": "number", "number": f"+1415555{number:04}"} for number in range(22)]
        functions = [{"type": "function", "function": {"name": f"f{number}"}} for number in range(42)]
        transfer = {"type": "transferCall", "destinations": people}
        found = imported({**VAPI, "model": {**VAPI["model"], "tools": [*functions, transfer]}})
        assert (len(found.config.transfers), len(found.config.tools), len(found.tools)) == (20, 40, 40)
        assert [(each.path, each.why) for each in found.report.lost if "tools" in each.path] == [
            ("model.tools[40]", "An agent has at most 40 tools."),
            ("model.tools[41]", "An agent has at most 40 tools."),
            ("model.tools[42].destinations[20]", "An agent transfers to at most 20 others."),
            ("model.tools[42].destinations[21]", "An agent transfers to at most 20 others."),
        ]

    def test_a_setting_that_an_agent_cannot_have_is_told_in_words(self) -> None:
        with pytest.raises(NotUnderstood, match=r"transfers\.0\.to: String should have at most 255 characters\.$"):
            imported({**VAPI, "forwardingPhoneNumber": f"sip:{'a' * 300}@example.org"})


class TestVapiWorkflow:
    def test_its_nodes_become_steps(self) -> None:
        flow = imported(WORKFLOW).config.flow
        assert flow is not None
        steps = {step.id: step for step in flow.steps}
        introduction = steps["introduction"]
        assert isinstance(introduction, ConversationStep)
        assert introduction.say == "Hello, this is Summit Realty."
        assert [(route.when, route.to) for route in introduction.routes] == [
            ("They want to buy", "budget"),
            ("They want nothing", "bye"),
        ]
        budget = steps["budget"]
        assert isinstance(budget, CollectStep)
        assert [(slot.name, slot.type, slot.choices) for slot in budget.slots] == [
            ("budget", "number", ()),
            ("kind", "choice", ("office", "retail")),
        ]
        assert (budget.slots[0].question, budget.next) == ("What is your budget?", "budget_then")
        then = steps["budget_then"]
        assert isinstance(then, ConversationStep)
        assert then.prompt.startswith("Ask for the budget.\n\nThe caller has said this")
        assert "budget is {{budget}}" in then.prompt
        assert [(route.when, route.to) for route in then.routes] == [("The budget is known", "save_lead")]
        save, human, bye = steps["save_lead"], steps["human"], steps["bye"]
        assert isinstance(save, ToolStep)
        assert (save.tool, save.arguments, save.success, save.failure) == (
            "save_lead",
            {"budget": "{{budget}}"},
            "bye",
            "human",
        )
        assert isinstance(human, TransferStep)
        assert human.target
        assert isinstance(bye, EndStep)
        assert bye.say == "Goodbye, and thank you."
        assert [(route.when, route.to) for route in flow.routes] == [("The caller asks for a human", "human")]
        assert flow.start == "introduction"

    def test_the_models_of_its_nodes_become_the_agents(self) -> None:
        found = imported(WORKFLOW)
        assert (found.config.model.name, found.config.voice.id) == ("gpt-4o", "v-1")
        assert line(found, "nodes[1].model").became == "As in all steps"
        assert line(found, "edges[5]").fate == "lost"


# --- nothing is forgotten


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, (*path, name))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from leaves(part, (*path, place))
    elif value not in (None, ""):
        yield path, value


WHOLES = ("flow", "tools", "transfers", "variables")
"""Settings of which a part of a document is only a part."""
SETTINGS = {label(path) for path in AgentControls.PATHS.values() if path not in WHOLES}


def settings_called(name: str, config: AgentConfig) -> list[Any]:
    """The values of the settings that the page calls so, and of the entries of those that are lists."""
    found: list[Any] = []
    for path in AgentControls.PATHS.values():
        if label(path) == name:
            value: Any = reduce(lambda at, step: at[step], path.split("."), config.as_json())
            found += [value, *(value if isinstance(value, list) else ())]
    return found


def assert_all_is_said(document: Any, found: Imported) -> None:
    """Every value of a document has a line, its own or that of a part around it; what is kept stands in the setting
    that its line names."""
    lines = {each.path: each for each in found.report}
    for path, value in leaves(document):
        around = [written(path[:length]) for length in range(len(path), -1, -1)]
        own = next((lines[each] for each in around if each in lines), None)
        assert own is not None, f"Nothing is said of {written(path)}"
        if own.fate == "kept" and own.path == written(path):
            assert own.became not in SETTINGS or value in settings_called(own.became, found.config), own
            assert own.became != "Name" or value == found.name


SCALARS = st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(-5, 100) | st.text(max_size=12)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def bent(draw: Callable[..., Any], document: Any) -> Any:
    """A real document in which some parts are something else, are gone, or are new."""
    found = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 5))):
        places = [found, *(part for part in containers(found))]
        place = draw(st.sampled_from(places))
        if isinstance(place, dict) and place:
            place[draw(st.sampled_from(sorted(place)) | st.text(min_size=1, max_size=5))] = draw(ANYTHING)
        elif isinstance(place, list):
            place.append(draw(ANYTHING))
    return found


def containers(value: Any) -> Iterator[Any]:
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(part, dict | list):
            yield part
            yield from containers(part)


@pytest.mark.parametrize("key", SAMPLES)
def test_every_part_of_a_sample_is_kept_changed_or_lost(key: str) -> None:
    assert_all_is_said(SAMPLES[key], imported(SAMPLES[key]))


@pytest.mark.parametrize("key", SAMPLES)
@settings(max_examples=60)
@given(data=st.data())
def test_every_part_of_any_document_is_kept_changed_or_lost(key: str, data: st.DataObject) -> None:
    document = data.draw(bent(SAMPLES[key]))
    try:
        found = FORMATS[key].read(Source(document), CONNECTED)
    except NotUnderstood:
        return
    assert_all_is_said(document, found)


def test_secrets_are_not_shown() -> None:
    found = imported({**VAPI, "serverUrlSecret": "sk-very-secret"})
    assert line(found, "serverUrlSecret").value == HIDDEN


@pytest.mark.parametrize("text", ["", "{", "[]", "just words", '{"a": 1}', '{"nodes": [], "edges": []}'])
def test_what_is_no_agent_is_refused_in_words(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read_agent(text, CONNECTED, Names())
