"""Where the time of a turn went."""

from __future__ import annotations

import pytest

from tests.voice.fakes import FakeEndOfTurn, FakeLlm, FakeTts, FarEnd, Result, Speaks, Types, agent, hold_call
from voice import events
from voice.latency import TurnLatency, turn_latencies
from voice.spec import Phrases

QUESTION = Speaks(2.0, "When are you open?")


def parts(latency: TurnLatency) -> float:
    return latency.end_of_turn + latency.stt + latency.llm + latency.tts + latency.playout


def only(call: Result) -> TurnLatency:
    latencies = turn_latencies(call.events)
    assert list(latencies) == [1]
    return latencies[1]


@pytest.mark.parametrize("stt_delay", [0.01, 0.06, 0.4])
@pytest.mark.parametrize("first_token", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("probability", [0.05, 0.99])
def test_the_parts_add_up_to_what_the_caller_waited(stt_delay: float, first_token: float, probability: float) -> None:
    call = hold_call(
        QUESTION, llm=FakeLlm("At nine.", first=first_token), stt_delay=stt_delay,
        end_of_turn=FakeEndOfTurn(probability), ends_at=8.0,
    )  # fmt: skip
    latency = only(call)
    begun = next(e for e in call.all(events.AgentSpeechStarted) if e.turn == 1)
    assert latency.total == pytest.approx(begun.at + begun.playout_delay - 3.0, abs=0.002)
    assert parts(latency) == pytest.approx(latency.total, abs=0.002)


def test_each_part_is_what_its_provider_took() -> None:
    call = hold_call(
        QUESTION, llm=FakeLlm("Nine.", first=0.5, token=0.0), tts=FakeTts(first=0.3), stt_delay=0.2,
        far_end=FarEnd(playout_delay=0.12), ends_at=8.0,
    )  # fmt: skip
    latency = only(call)
    assert latency.stt == pytest.approx(0.2, abs=0.01)
    assert latency.llm == pytest.approx(0.5, abs=0.02)
    assert latency.tts == pytest.approx(0.3, abs=0.02)
    assert latency.playout == pytest.approx(0.12)
    assert latency.end_of_turn == pytest.approx(0.14, abs=0.02)


def test_work_done_before_the_turn_was_over_costs_the_caller_nothing() -> None:
    call = hold_call(
        QUESTION, llm=FakeLlm("Nine.", first=0.1), tts=FakeTts(first=0.1), stt_delay=0.02,
        end_of_turn=FakeEndOfTurn(0.05), ends_at=8.0,
    )  # fmt: skip
    latency = only(call)
    assert latency.end_of_turn > 0.7
    assert latency.total == pytest.approx(1.1 + 0.04, abs=0.1)


def test_what_is_said_while_thinking_is_no_answer() -> None:
    spec = agent(phrases=Phrases(thinking=("Let me see.",)), thinking_after=0.3)
    call = hold_call(QUESTION, spec=spec, llm=FakeLlm("At nine.", first=1.5), ends_at=9.0)
    latency = only(call)
    (thought,) = call.all(events.AgentHesitated)
    (said,) = [e for e in call.all(events.SpeechFirstAudio) if e.turn == 1]
    assert latency.first_sound == pytest.approx(thought.at - 3.0, abs=0.05)
    assert latency.total == pytest.approx(said.at - 3.0, abs=0.05)
    assert parts(latency) == pytest.approx(latency.total, abs=0.002)
    assert "thinking" in [span.name for span in latency.spans]


def test_typed_text_has_no_recognition_to_wait_for() -> None:
    latency = only(hold_call(Types(2.0, "When are you open?"), ends_at=8.0))
    assert (latency.stt, latency.end_of_turn) == (0.0, 0.0)
    assert parts(latency) == pytest.approx(latency.total, abs=0.002)


def test_a_turn_that_was_never_answered_has_no_latency() -> None:
    assert turn_latencies(hold_call(QUESTION, llm=FakeLlm("At nine.", first=2.0), ends_at=3.5).events) == {}


def test_the_spans_show_all_work_on_the_call_s_clock() -> None:
    call = hold_call(QUESTION, llm=FakeLlm("At nine, and until five in the afternoon. Come in."), ends_at=9.0)
    spans = only(call).spans
    assert {span.name for span in spans} == {"end_of_turn", "stt", "llm", "tts", "playout"}
    assert all(3.0 <= span.start <= span.end <= 9.0 for span in spans)
    assert "first token after 200 ms" in next(span.detail for span in spans if span.name == "llm")
