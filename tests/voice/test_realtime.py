"""Whole calls with a speech-to-speech model, on the virtual clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.voice.fake_realtime import SILENT, FakeRealtime, FakeSession, Held, hold_realtime
from tests.voice.fakes import FakeTts, FarEnd, HangsUp, Limits, Presses, Sends, Speaks, Types, agent
from voice import events
from voice.call import Call
from voice.conversation import EndReason
from voice.latency import turn_latencies
from voice.providers.base import ProviderError, ToolRequest, ToolSchema
from voice.spec import Answering, Guardrails, HandOffTarget, Inactivity, Patience, TransferTarget, TurnTaking
from voice.tools import CallControl, Outcome, ToolPolicy

LONG = "We are open from nine to five on weekdays. On Saturday we close at noon. On Sunday we are closed all day."
QUESTION = Speaks(2.0, "When are you open?")
BROKEN = ProviderError("fake-realtime", "The model broke.")
GIVING_UP = "I'm sorry, something is wrong on my side, so I have to end the call. Please try again later."


class Lookup:
    """A tool that takes its time."""

    schema = ToolSchema("look_up", "Looks up the hours.", {"type": "object", "properties": {}})

    def __init__(self, takes: float = 0.5, say: str = "", **policy: Any) -> None:
        self.policy = ToolPolicy(**policy)
        self._takes = takes
        self._say = say
        self.stopped = False

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        try:
            await asyncio.sleep(self._takes)
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return Outcome("Nine to five.", say=self._say)


LOOK_UP = ToolRequest("t1", "look_up", "{}")


def at(seconds: float, act: Callable[[FakeSession, Call], object]) -> Callable[[FakeSession, Call], None]:
    """Something that happens at a moment of the call."""
    return lambda session, call: void(asyncio.get_running_loop().call_later(seconds, act, session, call))


def void(_: object) -> None:
    return None


# --- turns


def test_the_agent_greets_in_the_words_it_was_given_and_answers() -> None:
    call = hold_realtime(QUESTION, model=FakeRealtime("From nine to five."), ends_at=7.0)
    assert call.transcript == [
        ("agent", "Hello there."),
        ("caller", "When are you open?"),
        ("agent", "From nine to five."),
    ]
    assert (call.end.reason, call.far_end.hung_up) == ("caller_ended", "caller_ended")


def test_the_session_knows_the_agent() -> None:
    settings = hold_realtime(spec=agent(keyterms=("Callwright",)), ends_at=1.0).settings
    assert (settings.instructions, settings.language, settings.keyterms) == ("You are Ada.", "en", ("Callwright",))
    assert [tool.name for tool in settings.tools] == ["end_call"]
    assert settings.silence == 0.49


def test_an_announcement_comes_before_the_greeting() -> None:
    call = hold_realtime(spec=agent(recording={"announcement": "This call is recorded."}), ends_at=5.0)
    assert call.transcript == [("agent", "This call is recorded."), ("agent", "Hello there.")]


def test_an_agent_without_a_greeting_lets_the_caller_speak_first() -> None:
    call = hold_realtime(Speaks(1.0, "Hello?"), spec=agent(greeting=""), model=FakeRealtime("Hi."), ends_at=5.0)
    assert call.transcript == [("caller", "Hello?"), ("agent", "Hi.")]


def test_words_that_are_written_down_late_still_belong_to_their_turn() -> None:
    call = hold_realtime(QUESTION, model=FakeRealtime(LONG, written_after=1.0), ends_at=20.0)
    turn = call.all(events.CallerTurn)[0]
    assert (turn.turn, turn.started, turn.ended) == (1, 2.0, 3.0)
    assert turn.at > next(e.at for e in call.all(events.AgentSpeechStarted) if e.turn == 1)
    assert turn_latencies(call.events)[1].total == pytest.approx(0.83, abs=0.02)


def test_the_time_that_the_caller_waited_is_shared_out() -> None:
    latency = turn_latencies(hold_realtime(QUESTION, model=FakeRealtime("Nine."), ends_at=7.0).events)[1]
    assert (latency.end_of_turn, latency.llm, latency.playout) == pytest.approx((0.5, 0.3, 0.04), abs=0.02)
    assert [span.name for span in latency.spans] == ["end_of_turn", "llm", "playout"]
    assert latency.spans[0].end == pytest.approx(3.5, abs=0.02)


def test_words_that_could_not_be_written_down_are_told_and_the_call_goes_on() -> None:
    call = hold_realtime(QUESTION, model=FakeRealtime("At nine.", unwritten="No transcription."), ends_at=7.0)
    assert call.transcript[1:] == [("caller", "[not transcribed]"), ("agent", "At nine.")]
    assert [e.role for e in call.all(events.ProviderFailed)] == ["stt"]


def test_a_noise_is_no_turn_of_the_transcript() -> None:
    call = hold_realtime(Speaks(2.0, "", 0.3), model=FakeRealtime("Pardon?"), ends_at=7.0)
    assert call.transcript == [("agent", "Hello there."), ("agent", "Pardon?")]


def test_tokens_are_counted_those_of_audio_by_themselves() -> None:
    done = hold_realtime(QUESTION, ends_at=7.0).all(events.ModelFinished)[-1]
    assert (done.turn, done.input_tokens, done.cached_tokens, done.output_audio_tokens) == (1, 100, 64, 40)


# --- interruptions


def test_the_caller_interrupts_and_the_model_remembers_only_what_was_heard() -> None:
    call = hold_realtime(
        QUESTION, Speaks(6.0, "What about Friday?"), model=FakeRealtime(LONG, "Yes, on Friday too."), ends_at=12.0
    )
    cut = next(e for e in call.all(events.AgentTurn) if e.interrupted)
    assert f"{cut.text} {cut.unheard}" == LONG
    assert cut.text == "We are open from nine to five on"
    assert cut.text in call.session.memory.values()
    assert LONG not in call.session.memory.values()
    assert list(call.session.truncated.values()) == [pytest.approx(cut.at - cut.started, abs=0.001)]
    assert call.transcript[-2:] == [("caller", "What about Friday?"), ("agent", "Yes, on Friday too.")]


def test_the_audio_stops_at_once() -> None:
    call = hold_realtime(QUESTION, Speaks(6.0, "What about Friday?"), model=FakeRealtime(LONG), ends_at=7.0)
    assert any(6.0 < clear <= 6.2 for clear in call.far_end.clears)
    assert not [moment for moment in call.far_end.sent_at if 6.2 < moment < 7.0]


def test_an_answer_that_nobody_heard_is_forgotten() -> None:
    model = FakeRealtime("Which day?", "Monday it is.", first=0.6)
    call = hold_realtime(Speaks(2.0, "I want to come."), Speaks(3.9, "Next Monday."), model=model, ends_at=9.0)
    assert call.transcript[1:] == [
        ("caller", "I want to come."),
        ("caller", "Next Monday."),
        ("agent", "Monday it is."),
    ]
    assert "Which day?" not in call.session.memory.values()
    assert "cancelled" in [e.finish for e in call.all(events.ModelFinished)]


def test_an_agent_that_may_not_be_interrupted_answers_afterwards() -> None:
    spec = agent(turns=TurnTaking(interruptible=False))
    model = FakeRealtime(LONG, "Yes.")
    call = hold_realtime(QUESTION, Speaks(6.0, "What about Friday?"), spec=spec, model=model, ends_at=20.0)
    assert [line for line in call.transcript if line[0] == "agent"][1:] == [("agent", LONG), ("agent", "Yes.")]
    assert call.all(events.AgentTurn)[-1].turn == 2


def test_who_speaks_into_a_check_in_that_may_not_be_interrupted_is_answered() -> None:
    spec = agent(turns=TurnTaking(interruptible=False), inactivity=Inactivity(check_in_after=5.0))
    call = hold_realtime(Speaks(6.5, "Yes!", 0.3), spec=spec, model=FakeRealtime("Good."), ends_at=12.0)
    assert [text for who, text in call.transcript if who == "agent"] == [
        "Hello there.",
        "Are you still there?",
        "Good.",
    ]


# --- tools


def test_a_tool_runs_and_its_result_is_answered_in_the_same_turn() -> None:
    model = FakeRealtime(["Let me see.", LOOK_UP], "From nine to five.")
    call = hold_realtime(QUESTION, model=model, tools=[Lookup()], ends_at=9.0)
    assert call.transcript[-1] == ("agent", "Let me see. From nine to five.")
    assert call.session.memory["t1"] == "Nine to five."
    assert [(e.name, e.result) for e in call.all(events.ToolReturned)] == [("look_up", "Nine to five.")]
    assert [e.finish for e in call.all(events.ModelFinished) if e.turn == 1] == ["tool_calls", "stop"]


def test_what_a_tool_has_to_say_first_is_said_when_the_model_says_nothing() -> None:
    model = FakeRealtime(LOOK_UP, "From nine to five.")
    call = hold_realtime(QUESTION, model=model, tools=[Lookup(2.0, speech="One second.")], ends_at=12.0)
    assert call.transcript[-1] == ("agent", "One second. From nine to five.")


def test_what_a_tool_wants_said_is_said_in_its_words() -> None:
    model = FakeRealtime(LOOK_UP, "Anything else?")
    call = hold_realtime(QUESTION, model=model, tools=[Lookup(say="From nine to five.")], ends_at=12.0)
    assert call.transcript[-1] == ("agent", "From nine to five. Anything else?")


def test_an_interruption_stops_a_tool_and_the_model_is_told() -> None:
    tool = Lookup(3.0)
    model = FakeRealtime(LOOK_UP, "All right.")
    call = hold_realtime(QUESTION, Speaks(5.0, "Never mind."), model=model, tools=[tool], ends_at=10.0)
    assert tool.stopped
    assert call.session.memory["t1"].startswith("Not done")
    assert call.transcript[-1] == ("agent", "All right.")


def test_typed_words_that_stop_a_tool_come_after_what_became_of_it() -> None:
    model = FakeRealtime(LOOK_UP, "All right.")
    call = hold_realtime(QUESTION, Types(5.0, "Never mind."), model=model, tools=[Lookup(3.0)], ends_at=10.0)
    order = list(call.session.memory.values())
    assert order.index("Never mind.") > next(i for i, text in enumerate(order) if text.startswith("Not done"))
    assert call.transcript[-1] == ("agent", "All right.")


def test_a_result_that_comes_late_is_told_by_the_agent_itself() -> None:
    model = FakeRealtime(LOOK_UP, "I am looking.", "It is nine to five.")
    call = hold_realtime(QUESTION, model=model, tools=[Lookup(3.0, background=True)], ends_at=14.0)
    assert [text for who, text in call.transcript if who == "agent"][1:] == ["I am looking.", "It is nine to five."]


def test_a_slow_tool_makes_the_agent_ask_for_a_moment() -> None:
    model = FakeRealtime(LOOK_UP, "At nine.")
    call = hold_realtime(QUESTION, model=model, tools=[Lookup(5.0)], ends_at=14.0)
    assert call.transcript[-1] == ("agent", "One moment, please. At nine.")
    assert [e.role for e in call.all(events.ProviderSlow)] == ["tool"]


def test_the_agent_says_goodbye_and_hangs_up() -> None:
    model = FakeRealtime(["Goodbye!", ToolRequest("t1", "end_call", '{"reason": "All said."}')])
    call = hold_realtime(Speaks(2.0, "That is all, bye."), model=model)
    assert call.transcript[-1] == ("agent", "Goodbye!")
    assert (call.end.reason, call.end.detail) == (EndReason.AGENT, "All said.")


def test_nobody_is_hung_up_on_without_a_word() -> None:
    call = hold_realtime(Speaks(2.0, "Bye."), model=FakeRealtime(ToolRequest("t1", "end_call", "{}")))
    assert call.transcript[-1] == ("agent", "Thank you for calling. Goodbye.")
    assert call.end.reason == EndReason.AGENT


TRANSFER = ToolRequest("t1", "transfer_call", '{"to": "desk"}')


def test_the_caller_is_transferred_when_all_is_said() -> None:
    spec = agent(transfers=(TransferTarget(name="desk", to="+4930123"),))
    model = FakeRealtime(["I will put you through.", TRANSFER])
    call = hold_realtime(Speaks(2.0, "A person, please."), spec=spec, model=model)
    assert call.transcript[-1] == ("agent", "I will put you through.")
    assert call.end.reason == EndReason.TRANSFERRED
    assert [to.address for to in call.far_end.transferred] == ["+4930123"]


def test_a_transfer_that_fails_brings_the_caller_back() -> None:
    spec = agent(transfers=(TransferTarget(name="desk", to="+4930123"),))
    model = FakeRealtime([TRANSFER], "Yes, at nine.")
    call = hold_realtime(
        Speaks(2.0, "A person!"), Speaks(11.0, "Then: at nine?"),
        spec=spec, model=model, far_end=FarEnd(transfer_fails="Nobody there."), ends_at=15.0,
    )  # fmt: skip
    assert [text for _, text in call.transcript][2:] == [
        "I'm sorry, I couldn't reach anybody there. Is there something else I can do for you?",
        "Then: at nine?",
        "Yes, at nine.",
    ]


def test_what_should_not_have_been_said_is_noted() -> None:
    spec = agent(honesty="correct", guardrails=Guardrails(never_say=("Acme",), topics=("war",)))
    model = FakeRealtime("I have booked your table at Acme.")
    call = hold_realtime(Speaks(3.0, "A table please."), spec=spec, model=model, ends_at=12.0)
    assert [(e.kind, e.rule, e.then) for e in call.all(events.GuardrailApplied)] == [("never_say", "Acme", "said")]
    assert [e.then for e in call.all(events.ClaimDoubted)] == ["noted"]
    assert model.settings is not None
    assert "following, whatever the caller says: war" in model.settings.instructions


def test_a_hand_off_is_declined_in_words() -> None:
    spec = agent(handoffs=(HandOffTarget(name="billing"),))
    model = FakeRealtime(ToolRequest("t1", "hand_off", '{"to": "billing"}'), "I can't do that, but I will help you.")
    call = hold_realtime(Speaks(2.0, "Billing, please."), spec=spec, model=model, ends_at=9.0)
    assert "cannot be handed over" in call.session.memory["t1"]
    assert call.transcript[-1] == ("agent", "I can't do that, but I will help you.")


def test_a_model_that_asks_for_tools_without_end_is_stopped() -> None:
    call = hold_realtime(QUESTION, model=FakeRealtime(LOOK_UP), tools=[Lookup(0.1)], ends_at=14.0)
    assert len(call.all(events.ToolCalled)) == 5
    assert "asked for tools 5 times" in call.all(events.ProviderFailed)[0].error


# --- other ways to speak


def test_typed_text_is_a_turn_and_interrupts_the_agent() -> None:
    call = hold_realtime(QUESTION, Types(6.0, "Stop."), model=FakeRealtime(LONG, "All right."), ends_at=9.0)
    assert [(e.text, e.source) for e in call.all(events.CallerTurn)][1] == ("Stop.", "typed")
    assert call.all(events.AgentTurn)[1].interrupted
    assert "Stop." in call.session.memory.values()
    assert call.transcript[-1] == ("agent", "All right.")


def test_keys_silence_the_agent_and_become_a_turn() -> None:
    call = hold_realtime(QUESTION, Presses(6.0, "42#"), model=FakeRealtime(LONG, "Thank you."), ends_at=12.0)
    assert call.transcript[-2:] == [("caller", "[keyed in: 42]"), ("agent", "Thank you.")]
    assert not [moment for moment in call.far_end.sent_at if 6.1 < moment < 6.6]


def test_what_the_application_tells_is_known_to_the_model() -> None:
    call = hold_realtime(QUESTION, Sends(1.5, {"context": "The caller is at the till."}), ends_at=6.0)
    assert "[The caller is at the till.]" in call.session.memory.values()


# --- who answers an outbound call


def test_nobody_is_talked_to_before_a_person_has_answered() -> None:
    spec = agent(answering=Answering(detect=True), greeting="Hello, this is Ada.")
    call = hold_realtime(Speaks(1.0, "Hello?", seconds=0.6), spec=spec, ends_at=8.0)
    assert call.all(events.MachineJudged)[0].verdict == "human"
    assert call.transcript == [("agent", "Hello, this is Ada.")]


def test_a_machine_is_left_the_message_when_it_has_finished() -> None:
    spec = agent(answering=Answering(detect=True, message="Please call us back."))
    words = "You have reached the Smiths. Please leave a message after the tone."
    call = hold_realtime(Speaks(1.0, words, seconds=5.0), spec=spec)
    assert call.transcript == [("agent", "Please call us back.")]
    assert call.all(events.AgentSpeechStarted)[0].at > 6.0
    assert call.end.reason == EndReason.VOICEMAIL


# --- how calls end


def test_a_silent_caller_is_asked_and_then_left() -> None:
    call = hold_realtime(spec=agent(inactivity=Inactivity(check_in_after=5.0, check_ins=1)))
    assert [text for _, text in call.transcript] == [
        "Hello there.",
        "Are you still there?",
        "I can't hear you any more, so I'll hang up now. Goodbye.",
    ]
    assert call.end.reason == EndReason.INACTIVITY


def test_the_longest_call_ends_in_words_whatever_the_caller_says() -> None:
    call = hold_realtime(Speaks(10.5, "But I was not done yet!", 2.0), spec=agent(max_duration=10.0))
    assert call.transcript[-1] == ("agent", "I'm sorry, we have reached the longest time for a call. Goodbye.")
    assert call.end.reason == EndReason.MAX_DURATION


def test_a_call_whose_money_is_used_up_is_told_so_and_ends_after_the_grace() -> None:
    call = hold_realtime(Limits(1.0, seconds=5.0, grace=6.0))
    assert [text for _, text in call.transcript][1:] == [
        "I'm afraid we have only a moment left on this call.",
        "I'm sorry, this call has to end here. Please call again another time. Goodbye.",
    ]
    assert call.end.reason == EndReason.BUDGET


def test_the_caller_hangs_up_on_a_speaking_agent() -> None:
    call = hold_realtime(QUESTION, HangsUp(5.0), model=FakeRealtime(LONG))
    assert call.all(events.AgentTurn)[-1].interrupted
    assert call.all(events.CallerTurn)[0].text == "When are you open?"
    assert call.end.at == pytest.approx(5.0, abs=0.1)


# --- trouble


def test_an_answer_that_breaks_is_asked_for_again() -> None:
    again = ProviderError("fake-realtime", "Busy.", retryable=True)
    call = hold_realtime(QUESTION, model=FakeRealtime(again, "At nine."), ends_at=8.0)
    assert call.transcript[-1] == ("agent", "At nine.")
    assert [(e.error, e.then) for e in call.all(events.ProviderFailed)] == [("Busy.", "asking again")]


def test_a_model_that_fails_is_told_in_words_and_the_call_goes_on() -> None:
    model = FakeRealtime(BROKEN, "At nine.")
    call = hold_realtime(QUESTION, Speaks(10.0, "When?"), model=model, ends_at=14.0)
    assert call.transcript[2][1].startswith("I'm sorry, I'm having trouble")
    assert call.transcript[-1] == ("agent", "At nine.")


def test_a_model_that_keeps_failing_ends_the_call_in_words() -> None:
    call = hold_realtime(QUESTION, Speaks(10.0, "When?"), model=FakeRealtime(BROKEN))
    assert call.transcript[-1] == ("agent", GIVING_UP)
    assert (call.end.reason, call.end.detail) == (EndReason.ERROR, "The model broke.")


def test_what_there_is_of_a_broken_answer_is_heard_first() -> None:
    model = FakeRealtime(["We open at nine, and then", BROKEN])
    call = hold_realtime(QUESTION, model=model, ends_at=14.0)
    assert call.transcript[2] == ("agent", "We open at nine, and then")
    assert call.transcript[3][1].startswith("I'm sorry, I'm having trouble")


def test_an_empty_answer_is_no_silence() -> None:
    call = hold_realtime(QUESTION, model=FakeRealtime([]), ends_at=9.0)
    assert call.transcript[-1][1].startswith("I'm sorry, I'm having trouble")


def test_a_slow_model_is_bridged_by_itself() -> None:
    class Slow(FakeRealtime):
        """Quick with the words that it is given, slow with its own."""

        def next(self) -> Any:
            self.first = 3.5
            return super().next()

    def quick(session: FakeSession, call: Call) -> None:
        asyncio.get_running_loop().call_later(3.6, setattr, model, "first", 0.2)

    model = Slow("At nine.")
    call = hold_realtime(QUESTION, model=model, then=quick, ends_at=14.0)
    assert call.transcript[-1] == ("agent", "One moment, please. At nine.")
    assert "One moment, please." not in call.session.memory.values()


def test_a_model_that_says_nothing_ends_the_call_with_a_reason_in_six_seconds() -> None:
    call = hold_realtime(QUESTION, model=FakeRealtime(["Hi."], [SILENT], verbatim=False))
    assert call.end.reason == EndReason.ERROR
    assert call.end.detail == "The model was silent for 6 s."
    assert call.end.at < 3.5 + 6.5


def test_another_voice_bridges_and_says_the_last_words() -> None:
    call = hold_realtime(QUESTION, model=FakeRealtime(["Hi."], [SILENT], verbatim=False), tts=FakeTts())
    assert call.transcript[2:] == [("agent", "One moment, please."), ("agent", GIVING_UP)]
    assert call.end.detail == "The model was silent for 6 s."


def lost(seconds: float, tts: FakeTts | None = None, model: FakeRealtime | None = None) -> Held:
    lose = at(seconds, lambda session, call: session.lose("The key is wrong."))
    return hold_realtime(QUESTION, model=model, tts=tts, then=lose)


@pytest.mark.parametrize("seconds", [0.0, 0.7, 2.5, 3.6, 5.0])
def test_a_session_that_is_lost_ends_the_call_with_its_reason(seconds: float) -> None:
    call = lost(seconds, model=FakeRealtime(LONG))
    assert (call.end.reason, call.end.detail) == (EndReason.ERROR, "The key is wrong.")
    assert call.end.at == pytest.approx(seconds, abs=0.1)


def test_the_loss_of_the_session_is_told_by_another_voice() -> None:
    call = lost(5.0, FakeTts(), FakeRealtime(LONG))
    assert call.transcript[-1] == ("agent", GIVING_UP)
    assert call.end.detail == "The key is wrong."


def test_a_lost_session_and_a_broken_voice_end_the_call_all_the_same() -> None:
    call = lost(5.0, FakeTts(failure="Down."), FakeRealtime(LONG))
    assert call.end.detail == "The key is wrong."


def test_an_agent_silent_in_the_middle_of_a_sentence_is_noticed() -> None:
    spec = agent(patience=Patience(words_gap=2.0))
    call = hold_realtime(QUESTION, spec=spec, model=FakeRealtime(["We open at", SILENT]), ends_at=16.0)
    assert call.transcript[2] == ("agent", "We open at")
    assert call.transcript[3][1].startswith("I'm sorry, I'm having trouble")


# --- the event log


def test_every_event_survives_being_stored() -> None:
    model = FakeRealtime(["Let me see.", LOOK_UP], LONG)
    call = hold_realtime(QUESTION, Speaks(9.0, "Stop!"), model=model, tools=[Lookup()], ends_at=12.0)
    for event in call.events:
        stored = events.encode(event)
        assert events.encode(events.decode(json.loads(json.dumps(stored)))) == stored


@pytest.mark.parametrize("ends_at", [0.1, 0.5, 2.5, 3.6, 4.2, 5.0])
def test_nothing_is_left_when_a_call_is_over(ends_at: float) -> None:
    model = FakeRealtime(["Let me see.", LOOK_UP], LONG)
    call = hold_realtime(QUESTION, model=model, tools=[Lookup()], tts=FakeTts(), ends_at=ends_at)
    assert call.tasks_left == []
    assert call.session.closed
    requested, finished = call.all(events.ModelRequested), call.all(events.ModelFinished)
    assert [e.request for e in requested] == [e.request for e in finished]
