"""The turn-taking benchmark measures what it says; and, with the real models, what the engine makes of a few clips."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.turns import script, sounds
from benchmarks.turns.__main__ import figures
from benchmarks.turns.clips import Clip, clips
from benchmarks.turns.play import COMBINED, FADE_SECONDS, MISSED_SECONDS, Heard, play_all
from benchmarks.turns.studio import Answers, StudioLoop, Voices
from voice.providers.local import manifest
from voice.providers.local.vad import SileroVad

CLIP = Clip("one", "mid-sentence", "", b"", "On Monday or on Tuesday.", pauses=((1.0, 1.5),), end=2.5)
COUGH = Clip("two", "cough", "", b"", "", agent="We are open.", agent_from=3.0)


def heard(clip: Clip, *turns: float, cut_off: float | None = None) -> Heard:
    return Heard(clip, [(at, "words") for at in turns], [] if cut_off is None else [cut_off])


def test_a_turn_taken_before_the_end_is_a_cut_in_and_the_next_one_the_end() -> None:
    one = heard(CLIP, 1.3, 2.9)
    assert one.cut_ins == 1
    assert one.delay == pytest.approx(0.4)


def test_a_decision_while_the_voice_fades_is_no_cut_in() -> None:
    one = heard(CLIP, 2.5 - FADE_SECONDS / 2)
    assert (one.cut_ins, one.delay) == (0, 0.0)


@pytest.mark.parametrize("turns", [(), (1.3,), (2.6 + MISSED_SECONDS,)])
def test_an_end_is_missed_where_no_turn_follows_it_soon(turns: tuple[float, ...]) -> None:
    assert figures([heard(CLIP, *turns)])["missed_ends"] == 1


@pytest.mark.parametrize(
    ("one", "false"),
    [
        (heard(COUGH, 2.0), False),
        (heard(COUGH, 2.0, 5.0), True),
        (heard(COUGH, 2.0, cut_off=4.0), True),
        (heard(replace(COUGH, end=5.0), 2.0, 5.4, cut_off=4.5), False),
    ],
)
def test_a_sound_that_is_no_turn_must_not_stop_the_agent(one: Heard, false: bool) -> None:
    assert one.false_interruption == false


def test_delays_are_told_in_percentiles() -> None:
    found = figures([heard(CLIP, 2.5 + delay) for delay in (0.2, 0.3, 0.4)])
    assert (found["delay_p50_s"], found["false_cut_ins"], found["missed_ends"]) == (0.3, 0, 0)


def test_noise_has_the_level_asked_for() -> None:
    random = np.random.default_rng(1)
    voice = np.sin(np.arange(16_000) * 0.1).astype(np.float32)
    noise = sounds.at_level(sounds.pink_noise(16_000, random), -10.0, voice)
    assert 20 * np.log10(sounds.loudness(noise) / sounds.loudness(voice)) == pytest.approx(-10.0, abs=0.1)


def test_a_telephone_line_keeps_the_voice_and_nothing_above_it() -> None:
    time = np.arange(16_000) / 16_000
    low, high = (np.sin(2 * np.pi * hertz * time).astype(np.float32) * 0.3 for hertz in (1000, 5000))
    assert sounds.loudness(sounds.by_telephone(low)) == pytest.approx(sounds.loudness(low), rel=0.05)
    assert sounds.loudness(sounds.by_telephone(high)) < 0.05 * sounds.loudness(high)


def test_the_same_seed_makes_the_same_cough() -> None:
    first, second = (sounds.cough(np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)


def test_work_for_threads_is_done_at_once_on_the_virtual_loop() -> None:
    async def work() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, lambda: 7), loop.time()

    with asyncio.Runner(loop_factory=StudioLoop) as runner:
        assert runner.run(work()) == (7, 0.0)


@pytest.mark.models
@pytest.mark.slow
def test_a_number_in_groups_a_spelled_name_and_a_listening_sound(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, lines in (("COMPLETE", []), ("MID_SENTENCE", []), ("HESITATION", []), ("BACKCHANNELS", ["Okay."])):
        monkeypatch.setattr(script, name, lines)
    for name in ("NUMBERS", "SPELLING", "ANSWERS", "INTERRUPTIONS"):
        monkeypatch.setattr(script, name, getattr(script, name)[:1])
    monkeypatch.setattr("benchmarks.turns.clips.CALLERS", ("am_michael",))
    wanted = {"numbers-1", "spelling-1", "backchannel-1", "interruption-1"}
    every = clips(Voices(models_dir, tmp_path))
    made = [clip for clip in every if clip.name in wanted and clip.condition == "16 kHz, clean"]
    with asyncio.Runner(loop_factory=StudioLoop) as runner:
        answers, vad = Answers(models_dir, tmp_path), SileroVad(models_dir / manifest.SILERO)
        results = runner.run(play_all(made, [COMBINED], answers, vad))[COMBINED.name]
    by_name = {one.clip.name: one for one in results}
    assert set(by_name) == wanted
    assert [by_name[name].cut_ins for name in ("numbers-1", "spelling-1")] == [0, 0]
    assert all(by_name[name].delay is not None for name in ("numbers-1", "spelling-1", "interruption-1"))
    assert not by_name["backchannel-1"].false_interruption
    assert by_name["interruption-1"].cut_off
