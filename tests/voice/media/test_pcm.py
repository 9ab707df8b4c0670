"""Engine audio, louder and softer."""

from __future__ import annotations

import numpy as np
import pytest

from voice.media.pcm import Gain


def tone(level: float) -> np.ndarray:
    return np.rint(32767 * level * np.sin(np.arange(1600) / 5)).astype("<i2")


def test_at_its_own_loudness_audio_is_left_alone() -> None:
    pcm = tone(0.9).tobytes()
    assert Gain(1.0).process(pcm) == pcm


@pytest.mark.parametrize("volume", [0.2, 0.5, 1.5, 2.0])
def test_soft_audio_is_multiplied(volume: float) -> None:
    soft = tone(0.3)
    np.testing.assert_allclose(np.frombuffer(Gain(volume).process(soft.tobytes()), "<i2"), soft * volume, atol=1)


def test_loud_audio_stays_below_full_scale_and_keeps_its_shape() -> None:
    loud = np.frombuffer(Gain(2.0).process(tone(0.95).tobytes()), "<i2").astype(int)
    assert 30_000 < np.max(np.abs(loud)) < 32_767
    assert len(set(loud[np.abs(loud) > 30_000])) > 20, "nothing is cut off flat"
    np.testing.assert_array_equal(np.argsort(tone(0.95)[:8]), np.argsort(loud[:8]))


def test_a_sample_may_come_in_two_pieces() -> None:
    pcm, gain = tone(0.4).tobytes(), Gain(1.5)
    assert gain.process(pcm[:101]) + gain.process(pcm[101:]) == Gain(1.5).process(pcm)
