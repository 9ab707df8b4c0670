"""Changing the sample rate: a polyphase FIR filter, in numpy.

A windowed sinc that keeps everything up to 90 % of the lower rate's band and lets nothing over 80 dB below pass that
would fold back into it. (Measured: flat within 0.05 dB to 7.0 kHz for 24 to 16 kHz, images below -80 dB.)
"""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Floats = npt.NDArray[np.float32]

ATTENUATION_DB = 80.0
# The transition reaches from here to the edge of the lower rate's band, as a share of that band.
PASSBAND = 0.9
_BLOCK = 16_384
# With so few phases one matrix product for each beats looking up a phase for each output.
_FEW_PHASES = 8


@lru_cache(maxsize=32)
def _filter(up: int, down: int) -> Floats:
    """The filter's phases, shape (up, taps): row p makes the outputs that lie p/up of a sample after an input."""
    widest = max(up, down)
    # Kaiser's formulas, at the rate of `up` times the source.
    width = np.pi * (1 - PASSBAND) / widest
    length = int(np.ceil((ATTENUATION_DB - 8) / (2.285 * width)))
    taps = -(-length // up) + 1
    taps += taps % 2
    place = np.arange(taps * up) - taps * up // 2
    cutoff = (1 + PASSBAND) / 2 / widest
    beta = 0.1102 * (ATTENUATION_DB - 8.7)
    window = np.kaiser(taps * up + 1, beta)[:-1]
    kernel = up * cutoff * np.sinc(cutoff * place) * window
    # Output n is the sum over k of kernel[phase + k * up] * source[base - k]: reversed, so that k runs with the source.
    return np.ascontiguousarray(kernel.reshape(taps, up).T[:, ::-1], dtype=np.float32)


class Resampler:
    """Resamples a stream of audio, piece by piece, as if it were given as one."""

    def __init__(self, source: int, target: int) -> None:
        common = gcd(source, target)
        self._up, self._down = target // common, source // common
        self._phases = None if source == target else _filter(self._up, self._down)
        taps = 0 if self._phases is None else self._phases.shape[1]
        # Silence before the start puts the filter's middle for output 0 on input 0.
        self._held = np.zeros(max(0, taps // 2 - 1), np.float32)
        # Where the next output's filter begins in `_held`, in steps of 1/up of a sample.
        self._offset = 0
        self._taken = self._made = 0

    def process(self, samples: Floats) -> Floats:
        """The output that the input so far determines."""
        self._taken += len(samples)
        return self._run(samples)

    def finish(self) -> Floats:
        """The rest of the output: in all it lasts as long as the input."""
        if self._phases is None:
            return np.zeros(0, np.float32)
        due = -(-self._taken * self._up // self._down) - self._made
        return self._run(np.zeros(self._phases.shape[1], np.float32))[:due]

    def _run(self, samples: Floats) -> Floats:
        if self._phases is None:
            return samples
        up, down, taps = self._up, self._down, self._phases.shape[1]
        held = np.concatenate((self._held, samples))
        count = max(0, -(-((len(held) - taps + 1) * up - self._offset) // down))
        output = np.empty(count, np.float32)
        if count:
            windows = sliding_window_view(held, taps)
            apply = self._by_phase if up <= _FEW_PHASES else self._by_output
            apply(windows, self._phases, output)
        self._made += count
        self._offset += count * down
        drop = min(self._offset // up, len(held))
        self._held = held[drop:]
        self._offset -= drop * up
        return output

    def _by_phase(self, windows: Floats, phases: Floats, output: Floats) -> None:
        """Every `up`th output has the same phase."""
        for first in range(min(self._up, len(output))):
            place = self._offset + first * self._down
            mine = output[first :: self._up]
            rows = windows[place // self._up :: self._down][: len(mine)]
            for begin in range(0, len(mine), _BLOCK):
                block = np.ascontiguousarray(rows[begin : begin + _BLOCK])
                mine[begin : begin + _BLOCK] = block @ phases[place % self._up]

    def _by_output(self, windows: Floats, phases: Floats, output: Floats) -> None:
        places = self._offset + np.arange(len(output)) * self._down
        for begin in range(0, len(output), _BLOCK):
            part = places[begin : begin + _BLOCK]
            rows, filters = windows[part // self._up], phases[part % self._up]
            output[begin : begin + _BLOCK] = np.einsum("ij,ij->i", rows, filters)


def resample(samples: Floats, source: int, target: int) -> Floats:
    """A whole piece of audio at another rate."""
    resampler = Resampler(source, target)
    return np.concatenate((resampler.process(samples), resampler.finish()))
