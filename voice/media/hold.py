"""What a caller hears while they wait: a melody of our own, and the ring of a telephone."""

from __future__ import annotations

from functools import cache

import numpy as np

from voice.media import SAMPLE_RATE
from voice.media.ambient import Bed, Floats

# Four bars of four seconds: chords that move by a step or two, and a line above them. Semitones from middle C.
_BARS = (
    ((-12, 4, 7, 11), (16, 14, 11, 7, 11, 14, 12, 11)),
    ((-15, 0, 4, 7), (12, 11, 7, 4, 7, 11, 9, 7)),
    ((-19, 0, 5, 9), (9, 12, 16, 12, 14, 12, 9, 5)),
    ((-17, 2, 5, 11), (7, 11, 14, 17, 14, 11, 9, 14)),
)
_BAR_SECONDS = 4.0
_MIDDLE_C = 261.63
_PEAK = 32767 * 10 ** (-14 / 20)


@cache
def melody() -> Bed:
    """A soft melody of 16 seconds that begins again without a seam."""
    track = np.zeros(round(len(_BARS) * _BAR_SECONDS * SAMPLE_RATE))
    for bar, (chord, line) in enumerate(_BARS):
        begin = bar * _BAR_SECONDS
        for note in chord:
            _put(track, 0.35 * _pad(note), begin)
        for place, note in enumerate(line):
            # Every other note a little softer, and late: played, not counted.
            swing, strength = (0.03, 0.6) if place % 2 else (0.0, 0.8)
            _put(track, strength * _bell(note), begin + place * _BAR_SECONDS / len(line) + swing)
    return Bed("melody", (track * (_PEAK / np.max(np.abs(track)))).astype(np.int16))


@cache
def ringing() -> Bed:
    """The ring-back tone: two seconds of it, four of silence (ITU-T E.180, North America)."""
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 480 * time)
    # Twenty milliseconds to begin and to end: no click.
    loudness = np.clip(np.minimum(time, 2.0 - time) / 0.02, 0.0, 1.0)
    return Bed("ringing", (0.5 * 32767 * 10 ** (-19 / 20) * tone * loudness).astype(np.int16))


def _frequency(note: int) -> float:
    return float(_MIDDLE_C * 2 ** (note / 12))


def _put(track: Floats, sound: Floats, at: float) -> None:
    """Add a sound at `at` seconds; what goes over the end comes at the start."""
    track[(round(at * SAMPLE_RATE) + np.arange(len(sound))) % len(track)] += sound


def _bell(note: int) -> Floats:
    """Like an electric piano: a bright beginning, a round rest."""
    time = np.arange(round(2.5 * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * _frequency(note) * time
    bright = 0.8 * np.exp(-time / 0.25)
    sound = np.sin(phase + bright * np.sin(2 * phase)) * np.exp(-time / 0.7)
    return sound * np.minimum(1.0, time / 0.008) * np.minimum(1.0, (2.5 - time) / 0.1)


def _pad(note: int) -> Floats:
    """A chord's note under the line: it swells, and overlaps with the next bar's."""
    length = _BAR_SECONDS + 1.0
    time = np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE
    frequency = _frequency(note)
    sound = sum(np.sin(2 * np.pi * frequency * detune * time) for detune in (0.9985, 1.0, 1.0015)) / 3
    return np.asarray(sound + 0.15 * np.sin(4 * np.pi * frequency * time)) * np.sin(np.pi * time / length)
