"""What is found wrong with an agent, where it is said to be, and that errors stop publishing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization, User
from builder import services
from builder.config import (
    AgentConfig,
    HandOffChoice,
    HearingChoice,
    LanguageChoice,
    ModelChoice,
    Source,
    VariableChoice,
    VoiceChoice,
    VoiceSource,
    Webhook,
)
from builder.gallery.models import VoiceFile
from builder.measures.models import ServiceMeasure
from builder.models import Secret, Tool
from builder.problems import Problem, errors, problems
from builder.tools.services import tool_tested
from core.errors import ApiError
from tests.builder.pages import address, html
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory, VersionFactory
from voice.flow.spec import Flow
from voice.providers.local import espeak
from voice.spec import Ambient, TransferTarget

pytestmark = pytest.mark.django_db

GOOD: dict[str, Any] = {"prompt": "Answer the phone."}
URL = {"url": "https://example.org/orders", "headers": [{"name": "X-Key", "value": "{{secret__shop}}"}]}


@pytest.fixture
def found(agent_factory: AgentFactory) -> Any:
    """The problems of an agent with these settings."""

    def find(**settings: Any) -> list[Problem]:
        return problems(agent_factory(config=AgentConfig(**{**GOOD, **settings})))

    return find


@pytest.fixture
def tool(workspace: Organization) -> Tool:
    return Tool.objects.create(
        organization=workspace, kind="http", name="find_order", description="Finds an order.", config=URL
    )


def one(listed: list[Problem], words: str) -> Problem:
    """The problem that says these words."""
    fitting = [problem for problem in listed if words in problem.message]
    assert len(fitting) == 1, f"{words!r} is not said once in {[each.message for each in listed]}"
    return fitting[0]


def test_a_sound_agent_has_none(found: Any) -> None:
    assert found() == []


# --- what is gone


@pytest.mark.parametrize(
    ("settings", "what", "control"),
    [
        ({"voice": VoiceChoice(connection="conn_x", id="v")}, "A connection was deleted", "voice_connection"),
        ({"hearing": HearingChoice(fallbacks=(Source(connection="conn_x"),))}, "A connection", "hearing_fallbacks"),
        ({"model": ModelChoice(connection="conn_x", name="m")}, "A connection was deleted", "connection"),
        ({"tools": ("tool_x",)}, "A tool was deleted", "tools"),
        ({"knowledge": ("folder_x",)}, "A folder of knowledge was deleted", "knowledge"),
        ({"pronunciations": ("dict_x",)}, "A dictionary of pronunciations was deleted", "pronunciations"),
        ({"ambient": Ambient(bed="bed_x")}, "The background sound was deleted", "ambient_bed"),
        ({"voice": VoiceChoice(id="voice_x")}, "The voice that was uploaded is deleted", "voice"),
        ({"voice": VoiceChoice(id="nobody")}, "There is no voice “nobody”", "voice"),
    ],
)
def test_what_was_deleted_is_an_error_at_its_control(
    found: Any, settings: dict[str, Any], what: str, control: str
) -> None:
    problem = one(found(**settings), what)
    assert (problem.severity, problem.control) == ("error", control)
    assert problem.mend


def test_what_another_workspace_has_counts_as_gone(
    found: Any, connection_factory: ConnectionFactory, other_workspace: Organization
) -> None:
    foreign = connection_factory(organization=other_workspace)
    one(found(model=ModelChoice(connection=foreign.pk, name="m")), "A connection was deleted")


def test_what_is_empty_is_a_warning(found: Any, workspace: Organization) -> None:
    folder = workspace.knowledge_folders.create(name="Menu")
    dictionary = workspace.pronunciation_dictionaries.create(name="Names")
    listed = found(knowledge=(folder.pk,), pronunciations=(dictionary.pk,))
    assert one(listed, "nothing in the folder Menu").severity == "warning"
    assert one(listed, "nothing in the dictionary Names").control == "pronunciations"


# --- services


def test_a_connection_that_does_something_else_is_an_error(found: Any, connection_factory: ConnectionFactory) -> None:
    made = connection_factory("Ears", vendor="deepgram", base_url="")
    problem = one(found(model=ModelChoice(connection=made.pk, name="m")), "Ears does not offer language models")
    assert (problem.severity, problem.control) == ("error", "connection")


def test_a_vendor_without_its_key_is_an_error(found: Any, connection_factory: ConnectionFactory) -> None:
    made = connection_factory("Ears", vendor="deepgram", base_url="", api_key="")
    assert one(found(hearing=HearingChoice(connection=made.pk)), "Ears has no key").severity == "error"


def test_what_has_no_default_has_to_be_named(found: Any, connection_factory: ConnectionFactory) -> None:
    made = connection_factory("Mine", default_model="")
    listed = found(
        model=ModelChoice(connection="local", fallbacks=(Source(connection=made.pk),)),
        voice=VoiceChoice(connection=made.pk, id=""),
    )
    assert one(listed, "Which language model of Mine answers").path == "model.fallbacks.0.model"
    assert one(listed, "Which voice of Mine speaks").control == "voice"


def test_a_missing_local_model_is_an_error_unless_another_one_stands_behind_it(
    found: Any, connection_factory: ConnectionFactory, settings: Any
) -> None:
    settings.LLM = "none"
    assert one(found(), "without its local language model").severity == "error"
    behind = (Source(connection=connection_factory().pk, model="m"),)
    assert one(found(model=ModelChoice(fallbacks=behind)), "without its local").severity == "warning"


def test_a_fallback_that_is_the_first_choice_once_more_is_a_warning(
    found: Any, connection_factory: ConnectionFactory
) -> None:
    made = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    same = VoiceSource(connection=made.pk, model="eleven_flash_v2_5", id="other voice")
    problem = one(found(voice=VoiceChoice(connection=made.pk, id="v", fallbacks=(same,))), "the same service once more")
    assert (problem.severity, problem.control) == ("warning", "voice_fallbacks")
    other = same.model_copy(update={"model": "eleven_v3"})
    assert found(voice=VoiceChoice(connection=made.pk, id="v", fallbacks=(other,))) == []


# --- the prompt


def test_an_empty_prompt_is_a_warning(found: Any) -> None:
    problem = one(found(prompt=" "), "The prompt is empty")
    assert (problem.severity, problem.control) == ("warning", "prompt")


def test_a_prompt_is_weighed_in_milliseconds_by_the_speed_that_calls_have_measured(
    found: Any, workspace: Organization
) -> None:
    prompt = "word " * 440  # 500 tokens
    assert "8,065 ms" in one(found(prompt=prompt), "needs about").message
    now = timezone.now()
    for number in range(3):
        ServiceMeasure.objects.create(
            organization=workspace,
            call_id=f"call_{number}",
            role="llm",
            vendor="local",
            model="qwen",
            ended_at=now,
            call_seconds=60,
            read_speed=50,
        )
    assert "10,000 ms" in one(found(prompt=prompt), "needs about").message
    ServiceMeasure.objects.update(read_speed=500)
    assert found(prompt=prompt) == []


def test_a_prompt_that_the_local_model_cannot_hold_is_an_error(
    found: Any, connection_factory: ConnectionFactory
) -> None:
    prompt = "word " * 4000
    assert one(found(prompt=prompt), "the local model has 4,096").severity == "error"
    hosted = ModelChoice(connection=connection_factory().pk, name="m")
    problem = one(found(prompt=prompt, model=hosted), "are sent to the model at every turn")
    assert problem.severity == "warning"
    assert one(found(prompt="word " * 2600), "tokens for the conversation").severity == "warning"


# --- voices and languages


def test_a_voice_of_another_language_is_said(found: Any, connection_factory: ConnectionFactory) -> None:
    assert "with an accent" in one(found(voice=VoiceChoice(id="ef_dora")), "Dora speaks English").message
    made = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    assert found(voice=VoiceChoice(connection=made.pk, id="unknown")) == []


def test_an_uploaded_voice_that_cannot_speak_the_language_is_an_error(found: Any, workspace: Organization) -> None:
    file = VoiceFile.objects.create(
        organization=workspace, name="Ana", kind=VoiceFile.Kind.PIPER, language="es", size=1
    )
    assert one(found(voice=VoiceChoice(id=file.pk)), "Ana speaks es only").severity == "error"


@pytest.mark.parametrize(("installed", "count"), [(True, 0), (False, 1)])
def test_other_languages_need_the_program_that_knows_their_sounds(
    agent_factory: AgentFactory, monkeypatch: pytest.MonkeyPatch, installed: bool, count: int
) -> None:
    monkeypatch.setattr(espeak, "installed", lambda: installed)
    spanish = AgentConfig(**GOOD, language="es", voice=VoiceChoice(id="ef_dora"))
    listed = problems(agent_factory(), spanish)
    assert len([each for each in listed if espeak.PROGRAM in each.message]) == count
    assert one(listed, "understands English only").control == "hearing_connection"


# --- tools


def test_a_secret_that_a_tool_lacks_is_an_error(found: Any, tool: Tool, workspace: Organization) -> None:
    assert one(found(tools=(tool.pk,)), "needs the secret “shop”").severity == "error"
    Secret.objects.create(organization=workspace, name="shop", value="x")
    assert [each for each in found(tools=(tool.pk,)) if each.severity == "error"] == []


def test_a_tool_is_to_be_tested_as_it_is(found: Any, tool: Tool, workspace: Organization) -> None:
    Secret.objects.create(organization=workspace, name="shop", value="x")
    assert one(found(tools=(tool.pk,)), "was never tested").severity == "warning"
    tool_tested(tool=tool)
    assert found(tools=(tool.pk,)) == []
    Tool.objects.filter(pk=tool.pk).update(updated_at=timezone.now() + timedelta(seconds=1))
    one(found(tools=(tool.pk,)), "was changed after its last test")


def test_a_test_of_what_was_changed_meanwhile_does_not_count(tool: Tool) -> None:
    Tool.objects.filter(pk=tool.pk).update(updated_at=timezone.now() + timedelta(seconds=1))
    tool_tested(tool=tool)
    tool.refresh_from_db()
    assert tool.tested_at is None


def test_a_tool_that_the_model_knows_nothing_of_is_a_warning(found: Any, workspace: Organization) -> None:
    dumb = Tool.objects.create(organization=workspace, kind="client", name="show_map", config={})
    assert one(found(tools=(dumb.pk,)), "show_map has no description").severity == "warning"


def test_names_that_are_taken_are_errors(found: Any, workspace: Organization) -> None:
    taken = Tool.objects.create(organization=workspace, kind="client", name="end_call", description="Ends.", config={})
    assert one(found(tools=(taken.pk,)), "that Callwright brings itself").severity == "error"


# --- people


@pytest.mark.parametrize(
    ("to", "severity"),
    [
        ("+14155550100", None),
        ("+1 (415) 555-01.00", None),
        ("sip:desk@example.org", None),
        ("{{owner_phone}}", None),
        ("110", "warning"),
        ("the front desk", "error"),
        ("+123", "error"),
    ],
)
def test_who_takes_over_has_to_be_reachable(found: Any, to: str, severity: str | None) -> None:
    target = TransferTarget(name="desk", to=to, when="They ask.")
    listed = found(transfers=(target,), variables=(VariableChoice(name="owner_phone"),))
    assert [each.severity for each in listed] == ([severity] if severity else [])
    assert all(each.control == "transfers" for each in listed)


def test_the_model_has_to_know_when_to_transfer(found: Any) -> None:
    listed = found(transfers=(TransferTarget(name="desk", to="+14155550100"),))
    assert one(listed, "not told when to transfer to desk").severity == "warning"


# --- steps


def flow(*steps: dict[str, Any], **more: Any) -> Flow:
    return Flow.model_validate({"steps": steps, **more})


TALK = {"kind": "conversation", "id": "talk", "routes": [{"when": "they are done", "to": "bye"}]}
BYE = {"kind": "end", "id": "bye"}


def test_a_flow_that_is_connected_has_no_problems(found: Any) -> None:
    assert found(flow=flow(TALK, BYE, start="talk")) == []


def test_a_step_that_nothing_leads_to_is_a_warning_at_the_step(found: Any) -> None:
    problem = one(found(flow=flow(TALK, BYE, {"kind": "end", "id": "lost"})), "No way leads to “Lost”")
    assert (problem.severity, problem.step, problem.control) == ("warning", "lost", "")


def test_a_step_that_any_step_leads_to_is_reached(found: Any) -> None:
    steps = flow(TALK, BYE, {"kind": "end", "id": "lost"}, routes=[{"when": "they ask", "to": "lost"}])
    assert found(flow=steps) == []


def test_ways_to_steps_that_are_gone_are_errors(found: Any) -> None:
    listed = found(flow=flow(TALK, start="nowhere"))
    assert one(listed, "“they are done” leads to a step that was deleted").path == "flow.steps.0.routes.0.to"
    assert one(listed, "with which the call begins was deleted").severity == "error"


def test_a_way_that_leads_nowhere_is_a_warning(found: Any) -> None:
    say = {"kind": "say", "id": "hello", "say": "Hello."}
    assert one(found(flow=flow(say)), "“next” leads nowhere").step == "hello"


def test_a_case_that_another_takes_before_can_never_hold(found: Any) -> None:
    cases = [{"condition": "guests > 4", "to": "bye"}, {"condition": "guests > 8", "to": "bye"}]
    branch = {"kind": "branch", "id": "size", "cases": cases, "otherwise": "bye"}
    problem = one(found(flow=flow(branch, BYE)), "“guests > 8” can never be the one that holds")
    assert (problem.path, problem.step) == ("flow.steps.0.cases.1.condition", "size")


def test_a_choice_that_is_none_of_the_choices_can_never_hold(found: Any) -> None:
    day = {"name": "day", "type": "choice", "choices": ["monday", "friday"]}
    ask = {"kind": "collect", "id": "ask", "slots": [day], "next": "day", "failed": "bye"}
    cases = [{"condition": 'day == "sunday"', "to": "bye"}, {"condition": 'day == "Friday"', "to": "bye"}]
    branch = {"kind": "branch", "id": "day", "cases": cases, "otherwise": "bye"}
    assert [each.path for each in found(flow=flow(ask, branch, BYE))] == ["flow.steps.1.cases.0.condition"]


def test_a_way_that_does_not_say_when_is_never_taken(found: Any) -> None:
    talk = {**TALK, "routes": [{"to": "bye"}]}
    assert one(found(flow=flow(talk, BYE)), "a way is never taken").step == "talk"


@pytest.mark.parametrize(
    ("step", "lacks"),
    [
        ({"kind": "tool", "success": "bye", "failure": "bye"}, "the tool that it runs"),
        ({"kind": "transfer", "target": "desk", "failure": "bye"}, "somebody to transfer to"),
        ({"kind": "post", "next": "bye"}, "the address that it sends to"),
        ({"kind": "knowledge", "next": "bye", "nothing_found": "bye"}, "a folder of knowledge"),
        ({"kind": "sms", "next": "bye", "sender": "+14155550100", "text": "Hi"}, "a connection that sends"),
    ],
)
def test_a_step_that_lacks_what_it_works_with_is_an_error(found: Any, step: dict[str, Any], lacks: str) -> None:
    assert one(found(flow=flow({"id": "work", **step}, BYE)), f"lacks {lacks}").severity == "error"


@pytest.fixture
def message(connection_factory: ConnectionFactory) -> dict[str, Any]:
    """A step that sends a text message."""
    carrier = connection_factory("Twilio", vendor="twilio", base_url="", account_number="AC1")
    step = {"kind": "sms", "id": "tell", "connection": carrier.pk, "sender": "+14155550100"}
    return {**step, "text": "Hello {{system__agent_name}}", "next": "bye"}


def test_a_text_message_goes_from_a_number_to_a_number(found: Any, message: dict[str, Any]) -> None:
    fine = [{}, {"recipient": "+49 (30) 123-456"}, {"sender": "MG" + "0" * 32}, {"sender": "{{system__called_number}}"}]
    for settings in fine:
        assert found(flow=flow({**message, **settings}, BYE)) == []
    for setting, number in [
        ("sender", "0170 123"),
        ("sender", "Salon"),
        ("recipient", "call me"),
        ("recipient", "+12"),
    ]:
        wrong = one(found(flow=flow({**message, setting: number}, BYE)), "with a country code")
        assert (wrong.severity, wrong.step, wrong.path) == ("error", "tell", f"flow.steps.0.{setting}")
    for setting, lack in [("sender", "sends from"), ("recipient", "number to send to"), ("text", "what the message")]:
        assert one(found(flow=flow({**message, setting: " "}, BYE)), lack).path == f"flow.steps.0.{setting}"


def test_a_text_message_needs_a_carrier_with_a_key(
    found: Any, message: dict[str, Any], workspace: Organization, connection_factory: ConnectionFactory
) -> None:
    model = connection_factory("Groq")
    for gone in ("conn_x", model.pk):
        lacking = one(found(flow=flow({**message, "connection": gone}, BYE)), "connection for text messages was")
        assert (lacking.severity, lacking.step) == ("error", "tell")
    tool = Tool.objects.create(
        organization=workspace, kind="sms", name="text", description="Writes.", config={"connection": model.pk}
    )
    assert one(found(tools=(tool.pk,)), "The tool text has no connection").severity == "error"
    workspace.model_connections.filter(vendor="twilio").update(api_key="")
    assert one(found(flow=flow(message, BYE)), "Twilio has no key").step == "tell"


def test_steps_that_nothing_walks_are_an_error_at_the_model(
    found: Any, connection_factory: ConnectionFactory, agent_factory: AgentFactory, member: User
) -> None:
    openai = connection_factory("OpenAI", vendor="openai", base_url="", default_model="")
    app = connection_factory("App", vendor="line", base_url="https://agent.example.org", default_model="")
    speaks = ModelChoice(connection=openai.pk, name="gpt-realtime-2")
    for choice, who in ((speaks, "A model that hears"), (ModelChoice(connection=app.pk, name="line"), "An agent in")):
        told = one(found(flow=flow(TALK, BYE), model=choice), "go past the flow")
        assert (told.severity, told.control) == ("error", "connection")
        assert told.message.startswith(who)
        assert found(model=choice) == []
    assert found(flow=flow(TALK, BYE), model=ModelChoice(connection=openai.pk, name="gpt-5-mini")) == []
    ignored = agent_factory(config=AgentConfig(**GOOD, flow=flow(TALK, BYE), model=speaks))
    with pytest.raises(ApiError, match="go past the flow"):
        services.agent_publish(agent=ignored, actor=member)


def test_a_tool_that_no_step_uses_is_a_warning(found: Any, workspace: Organization) -> None:
    known = Tool.objects.create(organization=workspace, kind="client", name="map", description="Shows.", config={})
    talk = {**TALK, "tools": []}
    assert one(found(flow=flow(talk, BYE), tools=(known.pk,)), "No step uses the tool map").control == "tools"
    assert found(flow=flow(TALK, BYE), tools=(known.pk,)) == []


def test_an_agent_that_was_never_published_is_not_meant_for_calls(
    found: Any, agent_factory: AgentFactory, version_factory: VersionFactory
) -> None:
    colleague = agent_factory("Sales")
    step = {"kind": "handoff", "id": "sales", "agent": colleague.pk, "next": "bye"}
    beside = (HandOffChoice(agent=colleague.pk),)
    assert one(found(flow=flow(step, BYE)), "Sales was never published").step == "sales"
    assert one(found(handoffs=beside), "Sales was never published").control == "handoffs"
    version_factory(colleague)
    assert found(flow=flow(step, BYE), handoffs=beside) == []


# --- variables


def test_a_variable_that_nothing_sets_is_an_error_where_it_is_read(found: Any) -> None:
    problem = one(found(greeting="Hello {{ customer }}!"), "Nothing sets the variable “customer”")
    assert (problem.severity, problem.control) == ("error", "greeting")
    assert found(greeting="Hello {{customer}}!", variables=(VariableChoice(name="customer"),)) == []
    assert found(greeting="It is {{system__time}}.") == []
    assert one(found(greeting="{{system__weather}}"), "No call knows “system__weather”").severity == "error"
    assert one(found(prompt="The key is {{secret__shop}}."), "only requests of tools").severity == "error"
    tell = {"kind": "say", "id": "tell", "say": "The key is {{secret__shop}}.", "next": "bye"}
    assert one(found(flow=flow(tell, BYE)), "only requests of tools").step == "tell"


def test_a_web_hook_may_set_it(found: Any) -> None:
    hook = Webhook(url="https://example.org/hook")
    assert one(found(greeting="Hello {{customer}}!", webhook=hook), "Nothing sets").severity == "warning"


def test_steps_and_tools_set_variables_and_read_them(found: Any, tool: Tool, workspace: Organization) -> None:
    ask = {"kind": "collect", "id": "ask", "slots": [{"name": "guests", "type": "number"}], "next": "size"}
    cases = [{"condition": "guests > 4 and day == 'monday'", "to": "bye"}]
    branch = {"kind": "branch", "id": "size", "cases": cases, "otherwise": "bye"}
    problem = one(found(flow=flow({**ask, "failed": "bye"}, branch, BYE)), "Nothing sets the variable “day”")
    assert (problem.step, problem.path) == ("size", "flow.steps.1.cases.0.condition")
    Secret.objects.create(organization=workspace, name="shop", value="x")
    tool.config = {**URL, "assign": [{"path": "day", "variable": "day"}]}
    tool.save()
    tool_tested(tool=tool)
    steps = flow({**ask, "failed": "talk"}, branch, TALK, BYE)
    assert found(flow=steps, tools=(tool.pk,)) == []
    value = {"name": "order", "source": "variable", "value": "order_id"}
    Tool.objects.filter(pk=tool.pk).update(config={**tool.config, "parameters": [value]})
    assert one(found(tools=(tool.pk,)), "needs the variable “order_id”").severity == "warning"


def test_every_expression_of_a_flow_is_read(found: Any) -> None:
    unknown = "day == 'monday'"
    talk = {**TALK, "routes": [{"condition": unknown, "to": "note"}]}
    note = {"kind": "set", "id": "note", "values": [{"name": "when", "value": "day"}], "next": "bye"}
    listed = found(flow=flow(talk, note, BYE, routes=[{"condition": unknown, "to": "bye"}]))
    assert [each.path for each in listed if "variable “day”" in each.message] == [
        "flow.steps.0.routes.0.condition",
        "flow.steps.1.values.0.value",
        "flow.routes.0.condition",
    ]


def test_what_a_step_sends_is_no_expression_whatever_its_names(found: Any, tool: Tool, workspace: Organization) -> None:
    Secret.objects.create(organization=workspace, name="shop", value="x")
    tool_tested(tool=tool)
    named = {"condition": "good", "value": "high"}
    post = {"kind": "post", "id": "tell", "url": URL["url"], "headers": named, "body": named, "next": "ask"}
    ask = {"kind": "tool", "id": "ask", "tool": tool.pk, "arguments": named, "success": "bye", "failure": "bye"}
    assert found(flow=flow(post, ask, BYE)) == []
    post["body"] = {"condition": "{{good}}"}
    assert one(found(flow=flow(post, ask, BYE)), "Nothing sets the variable “good”").step == "tell"


def test_an_agent_that_is_to_greet_needs_words(found: Any) -> None:
    assert one(found(greeting=""), "has no greeting").control == "greeting"
    assert found(greeting="", first_speaker="caller") == []
    # A flow that begins by itself needs none; a conversation that waits does.
    ask = {"kind": "collect", "id": "ask", "slots": [{"name": "day"}], "next": "bye", "failed": "bye"}
    for first in (ask, {**TALK, "say": "Good day!"}):
        assert found(greeting="", flow=flow(first, BYE)) == []
    assert one(found(greeting="", flow=flow(TALK, BYE)), "has no greeting").control == "greeting"


def test_a_second_language_has_to_be_understood_too(found: Any) -> None:
    listed = found(languages=(LanguageChoice(language="fr"),))
    assert one(listed, "not the agent's language (fr)").severity == "error"


# --- publishing


def test_an_error_stops_publishing_and_a_warning_does_not(agent_factory: AgentFactory, member: User) -> None:
    broken = agent_factory(config=AgentConfig(**GOOD, tools=("tool_x",)))
    with pytest.raises(ApiError, match="A tool was deleted"):
        services.agent_publish(agent=broken, actor=member)
    assert broken.versions.count() == 0
    warned = agent_factory(config=AgentConfig(prompt=""))
    assert [each.severity for each in problems(warned)] == ["warning"]
    assert services.agent_publish(agent=warned, actor=member).number == 1


def test_whatever_stops_a_call_is_an_error(agent_factory: AgentFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    from builder.compile import AgentNotReady

    def refuse(*_: object) -> None:
        raise AgentNotReady("The moon is in the way.")

    monkeypatch.setattr("builder.problems.compile_config", refuse)
    assert [each.message for each in errors(agent_factory())] == ["The moon is in the way."]


def test_the_page_shows_them_and_leads_to_their_controls(
    client_for: ClientFactory, member: User, agent_factory: AgentFactory
) -> None:
    agent = agent_factory(config=AgentConfig(prompt="", tools=("tool_x",)))
    client = client_for(member)
    for page in ("agent", "agent_problems"):
        text = html(client.get(address(page, agent)))
        assert 'data-problem-control="tools"' in text
        assert "The prompt is empty" in text
    sheet = html(client.get(address("agent_publish", agent)))
    assert "A tool was deleted" in sheet
    assert "disabled" in sheet


def test_a_stranger_does_not_see_them(client_for: ClientFactory, stranger: User, agent_factory: AgentFactory) -> None:
    assert client_for(stranger).get(address("agent_problems", agent_factory())).status_code == 404
