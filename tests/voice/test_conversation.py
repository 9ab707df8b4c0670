"""Whole calls on the virtual clock: what the caller hears, what the transcript holds, how calls end."""

from __future__ import annotations

import json

import pytest
import time_machine

from tests.voice.fakes import FakeEndOfTurn, FakeLlm, FakeTts, HangsUp, Limits, Speaks, Types, agent, hold_call
from voice import events
from voice.conversation import EndReason
from voice.providers.base import ProviderBusy, ProviderError, ToolRequest
from voice.spec import Inactivity, Phrases, TurnTaking

LONG = "We are open from nine to five on weekdays. On Saturday we close at noon. On Sunday we are closed all day."


def test_the_agent_greets_and_answers() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), llm=FakeLlm("From nine to five."), ends_at=7.0)
    assert call.transcript == [
        ("agent", "Hello there."),
        ("caller", "When are you open?"),
        ("agent", "From nine to five."),
    ]
    assert (call.end.reason, call.far_end.hung_up) == ("caller_ended", "caller_ended")


def test_an_agent_without_a_greeting_lets_the_caller_speak_first() -> None:
    call = hold_call(Speaks(1.0, "Hello?"), spec=agent(greeting=""), llm=FakeLlm("Hi."), ends_at=5.0)
    assert call.transcript == [("caller", "Hello?"), ("agent", "Hi.")]


def test_the_model_is_told_all_of_the_conversation() -> None:
    llm = FakeLlm("From nine to five.", "Yes, until noon.")
    hold_call(Speaks(2.0, "When are you open?"), Speaks(6.0, "And on Saturday?"), llm=llm, ends_at=10.0)
    assert [(m["role"], m["content"]) for m in llm.asked[-1]] == [
        ("system", "You are Ada."),
        ("assistant", "Hello there."),
        ("user", "When are you open?"),
        ("assistant", "From nine to five."),
        ("user", "And on Saturday?"),
    ]


def test_the_prompt_is_read_while_the_greeting_is_heard() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), ends_at=5.0)
    assert call.llm.warmed[0] == [{"role": "system", "content": "You are Ada."}]
    assert call.llm.warmed[-1][-1] == {"role": "user", "content": "When are you open?"}


def test_a_model_that_is_slow_to_read_its_prompt_reads_it_to_the_end_and_does_not_keep_the_voice() -> None:
    llm = FakeLlm("From nine to five.", reading=9.0, first=3.0)
    spec = agent(phrases=Phrases(thinking=("Let me see.",)), thinking_after=0.5)
    call = hold_call(Speaks(7.0, "When are you open?"), spec=spec, llm=llm, ends_at=16.0)
    assert llm.read[0] == [{"role": "system", "content": "You are Ada."}]
    assert [e.text for e in call.all(events.AgentHesitated)] == ["Let me see."]


def test_the_only_model_is_waited_for_in_the_middle_of_an_answer_and_the_caller_is_told() -> None:
    call = hold_call(Speaks(2.0, "When?"), spec=agent(greeting=""), llm=FakeLlm("At nine.", token=6.0), ends_at=18.0)
    slow = f"One moment, please. {Phrases().still_slow}"
    assert call.transcript == [("caller", "When?"), ("agent", f"{slow} At nine.")]
    assert not call.all(events.ProviderFailed)


def test_the_first_clause_is_spoken_before_the_model_has_finished() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), llm=FakeLlm(LONG, token=0.1), ends_at=20.0)
    begun = next(e.at for e in call.all(events.AgentSpeechStarted) if e.turn == 1)
    finished = next(e.at for e in call.all(events.ModelFinished) if e.turn == 1)
    assert begun < finished - 1.0


def test_an_answer_begun_in_the_pause_is_heard_as_soon_as_the_turn_is_over() -> None:
    quick = hold_call(Speaks(2.0, "When are you open?"), llm=FakeLlm("From nine."), stt_delay=0.02, ends_at=6.0)
    asked = quick.all(events.ModelRequested)[0]
    turn = quick.all(events.CallerTurn)[0]
    assert asked.speculative
    assert asked.at < turn.at


# --- interruptions


def test_the_caller_interrupts_and_only_the_words_heard_are_kept() -> None:
    llm = FakeLlm(LONG, "Yes, on Friday too.")
    call = hold_call(Speaks(2.0, "When are you open?"), Speaks(6.0, "What about Friday?"), llm=llm, ends_at=12.0)
    cut = next(e for e in call.all(events.AgentTurn) if e.interrupted)
    assert f"{cut.text} {cut.unheard}" == LONG
    assert cut.text.startswith("We are open from nine to five")
    assert call.transcript[-2:] == [("caller", "What about Friday?"), ("agent", "Yes, on Friday too.")]
    assert llm.asked[-1][-2] == {"role": "assistant", "content": f"{cut.text} —"}


def test_the_audio_stops_within_a_fifth_of_a_second_of_speech() -> None:
    call = hold_call(
        Speaks(2.0, "When are you open?"), Speaks(6.0, "What about Friday?"), llm=FakeLlm(LONG), ends_at=7.0
    )
    assert any(6.0 < clear <= 6.2 for clear in call.far_end.clears)
    assert not [at for at in call.far_end.sent_at if 6.2 < at < 7.0]


def test_a_cough_does_not_cut_the_agent_off() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), Speaks(6.0, "", 0.3), llm=FakeLlm(LONG), ends_at=16.0)
    assert call.transcript[-1] == ("agent", LONG)
    assert [e.reason for e in call.all(events.InterruptionIgnored)] == ["no_words"]
    assert len(call.all(events.CallerTurn)) == 1


def test_a_listening_sound_does_not_cut_the_agent_off() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), Speaks(6.0, "mm-hm", 0.4), llm=FakeLlm(LONG), ends_at=16.0)
    assert call.transcript[-1] == ("agent", LONG)
    assert [e.text for e in call.all(events.InterruptionIgnored)] == ["mm-hm"]


def test_long_speech_interrupts_before_its_words_are_known() -> None:
    call = hold_call(
        Speaks(2.0, "When are you open?"), Speaks(6.0, "okay", 1.5), Speaks(9.0, "Go on.", 0.5),
        llm=FakeLlm(LONG), ends_at=9.2,
    )  # fmt: skip
    cut = next(e for e in call.all(events.AgentTurn) if e.interrupted)
    assert 6.5 < cut.at < 6.8


def test_the_caller_goes_on_before_the_answer_is_heard() -> None:
    llm = FakeLlm("Which day?", first=1.0)
    call = hold_call(Speaks(2.0, "I want to come."), Speaks(3.6, "Next Monday."), llm=llm, ends_at=8.0)
    assert call.transcript[1:] == [
        ("caller", "I want to come."),
        ("caller", "Next Monday."),
        ("agent", "Which day?"),
    ]
    assert llm.asked[-1][-1] == {"role": "user", "content": "I want to come. Next Monday."}


def test_an_answer_begun_too_early_leaves_no_trace() -> None:
    call = hold_call(
        Speaks(2.0, "I want"), Speaks(3.5, "a table for two."),
        llm=FakeLlm("For what time?", first=0.05), end_of_turn=FakeEndOfTurn(0.01, 0.99), ends_at=9.0,
    )  # fmt: skip
    assert call.transcript[1:] == [("caller", "I want a table for two."), ("agent", "For what time?")]
    assert [e.finish for e in call.all(events.ModelFinished)][-1] == "stop"
    assert [m["content"] for m in call.llm.asked[-1] if m["role"] == "user"] == ["I want a table for two."]


def test_an_agent_that_may_not_be_interrupted_answers_afterwards() -> None:
    spec = agent(turns=TurnTaking(interruptible=False))
    llm = FakeLlm(LONG, "Yes.")
    call = hold_call(
        Speaks(2.0, "When are you open?"), Speaks(6.0, "What about Friday?"), spec=spec, llm=llm, ends_at=20.0
    )
    assert call.transcript[1:] == [
        ("caller", "When are you open?"),
        ("agent", LONG),
        ("caller", "What about Friday?"),
        ("agent", "Yes."),
    ]


# --- the end of a turn


@pytest.mark.parametrize(("probability", "waits"), [(0.99, False), (0.02, True)])
def test_a_caller_who_sounds_unfinished_is_given_time(probability: float, waits: bool) -> None:
    call = hold_call(
        Speaks(2.0, "I would like to book"), end_of_turn=FakeEndOfTurn(probability), llm=FakeLlm("Sure."), ends_at=8.0
    )
    turn = call.all(events.CallerTurn)[0]
    assert (turn.at - turn.ended > 1.0) == waits
    assert call.all(events.TurnDecision)[0].verdict == ("waiting" if waits else "finished")


def test_a_caller_who_stops_after_and_is_given_time() -> None:
    call = hold_call(Speaks(2.0, "For Monday and"), llm=FakeLlm("Yes?"), ends_at=8.0)
    turn = call.all(events.CallerTurn)[0]
    assert turn.at - turn.ended > 1.0
    assert [e.by for e in call.all(events.TurnDecision)] == ["words"]


# --- typed text


def test_typed_text_is_a_turn_of_the_same_call() -> None:
    call = hold_call(Types(2.0, "When are you open?"), Speaks(5.0, "Thank you."), llm=FakeLlm("At nine."), ends_at=9.0)
    assert [(e.text, e.source) for e in call.all(events.CallerTurn)] == [
        ("When are you open?", "typed"),
        ("Thank you.", "speech"),
    ]


def test_typed_text_interrupts_the_agent() -> None:
    call = hold_call(Speaks(2.0, "When?"), Types(6.0, "Stop."), llm=FakeLlm(LONG, "All right."), ends_at=9.0)
    assert call.all(events.AgentTurn)[1].interrupted
    assert call.transcript[-1] == ("agent", "All right.")


# --- how calls end


def test_the_agent_says_goodbye_and_hangs_up() -> None:
    llm = FakeLlm(["Goodbye!", ToolRequest("t1", "end_call", '{"reason": "All said."}')])
    call = hold_call(Speaks(2.0, "That is all, bye."), llm=llm)
    assert call.transcript[-1] == ("agent", "Goodbye!")
    assert (call.end.reason, call.end.detail) == (EndReason.AGENT, "All said.")
    assert [e.name for e in call.all(events.ToolReturned)] == ["end_call"]


def test_nobody_is_hung_up_on_without_a_word() -> None:
    call = hold_call(Speaks(2.0, "Bye."), llm=FakeLlm(ToolRequest("t1", "end_call", "{}")))
    assert call.transcript[-1] == ("agent", "Thank you for calling. Goodbye.")
    assert call.end.reason == EndReason.AGENT


def test_a_silent_caller_is_asked_and_then_left() -> None:
    spec = agent(inactivity=Inactivity(check_in_after=5.0, check_ins=1))
    call = hold_call(spec=spec)
    assert [text for _, text in call.transcript] == [
        "Hello there.",
        "Are you still there?",
        "I can't hear you any more, so I'll hang up now. Goodbye.",
    ]
    assert [e.step for e in call.all(events.InactivityNoticed)] == ["check_in", "farewell"]
    assert call.end.reason == EndReason.INACTIVITY


def test_a_caller_who_speaks_into_the_farewell_keeps_the_call() -> None:
    spec = agent(inactivity=Inactivity(check_in_after=5.0, check_ins=0))
    call = hold_call(Speaks(7.5, "I am here, wait."), spec=spec, llm=FakeLlm("Good."), ends_at=11.0)
    assert call.transcript[-1] == ("agent", "Good.")
    assert call.end.reason == EndReason.CALLER


def test_the_longest_call_ends_in_words_whatever_the_caller_says() -> None:
    call = hold_call(Speaks(10.5, "But I was not done yet!", 2.0), spec=agent(max_duration=10.0))
    assert call.transcript[-1] == ("agent", "I'm sorry, we have reached the longest time for a call. Goodbye.")
    assert call.end.reason == EndReason.MAX_DURATION


WARNING = "I'm afraid we have only a moment left on this call."
SPENT = "I'm sorry, this call has to end here. Please call again another time. Goodbye."


def test_a_call_whose_money_is_used_up_is_told_so_and_ends_after_the_grace() -> None:
    call = hold_call(Limits(1.0, seconds=5.0, grace=8.0), Speaks(9.0, "One more thing."), llm=FakeLlm("Go on."))
    assert call.transcript[1:] == [
        ("agent", WARNING),
        ("caller", "One more thing."),
        ("agent", "Go on."),
        ("agent", SPENT),
    ]
    assert [(e.step, e.until) for e in call.all(events.BudgetSpent)] == [("warning", 13.0), ("farewell", 13.0)]
    assert call.end.reason == EndReason.BUDGET


def test_the_agent_finishes_what_it_says_before_it_warns() -> None:
    call = hold_call(
        Speaks(2.0, "When are you open?"), Limits(1.0, seconds=5.0, grace=12.0), llm=FakeLlm(LONG), ends_at=16.0
    )
    said = [text for who, text in call.transcript if who == "agent"]
    assert said[1:3] == [LONG, WARNING]
    assert not call.all(events.AgentTurn)[1].interrupted


def test_without_a_grace_the_call_ends_with_its_money() -> None:
    call = hold_call(Limits(1.0, seconds=4.0))
    assert call.transcript[1:] == [("agent", SPENT)]
    assert call.end.at == pytest.approx(8.0, abs=3.0)
    assert call.end.reason == EndReason.BUDGET


def test_money_that_comes_in_time_lets_the_call_go_on() -> None:
    call = hold_call(Limits(1.0, seconds=4.0, grace=2.0), Limits(3.0, seconds=None), ends_at=9.0)
    assert call.all(events.BudgetSpent) == []
    assert call.end.reason == EndReason.CALLER


def test_the_caller_hangs_up_on_a_speaking_agent() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), HangsUp(5.0), llm=FakeLlm(LONG))
    assert call.all(events.AgentTurn)[-1].interrupted
    assert call.end.at == pytest.approx(5.0, abs=0.1)


# --- trouble


def test_a_model_that_fails_is_told_in_words_and_the_call_goes_on() -> None:
    llm = FakeLlm(ProviderError("fake-llm", "The key is wrong."), "At nine.")
    call = hold_call(Speaks(2.0, "When?"), Speaks(9.0, "When do you open?"), llm=llm, ends_at=14.0)
    assert call.transcript[2] == (
        "agent",
        "I'm sorry, I'm having trouble answering right now. Could you say that again?",
    )
    assert call.transcript[-1] == ("agent", "At nine.")
    assert {e.role for e in call.all(events.ProviderFailed)} == {"llm"}


def test_an_answer_that_failed_before_the_turn_was_over_is_tried_again() -> None:
    llm = FakeLlm(ProviderError("fake-llm", "Cut off."), "At nine.", first=0.01)
    call = hold_call(Speaks(2.0, "When?"), llm=llm, stt_delay=0.01, ends_at=7.0)
    assert call.transcript[-1] == ("agent", "At nine.")


def test_a_model_that_keeps_failing_ends_the_call_in_words() -> None:
    llm = FakeLlm(ProviderError("fake-llm", "The key is wrong."))
    call = hold_call(Speaks(2.0, "When?"), Speaks(9.0, "When?"), llm=llm)
    assert call.transcript[-1][1].startswith("I'm sorry, something is wrong on my side")
    assert (call.end.reason, call.end.detail) == (EndReason.ERROR, "The key is wrong.")


def test_what_there_is_of_a_broken_answer_is_heard_first() -> None:
    llm = FakeLlm(["We open at nine, and then we are there for you.", ProviderError("fake-llm", "Cut off.")])
    call = hold_call(Speaks(2.0, "When?"), llm=llm, ends_at=16.0)
    assert call.transcript[2][1].startswith("We open at nine")
    assert call.transcript[3][1].startswith("I'm sorry, I'm having trouble")


def test_an_empty_answer_is_no_silence() -> None:
    call = hold_call(Speaks(2.0, "When?"), llm=FakeLlm(""), ends_at=9.0)
    assert call.transcript[-1][1].startswith("I'm sorry, I'm having trouble")


def test_a_slow_model_makes_the_agent_ask_for_a_moment() -> None:
    call = hold_call(Speaks(2.0, "When?"), llm=FakeLlm("At nine.", first=5.0), ends_at=14.0)
    assert call.transcript[-1] == ("agent", "One moment, please. At nine.")
    assert [(e.role, round(e.waited)) for e in call.all(events.ProviderSlow)] == [("llm", 2)]


def test_a_full_queue_is_told_and_tried_again() -> None:
    busy = ProviderBusy("fake-llm", "Two calls are waiting.")
    call = hold_call(Speaks(2.0, "When?"), llm=FakeLlm(busy, busy, "At nine."), ends_at=9.0)
    assert call.transcript[-1] == ("agent", "At nine.")
    assert len(call.all(events.ProviderSlow)) == 2


def test_recognition_that_fails_is_told_in_words() -> None:
    call = hold_call(Speaks(2.0, "When?", failure="The model is not there."), ends_at=9.0)
    assert call.transcript[-1][1].startswith("I'm sorry, I'm having trouble")
    assert [(e.role, e.error) for e in call.all(events.ProviderFailed)] == [("stt", "The model is not there.")]


def test_the_spare_voice_speaks_when_the_first_one_fails() -> None:
    spare = FakeTts("spare")
    call = hold_call(tts=FakeTts(failure="Down."), spare_tts=spare, ends_at=4.0)
    assert call.transcript == [("agent", "Hello there.")]
    assert "Hello there." in spare.spoken


def test_a_call_without_any_voice_ends_with_a_reason() -> None:
    call = hold_call(tts=FakeTts(failure="Down."))
    assert (call.end.reason, call.end.detail) == (EndReason.ERROR, "Down.")


def test_a_tool_that_does_not_exist_is_told_to_the_model() -> None:
    llm = FakeLlm([ToolRequest("t1", "fly", "{}")], "I can't fly.")
    call = hold_call(Speaks(2.0, "Can you fly?"), llm=llm, ends_at=8.0)
    assert call.all(events.ToolReturned)[0].error == "There is no tool named fly."
    assert llm.asked[-1][-1] == {
        "role": "tool",
        "tool_call_id": "t1",
        "content": "Error: There is no tool named fly.",
    }
    assert call.transcript[-1] == ("agent", "I can't fly.")


# --- the event log


def conversation() -> list[dict[str, object]]:
    call = hold_call(
        Speaks(2.0, "When are you open?"), Speaks(5.0, "mm-hm", 0.3), Speaks(7.0, "What about Friday?"),
        llm=FakeLlm(LONG, "Yes."), ends_at=12.0,
    )  # fmt: skip
    return [events.encode(event) for event in call.events]


def test_a_call_on_the_virtual_clock_is_the_same_each_time() -> None:
    with time_machine.travel("2026-03-01T09:00:00Z"):
        first = conversation()
    assert first == conversation()


def test_every_event_survives_being_stored() -> None:
    for stored in conversation():
        assert events.encode(events.decode(json.loads(json.dumps(stored)))) == stored


def test_events_are_in_the_order_of_time_between_start_and_end() -> None:
    log = conversation()
    assert (log[0]["type"], log[-1]["type"]) == ("call.started", "call.ended")
    times = [float(str(event["at"])) for event in log]
    assert times == sorted(times)


def test_words_heard_are_told_once_each_and_in_order() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), Speaks(6.0, "", 0.3), llm=FakeLlm(LONG), ends_at=16.0)
    words = [word for e in call.all(events.AgentHeard) if e.turn == 1 for word in e.words]
    assert " ".join(word.text for word in words) == LONG
    assert [w.start for w in words] == sorted(w.start for w in words)


def test_nothing_is_left_when_a_call_is_over() -> None:
    llm, tts = FakeLlm(LONG, first=1.0), FakeTts()
    call = hold_call(Speaks(2.0, "When are you open?"), HangsUp(4.0), llm=llm, tts=tts)
    assert call.tasks_left == []
    assert (llm.streaming, tts.speaking) == (0, 0)


def test_the_first_sound_is_told_before_it_leaves() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), ends_at=6.0)
    kinds = [type(event) for event in call.events]
    assert kinds.index(events.SpeechFirstAudio) < kinds.index(events.AgentSpeechStarted)
