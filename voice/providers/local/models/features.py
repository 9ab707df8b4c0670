"""Whisper's log-mel features, in numpy: what the end-of-turn model sees.

Follows the definition of `WhisperFeatureExtractor(chunk_length=8)` with `do_normalize`: a centred, reflect-padded
periodic Hann window of 400 samples every 160, power spectrum, 80 Slaney-normalised mel bands, log10, the lowest 8
decades cut off below the maximum, and scaled to about -1 to 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from voice.providers.local.models.runtime import Floats

RATE = 16_000
SAMPLES = 8 * RATE
FFT = 400
HOP = 160
MELS = 80
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27.0

Doubles = npt.NDArray[np.float64]


def hertz_to_mel(hertz: Doubles) -> Doubles:
    """Slaney's scale: linear up to 1 kHz, logarithmic above."""
    above = _KNEE_MEL + np.log(np.maximum(hertz, _KNEE_HZ) / _KNEE_HZ) / _LOG_STEP
    return np.where(hertz < _KNEE_HZ, 3.0 * hertz / 200.0, above)


def mel_to_hertz(mel: Doubles) -> Doubles:
    above = _KNEE_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, 200.0 * mel / 3.0, above)


def mel_filters() -> Doubles:
    """Triangles of equal area on the mel scale, shape (MELS, FFT // 2 + 1)."""
    edges = hertz_to_mel(np.array([0.0, RATE / 2]))
    corners = mel_to_hertz(np.linspace(edges[0], edges[1], MELS + 2))
    frequencies = np.linspace(0.0, RATE / 2, FFT // 2 + 1)
    widths = np.diff(corners)
    slopes = corners[:, None] - frequencies[None, :]
    falling = -slopes[:-2] / widths[:-1, None]
    rising = slopes[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(falling, rising))
    return np.asarray(triangles * (2.0 / (corners[2:] - corners[:-2]))[:, None])


_WINDOW = np.hanning(FFT + 1)[:-1]
_FILTERS = mel_filters()


def log_mel(audio: Floats) -> Floats:
    """Features of 16 kHz audio, shape (80, 800). Only the last 8 s count; shorter audio is preceded by silence."""
    audio = audio[-SAMPLES:]
    audio = np.pad(audio, (SAMPLES - len(audio), 0)).astype(np.float32)
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)
    padded = np.pad(audio.astype(np.float64), FFT // 2, mode="reflect")
    spectrum = np.fft.rfft(sliding_window_view(padded, FFT)[::HOP] * _WINDOW)
    power = spectrum.real**2 + spectrum.imag**2
    mel = np.log10(np.maximum(_FILTERS @ power[: SAMPLES // HOP].T, 1e-10))
    mel = (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0
    return np.asarray(mel, np.float32)
