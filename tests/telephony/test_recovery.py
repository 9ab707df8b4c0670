from __future__ import annotations

import subprocess
import sys
import wave
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from telephony import process, services, tasks
from telephony.models import Call, CallEvent
from telephony.recordings import recording_path
from tests.conftest import CallFactory
from voice import events
from voice.media.recording import HEADER_BYTES, _header

pytestmark = pytest.mark.django_db


@pytest.fixture
def dead_process() -> str:
    """The name of a run on this machine that was killed."""
    code = "import sys; sys.path.insert(0, '.'); from telephony.process import this_process; print(this_process())"
    killed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return killed.stdout.strip()


def store(call: Call, *happened: events.Event) -> None:
    CallEvent.objects.bulk_create(
        CallEvent.of(call.pk, number, events.encode(event)) for number, event in enumerate(happened)
    )


def truncated_recording(call: Call, seconds: float) -> Path:
    """What a writer leaves that dies between appending audio and bringing the header up to date, within a sample."""
    path = recording_path(call.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_header(0) + bytes(round(seconds * 16_000) * 4) + b"\1\2\3")
    return path


# --- which run of which process


def test_this_process_is_alive() -> None:
    assert len(process.this_process()) <= 60
    assert not process.is_dead(process.this_process())


def test_a_process_that_ended_is_dead(dead_process: str) -> None:
    assert process.is_dead(dead_process)


def test_another_process_with_the_same_id_is_not_the_dead_one() -> None:
    place, pid, start = process.this_process().split(":")
    assert process.is_dead(f"{place}:{pid}:{int(start) - 1}")


def test_a_process_that_nobody_has_waited_for_is_dead() -> None:
    code = "from telephony.process import this_process; print(this_process(), flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert child.stdout is not None
    assert child.stdin is not None
    name = child.stdout.readline().strip()
    assert not process.is_dead(name)
    child.kill()
    child.stdout.read()  # until it is gone; it is still a zombie
    for _ in range(10_000):
        if process.is_dead(name):
            break
    assert process.is_dead(name)
    child.stdin.close()
    child.stdout.close()
    child.wait()


@pytest.mark.parametrize("name", ["elsewhere-00000000:1:1", "", "garbage", "test"])
def test_nothing_is_known_of_a_process_elsewhere(name: str) -> None:
    assert not process.is_dead(name)


# --- calls whose process died


def test_a_call_whose_process_died_is_finished_with_what_is_known(call_factory: CallFactory, dead_process: str) -> None:
    call = call_factory(state=Call.State.LIVE, process=dead_process)
    store(
        call,
        events.CallStarted(at=0.0, call_id=call.pk, agent="Ada"),
        events.CallerTurn(at=4.0, turn=1, text="Hello?", started=3.0, ended=3.8),
    )
    path = truncated_recording(call, 4.9)
    assert services.calls_recover() == [call.pk]
    call.refresh_from_db()
    assert (call.state, call.end_reason, call.duration_ms) == (Call.State.ENDED, "process_lost", 4900)
    assert call.recording_seconds == pytest.approx(4.9)
    assert call.ended_at == call.started_at + timedelta(seconds=4.9)
    with wave.open(str(path)) as recording:
        assert recording.getnframes() == round(4.9 * 16_000)
        assert (recording.getnchannels(), recording.getframerate()) == (2, 16_000)
    assert path.stat().st_size == HEADER_BYTES + round(4.9 * 16_000) * 4
    last = call.events.last()
    assert last is not None
    assert (last.sequence, last.type, last.at) == (2, "call.ended", 4.9)
    assert last.data["reason"] == "process_lost"


def test_a_call_without_a_heartbeat_is_finished_wherever_its_process_was(call_factory: CallFactory) -> None:
    now = timezone.now()
    heartbeat = now - timedelta(seconds=31)
    silent = call_factory(
        state=Call.State.LIVE, process="elsewhere:1:1", started_at=now - timedelta(seconds=60), heartbeat_at=heartbeat
    )
    alive = call_factory(state=Call.State.LIVE, process="elsewhere:1:1")
    store(silent, events.CallStarted(at=0.0, call_id=silent.pk, agent="Ada"))
    tasks.recover_calls()
    silent.refresh_from_db()
    alive.refresh_from_db()
    assert alive.state == Call.State.LIVE
    assert (silent.state, silent.duration_ms, silent.recording_seconds) == (Call.State.ENDED, 29_000, 0.0)
    assert silent.ended_at == heartbeat


def test_a_call_of_this_process_is_left_alone(call_factory: CallFactory) -> None:
    call_factory(state=Call.State.LIVE, process=process.this_process())
    assert services.calls_recover() == []


def test_a_call_that_died_before_its_first_event_is_finished(call_factory: CallFactory, dead_process: str) -> None:
    call = call_factory(state=Call.State.LIVE, process=dead_process)
    services.calls_recover()
    call.refresh_from_db()
    assert (call.state, call.duration_ms) == (Call.State.ENDED, 0)
    assert [(event.sequence, event.type) for event in call.events.all()] == [(0, "call.ended")]


def test_a_call_that_had_ended_but_for_its_row_keeps_its_own_reason(
    call_factory: CallFactory, dead_process: str
) -> None:
    call = call_factory(state=Call.State.LIVE, process=dead_process)
    store(call, events.CallEnded(at=3.0, reason="agent_ended", detail="Said goodbye."))
    services.calls_recover()
    call.refresh_from_db()
    assert (call.end_reason, call.end_detail, call.duration_ms) == ("agent_ended", "Said goodbye.", 3000)
    assert call.events.count() == 1


def test_a_recording_that_cannot_be_mended_is_said_and_holds_up_nothing(
    call_factory: CallFactory, dead_process: str
) -> None:
    call = call_factory(state=Call.State.LIVE, process=dead_process)
    recording_path(call.pk).mkdir(parents=True)
    services.calls_recover()
    call.refresh_from_db()
    assert call.state == Call.State.ENDED
    assert "could not be mended" in call.end_detail


def test_recovering_twice_changes_nothing(call_factory: CallFactory, dead_process: str) -> None:
    call = call_factory(state=Call.State.LIVE, process=dead_process)
    services.calls_recover()
    assert services.calls_recover() == []
    assert call.events.count() == 1
