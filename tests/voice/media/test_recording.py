from __future__ import annotations

import asyncio
import itertools
import logging
import os
import wave
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice.clock import CallClock, run_virtual
from voice.media import FRAME_BYTES, FRAME_SECONDS, SAMPLE_RATE
from voice.media import recording as module
from voice.media.recording import FLUSH_SECONDS, HEADER_BYTES, SETTLE_SECONDS, Recorder

CALLER, AGENT = 1000, 2000


class AtOnce(Executor):
    """Does the writer's work when it is handed over: on a virtual clock nobody waits for threads."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*args, **options))
        return done


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_writer", AtOnce())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls" / "recording.wav"


def frame(sample: int) -> bytes:
    return np.full(FRAME_BYTES // 2, sample, "<i2").tobytes()


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The caller's and the agent's samples."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, SAMPLE_RATE)
        content = file.readframes(file.getnframes())
    assert len(content) == path.stat().st_size - HEADER_BYTES
    stereo = np.frombuffer(content, "<i2").reshape(-1, 2)
    return stereo[:, 0], stereo[:, 1]


def spans(track: np.ndarray) -> list[tuple[float, float, int]]:
    """Where a track is not silent: start and end in seconds, to the millisecond, and the sample there."""
    edges = [0, *(np.flatnonzero(np.diff(track)) + 1).tolist(), len(track)]
    pairs = itertools.pairwise(edges)
    return [
        (round(a / SAMPLE_RATE, 3), round(b / SAMPLE_RATE, 3), int(track[a])) for a, b in pairs if b > a and track[a]
    ]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Call:
    """A call of which both sides send frames in real time."""

    def __init__(self, path: Path) -> None:
        self.recorder = Recorder(path)
        self.clock = CallClock(asyncio.get_running_loop())
        self.recorder.start(self.clock)

    async def until(self, time: float) -> None:
        await asyncio.sleep(time - self.clock.now())

    async def caller_sends(self, seconds: float, sample: int = CALLER) -> None:
        for _ in range(round(seconds / FRAME_SECONDS)):
            await asyncio.sleep(FRAME_SECONDS)
            self.recorder.caller(frame(sample), self.clock.now())

    async def agent_sends(self, seconds: float, sample: int = AGENT, delay: float = 0.0) -> None:
        for _ in range(round(seconds / FRAME_SECONDS)):
            self.recorder.agent(frame(sample), self.clock.now() + delay)
            await asyncio.sleep(FRAME_SECONDS)

    async def close(self) -> None:
        await self.recorder.close(self.clock.now())


def test_both_sides_lie_where_they_were_heard(path: Path):
    async def scenario() -> None:
        call = Call(path)
        await call.until(0.5)
        await call.caller_sends(1.0)
        await call.until(2.0)
        await call.agent_sends(1.0)
        await call.until(3.5)
        await call.close()

    run_virtual(scenario())
    caller, agent = read(path)
    assert len(caller) == len(agent) == 3.5 * SAMPLE_RATE
    assert spans(caller) == [(0.5, 1.5, CALLER)]
    assert spans(agent) == [(2.0, 3.0, AGENT)]


def test_the_agent_lies_where_the_caller_hears_it_and_not_where_it_was_sent(path: Path):
    async def scenario() -> None:
        call = Call(path)
        await call.until(1.0)
        await call.agent_sends(1.0, delay=0.25)
        await call.until(3.0)
        await call.close()

    run_virtual(scenario())
    assert spans(read(path)[1]) == [(1.25, 2.25, AGENT)]


def test_both_sides_may_speak_at_once(path: Path):
    async def scenario() -> None:
        call = Call(path)
        await asyncio.gather(call.caller_sends(1.0), call.agent_sends(1.0))
        await call.close()

    run_virtual(scenario())
    caller, agent = read(path)
    assert spans(caller) == [(0.0, 1.0, CALLER)]
    assert spans(agent) == [(0.0, 1.0, AGENT)]


def test_the_file_plays_at_every_moment_of_the_call(path: Path):
    async def scenario() -> list[float]:
        call = Call(path)
        talking = asyncio.gather(call.caller_sends(5.0), call.agent_sends(5.0))
        lengths = []
        await call.until(FLUSH_SECONDS + 0.001)
        while call.clock.now() < 5.0:
            lengths.append(call.clock.now() - len(read(path)[0]) / SAMPLE_RATE)
            await asyncio.sleep(0.05)
        await talking
        await call.close()
        return lengths

    behind = run_virtual(scenario())
    assert max(behind) <= FLUSH_SECONDS + SETTLE_SECONDS + 0.01


def test_it_plays_though_the_writer_dies_between_the_audio_and_the_header(path: Path, monkeypatch: pytest.MonkeyPatch):
    write_at = module._write_at

    def dies(file: int, content: bytes, offset: int) -> None:
        write_at(file, content, offset)
        if offset > HEADER_BYTES:
            raise OSError("died here")

    async def scenario() -> None:
        call = Call(path)
        talking = asyncio.create_task(call.caller_sends(3.0))
        await call.until(1.2)
        monkeypatch.setattr(module, "_write_at", dies)
        await talking
        await call.close()

    run_virtual(scenario())
    with wave.open(str(path)) as file:
        told = file.getnframes() / SAMPLE_RATE
    assert told == pytest.approx(1.0 - SETTLE_SECONDS, abs=0.02)
    assert Recorder.recover(path) == pytest.approx(1.5 - SETTLE_SECONDS, abs=0.02)
    assert len(read(path)[0]) / SAMPLE_RATE == pytest.approx(1.5 - SETTLE_SECONDS, abs=0.02)


def test_what_the_agent_was_kept_from_saying_is_not_there(path: Path):
    async def scenario() -> None:
        call = Call(path)
        await call.until(1.0)
        for i in range(50):  # a second of speech, sent ahead of its time
            call.recorder.agent(frame(AGENT), call.clock.now() + i * FRAME_SECONDS)
        await call.until(1.3)
        call.recorder.cut_agent(call.clock.now())
        await call.until(3.0)
        await call.close()

    run_virtual(scenario())
    assert spans(read(path)[1]) == [(1.0, 1.3, AGENT)]


def test_speech_after_a_cut_lies_where_it_is_heard(path: Path):
    async def scenario() -> None:
        call = Call(path)
        for i in range(50):
            call.recorder.agent(frame(AGENT), i * FRAME_SECONDS)
        await call.until(0.3)
        call.recorder.cut_agent(call.clock.now())
        await call.until(0.9)
        await call.agent_sends(0.2, sample=AGENT + 1)
        await call.until(1.5)
        await call.close()

    run_virtual(scenario())
    assert spans(read(path)[1]) == [(0.0, 0.3, AGENT), (0.9, 1.1, AGENT + 1)]


def test_frames_that_a_network_delivers_late_follow_each_other_without_a_gap(path: Path):
    async def scenario() -> None:
        call = Call(path)
        for number in range(50):
            await call.until((number + 1) * FRAME_SECONDS + (0.06 if number % 7 == 3 else 0.0))
            call.recorder.caller(frame(CALLER), call.clock.now())
        await call.until(1.5)
        await call.close()

    run_virtual(scenario())
    assert spans(read(path)[0]) == [(0.0, 1.0, CALLER)]


def test_a_gap_that_is_longer_than_a_network_explains_is_silence(path: Path):
    async def scenario() -> None:
        call = Call(path)
        await call.caller_sends(0.2)
        await call.until(1.0)
        await call.caller_sends(0.2)
        await call.close()

    run_virtual(scenario())
    assert spans(read(path)[0]) == [(0.0, 0.2, CALLER), (1.0, 1.2, CALLER)]


def test_a_call_without_a_sound_has_a_silent_recording(path: Path):
    async def scenario() -> None:
        call = Call(path)
        await call.until(1.0)
        await call.close()

    run_virtual(scenario())
    caller, agent = read(path)
    assert len(caller) == SAMPLE_RATE
    assert not caller.any()
    assert not agent.any()


def test_a_disk_that_fails_stops_the_recording_and_not_the_call(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    pwrite = os.pwrite

    def full(file: int, content: bytes, offset: int) -> int:
        if offset > 40_000:
            raise OSError(28, "No space left on device")
        return pwrite(file, content, offset)

    monkeypatch.setattr(os, "pwrite", full)
    open_before = open_files()

    async def scenario() -> bool:
        call = Call(path)
        await call.caller_sends(4.0)
        await call.close()
        return call.recorder.failed

    with caplog.at_level(logging.ERROR):
        assert run_virtual(scenario())
    assert caplog.text.count("No space left on device") == 1
    assert open_files() == open_before
    assert spans(read(path)[0])[0][2] == CALLER


def test_a_disk_that_takes_a_part_is_asked_to_take_the_rest(path: Path, monkeypatch: pytest.MonkeyPatch):
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, content, offset: pwrite(file, content[:1001], offset))

    async def scenario() -> None:
        call = Call(path)
        await call.caller_sends(2.0)
        await call.close()

    run_virtual(scenario())
    assert spans(read(path)[0]) == [(0.0, 2.0, CALLER)]


def test_a_folder_that_cannot_be_made_stops_the_recording_and_not_the_call(tmp_path: Path):
    (tmp_path / "calls").write_text("a file is in the way")

    async def scenario() -> bool:
        call = Call(tmp_path / "calls" / "recording.wav")
        await call.caller_sends(1.0)
        await call.close()
        return call.recorder.failed

    assert run_virtual(scenario())


def test_recovering_drops_half_a_sample_and_tells_the_length(path: Path):
    async def scenario() -> None:
        call = Call(path)
        await call.caller_sends(1.0)
        await call.close()

    run_virtual(scenario())
    with path.open("ab") as file:
        file.write(frame(CALLER) * 2 + b"\1\2\3")
    assert Recorder.recover(path) == pytest.approx(1.02)
    assert len(read(path)[0]) == round(1.02 * SAMPLE_RATE)


def test_there_is_nothing_to_recover_of_a_call_that_never_wrote(tmp_path: Path):
    assert Recorder.recover(tmp_path / "absent.wav") == 0.0
    (tmp_path / "short.wav").write_bytes(b"RIFF")
    assert Recorder.recover(tmp_path / "short.wav") == 0.0


async def test_the_writer_is_a_thread_and_closing_waits_for_it(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    call = Call(path)
    for i in range(20):
        call.recorder.caller(frame(CALLER), (i + 1) * FRAME_SECONDS)
    await call.recorder.close(0.4)
    assert spans(read(path)[0]) == [(0.0, 0.4, CALLER)]


def test_nothing_that_is_said_while_it_is_paused_is_recorded_and_the_clock_stays_true(path: Path):
    told = []

    async def scenario() -> Recorder:
        call = Call(path)
        talking = asyncio.gather(call.caller_sends(5.0), call.agent_sends(5.0))
        await call.until(1.01)
        call.recorder.pause(call.clock.now())
        told.append(call.recorder.paused)
        await call.until(3.51)
        call.recorder.resume(call.clock.now())
        told.append(call.recorder.paused)
        await talking
        await call.close()
        return call.recorder

    recorder = run_virtual(scenario())
    caller, agent = read(path)
    # Frames that lie across the ends of the pause were handed over while it went on.
    assert spans(caller) == [(0.0, 1.0, CALLER), (3.51, 5.0, CALLER)]
    assert spans(agent) == [(0.0, 1.01, AGENT), (3.52, 5.0, AGENT)]
    assert told == [True, False]
    assert recorder.pauses == [(1.01, 3.51)]
    assert recorder.duration == pytest.approx(5.0)


def test_audio_that_is_heard_while_it_is_paused_but_was_sent_before_is_not_recorded(path: Path):
    async def scenario() -> None:
        call = Call(path)
        for place in range(100):
            call.recorder.agent(frame(AGENT), 0.02 * place)
        await call.until(0.5)
        call.recorder.pause(0.5)
        await call.until(1.5)
        call.recorder.resume(1.5)
        await call.until(3.0)
        await call.close()

    run_virtual(scenario())
    assert spans(read(path)[1]) == [(0.0, 0.5, AGENT), (1.5, 2.0, AGENT)]


def test_a_burst_does_not_carry_what_was_said_in_a_pause_beyond_it(path: Path):
    async def scenario() -> None:
        call = Call(path)
        await call.caller_sends(1.0)
        call.recorder.pause(1.0)
        for _ in range(25):
            call.recorder.caller(frame(CALLER), 1.01)
        call.recorder.resume(1.1)
        await call.until(3.0)
        await call.close()

    run_virtual(scenario())
    assert spans(read(path)[0]) == [(0.0, 1.0, CALLER)]


def test_a_pause_that_does_not_end_reaches_to_the_end_of_the_call(path: Path):
    async def scenario() -> Recorder:
        call = Call(path)
        call.recorder.pause(0.5)
        call.recorder.pause(0.8)
        await call.caller_sends(2.0)
        await call.close()
        return call.recorder

    recorder = run_virtual(scenario())
    assert spans(read(path)[0]) == []
    assert recorder.pauses == [(0.5, 2.0)]


def test_several_pauses_are_each_silent(path: Path):
    async def scenario() -> Recorder:
        call = Call(path)
        talking = asyncio.create_task(call.caller_sends(4.0))
        for at in (1.01, 2.01):
            await call.until(at)
            call.recorder.pause(at)
            await call.until(at + 0.1)
            call.recorder.resume(at + 0.1)
            call.recorder.resume(at + 0.2)
        await talking
        await call.close()
        return call.recorder

    recorder = run_virtual(scenario())
    assert spans(read(path)[0]) == [(0.0, 1.0, CALLER), (1.11, 2.0, CALLER), (2.11, 4.0, CALLER)]
    assert recorder.pauses == [(1.01, 1.11), (2.01, 2.11)]
