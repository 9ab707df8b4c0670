"""24 kHz to 16 kHz, for the fake voice: the peers resample what it says, so our engine's adapter does too."""

from __future__ import annotations

import numpy as np

TAPS = 24
"""Input samples under one output sample."""


def _filters() -> np.ndarray:
    """A low-pass filter at 48 kHz as two columns: the outputs at the first input sample and half way to the third."""
    place = np.arange(2 * TAPS) - TAPS + 0.5
    taps = np.sinc(place / 3) * np.blackman(2 * TAPS)
    even, odd = taps[0::2], taps[1::2]
    filters = np.zeros((TAPS + 1, 2), np.float32)
    filters[:TAPS, 0] = even[::-1] / even.sum()
    filters[1:, 1] = odd[::-1] / odd.sum()
    return filters


_FILTERS = _filters()


class Resampler:
    """One stream of a voice that is never loud enough to clip. Chunks must be whole multiples of three samples."""

    def __init__(self) -> None:
        self._history = np.zeros(TAPS - 1, np.float32)

    def push(self, pcm: bytes) -> bytes:
        samples = np.concatenate((self._history, np.frombuffer(pcm, "<i2")), dtype=np.float32)
        self._history = samples[1 - TAPS :]
        # Three samples in, two out: one row for each three.
        rows = np.ndarray((len(pcm) // 6, TAPS + 1), np.float32, samples, strides=(12, 4))
        made = np.ascontiguousarray(rows) @ _FILTERS
        return np.rint(made, made).astype("<i2").tobytes()
