"""Noise behind the caller, made quieter: a Wiener filter on the short-time spectrum, whose noise is what stays.

Speech comes and goes in every band within a second; what never falls lower is noise (R. Martin's minimum statistics,
2001). How much of each band is kept follows from how far it stands above that (the decision-directed estimate of
Y. Ephraim and D. Malah, 1984). It knows hum, hiss, fans, engines and the murmur of a room; a second voice it does not.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from voice.media import FRAME_BYTES, FRAME_SAMPLES

Floats = NDArray[np.float32]
Level = Literal["auto", "max"]

WINDOW = 2 * FRAME_SAMPLES
"""Half of each window is in the next one, so that sound comes out a frame, 20 ms, later than it went in."""
FLOORS = {"auto": 0.25, "max": 0.1}
"""So much of the noise is left: less makes the rest of it warble."""
QUIET_DECIBELS = -62.0
"""Noise below this is let alone by "auto": what is done about it costs more words than it saves."""
SETTLING_FRAMES = 40
"""Before that, what stays may be the caller's voice."""
_SMOOTHING = 0.6
_TRUST = 0.96
# The least of a band within so many frames is its noise: longer than any syllable, shorter than a walk outdoors.
_BLOCK_FRAMES, _BLOCKS = 15, 5
# The least of several values lies below what is usual.
_BIAS = 2.5
_SHAPE: Floats = np.sqrt(np.hanning(WINDOW + 1)[:-1]).astype(np.float32)


class NoiseSuppressor:
    """Takes and gives frames of 20 ms. One for each caller; a frame costs some tens of microseconds."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._floor = FLOORS[level]
        self._last: Floats = np.zeros(FRAME_SAMPLES, np.float32)
        self._tail: Floats = np.zeros(FRAME_SAMPLES, np.float32)
        bands = WINDOW // 2 + 1
        self._power: Floats = np.zeros(bands, np.float32)
        self._least: Floats = np.full(bands, np.inf, np.float32)
        self._past: Floats = np.full(bands, np.inf, np.float32)
        self._blocks: list[Floats] = []
        self._kept: Floats = np.zeros(bands, np.float32)
        self._frames = 0

    def process(self, frame: bytes) -> bytes:
        """A frame of 16 kHz mono PCM16 with less noise. What is no whole frame stays as it is."""
        if len(frame) != FRAME_BYTES:
            return frame
        fresh = np.frombuffer(frame, "<i2").astype(np.float32)
        spectrum = np.fft.rfft(np.concatenate([self._last, fresh]) * _SHAPE)
        self._last = fresh
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        noise = self._noise(power)
        made = np.fft.irfft(spectrum * self._gain(power, noise), WINDOW).astype(np.float32) * _SHAPE
        out, self._tail = self._tail + made[:FRAME_SAMPLES], made[FRAME_SAMPLES:]
        return np.clip(np.rint(out), -32768, 32767).astype("<i2").tobytes()

    def _noise(self, power: Floats) -> Floats:
        """What stays of each band, in the power of its spectrum."""
        first = self._frames == 0
        self._frames += 1
        self._power = power if first else _SMOOTHING * self._power + (1 - _SMOOTHING) * power
        self._least = np.minimum(self._least, self._power)
        if self._frames % _BLOCK_FRAMES == 0:
            self._blocks = [*self._blocks[1 - _BLOCKS :], self._least]
            self._least = self._power
            self._past = np.minimum.reduce(self._blocks)
        return np.minimum(self._past, self._least) * np.float32(_BIAS)

    def _gain(self, power: Floats, noise: Floats) -> Floats:
        """How much of each band is kept."""
        if self._frames < SETTLING_FRAMES or (self._level == "auto" and _decibels(noise) < QUIET_DECIBELS):
            self._kept = power
            return np.ones_like(power)
        noise = np.maximum(noise, 1e-3)
        above = np.maximum(power / noise - 1, 0)
        ratio = _TRUST * self._kept / noise + (1 - _TRUST) * above
        gain: Floats = np.maximum(ratio / (1 + ratio), self._floor).astype(np.float32)
        self._kept = gain**2 * power
        return gain


def _decibels(noise: Floats) -> float:
    """The loudness of a noise, in decibels below full scale."""
    mean = 2 * float(noise.sum()) / (WINDOW * float((_SHAPE**2).sum()))
    return 10 * float(np.log10(max(mean, 1e-9) / 32768**2))
