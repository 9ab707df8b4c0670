"""The examples that have steps: callers reach what they have called for, and all of it is taken down."""

from __future__ import annotations

from typing import Any

import pytest

from builder.compile import compile_config
from builder.starters import STARTERS, Starter, starter
from tests.conftest import AgentFactory
from tests.voice.fakes import Answer, FakeLlm, Result
from tests.voice.flow.calls import call, judged, said, steps, variables
from voice.flow.spec import Flow

pytestmark = pytest.mark.django_db

WITH_STEPS = [each.key for each in STARTERS if each.config.flow]


class Caller:
    """Calls the examples on a Thursday, by typing."""

    def __init__(self, agents: AgentFactory) -> None:
        self._agents = agents

    def calls(self, key: str, *script: str, model: tuple[Answer, ...] = ()) -> Result:
        """`model` is what the model says, a judgement or an answer, each time that a step asks it."""
        example = known(key)
        agent = self._agents(example.name, config=example.config)
        spec = compile_config(agent, example.config).spec
        flow = spec.flow
        assert flow is not None
        own = {name: value for name, value in spec if name not in ("flow", "inactivity")}
        llm = FakeLlm(*(model or ("The model is not asked here.",)))
        return call(flow, *script, llm=llm, spec=own, variables=example.config.test_values, ends_after=30.0)


def known(key: str) -> Starter:
    found = starter(key)
    assert found is not None
    return found


@pytest.fixture
def caller(agent_factory: AgentFactory) -> Caller:
    return Caller(agent_factory)


def assert_ends(result: Result, *, at: str, key: str) -> None:
    """The agent has hung up at a step, for the reason that the step gives."""
    flow: Flow | None = known(key).config.flow
    assert flow is not None
    end: Any = flow.step(at)
    assert steps(result)[-1] == at
    assert (result.end.reason, result.end.detail) == ("agent_ended", end.reason)


def test_six_examples_have_steps() -> None:
    assert sorted(WITH_STEPS) == ["appointments", "leads", "reminder", "reservation", "screening", "survey"]


def test_an_appointment_is_taken_down(caller: Caller) -> None:
    result = caller.calls(
        "appointments",
        "How much is colouring?",
        "Good, I'd like an appointment.",
        "Colouring, please.",
        "Next Tuesday.",
        "Yes, that's right.",
        "At half past two.",
        "My name is Alice Carter.",
        "415 555 0132",
        "Yes.",
        "No, that was all.",
        model=(judged(0), "It costs from 90 dollars.", judged(1), "Is there anything else?", judged(1)),
    )
    assert said(result)[:2] == ["Hello, this is Willow Hair. What can I do for you?", "It costs from 90 dollars."]
    assert steps(result) == ["reception", "details", "summary", "more", "goodbye"]
    assert variables(result) == {
        "service": "colouring",
        "day": "2026-12-01",
        "time": "14:30",
        "caller_name": "Alice Carter",
        "phone": "+14155550132",
    }
    told = "I have noted a colouring on Tuesday, December 1 at 2:30 PM."
    assert any(told in line for line in said(result))
    assert_ends(result, at="goodbye", key="appointments")


def test_a_second_appointment_is_another_one(caller: Caller) -> None:
    result = caller.calls(
        "appointments",
        "I'd like a haircut.",
        "A haircut.",
        "Tomorrow.",
        "Yes.",
        "Ten in the morning.",
        "Alice Carter",
        "415 555 0132",
        "Yes.",
        "And one for my son, please.",
        "A beard trim.",
        "On Saturday.",
        "Yes.",
        "At eleven.",
        "No, thank you.",
        model=(judged(1), "Is there anything else?", judged(2), "And now?", judged(1)),
    )
    assert steps(result) == ["reception", "details", "summary", "more", "again", "summary", "more", "goodbye"]
    found = variables(result)
    assert (found["service"], found["day"], found["time"]) == ("beard trim", "2026-11-28", "11:00")


def test_a_table_is_booked_and_what_is_wrong_asked_for_once_more(caller: Caller) -> None:
    result = caller.calls(
        "reservation",
        "A table for Friday, please.",
        "At seven.",
        "Ten.",
        "Carter.",
        "No.",
        "On Saturday.",
        "At eight in the evening.",
        "Nine people.",
        "Yes, that's right.",
        model=(judged(1),),
    )
    assert steps(result) == "reception table size deposit check checked once_more check checked done".split()
    assert variables(result) == {
        "day": "2026-11-28",
        "time": "20:00",
        "people": 9,
        "caller_name": "Carter",
        "right": True,
    }
    asked = "That is Saturday, November 28 at 8:00 PM for 9, under Carter. Is that right?"
    assert any(asked in line for line in said(result))
    assert_ends(result, at="done", key="reservation")


def test_a_small_table_needs_no_deposit(caller: Caller) -> None:
    result = caller.calls(
        "reservation", "A table, please.", "Friday.", "Noon.", "Two.", "Carter", "Yes.", model=(judged(1),)
    )
    assert steps(result) == ["reception", "table", "size", "check", "checked", "done"]


def test_somebody_with_a_house_is_called_back(caller: Caller) -> None:
    result = caller.calls(
        "leads",
        "Yes, what does it cost?",
        "Yes, I do.",
        "In Riverton.",
        "A hundred and forty dollars.",
        "This year.",
        "Alice Carter",
        "415 555 0132",
        "Yes.",
        model=(judged(1),),
    )
    assert steps(result) == ["talk", "own", "owner", "needs", "fit", "visit", "goodbye"]
    assert variables(result) == {
        "owns_house": True,
        "town": "In Riverton.",
        "monthly_bill": 140,
        "start": "this year",
        "caller_name": "Alice Carter",
        "phone": "+14155550132",
    }
    assert_ends(result, at="goodbye", key="leads")


def test_a_tenant_is_thanked(caller: Caller) -> None:
    result = caller.calls("leads", "Yes.", "No, we rent.", model=(judged(1),))
    assert_ends(result, at="renting", key="leads")


def test_a_small_bill_is_told(caller: Caller) -> None:
    result = caller.calls("leads", "Yes.", "Yes.", "Riverton", "Forty.", "Later.", model=(judged(1),))
    assert steps(result)[-2:] == ["small_bill", "visit"]


@pytest.mark.parametrize(("score", "then"), [("A three.", "unhappy"), ("I'd give it an eight.", "happy")])
def test_answers_to_a_survey_are_taken_down(caller: Caller, score: str, then: str) -> None:
    rest = ["Yes, you may."] if then == "unhappy" else []
    result = caller.calls("survey", "Yes, I have two minutes.", score, "It was too long.", "The staff.", *rest)
    assert steps(result) == ["consent", "asked", "questions", "verdict", then, "goodbye"]
    found = variables(result)
    assert (found["score"], found["waited"]) == (3 if then == "unhappy" else 8, "too long")
    assert found["reason"] == "The staff."
    assert found.get("call_back") == (True if then == "unhappy" else None)
    assert_ends(result, at="goodbye", key="survey")
    assert result.llm.asked == []


def test_nobody_is_asked_who_has_no_time(caller: Caller) -> None:
    result = caller.calls("survey", "No, sorry.")
    assert said(result)[0].endswith("about your visit.")
    assert said(result)[1:] == ["Do you have two minutes?", "No problem. Thank you, and goodbye."]
    assert_ends(result, at="later", key="survey")


@pytest.mark.parametrize(
    ("answer", "at"),
    [("I confirm it.", "confirmed"), ("I have to cancel.", "cancelled"), ("Can we move it?", "moved")],
)
def test_somebody_who_is_reminded_comes_moves_or_cancels(caller: Caller, answer: str, at: str) -> None:
    rest = ["Monday.", "Yes."] if at == "moved" else []
    result = caller.calls("reminder", "Yes, speaking.", answer, *rest)
    assert said(result)[1] == "Am I speaking with Jordan Lee?"
    assert variables(result).get("new_day") == ("2026-11-30" if at == "moved" else None)
    assert_ends(result, at=at, key="reminder")


def test_somebody_else_hears_nothing_of_the_appointment(caller: Caller) -> None:
    result = caller.calls("reminder", "No, she is out.")
    assert "appointment" not in " ".join(said(result)).lower()
    assert_ends(result, at="wrong_person", key="reminder")


def test_an_applicant_is_asked_everything(caller: Caller) -> None:
    result = caller.calls(
        "screening",
        "Yes, I'd like to apply.",
        "Yes, I do.",
        "Alice Carter",
        "For six years.",
        "Yes, I can.",
        "In two weeks.",
        "415 555 0132",
        "Yes.",
        "No more questions.",
        model=(judged(1), "Do you have any questions about the job?", judged(1)),
    )
    assert steps(result) == ["opening", "licence", "may_drive", "questions", "own_questions", "thanks"]
    assert variables(result) == {
        "has_licence": True,
        "applicant_name": "Alice Carter",
        "years_driving": 6,
        "early": True,
        "start_day": "2026-12-10",
        "phone": "+14155550132",
    }
    assert_ends(result, at="thanks", key="screening")


def test_somebody_without_a_licence_is_told(caller: Caller) -> None:
    result = caller.calls("screening", "Yes.", "No, I don't.", model=(judged(1),))
    assert_ends(result, at="no_licence", key="screening")


@pytest.mark.parametrize("key", WITH_STEPS)
def test_a_caller_who_cannot_be_understood_is_called_back(caller: Caller, key: str) -> None:
    mumbling = ["Mmh hm grmbl."] * 4
    result = caller.calls(key, "Yes.", *mumbling, model=(judged(1), judged(0)))
    assert_ends(result, at="sorry", key=key)
