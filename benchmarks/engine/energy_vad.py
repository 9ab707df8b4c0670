"""Voice activity by loudness: shows what the engine costs without the model, and needs no weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.speech import SAMPLE_RATE
from voice.providers.base import VadStream

WINDOW = 512
LOUD = 300.0
"""Root mean square of a window (of 32768) from which on it is speech."""


class _Stream:
    def __init__(self, on_speech: Callable[[bool, int], None], start: float, stop: float) -> None:
        self._on_speech = on_speech
        self._needed = {True: round(start * SAMPLE_RATE), False: round(stop * SAMPLE_RATE)}
        self._audio = bytearray()
        self._seen = 0
        self._speaking = False
        self._edge: int | None = None

    def feed(self, frame: bytes) -> None:
        self._audio += frame
        if len(self._audio) < 2 * WINDOW:
            return
        samples = np.frombuffer(bytes(self._audio[: 2 * WINDOW]), "<i2").astype(np.float32)
        del self._audio[: 2 * WINDOW]
        loud = float(np.dot(samples, samples)) >= WINDOW * LOUD**2
        self._seen += WINDOW
        if loud == self._speaking:
            self._edge = None
            return
        if self._edge is None:
            self._edge = self._seen - WINDOW
        if self._seen - self._edge >= self._needed[loud]:
            self._speaking, edge, self._edge = loud, self._edge, None
            self._on_speech(loud, edge)

    def close(self) -> None: ...


class EnergyVad:
    name = "energy"

    def open(self, on_speech: Callable[[bool, int], None], *, start: float, stop: float) -> VadStream:
        return _Stream(on_speech, start, stop)

    def close(self) -> None: ...
