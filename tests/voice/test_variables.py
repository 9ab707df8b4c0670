"""Variables: what a text of the agent holds, what the call knows of itself, and what may be set."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.voice.fakes import FakeLlm, Speaks, agent, hold_call
from voice import events
from voice.providers.base import ToolRequest, ToolSchema
from voice.spec import Phrases, TransferTarget, Variable
from voice.tools import CallControl, InstantTool, Outcome
from voice.variables import LARGEST, Variables, checked, names_in, render, value_at

NOON = "2026-11-26T12:05:30Z"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Hello {{name}}!", "Hello Ann!"),
        ("{{ name }} {{name}}", "Ann Ann"),
        ("{{visits}} visits, {{ratio}}, {{paid}}", "3 visits, 0.5, true"),
        ("at {{slots.0.time}}", "at 10:00"),
        ("[{{unknown}}{{slots.9}}]", "[]"),
        ("{{trick}}", "{{name}}"),
        ("{name} }}{{", "{name} }}{{"),
    ],
)
def test_a_text_holds_the_values_of_its_names(text: str, made: str) -> None:
    values = {
        "name": "Ann",
        "visits": 3.0,
        "ratio": 0.5,
        "paid": True,
        "slots": [{"time": "10:00"}],
        "trick": "{{name}}",
    }
    assert render(text, values) == made


@pytest.mark.parametrize(
    ("path", "value"), [("free", True), ("slots.1.time", "11:30"), ("a.b", None), ("slots.x", None)]
)
def test_a_dotted_path_leads_into_the_data(path: str, value: object) -> None:
    assert value_at({"free": True, "slots": [{}, {"time": "11:30"}]}, path) == value


def test_a_secret_is_never_in_a_text() -> None:
    with pytest.raises(ValueError, match="secret__"):
        Variables()["secret__key"] = "abc"
    assert render("[{{secret__key}}]", Variables()) == "[]"


def test_the_time_is_that_of_the_agent_and_goes_on() -> None:
    now = 0.0
    variables = Variables({"system__time_utc": NOON}, timezone="Asia/Kolkata", elapsed=lambda: now)
    assert render("It is {{system__time}}.", variables) == "It is Thursday, 26 November 2026, 17:35."
    now = 12 * 3600.0
    assert render("It is {{system__time}}.", variables) == "It is Friday, 27 November 2026, 05:35."
    assert (variables["system__date"], variables["system__time_utc"]) == ("2026-11-27", "2026-11-27T00:05:30Z")
    assert variables["system__call_duration_secs"] == 43200


def test_what_is_not_known_of_the_call_is_empty() -> None:
    assert Variables({"system__caller_id": "+4912"})["system__caller_id"] == "+4912"
    assert Variables()["system__caller_id"] == ""


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("string", 7, "7"),
        ("number", "7.5", 7.5),
        ("number", "1e3", 1000),
        ("boolean", "Yes", True),
        ("boolean", 0, False),
        ("date", "2026-02-28", "2026-02-28"),
    ],
)
def test_a_value_becomes_what_its_variable_is_said_to_be(kind: Any, typed: object, value: object) -> None:
    variables = Variables(declared=[Variable(name="it", type=kind)])
    variables["it"] = typed
    assert variables["it"] == value
    assert type(variables["it"]) is type(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("number", "many"), ("number", "nan"), ("number", True), ("boolean", "perhaps"), ("date", "2026-02-30")],
)
def test_a_value_that_does_not_fit_is_refused(kind: Any, value: object) -> None:
    variables = Variables(declared=[Variable(name="it", type=kind)])
    with pytest.raises(ValueError, match=f"no {kind}"):
        variables["it"] = value
    with pytest.raises(ValueError, match=f"it: .*no {kind}"):
        checked({"it": value}, [Variable(name="it", type=kind)])


def test_a_default_holds_until_it_is_set() -> None:
    variables = Variables(declared=[Variable(name="seats", type="number", default="4"), Variable(name="note")])
    assert [variables["seats"], "note" in variables] == [4, False]
    variables["seats"] = 2
    assert variables.pop("seats") == 2
    assert variables["seats"] == 4


@pytest.mark.parametrize(
    "wrong",
    [{"name": "9lives"}, {"name": "system__mine"}, {"name": "x" * 65}, {"name": "n", "type": "number", "default": "x"}],
)
def test_a_declaration_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Variable(**wrong)


def test_what_a_call_is_given_has_limits() -> None:
    assert checked({"a": "b", "n": 1, "ok": True}) == {"a": "b", "n": 1, "ok": True}
    with pytest.raises(ValueError, match="takes 64"):
        checked({f"v{number}": 1 for number in range(65)})
    with pytest.raises(ValueError, match="16 KiB"):
        checked({"long": "x" * LARGEST})
    with pytest.raises(ValueError, match="has to be a text"):
        checked({"deep": {"a": 1}})
    with pytest.raises(ValueError, match="system__"):
        checked({"system__caller_id": "x"})


def test_the_names_in_texts_are_found() -> None:
    assert names_in("Dear {{name}}, {{slots.0}}", "{{ name }}") == ["name", "slots.0"]


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="no time zone Middle/Earth"):
        agent(timezone="Middle/Earth")


# --- in a call


def test_greeting_prompt_and_phrases_hold_what_the_call_was_given() -> None:
    spec = agent(
        greeting="Good day, {{name}}.",
        prompt="You speak to {{name}} of {{city}}.",
        variables=(Variable(name="city", default="Oslo"),),
        phrases=Phrases(slow="One moment, {{name}}."),
    )
    llm = FakeLlm("Nice.", first=4.0)
    call = hold_call(Speaks(3.0, "Hello?"), spec=spec, llm=llm, variables={"name": "Ann"}, ends_at=14.0)
    assert call.transcript[0] == ("agent", "Good day, Ann.")
    assert llm.asked[-1][0]["content"] == "You speak to Ann of Oslo."
    assert "One moment, Ann." in call.transcript[-1][1]
    (started,) = call.all(events.CallStarted)
    assert (started.variables["name"], started.variables["city"]) == ("Ann", "Oslo")


def test_a_greeting_without_a_value_lets_the_caller_speak_first() -> None:
    call = hold_call(Speaks(1.0, "Hello?"), spec=agent(greeting="{{hello}}"), llm=FakeLlm("Hi."), ends_at=5.0)
    assert call.transcript == [("caller", "Hello?"), ("agent", "Hi.")]


class Remember(InstantTool):
    schema = ToolSchema("remember", "Remembers a name. It was {{name}}.", {"type": "object"})

    def __init__(self, value: object) -> None:
        self._value = value

    async def run(self, arguments: Any, call: CallControl) -> Outcome:
        return Outcome("Done.", variables={"name": self._value})


def test_what_a_tool_sets_stands_in_the_prompt_and_in_descriptions_from_then_on() -> None:
    llm = FakeLlm([ToolRequest("1", "remember", "{}")], "Noted.", "Yes.")
    spec = agent(prompt="You speak to {{name}}.", can_end_call=False)
    call = hold_call(
        Speaks(2.0, "I am Ann."), Speaks(6.0, "Is it noted?"), spec=spec, llm=llm, tools=[Remember("Ann")], ends_at=10.0
    )
    assert [asked[0]["content"] for asked in llm.asked] == ["You speak to .", "You speak to Ann.", "You speak to Ann."]
    assert [(e.name, e.value, e.by) for e in call.all(events.VariableSet)] == [("name", "Ann", "remember")]
    assert llm.tools[0][0].description == "Remembers a name. It was ."
    assert llm.tools[-1][0].description == "Remembers a name. It was Ann."


def test_a_tool_cannot_set_what_does_not_fit() -> None:
    llm = FakeLlm([ToolRequest("1", "remember", "{}")], "Noted.")
    spec = agent(variables=(Variable(name="name", type="number", default="7"),), prompt="{{name}}")
    call = hold_call(Speaks(2.0, "I am Ann."), spec=spec, llm=llm, tools=[Remember("Ann")], ends_at=8.0)
    assert not call.all(events.VariableSet)
    assert [e.text for e in call.all(events.AgentLogged)] == ["remember could not set a variable. “Ann” is no number."]
    assert llm.asked[-1][0]["content"] == "7"


def test_a_caller_is_transferred_to_the_number_that_a_variable_holds() -> None:
    spec = agent(transfers=(TransferTarget(name="desk", to="{{desk_number}}", when="{{city}} calls."),))
    asked = ToolRequest("1", "transfer_call", '{"to": "desk"}')
    llm = FakeLlm([asked])
    ann = hold_call(
        Speaks(2.0, "The desk, please."), spec=spec, llm=llm, variables={"desk_number": "+4912", "city": "Oslo"}
    )
    assert [e.to for e in ann.all(events.TransferStarted)] == ["+4912"]
    assert "desk: Oslo calls." in next(tool for tool in llm.tools[0] if tool.name == "transfer_call").description
    nobody = hold_call(Speaks(2.0, "The desk, please."), spec=spec, llm=FakeLlm([asked], "Sorry."), ends_at=9.0)
    assert not nobody.all(events.TransferStarted)
    assert "Nobody knows yet" in nobody.all(events.ToolReturned)[0].error
