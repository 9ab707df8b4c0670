"""The engine benchmark measures what it says: with engines whose delays are known, and once with ours."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.engine import scripts
from benchmarks.engine.fakes import FLOOR, REPLY_SECONDS
from benchmarks.engine.line import Heard, Line
from benchmarks.engine.report import KEYS, Row, cost, summary, table
from benchmarks.engine.resampling import Resampler
from benchmarks.speech import FRAME_SECONDS
from voice.clock import run_virtual

VOICE = b"\1\1" * 320


class Engine:
    """Answers `after` seconds after the caller's words are known, and stops `yields_after` seconds of speech."""

    def __init__(self, line: Line, *, after: float, yields_after: float = 60.0, every: float = FRAME_SECONDS) -> None:
        self.line = line
        self.after = after
        self.yields_after = yields_after
        self.every = every
        self.heard = 0.0
        self.speaking: asyncio.Task[None] | None = None
        line.deliver = self.deliver
        line.recognised = self.recognised

    def deliver(self, frame: bytes) -> None:
        self.heard = self.heard + FRAME_SECONDS if frame.strip(b"\0") else 0.0
        if self.heard >= self.yields_after and self.speaking is not None:
            self.speaking.cancel()

    def recognised(self, text: str) -> None:
        self.speaking = asyncio.get_running_loop().create_task(self.speak())

    async def speak(self) -> None:
        await asyncio.sleep(self.after)
        for _ in range(round(REPLY_SECONDS / FRAME_SECONDS)):
            self.line.play(VOICE)
            await asyncio.sleep(self.every)


def measure(script: scripts.Script, cycles: int, **engine: float) -> Heard:
    """What is heard on a line in so many cycles of a script."""

    async def scenario() -> Heard:
        heard = Heard(open=True)
        line = Line(0, heard, lead=0.0, script=script)
        Engine(line, **engine)
        loop = asyncio.get_running_loop()
        for step in range(cycles * len(script.frames)):
            line.step(loop.time())
            await asyncio.sleep((step + 1) * FRAME_SECONDS - loop.time())
        return heard

    return run_virtual(scenario())


def test_a_response_is_timed_from_the_end_of_the_callers_speech():
    heard = measure(scripts.turns(), 3, after=FLOOR - 0.25 + 0.1)
    assert heard.asked == len(heard.responses) == 3
    assert list(heard.responses) == pytest.approx([FLOOR + 0.1] * 3, abs=1e-4)
    assert heard.missed == 0
    assert heard.completeness == pytest.approx(1.0, abs=0.01)


def test_audio_that_keeps_time_has_no_jitter_and_audio_that_falls_behind_has():
    assert max(measure(scripts.turns(), 2, after=0.4).lateness) == pytest.approx(0.0, abs=1e-4)
    late = measure(scripts.turns(), 2, after=0.4, every=FRAME_SECONDS * 1.01).lateness
    assert max(late) == pytest.approx(0.01 * REPLY_SECONDS, abs=0.001)


def test_an_answer_that_does_not_come_is_missed():
    heard = measure(scripts.turns(), 3, after=60.0)
    assert len(heard.responses) == 0
    assert heard.missed == 2  # the third may still come
    assert heard.completeness == 0.0


def test_talking_over_the_caller_is_no_answer():
    heard = measure(scripts.turns(), 3, after=8.0)  # until long after the next turn's end
    assert heard.missed >= 2


def test_a_barge_in_is_timed_from_the_onset_to_the_last_sound():
    for script in scripts.barge_ins():
        heard = measure(script, 1, after=FLOOR - 0.25, yields_after=0.3)
        assert len(heard.stops) == 1
        assert 0.26 <= heard.stops[0] <= 0.3 + 1e-4


def test_an_agent_that_does_not_stop_is_timed_to_the_end_of_the_callers_speech():
    script = scripts.barge_ins()[0]
    heard = measure(script, 1, after=FLOOR - 0.25)
    assert heard.stops[0] > 3.0 - 0.1


def test_a_barge_in_on_silence_is_counted_apart():
    heard = measure(scripts.barge_ins()[0], 1, after=10.0, yields_after=0.3)
    assert heard.unanswered == 1
    assert len(heard.stops) == 0


def test_a_noisy_line_says_the_same_at_the_same_time():
    quiet, noisy = scripts.turns(), scripts.turns(noisy=True)
    assert (quiet.onsets, quiet.ends, len(quiet.frames)) == (noisy.onsets, noisy.ends, len(noisy.frames))
    assert quiet.frames[100] == noisy.frames[100]
    assert not quiet.frames[-1].strip(b"\0")
    assert noisy.frames[-1].strip(b"\0")


def test_the_fake_voice_is_resampled_without_a_seam():
    tone = (6000 * np.sin(np.arange(24_000) * (2 * np.pi * 230 / 24_000))).astype("<i2").tobytes()
    resampler = Resampler()
    pieces = b"".join(resampler.push(tone[i : i + 4800]) for i in range(0, len(tone), 4800))
    made = np.frombuffer(pieces, "<i2")[100:].astype(float)
    assert len(pieces) == 32_000
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
    peak = int(spectrum.argmax())
    assert peak * 16_000 / len(made) == pytest.approx(230, abs=2)
    assert spectrum[peak - 5 : peak + 6].sum() / spectrum.sum() > 0.9999


def result(cpu: float) -> dict[str, float]:
    return dict.fromkeys(KEYS, 1.0) | {"calls": 100, "cpu_s_per_call_minute": cpu, "loop_lag_p50_ms": 1.0}


def test_the_last_line_has_exactly_what_is_promised():
    engine, peers = result(0.2), {"pipecat": result(4.0), "livekit": result(1.0)}
    figures = summary(engine, peers)
    assert list(figures) == ["engine", "peers", "cpu_ratio"]
    assert list(figures["engine"]) == list(figures["peers"]["livekit"]) == list(KEYS)
    assert figures["cpu_ratio"] == {"pipecat": 20.0, "livekit": 5.0}
    assert summary(engine, {}) == {"engine": figures["engine"], "peers": {}, "cpu_ratio": {}}


def test_the_table_shows_what_broke_and_what_a_model_costs():
    rows = [
        Row("callwright", result(0.2)),
        Row("callwright, no model", result(0.15)),
        Row("callwright, smart-turn", result(0.21) | {"children_cpu_s_per_call_minute": 0.7}),
        Row("pipecat", {"calls": 20}, sustained=False),
    ]
    assert "pipecat (breaks)" in table(rows)
    assert len({len(line) for line in table(rows).splitlines()}) == 1
    assert "0.050 CPU-s" in cost(rows)
    assert "0.700 CPU-s per call-minute in its own processes, +0.010" in cost(rows)


@pytest.mark.slow
def test_a_measurement_of_our_engine_gives_every_figure():
    command = [sys.executable, "-m", "benchmarks.engine.run", "--engine", "callwright", "--energy-vad"]
    run = subprocess.run([*command, "--calls", "2", "--seconds", "3"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert set(KEYS) - {"barge_in_p95_ms"} <= set(figures)
    assert figures["calls"] == 2
    assert figures["seconds"] >= 3
    # Half a cycle apart: one caller speaks in the window, the other hears a reply.
    assert figures["jitter_p99_ms"] is not None
    assert figures["missed"] == 0
