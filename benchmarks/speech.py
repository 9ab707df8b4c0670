"""Recorded speech: the clips beside this file and their transcripts."""

from __future__ import annotations

import json
import wave
from pathlib import Path

SAMPLE_RATE = 16_000
FRAME_SECONDS = 0.02
FRAME_BYTES = 640
SILENCE = bytes(FRAME_BYTES)

DATA = Path(__file__).parent / "data"


def read_wav(path: Path) -> bytes:
    """The PCM16 of a 16 kHz mono file. Raises ValueError for any other kind of file."""
    with wave.open(str(path)) as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, SAMPLE_RATE):
            raise ValueError(f"{path} is not 16 kHz mono PCM16")
        return file.readframes(file.getnframes())


def recordings() -> dict[str, str]:
    """File name to transcript, of every clip."""
    transcripts: dict[str, str] = json.loads((DATA / "transcripts.json").read_text())
    return transcripts


def frames(pcm: bytes) -> list[bytes]:
    """Cut audio into frames of 20 ms; the last one is filled up with silence."""
    return [pcm[i : i + FRAME_BYTES].ljust(FRAME_BYTES, b"\0") for i in range(0, len(pcm), FRAME_BYTES)]


def prompt(seconds: float = 4.0) -> list[bytes]:
    """What the engine benchmark's caller says: the last `seconds` of a sentence, with its natural end."""
    pcm = read_wav(DATA / "had-he-married.wav")
    return frames(pcm[-round(seconds * SAMPLE_RATE) * 2 :])
