"""Hearing the beep after which an answering machine records.

A beep is one tone of one frequency and one loudness that begins, lasts and ends. Keys and most ring-back tones are two
tones (their sum beats), "number not in service" is three tones on end, and a ring-back or busy tone of a single
frequency is low and long or comes again: none of these is a beep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voice.media import FRAME_SAMPLES, SAMPLE_RATE

Floats = npt.NDArray[np.float32]

LOWEST, HIGHEST = 350.0, 2600.0
LONGEST_SECONDS = 3.0
# Ring-back and busy tones of a single frequency are here, and last at least so long.
_RINGING = (390.0, 470.0)
_RINGING_SECONDS = 0.7
# A tone like the last one that comes within this time is a cadence.
_CADENCE_SECONDS = 6.0
# How far a tone's frequency may move, in Hz. A voice's moves more.
_DRIFT = 15.0

_WINDOW = 2 * FRAME_SAMPLES
_BIN = SAMPLE_RATE / _WINDOW
# A frame below -40 dB holds no beep: a tone of that level, as the sum of squares.
_GATE = FRAME_SAMPLES * (32768 * 10 ** (-40 / 20)) ** 2 / 2
# The loudness is compared in pieces of 5 ms: the weakest must have this share of the strongest's energy.
_PIECES = 8
_STEADY = 0.4
# The share of the energy within 50 Hz of the peak.
_PURITY = 0.9
# Windows in a row, 20 ms apart: five are a tone of 150 ms, wherever it falls; five without one are its end.
_LASTS, _ENDS = 5, 5

_HANN: Floats = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


@dataclass(frozen=True, slots=True)
class Beep:
    """A beep that is over: its frequency in Hz, its length, and the number of samples fed when it ended."""

    frequency: float
    seconds: float
    edge: int


@dataclass(slots=True)
class _Tone:
    frequency: float
    edge: int
    windows: int = 1

    @property
    def seconds(self) -> float:
        return (self.windows + 1) * FRAME_SAMPLES / SAMPLE_RATE

    def is_like(self, other: _Tone) -> bool:
        return abs(self.frequency - other.frequency) <= 2 * _DRIFT


class BeepDetector:
    """Hears beeps in a stream of engine audio. Quiet costs one sum a frame, speech two, a tone a Fourier transform."""

    def __init__(self) -> None:
        self._samples = np.zeros(_WINDOW, np.float32)
        self._newest = self._samples[FRAME_SAMPLES:]
        self._fed = 0
        self._tone: _Tone | None = None
        self._last: _Tone | None = None
        self._without = 0
        self._chained = False

    def feed(self, frame: bytes) -> Beep | None:
        """Take 20 ms of audio. The beep that was over 0.1 s ago, if one was."""
        self._samples[:FRAME_SAMPLES] = self._newest
        self._newest[:] = np.frombuffer(frame, "<i2", FRAME_SAMPLES)
        self._fed += FRAME_SAMPLES
        loud = float(self._newest @ self._newest) >= _GATE
        frequency = _frequency(self._samples) if loud else None
        if frequency is not None:
            self._sounding(frequency)
            return None
        if self._tone is None:
            return None
        self._without += 1
        return self._over(self._tone) if self._without == _ENDS else None

    def _sounding(self, frequency: float) -> None:
        tone = self._tone
        if tone is not None and not self._without and abs(frequency - tone.frequency) <= _DRIFT:
            tone.windows += 1
            tone.edge = self._fed
            return
        # One tone on the heels of another is a melody.
        self._chained = tone is not None and (self._chained or tone.windows >= _LASTS)
        self._tone, self._without = _Tone(frequency, self._fed), 0

    def _over(self, tone: _Tone) -> Beep | None:
        before, chained = self._last, self._chained
        self._tone, self._chained, self._without = None, False, 0
        if tone.windows < _LASTS:
            return None
        self._last = tone
        ringing = _RINGING[0] <= tone.frequency <= _RINGING[1] and tone.seconds >= _RINGING_SECONDS
        again = (
            before is not None
            and tone.is_like(before)
            and (tone.edge - before.edge) / SAMPLE_RATE - tone.seconds <= _CADENCE_SECONDS
        )
        if chained or ringing or again or tone.seconds > LONGEST_SECONDS:
            return None
        return Beep(round(tone.frequency, 1), round(tone.seconds, 2), tone.edge)


def _frequency(window: Floats) -> float | None:
    """The frequency of the one steady tone that a window of 40 ms consists of, if it does."""
    pieces = window.reshape(_PIECES, -1)
    energies = np.einsum("ij,ij->i", pieces, pieces).tolist()
    if min(energies) < _STEADY * max(energies):
        return None
    spectrum = np.abs(np.fft.rfft(window * _HANN)) ** 2
    peak = int(spectrum.argmax())
    if not LOWEST <= peak * _BIN <= HIGHEST:
        return None
    if spectrum[peak - 2 : peak + 3].sum() < _PURITY * spectrum[2:].sum():
        return None
    # Between the bins, by the parabola through the logarithms.
    left, middle, right = np.log(spectrum[peak - 1 : peak + 2] + 1.0).tolist()
    return _BIN * float(peak + 0.5 * (left - right) / (left - 2 * middle + right))
