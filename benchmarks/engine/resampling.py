"""24 kHz to 16 kHz, for the fake voice: the peers resample what it says, so our engine's adapter does too."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

TAPS = 24
"""Input samples under one output sample."""


def _phases() -> np.ndarray:
    """The two halves of a low-pass filter at 48 kHz, newest sample last."""
    position = np.arange(2 * TAPS) - TAPS + 0.5
    taps = np.sinc(position / 3) * np.blackman(2 * TAPS)
    even, odd = taps[0::2], taps[1::2]
    return np.stack((even[::-1] / even.sum(), odd[::-1] / odd.sum()), axis=1).astype(np.float32)


_PHASES = _phases()


class Resampler:
    """One stream. Chunks must be whole multiples of three samples."""

    def __init__(self) -> None:
        self._history = np.zeros(TAPS - 1, np.float32)

    def push(self, pcm: bytes) -> bytes:
        samples = np.concatenate((self._history, np.frombuffer(pcm, "<i2").astype(np.float32)))
        self._history = samples[1 - TAPS :]
        windows = sliding_window_view(samples, TAPS)
        made = np.empty((len(pcm) // 6, 2), np.float32)
        made[:, 0] = windows[0::3] @ _PHASES[:, 0]
        made[:, 1] = windows[1::3] @ _PHASES[:, 1]
        return np.clip(np.rint(made), -32768, 32767).astype("<i2").tobytes()
