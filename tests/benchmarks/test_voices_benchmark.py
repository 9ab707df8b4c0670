"""What the measuring of voices finds in sounds that are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.voices import RATE, measure, table
from voice.providers.local.styles import Measured


def hum(pitch: np.ndarray, *, quiet: float = 0.5) -> bytes:
    """A buzzing sound whose pitch in Hz is `pitch`, sample by sample, with so many seconds of silence around it."""
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound = sum(np.sin(phase * number) / number for number in range(1, 9)) * 6_000
    silence = np.zeros(round(quiet * RATE))
    return np.concatenate([silence, sound, silence]).astype(np.int16).tobytes()


@pytest.mark.parametrize("pitch", [75, 110, 205, 330])
def test_a_hum_has_its_pitch_and_no_melody(pitch: int) -> None:
    found = measure(hum(np.full(2 * RATE, float(pitch))), words=4)
    assert found.pitch == pytest.approx(pitch, rel=0.01)
    assert found.melody < 0.3


def test_a_melody_is_as_wide_as_it_goes_up_and_down() -> None:
    times = np.arange(4 * RATE) / RATE
    found = measure(hum(150 * 2 ** (np.sin(2 * np.pi * times) * 3 / 12)), words=4)
    assert found.pitch == pytest.approx(150, rel=0.03)
    assert found.melody == pytest.approx(5.7, abs=0.4)  # the outer tenths of six semitones are left out


def test_the_pace_does_not_count_the_silence_around_the_words() -> None:
    steady = np.full(2 * RATE, 120.0)
    assert measure(hum(steady, quiet=2.0), words=5).pace == pytest.approx(150, rel=0.03)


def test_where_nothing_has_a_pitch_that_is_said() -> None:
    hiss = np.random.default_rng(1).normal(0, 3_000, RATE).astype(np.int16).tobytes()
    with pytest.raises(ValueError, match="no frame has a pitch"):
        measure(hiss, words=1)


def test_the_table_can_be_read_again() -> None:
    voices = {"af_heart": Measured(180.5, 6.0, 170.0)}
    read = json.loads(table(voices))["voices"]
    assert {voice: Measured(**numbers) for voice, numbers in read.items()} == voices
