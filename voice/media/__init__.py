"""Audio: formats, resampling, pacing and recording."""

from __future__ import annotations

SAMPLE_RATE = 16_000
FRAME_SECONDS = 0.02
FRAME_SAMPLES = 320
FRAME_BYTES = 640
SILENCE = bytes(FRAME_BYTES)


def seconds(pcm_bytes: int) -> float:
    """How long so many bytes of engine audio last."""
    return pcm_bytes / (2 * SAMPLE_RATE)
