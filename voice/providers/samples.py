"""PCM16 that comes in pieces, which may be cut in the middle of a sample."""

from __future__ import annotations


class WholeSamples:
    """Puts the halves of a sample together again."""

    def __init__(self) -> None:
        self._half = b""
        self.any = False
        """Whether there was a sample at all."""

    def take(self, piece: bytes) -> bytes:
        """The whole samples by now."""
        pcm = self._half + piece
        whole = len(pcm) & ~1
        self._half = pcm[whole:]
        self.any = self.any or whole > 0
        return pcm[:whole]
