"""A caller as recognition meets one: audio, pauses, and what was understood of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from voice.media import FRAME_BYTES, FRAME_SECONDS
from voice.providers.base import ProviderError, Stt, Transcript


class ClosableStt(Stt, Protocol):
    async def close(self) -> None: ...


class Caller:
    """Speaks into a stream, as the engine lets it hear, and keeps what the stream tells."""

    def __init__(self, stt: Stt, language: str = "en-US", keyterms: Sequence[str] = ()) -> None:
        self.partials: list[str] = []
        self._heard = asyncio.Event()
        self._told: asyncio.Queue[Transcript | ProviderError] = asyncio.Queue()
        self.stream = stt.open(
            language=language, keyterms=keyterms, on_transcript=self._understood, on_error=self._told.put_nowait
        )

    def silence(self, seconds: float = 0.4) -> None:
        self._hear(bytes(FRAME_BYTES), seconds)

    def speak(self, seconds: float = 0.4) -> None:
        """Begin or go on to speak."""
        self.stream.speech_started()
        self._hear(b"\1\1" * (FRAME_BYTES // 2), seconds)

    def pause(self) -> None:
        self.stream.speech_stopped()

    async def understood(self) -> Transcript:
        """The next final transcript."""
        told = await self._told.get()
        assert isinstance(told, Transcript), told
        return told

    async def failed(self) -> ProviderError:
        """The next failure."""
        told = await self._told.get()
        assert isinstance(told, ProviderError), told
        return told

    @property
    def waits(self) -> bool:
        """Nothing was told that was not asked for here."""
        return self._told.empty()

    async def until_partial(self, text: str) -> None:
        while text not in self.partials:
            self._heard.clear()
            await self._heard.wait()

    def _hear(self, frame: bytes, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_SECONDS)):
            self.stream.feed(frame)

    def _understood(self, transcript: Transcript) -> None:
        if transcript.final:
            self._told.put_nowait(transcript)
        else:
            self.partials.append(transcript.text)
            self._heard.set()


@contextlib.asynccontextmanager
async def calling(stt: ClosableStt, language: str = "en-US", keyterms: Sequence[str] = ()) -> AsyncIterator[Caller]:
    """A caller who is listened to; at the end both the stream and the adapter are closed."""
    caller = Caller(stt, language, keyterms)
    try:
        yield caller
    finally:
        caller.stream.close()
        await stt.close()
