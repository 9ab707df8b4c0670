"""Sounds that are made and not recorded: coughs, noise, a room, and what a telephone line does to speech."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voice.media import SAMPLE_RATE
from voice.media.resample import resample

Floats = npt.NDArray[np.float32]
Random = np.random.Generator

LINE_RATE = 8_000
_MU = 255.0
# Frames of 10 ms louder than this (root mean square, full scale 1) are speech: 100 in PCM16.
AUDIBLE = 100 / 32768
_STEP = SAMPLE_RATE // 100


def silence(seconds: float) -> Floats:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def loudness(audio: Floats) -> float:
    """Root mean square of what is audible of it; full scale is 1."""
    steps = _steps(audio)
    audible = steps[steps > AUDIBLE]
    return float(np.sqrt((audible**2).mean())) if audible.size else 0.0


def audible(audio: Floats) -> tuple[float, float]:
    """Where its first audible sound begins and its last one ends, in seconds."""
    loud = np.flatnonzero(_steps(audio) > AUDIBLE)
    return (int(loud[0]) / 100, (int(loud[-1]) + 1) / 100) if loud.size else (0.0, 0.0)


def _steps(audio: Floats) -> Floats:
    count = len(audio) // _STEP
    return np.asarray(np.sqrt((audio[: count * _STEP].reshape(count, _STEP) ** 2).mean(axis=1)), np.float32)


def at_level(audio: Floats, decibels: float, of: Floats) -> Floats:
    """`audio` made so many decibels louder than `of`."""
    return audio * np.float32(loudness(of) * 10 ** (decibels / 20) / max(loudness(audio), 1e-6))


def band(audio: Floats, low: float, high: float) -> Floats:
    """Only the frequencies from `low` to `high` Hz."""
    spectrum = np.fft.rfft(audio)
    frequencies = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    return np.fft.irfft(spectrum, len(audio)).astype(np.float32)


def pink_noise(count: int, random: Random) -> Floats:
    """Noise with as much power in each octave, like a street or a fan from afar."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 50.0))
    noise = np.fft.irfft(spectrum, count)
    return (0.1 * noise / noise.std()).astype(np.float32)


def cough(random: Random) -> Floats:
    """One cough or two: a burst, the breath after it, and in some a short voiced end."""
    return np.concatenate([part for _ in range(random.integers(1, 3)) for part in (_one_cough(random), silence(0.12))])


def _one_cough(random: Random) -> Floats:
    length = round(random.uniform(0.25, 0.4) * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    breath = band(random.standard_normal(length).astype(np.float32), 350, 3500) * np.exp(-time / 0.08)
    burst = band(random.standard_normal(length).astype(np.float32), 200, 6000) * np.exp(-time / 0.02)
    pitch = 2 * np.pi * np.cumsum(np.linspace(random.uniform(180, 260), 120, length)) / SAMPLE_RATE
    voiced = sum(np.sin(n * pitch) / n for n in range(1, 9)) * np.exp(-(((time - 0.2) / 0.05) ** 2))
    sound = breath + 1.5 * burst + random.uniform(0.0, 0.8) * voiced
    return (0.35 * sound / np.abs(sound).max()).astype(np.float32)


def in_a_room(audio: Floats, random: Random, seconds: float = 0.3) -> Floats:
    """`audio` as it sounds across a room: with its echoes from the walls, and dull."""
    length = round(seconds * SAMPLE_RATE)
    walls = random.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length) * 0.3
    walls[0] = 1.0
    size = len(audio) + length
    sound = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(walls, size), size).astype(np.float32)
    return band(sound, 100, 3800)


def by_telephone(audio: Floats) -> Floats:
    """`audio` after a telephone line: 8 kHz, 8-bit mu-law, and back at 16 kHz."""
    line = np.clip(resample(audio, SAMPLE_RATE, LINE_RATE), -1.0, 1.0)
    compressed = np.sign(line) * np.log1p(_MU * np.abs(line)) / np.log1p(_MU)
    steps = np.round(compressed * 127) / 127
    expanded = np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(_MU)) / _MU
    return resample(expanded.astype(np.float32), LINE_RATE, SAMPLE_RATE)
