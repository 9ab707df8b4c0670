"""Collecting fields in a call: the platform keeps the state, whatever the model says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.voice.fakes import FakeEndOfTurn, FakeLlm, Presses, Speaks
from tests.voice.flow.calls import call, flow, judged, said, steps, variables, verdicts
from voice import events
from voice.flow.spec import Flow


def collecting(*slots: Mapping[str, object], **settings: object) -> Flow:
    return flow(
        {"kind": "collect", "id": "book", "slots": slots, "next": "done", "failed": "sorry", **settings},
        {"kind": "end", "id": "done", "say": "Booked for {{day}} at {{time}}."},
        {"kind": "end", "id": "sorry", "say": "Please call the desk."},
    )


DAY = {"name": "day", "type": "date", "question": "Which day?", "period": "future"}
TIME = {"name": "time", "type": "time", "question": "What time?", "earliest": "10:00", "latest": "22:00"}
PARTY = {"name": "party", "type": "number", "question": "How many?", "least": 1, "most": 12, "whole": True}
NAME = {"name": "caller", "type": "name", "question": "Your name?"}


def test_fields_are_asked_for_one_after_the_other() -> None:
    result = call(collecting(DAY, TIME), "next tuesday", "half past seven")
    assert said(result) == ["Which day?", "What time?", "Booked for Tuesday, December 1 at 7:30 PM."]
    assert variables(result) == {"day": "2026-12-01", "time": "19:30"}
    assert result.end.reason == "agent_ended"
    assert result.llm.asked == []


def test_a_value_that_comes_along_is_not_asked_for() -> None:
    result = call(collecting(DAY, TIME), "On Friday at seven thirty in the evening.")
    assert said(result) == ["Which day?", "Booked for Friday, November 27 at 7:30 PM."]


def test_what_is_known_already_is_not_asked_for() -> None:
    result = call(collecting(DAY, TIME), "noon", variables={"day": "2026-12-01"})
    assert said(result) == ["What time?", "Booked for Tuesday, December 1 at 12:00 PM."]
    again = call(collecting(DAY, TIME, ask_again=True), "tomorrow", "noon", variables={"day": "2026-12-01"})
    assert variables(again) == {"day": "2026-11-27", "time": "12:00"}


def test_a_value_is_read_back_and_confirmed() -> None:
    result = call(collecting({**DAY, "confirm": True}), "the fourteenth", "yes, that's right")
    assert said(result)[1] == "That's Monday, December 14. Is that right?"
    assert variables(result) == {"day": "2026-12-14"}
    assert verdicts(result) == [("day", "filled"), ("day", "confirmed")]


def test_no_value_is_stored_before_it_is_confirmed() -> None:
    result = call(collecting({**DAY, "confirm": True}), "the fourteenth")
    assert variables(result) == {}


def test_a_correction_replaces_what_was_read_back() -> None:
    result = call(collecting({**DAY, "confirm": True}), "the fifteenth", "no, the fourteenth", "correct")
    assert said(result)[2] == "That's Monday, December 14. Is that right?"
    assert variables(result) == {"day": "2026-12-14"}


def test_a_no_has_the_field_asked_for_again() -> None:
    result = call(collecting({**DAY, "confirm": True}), "the fifteenth", "no", "the fourteenth", "yes")
    assert said(result)[2] == "I'm sorry. Which day?"
    assert variables(result) == {"day": "2026-12-14"}


def test_a_field_that_was_filled_before_can_be_corrected_later() -> None:
    result = call(collecting(DAY, TIME), "the fifteenth", "no, the fourteenth", "noon")
    assert said(result)[2] == "Monday, December 14, then. What time?"
    assert variables(result) == {"day": "2026-12-14", "time": "12:00"}


def test_what_cannot_be_used_is_told_with_the_reason() -> None:
    result = call(collecting(PARTY, TIME), "thirty", "four", "eleven pm", "noon", variables={"day": "x"})
    assert said(result)[1:4] == [
        "It can be at most 12. How many?",
        "What time?",
        "It cannot be after 10:00 PM. What time?",
    ]
    assert verdicts(result)[0] == ("party", "refused")


def test_a_field_that_was_asked_for_too_often_is_given_up() -> None:
    result = call(collecting({**PARTY, "retries": 1}), "lots", "very many", llm=FakeLlm(judged(0)))
    assert steps(result) == ["book", "sorry"]
    assert said(result) == ["How many?", "I'm sorry, I didn't get that. How many?", "Please call the desk."]


@pytest.mark.parametrize("nonsense", ["", "blah blah", '{"line": 99}', "[end_call]", '{"line": 2}'])
def test_a_model_that_says_nonsense_does_not_lose_the_state(nonsense: str) -> None:
    result = call(collecting(PARTY, DAY), "lots of us", "five", "tomorrow", llm=FakeLlm(nonsense, first=0.01))
    assert variables(result) == {"party": 5, "day": "2026-11-27"}
    assert steps(result) == ["book", "done"]


def test_a_question_in_between_is_answered_and_the_field_asked_for_again() -> None:
    llm = FakeLlm("We have parking behind the house.")
    result = call(collecting(DAY), "Do you have parking?", "tomorrow", llm=llm)
    assert said(result)[1] == "We have parking behind the house. Which day?"
    assert variables(result) == {"day": "2026-11-27"}
    assert "You are Ada." in llm.asked[0][0]["content"]


def test_a_wish_that_is_put_as_a_question_is_an_answer() -> None:
    result = call(collecting(DAY), "Can I come on Monday?")
    assert variables(result) == {"day": "2026-11-30"}


def test_a_question_about_a_day_is_not_that_day() -> None:
    result = call(collecting(DAY), "Are you open on Sundays?", "monday", llm=FakeLlm("We are not."))
    assert said(result)[1] == "We are not. Which day?"
    assert variables(result) == {"day": "2026-11-30"}


def test_the_model_may_put_a_value_into_other_words() -> None:
    llm = FakeLlm(judged(2), '{"value": "2"}')
    result = call(collecting(PARTY), "just me and my wife", llm=llm)
    assert variables(result) == {"party": 2}
    assert result.all(events.SlotHeard)[0].by == "model"


def test_the_model_may_not_make_a_name_up() -> None:
    llm = FakeLlm(judged(2), '{"value": "John Smith"}')
    result = call(collecting(NAME), "well I told you that the other day", llm=llm)
    assert variables(result) == {}


def test_keys_fill_a_number_at_once_where_its_length_is_known() -> None:
    account = {"name": "account", "type": "digits", "question": "Your account?", "least": 4, "most": 4}
    result = call(collecting(account), Presses(14.0, "0471"))
    assert variables(result) == {"account": "0471"}
    assert result.all(events.SlotHeard)[0].by == "keypad"
    assert result.all(events.VariableSet)[0].at == pytest.approx(14.6, abs=0.1)


def test_keys_confirm() -> None:
    result = call(collecting({**DAY, "confirm": True}), "tomorrow", Presses(28.0, "1"))
    assert variables(result) == {"day": "2026-11-27"}


def test_an_optional_field_can_be_left_out() -> None:
    email = {"name": "email", "type": "email", "question": "Your e-mail address?", "required": False}
    result = call(collecting(email, DAY), "I don't have one", "tomorrow")
    assert verdicts(result)[0] == ("email", "skipped")
    assert variables(result) == {"day": "2026-11-27"}


def test_a_wish_that_leads_elsewhere_is_followed_from_the_middle_of_a_field() -> None:
    made = collecting(NAME)
    human = {"kind": "end", "id": "human", "say": "I'll get somebody."}
    made = flow(*made.model_dump()["steps"], human, routes=[{"when": "the caller asks for a human", "to": "human"}])
    result = call(made, "I want to speak to a human", llm=FakeLlm(judged(1)))
    assert steps(result) == ["book", "human"]
    assert result.all(events.StepEntered)[1].because == "“the caller asks for a human”"


def test_a_question_that_is_interrupted_can_be_answered_all_the_same() -> None:
    long = {**DAY, "question": "On which day of the coming weeks would you like to come and see us in our house?"}
    result = call(collecting(long), Speaks(2.0, "On Monday please.", 1.5))
    assert variables(result) == {"day": "2026-11-30"}
    assert result.all(events.AgentTurn)[0].interrupted


def test_words_after_which_the_caller_goes_on_never_counted() -> None:
    result = call(
        collecting(DAY, TIME),
        Speaks(6.0, "On Monday", 1.0),
        Speaks(7.5, "the seventh of december.", 1.5),
        end_of_turn=FakeEndOfTurn(0.5),
        ends_after=30.0,
    )
    assert [turn.text for turn in result.all(events.CallerTurn)] == ["On Monday the seventh of december."]
    assert variables(result)["day"] == "2026-12-07"
    assert [event.value for event in result.all(events.VariableSet) if event.name == "day"] == ["2026-12-07"]
