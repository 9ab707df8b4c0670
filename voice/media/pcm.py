"""PCM16 in pieces of any length: from one sample rate to another, and louder or softer."""

from __future__ import annotations

import numpy as np

from voice.media.resample import Floats, Resampler

# Louder than this a sample is bent towards full scale instead of cut off there, which would crackle.
_KNEE = 0.7


class PcmResampler:
    """Resamples mono PCM16 that comes in pieces, which may be cut in the middle of a sample."""

    def __init__(self, source: int, target: int) -> None:
        self._resampler = Resampler(source, target)
        self._half = b""

    def process(self, pcm: bytes) -> bytes:
        """The output that the input so far determines."""
        pcm = self._half + pcm
        whole = len(pcm) & ~1
        self._half = pcm[whole:]
        return _pcm(self._resampler.process(np.frombuffer(pcm[:whole], "<i2").astype(np.float32)))

    def finish(self) -> bytes:
        """The rest of the output."""
        return _pcm(self._resampler.finish())


class Gain:
    """Makes mono PCM16 `volume` times as loud; pieces may be cut in the middle of a sample.

    What would be louder than full scale is rounded off: cut off there it would crackle.
    """

    def __init__(self, volume: float) -> None:
        self._volume = volume
        self._half = b""

    def process(self, pcm: bytes) -> bytes:
        """The samples that are whole by now."""
        if self._volume == 1.0:
            return pcm
        pcm = self._half + pcm
        whole = len(pcm) & ~1
        self._half = pcm[whole:]
        samples = np.frombuffer(pcm[:whole], "<i2").astype(np.float32) * np.float32(self._volume / 32768)
        if self._volume > 1.0:
            loud = np.abs(samples)
            bent = _KNEE + (1 - _KNEE) * np.tanh((loud - _KNEE) / (1 - _KNEE))
            samples = np.where(loud > _KNEE, np.copysign(bent, samples), samples)
        return _pcm(samples.astype(np.float32) * np.float32(32768))


def _pcm(samples: Floats) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
