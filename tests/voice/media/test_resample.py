from __future__ import annotations

import numpy as np
import pytest

from voice.media.resample import Resampler, resample

PAIRS = [(24_000, 16_000), (22_050, 16_000), (8_000, 16_000), (16_000, 8_000), (44_100, 16_000)]


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def decibels(error: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(error.astype(np.float64) ** 2) + 1e-20))


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.85])
def test_a_tone_in_the_band_comes_out_as_it_went_in(source, target, share):
    hertz = share * min(source, target) / 2
    out, wanted = resample(tone(hertz, source), source, target), tone(hertz, target)
    inside = slice(target // 10, -target // 10)
    assert len(out) == len(wanted)
    assert decibels((out - wanted)[inside]) < -75


@pytest.mark.parametrize(("source", "target"), [pair for pair in PAIRS if pair[0] > pair[1]])
def test_what_the_lower_rate_cannot_carry_does_not_fold_back(source, target):
    for hertz in (1.02 * target / 2, 0.98 * source / 2):
        out = resample(tone(hertz, source), source, target)
        assert decibels(out[target // 10 : -target // 10]) < -75


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_pieces_give_the_same_as_the_whole(source, target):
    random = np.random.default_rng(1)
    samples = random.standard_normal(10_007).astype(np.float32)
    resampler = Resampler(source, target)
    cuts = np.sort(random.integers(0, len(samples), 40))
    pieces = [resampler.process(piece) for piece in np.split(samples, cuts)]
    joined = np.concatenate([*pieces, resampler.finish()])
    assert np.allclose(joined, resample(samples, source, target), atol=1e-6)
    assert len(joined) == -(-len(samples) * target // source)


def test_the_same_rate_changes_nothing():
    samples = tone(440, 16_000)
    assert np.array_equal(resample(samples, 16_000, 16_000), samples)


def test_nothing_stays_nothing():
    assert len(resample(np.zeros(0, np.float32), 24_000, 16_000)) == 0
