"""PCM16 from one sample rate to another, in pieces of any length."""

from __future__ import annotations

import numpy as np

from voice.media.resample import Floats, Resampler


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


def _pcm(samples: Floats) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()
