"""What callers do: cycles of speech and silence, 20 ms at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from benchmarks.speech import DATA, FRAME_BYTES, FRAME_SECONDS, SILENCE, frames, prompt, read_wav, recordings

TURN_SECONDS = 11.5
BARGE_IN_SECONDS = 22.0
BARGE_IN_AT = 7.7
"""3 s into the reply to a caller who spoke from 0 to 4 s, if the reply comes at the floor."""
NOISE = 200.0
"""Root mean square (of 32768) of the noise on a noisy line, -44 dBFS."""


class Script:
    """What a caller does in one cycle: a frame for each 20 ms, and when speech begins and ends."""

    def __init__(self, seconds: float, speech: Mapping[float, list[bytes]], *, noisy: bool = False) -> None:
        length = round(seconds / FRAME_SECONDS)
        self.frames = _noise(length) if noisy else [SILENCE] * length
        self.onsets: set[int] = set()
        self.ends: set[int] = set()
        for at, clip in speech.items():
            first = round(at / FRAME_SECONDS)
            self.frames[first : first + len(clip)] = clip
            self.onsets.add(first)
            self.ends.add(first + len(clip) - 1)
        self.barge_ins = {first for first in self.onsets if first > 0}


def _noise(length: int) -> list[bytes]:
    samples = np.random.default_rng(1).normal(scale=NOISE, size=(length, FRAME_BYTES // 2))
    return [frame.astype("<i2").tobytes() for frame in samples]


@cache
def turns(*, noisy: bool = False) -> Script:
    """The caller says something and waits for the reply."""
    return Script(TURN_SECONDS, {0.0: prompt()}, noisy=noisy)


@cache
def barge_ins() -> list[Script]:
    """The same, and then the caller interrupts the reply: with the beginning of a sentence, one of five."""
    sentences = [frames(read_wav(DATA / name)) for name in recordings()]
    return [Script(BARGE_IN_SECONDS, {0.0: prompt(), BARGE_IN_AT: sentence}) for sentence in sentences]
