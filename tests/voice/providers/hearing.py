"""A caller whose words can be read from their audio, and somebody who listens to what recognition makes of them.

Each word is 100 ms of one sample value, so that a fake recogniser knows which words it was really sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from voice.media import FRAME_SAMPLES, SILENCE
from voice.providers.base import ProviderError, Stt, Transcript

VOCABULARY = "zero one two three four five six seven eight nine".split()
FRAMES_PER_WORD = 5


def frames(text: str) -> list[bytes]:
    """The audio of some words, in frames."""
    return [
        np.full(FRAME_SAMPLES, VOCABULARY.index(word) + 1, "<i2").tobytes()
        for word in text.split()
        for _ in range(FRAMES_PER_WORD)
    ]


def recognised(pcm: bytes | bytearray) -> str:
    """The words in some audio."""
    values = np.frombuffer(bytes(pcm), "<i2")
    heard = values[values > 0]
    starts = np.flatnonzero(np.diff(heard, prepend=0))
    return " ".join(VOCABULARY[value - 1] for value in heard[starts])


class Ear:
    """One call's end of recognition."""

    def __init__(self, stt: Stt, *, language: str = "en", keyterms: Sequence[str] = ()) -> None:
        self.partials: list[Transcript] = []
        self.finals: list[Transcript] = []
        self.errors: list[ProviderError] = []
        self._news = asyncio.Event()
        self.stream = stt.open(
            language=language, keyterms=keyterms, on_transcript=self._transcribed, on_error=self._failed
        )

    async def quiet(self, count: int = 10) -> None:
        """Some silence, `count` frames of it."""
        for _ in range(count):
            self.stream.feed(SILENCE)
            await asyncio.sleep(0)

    async def speaks(self, text: str, *, late: int = 2) -> None:
        """Words, of which voice activity is known `late` frames after they began."""
        for index, frame in enumerate(frames(text)):
            if index == late:
                self.stream.speech_started()
            self.stream.feed(frame)
            await asyncio.sleep(0)

    async def pauses(self) -> None:
        await self.quiet(6)
        self.stream.speech_stopped()

    async def says(self, text: str) -> Transcript:
        """Words and a pause; what recognition makes of the turn by then."""
        await self.speaks(text)
        await self.pauses()
        return await self.final()

    async def final(self, count: int | None = None) -> Transcript:
        """The next final transcript."""
        due = len(self.finals) + 1 if count is None else count
        await self.until(lambda: len(self.finals) >= due)
        return self.finals[due - 1]

    async def error(self) -> ProviderError:
        """The first error."""
        await self.until(lambda: bool(self.errors))
        return self.errors[0]

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not happened():
                self._news.clear()
                await self._news.wait()

    def _transcribed(self, transcript: Transcript) -> None:
        (self.finals if transcript.final else self.partials).append(transcript)
        self._news.set()

    def _failed(self, error: ProviderError) -> None:
        self.errors.append(error)
        self.stream.commit()
        self._news.set()
