"""The caller's side of a recording, and the voice activity in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import soundfile

from voice.media import FRAME_BYTES, SAMPLE_RATE
from voice.providers.base import ProviderError
from voice.providers.local.fetch import DEFAULT_MODELS
from voice.providers.local.manifest import SILERO
from voice.providers.local.models.silero import WINDOW
from voice.providers.local.vad import TICK_SECONDS, SileroVad
from voice.replay.ears import Edge
from voice.replay.record import NotReplayable
from voice.turns import PAUSE_SECONDS, SPEECH_SECONDS

# So much is handed over at once; all of the call would be more than its stream is made for.
WINDOWS_AHEAD = 64
# Silence behind the recording, in which its last windows are judged.
TAIL_SECONDS = 1.0


def heard(recording: Path, model: Path | None = None) -> tuple[bytes, list[Edge]]:
    """The caller's audio (the left channel) and where Silero finds speech in it. Raises NotReplayable."""
    try:
        samples, rate = soundfile.read(recording, dtype="int16", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise NotReplayable(f"{recording} is not a recording: {error}") from error
    if rate != SAMPLE_RATE:
        raise NotReplayable(f"{recording} has {rate} samples a second; a call's recording has {SAMPLE_RATE}.")
    audio = samples[:, 0].tobytes()
    try:
        return audio, asyncio.run(_edges(audio, model or DEFAULT_MODELS / SILERO))
    except ProviderError as error:
        raise NotReplayable(f"{error} It is expected at {model or DEFAULT_MODELS / SILERO}.") from error


async def _edges(audio: bytes, model: Path) -> list[Edge]:
    found: list[Edge] = []

    def on_speech(speaking: bool, edge: int) -> None:
        begins = edge / SAMPLE_RATE
        found.append(Edge(begins + _certain_after(SPEECH_SECONDS if speaking else PAUSE_SECONDS), speaking, begins))

    vad = SileroVad(model)
    stream = vad.open(on_speech, start=SPEECH_SECONDS, stop=PAUSE_SECONDS)
    audio += bytes(2 * round((TAIL_SECONDS + WINDOWS_AHEAD * WINDOW / SAMPLE_RATE) * SAMPLE_RATE))
    for place in range(0, len(audio), FRAME_BYTES):
        stream.feed(audio[place : place + FRAME_BYTES])
        while len(stream.pending) >= WINDOWS_AHEAD:  # noqa: ASYNC110  (it tells nobody when it has fewer)
            await asyncio.sleep(TICK_SECONDS)
    stream.close()
    vad.close()
    return found


def _certain_after(duration: float) -> float:
    """A change is certain after so many windows; speech seconds are rounded to those."""
    return max(1, round(duration * SAMPLE_RATE / WINDOW)) * WINDOW / SAMPLE_RATE
