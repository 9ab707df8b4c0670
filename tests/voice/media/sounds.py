"""Sounds to test detectors with, as engine audio."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from benchmarks.speech import DATA, read_wav, recordings
from voice.media import FRAME_BYTES, SAMPLE_RATE
from voice.media.resample import resample


def frames(pcm: bytes) -> Iterator[bytes]:
    for start in range(0, len(pcm), FRAME_BYTES):
        yield pcm[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * SAMPLE_RATE))


def sines(*parts: tuple[float, float], seconds: float) -> bytes:
    """Tones that sound together: each a frequency in Hz and a level in dB below full scale."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    total = sum(32767 * 10 ** (-level / 20) * np.sin(2 * np.pi * frequency * time) for frequency, level in parts)
    return np.asarray(total).astype("<i2").tobytes()


def noise(seconds: float, level: float) -> bytes:
    """White noise, its loudness in dB below full scale."""
    samples = np.random.default_rng(1).normal(0, 32767 * 10 ** (-level / 20), round(seconds * SAMPLE_RATE))
    return samples.clip(-32768, 32767).astype("<i2").tobytes()


def mixed(first: bytes, second: bytes) -> bytes:
    """Both at once; the shorter is repeated."""
    one, other = (np.frombuffer(pcm, "<i2").astype(np.int32) for pcm in (first, second))
    length = max(len(one), len(other))
    return (np.resize(one, length) + np.resize(other, length)).clip(-32768, 32767).astype("<i2").tobytes()


def through_a_telephone(pcm: bytes) -> bytes:
    """As the audio comes out of a line of 8 kHz and mu-law."""
    line = resample(np.frombuffer(pcm, "<i2").astype(np.float32), SAMPLE_RATE, 8000).clip(-32635, 32635)
    # G.711's curve: eight segments of sixteen steps, after the bias.
    biased = np.abs(line) + 132
    step = 2.0 ** (np.floor(np.log2(biased)) - 4)
    decoded = np.sign(line) * (np.floor(biased / step) * step + step / 2 - 132)
    engine = resample(decoded.astype(np.float32), 8000, SAMPLE_RATE)
    return engine.clip(-32768, 32767).astype("<i2").tobytes()


@cache
def speech() -> bytes:
    """Recorded sentences of several people, one after the other."""
    return b"".join(read_wav(DATA / name) for name in recordings())


@cache
def sentence() -> bytes:
    """One of them, shorter."""
    return read_wav(DATA / "not-ill-disposed.wav")
