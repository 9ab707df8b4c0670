"""Telephone keys as sound: making the tones, and hearing them in a caller's audio.

A key is two tones at once, one of its row and one of its column (ITU-T Q.23). The detector follows the timing and
tolerances of Q.24: tones of 40 ms and more, 1.5 % off at most, one up to 8 dB stronger than the other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voice.media import FRAME_SAMPLES, SAMPLE_RATE

Floats = npt.NDArray[np.float32]

ROWS = (697, 770, 852, 941)
COLUMNS = (1209, 1336, 1477, 1633)
KEYS = "123A456B789C*0#D"
# As in dial strings: `w` is half a second, `,` is what a telephone makes of it.
PAUSES = {"w": 0.5, ",": 2.0}

# The column's tone is sent a little stronger, for lines lose more of it.
_ROW_LEVEL = 32768 * 10 ** (-11 / 20)
_COLUMN_LEVEL = 32768 * 10 ** (-9 / 20)
_RAMP_SECONDS = 0.003

# --- hearing

_TONES = len(ROWS) + len(COLUMNS)
_HOP = FRAME_SAMPLES // 2
# Frames with less energy than two tones of -44 dB are not looked at, and such tones are no key.
_GATE = FRAME_SAMPLES * (32768 * 10 ** (-44 / 20)) ** 2
# The share of a window's energy that its two tones must have; tones that are 1.5 % off have as much. Speech has its
# energy in more places than two.
_PURITY = 0.75
# How much stronger, as energy, either tone may be than the other, and must be than the next one of its group.
_COLUMN_TWIST, _ROW_TWIST = 10**0.6, 10**0.8
_STANDS_OUT = 10**0.6
# So many windows in a row make a key, and end it.
_WINDOWS = 2


def tones(digits: str, *, on: float = 0.1, gap: float = 0.06) -> bytes:
    """Engine audio of these keys: each sounds for `on` seconds, with `gap` seconds of silence after it.

    `digits` are 0-9, `*`, `#`, A-D in either case, `w` (half a second of silence) and `,` (two). Raises ValueError for
    others.
    """
    silence = np.zeros(round(gap * SAMPLE_RATE), "<i2").tobytes()
    pieces = []
    for digit in digits:
        if (pause := PAUSES.get(digit)) is not None:
            pieces.append(bytes(2 * round(pause * SAMPLE_RATE)))
        else:
            pieces += (_tone(digit, on), silence)
    return b"".join(pieces)


def _tone(key: str, length: float) -> bytes:
    place = KEYS.find(key.upper())
    if place < 0:
        raise ValueError(f"{key!r} is not a telephone key.")
    time = np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE
    both = _ROW_LEVEL * np.sin(2 * np.pi * ROWS[place // 4] * time)
    both += _COLUMN_LEVEL * np.sin(2 * np.pi * COLUMNS[place % 4] * time)
    # Without a ramp each end is a click.
    both *= np.minimum(1.0, np.minimum(time, time[::-1]) / _RAMP_SECONDS)
    return both.astype("<i2").tobytes()


def _probes() -> Floats:
    """Goertzel's sums for the eight tones as one matrix, shape (samples, 16): cosines, then sines.

    Under a Hann window, and scaled so that the square of a tone's sum is its energy in the frame.
    """
    window = np.hanning(FRAME_SAMPLES + 1)[:-1]
    phase = 2 * np.pi * np.outer(np.arange(FRAME_SAMPLES), (*ROWS, *COLUMNS)) / SAMPLE_RATE
    scale = np.sqrt(2 * FRAME_SAMPLES) / np.sum(window)
    both = np.hstack((np.cos(phase), np.sin(phase))) * (scale * window)[:, None]
    return np.ascontiguousarray(both, np.float32)


_PROBES = _probes()


class ToneDetector:
    """Hears keys in a stream of engine audio. Silence costs one sum a frame, speech one small matrix product."""

    def __init__(self) -> None:
        # The newest frame, and the window of the same length that ends halfway through it.
        self._samples = np.zeros(_HOP + FRAME_SAMPLES, np.float32)
        self._newest, self._middle = self._samples[_HOP:], self._samples[:FRAME_SAMPLES]
        self._last = self._key = self._candidate = ""
        self._count = 0

    def feed(self, frame: bytes) -> str:
        """Take 20 ms of audio. The key that has been recognised with it, once as it begins; mostly none, ""."""
        self._samples[:_HOP] = self._samples[FRAME_SAMPLES:]
        self._newest[:] = np.frombuffer(frame, "<i2", FRAME_SAMPLES)
        before, self._last = self._last, _key_in(self._newest)
        # Between two frames without a key nothing can begin.
        middle = _key_in(self._middle) if before or self._last else ""
        return self._heard(middle) + self._heard(self._last)

    def _heard(self, key: str) -> str:
        """A window holds `key` or none (""): has a new one begun?"""
        if key == self._key:
            self._count = 0
            return ""
        if key != self._candidate:
            self._candidate, self._count = key, 0
        self._count += 1
        if self._count < _WINDOWS:
            return ""
        self._key, self._count = key, 0
        return key


def _key_in(window: Floats) -> str:
    """The key that sounds all through a window of 20 ms, if one does."""
    energy = float(window @ window)
    if energy < _GATE:
        return ""
    sums = window @ _PROBES
    sums *= sums
    tones = (sums[:_TONES] + sums[_TONES:]).tolist()
    # Most speech ends here.
    if sum(tones) < _PURITY * energy:
        return ""
    rows, columns = tones[: len(ROWS)], tones[len(ROWS) :]
    row, column = max(rows), max(columns)
    if row + column < _PURITY * energy or row > _ROW_TWIST * column or column > _COLUMN_TWIST * row:
        return ""
    if row < _STANDS_OUT * sorted(rows)[-2] or column < _STANDS_OUT * sorted(columns)[-2]:
        return ""
    return KEYS[len(COLUMNS) * rows.index(row) + columns.index(column)]
