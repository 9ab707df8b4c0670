"""A stored call is held again the same; another setting shows where it would have gone another way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.voice.fakes import (
    FakeEndOfTurn,
    FakeKnowledge,
    FakeLlm,
    FakeTool,
    FakeTts,
    FarEnd,
    Fault,
    Presses,
    Result,
    Sends,
    Speaks,
    Types,
    agent,
    hold_call,
)
from voice import events
from voice.knowledge import Passage
from voice.providers.base import ToolRequest
from voice.replay import NotReplayable, Record, first_divergence, read_events, rerun
from voice.replay.__main__ import main
from voice.replay.ears import Edge
from voice.spec import AgentSpec, Digits, TransferTarget

LONG = "We are open from nine to five on every day of the week, and from ten to two on the days before a holiday."


def busy_call() -> Result:
    """Interrupted, with a tool, a backchannel, keys, typed words, a message, and a turn in two breaths."""
    llm = FakeLlm(
        LONG,
        [ToolRequest("t1", "look_up", '{"day": "Friday"}')],
        "On Friday we are closed. Is there anything else that I can do for you today, or was that all?",
        "Thank you, I have got your number.",
        "Goodbye then.",
    )
    return hold_call(
        Speaks(2.0, "When are you open?"),
        Speaks(5.0, "No wait, on Friday.", seconds=1.5),
        Speaks(9.5, "mm-hm", seconds=0.3),
        Presses(16.0, "4711#"),
        Sends(18.0, {"context": "The caller looks at invoice 7."}),
        Types(22.0, "Bye."),
        llm=llm,
        spec=agent(greeting="Hello.", digits=Digits(pause=1.5)),
        tools=[FakeTool()],
        end_of_turn=FakeEndOfTurn(0.9, 0.2, 0.95),
        ends_at=27.0,
    )


CALLS: dict[str, dict[str, Any]] = {
    "a slow model with a spare one": {"llm": FakeLlm("Late.", first=60.0), "models": [FakeLlm("Here.", name="spare")]},
    "a model that hiccups": {"llm": FakeLlm(fault=Fault("hiccup", since=2.0))},
    "a busy model": {"llm": FakeLlm(fault=Fault("busy", since=2.0))},
    "a voice with a spare one": {"tts": FakeTts(fault=Fault("cut", since=2.0)), "spare_tts": FakeTts("spare-tts")},
    "a dead voice": {"tts": FakeTts(fault=Fault("refused", since=2.0))},
    "a recogniser with a spare one": {"stt_fault": Fault("garbage", since=2.0), "spare_stt": True},
    "a recogniser that fails": {"stt_fault": Fault("garbage", since=2.0)},
    "a recogniser that is silent": {"stt_fault": Fault("silent", since=2.0)},
    "a broken end-of-turn model": {"end_of_turn": FakeEndOfTurn(0.9, fault=Fault("broken", since=2.0))},
    "knowledge": {"knowledge": FakeKnowledge(Passage("Nine to five.", "hours.md", 0.9))},
    "knowledge that is late": {"knowledge": FakeKnowledge(fault=Fault("silent"))},
    "a tool that fails": {
        "llm": FakeLlm([ToolRequest("t1", "look_up", "{}")], "That did not work."),
        "tools": [FakeTool(fault=Fault("broken"))],
    },
    "a race": {
        "llm": FakeLlm("Slow words.", first=3.0),
        "models": [FakeLlm("Quick words.", name="rival", first=0.1)],
        "spec": agent(hedge_after=0.3),
    },
    "a transfer that fails": {
        "llm": FakeLlm(["One moment.", ToolRequest("t1", "transfer_call", '{"to": "sales"}')], "What else?"),
        "spec": agent(transfers=(TransferTarget(name="sales", to="+14155550100"),)),
        "far_end": FarEnd(transfer_fails="Busy."),
    },
}


def test_a_call_is_held_again_the_same() -> None:
    call = busy_call()
    assert call.all(events.InterruptionIgnored)
    assert any(turn.interrupted for turn in call.all(events.AgentTurn))
    assert {turn.source for turn in call.all(events.CallerTurn)} == {"speech", "keypad", "typed"}
    again = rerun(Record(call.events))
    assert first_divergence(call.events, again, tolerance=0.03) is None


@pytest.mark.parametrize("name", CALLS)
def test_trouble_is_held_again_the_same(name: str) -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), Speaks(12.0, "Thank you."), ends_at=16.0, **CALLS[name])
    again = rerun(Record(call.events))
    assert first_divergence(call.events, again, tolerance=0.05) is None


def test_a_call_that_nobody_holds_on_to_ends_the_same() -> None:
    call = hold_call(ends_at=90.0)
    again = rerun(Record(call.events))
    assert again[-1].type == "call.ended"
    assert first_divergence(call.events, again, tolerance=0.03) is None


def test_another_patience_shows_where_the_turn_would_have_ended_otherwise() -> None:
    call = busy_call()
    record = Record(call.events)
    slower = record.spec.model_copy(update={"turns": record.spec.turns.model_copy(update={"finished_silence": 0.6})})
    divergence = first_divergence(call.events, rerun(record, spec=slower), tolerance=0.25)
    assert divergence is not None
    assert isinstance(divergence.recorded, events.TurnDecision)
    assert divergence.at == pytest.approx(3.2, abs=0.1)
    assert "wait=0.2" in str(divergence)
    assert "wait=0.6" in str(divergence)


def test_a_turn_that_ends_earlier_leaves_its_later_words_to_the_next_one() -> None:
    breaths = (Speaks(2.0, "I would like a table."), Speaks(3.4, "For two people.", seconds=0.8))
    call = hold_call(*breaths, end_of_turn=FakeEndOfTurn(0.01, 0.9), ends_at=9.0)
    assert [turn.text for turn in call.all(events.CallerTurn)] == ["I would like a table. For two people."]
    record = Record(call.events)
    hasty = record.spec.model_copy(update={"turns": record.spec.turns.model_copy(update={"unfinished_silence": 0.3})})
    turns = [event.text for event in rerun(record, spec=hasty) if isinstance(event, events.CallerTurn)]
    assert turns == ["I would like a table.", "For two people."]


def test_speech_that_is_found_elsewhere_in_the_audio_moves_the_turn() -> None:
    call = hold_call(Speaks(2.0, "When are you open?"), ends_at=9.0)
    edges = [Edge(2.1, True, 2.0), Edge(2.9, False, 2.77)]
    again = rerun(Record(call.events), edges=edges)
    assert [e.offset for e in again if isinstance(e, events.CallerSpeechStopped)] == [2.77]
    divergence = first_divergence(call.events, again, tolerance=0.1)
    assert divergence is not None
    assert divergence.lane == "caller"


# --- from files


def written(path: Path, found: list[events.Event], form: str) -> Path:
    rows = [{"sequence": number, **events.encode(event)} for number, event in enumerate(found)]
    match form:
        case "lines":
            path.write_text("\n".join(json.dumps(row) for row in rows))
        case "array":
            path.write_text(json.dumps(rows))
        case _:
            path.write_text(json.dumps({"call": "call_1", "events": rows}))
    return path


@pytest.mark.parametrize("form", ["lines", "array", "object"])
def test_the_file_of_a_call_is_replayed(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "call.events", busy_call().events, form)
    assert main([str(path)]) == 0
    assert capsys.readouterr().out.startswith("The same: ")


def test_a_changed_setting_is_told_with_its_context(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = written(tmp_path / "call.events", busy_call().events, "lines"), tmp_path / "replayed.events"
    assert main([str(path), "--set", "turns.finished_silence=0.6", "--write", str(out)]) == 1
    told = capsys.readouterr().out
    assert "The first divergence is at 3." in told
    assert "turn.decision" in told
    assert read_events(out)[0].type == "call.started"


def test_an_older_call_needs_its_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started, *rest = busy_call().events
    assert isinstance(started, events.CallStarted)
    bare = events.CallStarted(at=0.0, call_id="call_1", agent="Ada")
    path, spec = written(tmp_path / "call.events", [bare, *rest], "lines"), tmp_path / "spec.json"
    spec.write_text(AgentSpec.model_validate(started.spec).model_dump_json())
    assert main([str(path)]) == 2
    assert "--spec" in capsys.readouterr().err
    assert main([str(path), "--spec", str(spec)]) == 0


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"type": "no.such", "at": 0}', "not json"])
def test_what_is_no_call_is_refused_in_words(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "call.events"
    path.write_text(text)
    assert main([str(path)]) == 2
    assert capsys.readouterr().err


def test_what_is_no_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "call.events", busy_call().events, "lines")
    assert main([str(path), "--audio", str(path)]) == 2
    assert "is not a recording" in capsys.readouterr().err


def test_a_missing_model_for_the_audio_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, audio = written(tmp_path / "call.events", busy_call().events, "lines"), tmp_path / "call.wav"
    soundfile.write(audio, np.zeros((16_000, 2), np.int16), 16_000)
    assert main([str(path), "--audio", str(audio), "--vad", str(tmp_path / "vad.onnx")]) == 2
    assert "vad.onnx" in capsys.readouterr().err


def test_a_setting_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "call.events", busy_call().events, "lines")
    assert main([str(path), "--set", "turns.patience=1"]) == 2
    assert "There is no setting turns.patience" in capsys.readouterr().err


def test_events_that_are_not_from_the_start_of_a_call_are_refused() -> None:
    with pytest.raises(NotReplayable, match="start of a call"):
        Record([events.CallEnded(at=0.0, reason="error")])
