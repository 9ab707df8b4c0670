"""Noise behind the caller becomes quieter, and their voice stays."""

from __future__ import annotations

import numpy as np
import pytest

from tests.voice.media.sounds import noise
from voice.media import FRAME_BYTES, SAMPLE_RATE
from voice.media.noise import Level, NoiseSuppressor


def level(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return float(10 * np.log10(max((samples**2).mean(), 1e-9) / 32768**2))


def voice(seconds: float, loud: float = 0.2) -> np.ndarray:
    """Vowels of half a second, with pauses between them."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    harmonics = sum(np.sin(2 * np.pi * 140 * n * time) / n for n in range(1, 20))
    return 32768 * loud * harmonics / 3 * (np.sin(2 * np.pi * time) > 0)


def through(pcm: bytes, how: Level) -> bytes:
    suppressor = NoiseSuppressor(how)
    return b"".join(suppressor.process(pcm[at : at + FRAME_BYTES]) for at in range(0, len(pcm), FRAME_BYTES))


@pytest.mark.parametrize(("how", "least"), [("auto", 9.0), ("max", 14.0)])
def test_steady_noise_becomes_quieter(how: Level, least: float) -> None:
    pcm = noise(4.0, 40.0)
    made = through(pcm, how)
    assert len(made) == len(pcm)
    assert level(pcm[-64_000:]) - level(made[-64_000:]) > least


def test_a_voice_stands_farther_above_its_noise() -> None:
    said = voice(4.0)
    behind = np.frombuffer(noise(4.0, 32.0), "<i2")[: len(said)]
    made = np.frombuffer(through((said + behind).astype("<i2").tobytes(), "max"), "<i2").astype(float)[320:]
    speaking, rest = (abs(said[:-320]) > 0), (said[:-320] == 0)
    speaking[:32_000] = rest[:32_000] = False  # until it knows the noise

    def ratio(samples: np.ndarray) -> float:
        return float(10 * np.log10((samples[speaking] ** 2).mean() / (samples[rest] ** 2).mean()))

    assert ratio(made) - ratio((said + behind)[:-320]) > 8.0
    assert abs(10 * np.log10((made[speaking] ** 2).mean() / (said[:-320][speaking] ** 2).mean())) < 1.5


def test_a_caller_in_a_quiet_room_is_let_alone() -> None:
    pcm = voice(2.0).astype("<i2").tobytes()
    made = through(pcm, "auto")
    a, b = np.frombuffer(pcm, "<i2").astype(int)[:-320], np.frombuffer(made, "<i2").astype(int)[320:]
    assert abs(a - b).max() <= 1


def test_silence_stays_silence_and_odd_pieces_pass() -> None:
    assert set(through(bytes(64_000), "max")) == {0}
    assert NoiseSuppressor("max").process(b"\1\2") == b"\1\2"
