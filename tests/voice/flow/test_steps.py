"""Every kind of step, in whole calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.voice.fakes import FakeKnowledge, FakeLlm, FarEnd, Presses, Speaks, agent
from tests.voice.flow.calls import call, flow, judged, said, steps, variables
from voice import events
from voice.knowledge import Passage
from voice.providers.base import ProviderError, ToolSchema
from voice.services import Member
from voice.spec import TransferTarget, Voice
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy

END = {"kind": "end", "id": "bye", "say": "Goodbye, {{caller}}."}


class Booking:
    """A tool whose arguments are seen, and that takes its time."""

    policy = ToolPolicy(speech="The model says this.")

    def __init__(self, name: str = "book", *, result: str = '{"code": {"id": "A1"}}', takes: float = 0.1) -> None:
        self.schema = ToolSchema(
            name, "", {"type": "object", "properties": {"guests": {"type": "integer"}, "note": {"type": "string"}}}
        )
        self.result = result
        self.takes = takes
        self.asked: list[dict[str, object]] = []

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        self.asked.append(dict(arguments))
        await asyncio.sleep(self.takes)
        if self.result == "fails":
            raise ToolError("The house is full.")
        return Outcome(self.result)


# --- conversation


def test_a_flow_of_one_conversation_is_a_plain_agent() -> None:
    result = call(flow({"kind": "conversation", "id": "talk"}), "Hi.", llm=FakeLlm("Hello, how can I help?"))
    assert said(result) == ["Hello, how can I help?"]
    assert result.llm.asked[0][0] == {"role": "system", "content": "You are Ada."}


def test_the_first_step_speaks_behind_the_greeting() -> None:
    made = flow({"kind": "conversation", "id": "talk", "say": "What is it about?"})
    result = call(made, spec={"greeting": "Hello there."})
    assert said(result) == ["Hello there.", "What is it about?"]


def test_each_conversation_has_its_own_prompt_and_remembers_the_one_before() -> None:
    made = flow(
        {"kind": "conversation", "id": "first", "prompt": "Find out what is wrong.", "routes": [ROUTE]},
        {"kind": "conversation", "id": "second", "prompt": "Mend it."},
    )
    llm = FakeLlm(judged(0), "What is wrong?", judged(1), "Turn it off and on.")
    result = call(made, "Hi.", "My box is broken.", llm=llm)
    assert steps(result) == ["first", "second"]
    assert said(result) == ["What is wrong?", "Turn it off and on."]
    assert llm.asked[-1] == [
        {"role": "system", "content": "You are Ada.\n\nMend it."},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "What is wrong?"},
        {"role": "user", "content": "My box is broken."},
    ]


ROUTE = {"when": "the caller says what is wrong", "to": "second"}


def test_a_route_whose_expression_holds_needs_no_model() -> None:
    made = flow(
        {"kind": "conversation", "id": "talk", "routes": [{"condition": "vip", "to": "bye"}]}, {**END, "say": "Bye."}
    )
    result = call(made, "Hi.", variables={"vip": True})
    assert said(result) == ["Bye."]
    assert result.llm.asked == []


def test_a_route_with_both_needs_both() -> None:
    route = {"when": "the caller complains", "condition": "vip", "to": "bye"}
    made = flow({"kind": "conversation", "id": "talk", "routes": [route]}, END)
    assert steps(call(made, "This is bad.", llm=FakeLlm("I am sorry."))) == ["talk"]
    assert steps(call(made, "This is bad.", llm=FakeLlm(judged(1)), variables={"vip": True})) == ["talk", "bye"]


def test_a_conversation_that_takes_too_long_goes_on_elsewhere() -> None:
    made = flow({"kind": "conversation", "id": "talk", "max_turns": 2, "too_long": "bye"}, END)
    result = call(made, "One.", "Two.", "Three.")
    assert steps(result) == ["talk", "bye"]
    assert len(result.llm.asked) == 2


@pytest.mark.parametrize("nonsense", ["", "I think it is line 7", "{", "[go second]"])
def test_a_model_that_cannot_judge_leaves_the_call_where_it_is(nonsense: str) -> None:
    made = flow(
        {"kind": "conversation", "id": "first", "routes": [ROUTE]},
        {"kind": "conversation", "id": "second"},
    )
    assert steps(call(made, "Hi.", llm=FakeLlm(nonsense, "All right."))) == ["first"]


def test_a_model_that_fails_to_judge_still_answers() -> None:
    made = flow({"kind": "conversation", "id": "first", "routes": [ROUTE]}, {"kind": "conversation", "id": "second"})
    llm = FakeLlm(ProviderError("fake-llm", "Down."), "What is it?")
    assert said(call(made, "Hi.", llm=llm)) == ["What is it?"]


def test_a_conversation_may_use_only_its_own_tools() -> None:
    book, cancel = Booking("book"), Booking("cancel")
    made = flow({"kind": "conversation", "id": "talk", "tools": ["book"]})
    result = call(made, "Hi.", tools=[book, cancel])
    assert result.all(events.ModelRequested)[0].tools == ["book"]


def test_a_step_speaks_with_its_own_voice_and_the_next_one_with_the_agents() -> None:
    made = flow(
        {
            "kind": "conversation",
            "id": "talk",
            "say": "Hello.",
            "voice": "joe",
            "routes": [{"condition": "true", "to": "bye"}],
        },
        {"kind": "menu", "id": "bye", "keys": [{"key": "1"}]},
    )
    result = call(made, "Hi.")
    assert [event.value for event in result.all(events.SettingChanged)] == ["joe", Voice().id]


def test_a_global_route_is_open_from_every_step_that_listens() -> None:
    made = flow(
        {"kind": "menu", "id": "menu", "keys": [{"key": "1", "words": ["sales"], "to": "bye"}]},
        {"kind": "end", "id": "human", "say": "One moment."},
        END,
        routes=[{"when": "the caller asks for a human", "to": "human"}],
    )
    result = call(made, "Give me a person!", llm=FakeLlm(judged(2)))
    assert steps(result) == ["menu", "human"]


# --- by itself


def test_a_branch_takes_the_first_case_that_holds() -> None:
    made = flow(
        {
            "kind": "branch",
            "id": "which",
            "cases": [{"condition": "party > 8", "to": "big"}, {"condition": "party > 2", "to": "small"}],
            "otherwise": "bye",
        },
        {"kind": "say", "id": "big", "say": "That is many.", "next": "bye"},
        {"kind": "say", "id": "small", "say": "That is few.", "next": "bye"},
        END,
    )
    assert said(call(made, variables={"party": 9})) == ["That is many. Goodbye, ."]
    assert said(call(made, variables={"party": 3})) == ["That is few. Goodbye, ."]
    result = call(made)
    assert [event.because for event in result.all(events.StepEntered)] == ["the call began", "no condition holds"]


def test_a_step_sets_variables_in_order() -> None:
    values = [{"name": "a", "value": "2 + 3"}, {"name": "b", "value": "a * 2"}, {"name": "c", "value": "1 / 0"}]
    made = flow(
        {"kind": "set", "id": "set", "values": values, "next": "say"}, {"kind": "end", "id": "say", "say": "{{b}}."}
    )
    result = call(made)
    assert variables(result) == {"a": 5, "b": 10}
    assert said(result) == ["10."]
    assert "could not set c" in result.all(events.AgentLogged)[0].text


def test_words_that_may_not_be_interrupted_are_heard_to_their_end() -> None:
    long = "This call may be recorded for training purposes, and you may object at any time you like."
    for interruptible, cut in ((True, True), (False, False)):
        made = flow(
            {"kind": "say", "id": "notice", "say": long, "interruptible": interruptible, "next": "talk"},
            {"kind": "conversation", "id": "talk", "say": "Hello."},
        )
        result = call(made, Speaks(1.5, "Yes yes I know.", 1.5))
        assert result.all(events.AgentTurn)[0].interrupted is cut


# --- tools


def tooling(**settings: Any) -> dict[str, Any]:
    return {"kind": "tool", "id": "tool", "tool": "book", "success": "good", "failure": "bad", **settings}


OUTCOMES = (
    {"kind": "end", "id": "good", "say": "Your code is {{code}}."},
    {"kind": "end", "id": "bad", "say": "That did not work."},
)


def test_a_tool_runs_with_the_variables_and_its_result_is_kept() -> None:
    book = Booking()
    arguments = {"guests": "{{party}}", "note": "for {{caller}}", "nothing": "{{missing}}"}
    made = flow(tooling(arguments=arguments, say="One moment.", assign={"code": "code.id"}, result="all"), *OUTCOMES)
    result = call(made, tools=[book], variables={"party": "4", "caller": "Jane"})
    assert book.asked == [{"guests": 4, "note": "for Jane"}]
    assert said(result) == ["One moment. Your code is A1."]
    assert variables(result) == {"all": '{"code": {"id": "A1"}}', "code": "A1"}
    assert result.all(events.ToolCalled)[0].name == "book"


def test_a_tool_that_fails_takes_the_other_route() -> None:
    result = call(flow(tooling(), *OUTCOMES), tools=[Booking(result="fails")])
    assert said(result) == ["That did not work."]
    assert result.all(events.StepEntered)[-1].because == "it failed: The house is full."
    assert steps(call(flow(tooling(tool="gone"), *OUTCOMES))) == ["tool", "bad"]


def test_a_tool_that_is_interrupted_runs_once_and_its_result_counts() -> None:
    book = Booking(takes=6.0)
    made = flow(tooling(say="One moment, I am booking it for you now.", assign={"code": "code.id"}), *OUTCOMES)
    result = call(made, Speaks(1.5, "Hello are you there?", 1.2), tools=[book])
    assert len(book.asked) == 1
    assert said(result)[-1].endswith("Your code is A1.")


def test_no_tool_runs_before_the_caller_has_finished() -> None:
    book = Booking()
    made = flow(
        {"kind": "conversation", "id": "talk", "routes": [{"condition": "true", "to": "tool"}]}, tooling(), *OUTCOMES
    )
    result = call(made, Speaks(2.0, "Book it.", 0.8), tools=[book])
    called, turn = result.all(events.ToolCalled)[0], result.all(events.CallerTurn)[0]
    assert called.at >= turn.at


def test_a_post_is_sent_beside_the_call_and_the_model_never_sees_it() -> None:
    post = Booking("post_send", takes=4.0)
    made = flow(
        {
            "kind": "post",
            "id": "send",
            "url": "https://example.org/{{id}}",
            "body": {"guests": "{{party}}", "who.name": "Jo"},
            "next": "talk",
        },
        {"kind": "conversation", "id": "talk", "say": "Sent."},
    )
    result = call(made, "Thanks.", tools=[post], variables={"party": 4})
    assert post.asked == [{"guests": 4, "who_name": "Jo"}]
    assert result.all(events.AgentSpeechStarted)[0].at < 1.0
    assert "post_send" not in result.all(events.ModelRequested)[0].tools


def test_a_post_that_is_waited_for_may_fail() -> None:
    made = flow({"kind": "post", "id": "send", "wait": True, "next": "good", "failure": "bad"}, *OUTCOMES)
    assert steps(call(made, tools=[Booking("post_send", result="fails")])) == ["send", "bad"]
    assert steps(call(made, tools=[Booking("post_send", result="Done.")])) == ["send", "good"]


# --- documents


def test_a_question_is_answered_from_documents_and_nothing_else() -> None:
    made = flow(
        {
            "kind": "knowledge",
            "id": "ask",
            "question": "What do you want to know?",
            "next": "talk",
            "nothing_found": "bye",
        },
        {"kind": "conversation", "id": "talk", "prompt": "Talk."},
        {**END, "say": "I don't know."},
    )
    found = FakeKnowledge(Passage("Open from nine.", "hours.pdf", 0.9))
    result = call(made, "When are you open?", llm=FakeLlm("From nine."), knowledge=found)
    assert said(result) == ["What do you want to know?", "From nine."]
    assert steps(result) == ["ask", "talk"]
    assert "Open from nine." in result.llm.asked[0][-1]["content"]
    assert result.all(events.KnowledgeSearched)[0].query == "When are you open?"
    assert said(call(made, "When?", knowledge=FakeKnowledge()))[-1] == "I don't know."


# --- menus


MENU = {
    "kind": "menu",
    "id": "menu",
    "keys": [
        {"key": "1", "words": ["sales", "buy something"], "to": "sales"},
        {"key": "2", "words": ["support"], "to": "support"},
    ],
    "retries": 1,
    "failed": "bye",
}
SALES = {"kind": "end", "id": "sales", "say": "This is sales."}
SUPPORT = {"kind": "end", "id": "support", "say": "This is support."}


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        (Presses(14.0, "1"), "sales"),
        ("Support, please.", "support"),
        ("I'd like to buy something", "sales"),
        ("two", "support"),
    ],
)
def test_a_key_or_its_words_choose(answer: Any, step: str) -> None:
    result = call(flow(MENU, SALES, SUPPORT, END), answer)
    assert said(result)[0] == "For sales, press 1. For support, press 2."
    assert steps(result) == ["menu", step]
    assert result.llm.asked == []


def test_a_key_counts_as_soon_as_it_is_pressed() -> None:
    result = call(flow(MENU, SALES, SUPPORT, END), Presses(14.0, "1"))
    assert result.all(events.StepEntered)[-1].at == pytest.approx(14.0, abs=0.1)


def test_what_is_meant_is_judged_and_what_is_not_understood_is_offered_again() -> None:
    made = flow(MENU, SALES, SUPPORT, END)
    assert steps(call(made, "My thing is broken.", llm=FakeLlm(judged(2)))) == ["menu", "support"]
    result = call(made, "Bananas.", Presses(28.0, "9"), llm=FakeLlm(judged(0)))
    assert said(result)[1] == "I'm sorry, I didn't get that. For sales, press 1. For support, press 2."
    assert steps(result) == ["menu", "bye"]


# --- ways out


TRANSFER = {"kind": "transfer", "id": "desk", "target": "Desk", "say": "I'll connect you.", "failure": "bye"}
DESK = {"transfers": (TransferTarget(name="Desk", to="+14155550100"),)}


def test_a_caller_is_transferred() -> None:
    result = call(flow(TRANSFER, END), spec=DESK)
    assert said(result) == ["I'll connect you."]
    assert result.end.reason == "transferred"


def test_a_transfer_that_fails_takes_its_route() -> None:
    result = call(flow(TRANSFER, END), spec=DESK, far_end=FarEnd(transfer_fails="Busy."), variables={"caller": "Jane"})
    assert steps(result) == ["desk", "bye"]
    assert said(result)[-1] == "Goodbye, Jane."


def test_a_transfer_to_nobody_takes_its_route_at_once() -> None:
    assert steps(call(flow(TRANSFER, END))) == ["desk", "bye"]


def test_after_a_failed_transfer_without_a_route_the_conversation_goes_on() -> None:
    made = flow(
        {"kind": "conversation", "id": "talk", "routes": [{"condition": "true", "to": "desk"}]},
        {**TRANSFER, "failure": ""},
    )
    result = call(made, "Connect me.", far_end=FarEnd(transfer_fails="Busy."), spec=DESK)
    assert steps(result) == ["talk", "desk", "talk"]
    assert result.end.reason == "caller_ended"


def test_a_goodbye_that_is_interrupted_does_not_end_the_call() -> None:
    made = flow(
        {"kind": "conversation", "id": "talk", "routes": [{"when": "the caller says goodbye", "to": "bye"}]},
        {**END, "say": "Thank you very much for calling us today, and have a very nice evening. Goodbye."},
    )
    llm = FakeLlm(judged(1), judged(0), "From nine.")
    result = call(made, Speaks(2.0, "Bye.", 0.6), Speaks(4.8, "Wait when are you open?", 1.5), llm=llm)
    assert steps(result) == ["talk", "bye", "talk"]
    assert said(result)[-1] == "From nine."
    assert result.end.reason == "caller_ended"


def test_another_agent_goes_on_and_knows_what_was_said() -> None:
    made = flow(
        {"kind": "conversation", "id": "talk", "routes": [{"condition": "true", "to": "hand"}]},
        {"kind": "handoff", "id": "hand", "agent": "Billing", "say": "I'll get billing.", "message": "About {{what}}."},
    )
    llm = FakeLlm("This is billing.")
    team: dict[str, Member] = {}

    def with_team(services: Any) -> Any:
        team["Billing"] = Member(spec=agent(name="Bill", prompt="You are Bill.", greeting=""), services=services)
        return services

    result = call(made, "My invoice.", llm=llm, change=with_team, team=team, variables={"what": "an invoice"})
    assert said(result) == ["I'll get billing.", "This is billing."]
    assert result.all(events.AgentSwitched)[0].agent == "Bill"
    asked = llm.asked[-1]
    assert asked[0]["content"] == "You are Bill."
    assert "My invoice." in str(asked)
    assert "[About an invoice.]" in str(asked)


def test_an_agent_that_is_not_in_the_team_is_not_waited_for() -> None:
    made = flow({"kind": "handoff", "id": "hand", "agent": "Gone", "next": "bye"}, END)
    assert steps(call(made)) == ["hand", "bye"]


def test_another_step_goes_on_silently_and_is_told() -> None:
    made = flow(
        {"kind": "handoff", "id": "hand", "message": "They want {{what}}.", "next": "talk"},
        {"kind": "conversation", "id": "talk", "say": "Hello."},
    )
    result = call(made, "Hi.", variables={"what": "cake"})
    assert said(result)[0] == "Hello."
    assert "[They want cake.]" in str(result.llm.asked[0])


def test_a_call_ends_with_words_and_a_reason() -> None:
    result = call(flow({**END, "reason": "{{caller}} is served"}), variables={"caller": "Jane"})
    assert said(result) == ["Goodbye, Jane."]
    assert (result.end.reason, result.end.detail) == ("agent_ended", "Jane is served")


def test_a_route_that_leads_nowhere_ends_the_call_with_words() -> None:
    for to in ("", "gone"):
        result = call(flow({"kind": "say", "id": "hello", "say": "Hello.", "next": to}))
        assert said(result) == ["Hello. Thank you for calling. Goodbye."]
        assert result.end.reason == "agent_ended"
        assert result.all(events.AgentLogged)[0].level == "warning"


def test_a_flow_that_goes_in_circles_ends_with_an_error_and_words() -> None:
    made = flow({"kind": "set", "id": "a", "next": "b"}, {"kind": "branch", "id": "b", "otherwise": "a"})
    result = call(made)
    assert said(result) == [agent().phrases.giving_up]
    assert result.end.reason == "error"
    failed = result.all(events.ProviderFailed)[0]
    assert failed.role == "flow"
    assert "without listening" in failed.error


def test_an_agent_with_a_flow_that_has_no_steps_talks() -> None:
    assert said(call(flow(), "Hi.", llm=FakeLlm("Hello."))) == ["Hello."]
