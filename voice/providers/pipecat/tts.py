"""Speech by Pipecat's TTS services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from voice.media import SAMPLE_RATE, seconds
from voice.media.pcm import PcmResampler
from voice.providers.base import Audio, WordTime
from voice.providers.pipecat.pool import Pool
from voice.providers.pipecat.spec import ServiceSpec, library

if TYPE_CHECKING:
    from voice.providers.pipecat.host import Hosted


class PipecatTts:
    """One service for each piece that is being spoken at the same time; `close` stops them.

    The voice of a piece, its language and its speed are passed on where the service's settings know such. Word times
    come from services that tell them.
    """

    def __init__(self, spec: ServiceSpec, *, name: str = "pipecat") -> None:
        self.name = name
        self._pool = Pool(spec, "TTSService", name)

    async def close(self) -> None:
        await self._pool.close()

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        """Speak one piece of text. Closing the iterator interrupts the service. Raises ProviderError."""
        async with self._pool.use() as hosted:
            frames = library(self.name).frames
            delta = _delta(hosted.service.settings, voice, speed, language)
            given = [frames.TTSUpdateSettingsFrame(delta=delta), frames.TTSSpeakFrame(text)]
            piece = _Piece(hosted)
            async with aclosing(hosted.work(given)) as pushed:  # type: ignore[type-var]
                async for frame in pushed:
                    if isinstance(frame, frames.TTSAudioRawFrame):
                        yield Audio(piece.pcm(frame), piece.take())
                    elif isinstance(frame, frames.TTSTextFrame) and frame.pts is not None:
                        piece.add(frame.text, frame.pts)
            yield Audio(piece.finish(), piece.take(whole=True))


class _Piece:
    """The audio of one piece at our rate, and the times of its words: Pipecat tells where each begins, not its end."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._resampler: PcmResampler | None = None
        self._length = 0.0
        self._words: list[tuple[str, float]] = []

    def pcm(self, frame: Any) -> bytes:
        """A frame's audio, 16 kHz mono."""
        pcm: bytes = frame.audio
        if frame.sample_rate != SAMPLE_RATE:
            self._resampler = self._resampler or PcmResampler(frame.sample_rate, SAMPLE_RATE)
            pcm = self._resampler.process(pcm)
        self._length += seconds(len(pcm))
        return pcm

    def finish(self) -> bytes:
        """The rest of the audio."""
        rest = self._resampler.finish() if self._resampler else b""
        self._length += seconds(len(rest))
        return rest

    def add(self, text: str, pts: int) -> None:
        self._words.append((text, self._hosted.since_start(pts)))

    def take(self, *, whole: bool = False) -> Sequence[WordTime]:
        """The words whose end is known by now, and that were not taken before."""
        ends = [start for _, start in self._words[1:]] + ([self._length] if whole and self._words else [])
        known = tuple(
            WordTime(text, start, max(start, end)) for (text, start), end in zip(self._words, ends, strict=False)
        )
        del self._words[: len(known)]
        return known


def _delta(settings: Any, voice: str, speed: float, language: str) -> Any:
    """The change of settings for a piece. A service whose language is None knows none."""
    wished: dict[str, Any] = {"voice": voice} if voice else {}
    if settings.language is not None:
        wished["language"] = language
    if hasattr(settings, "speed") and speed != 1.0:
        wished["speed"] = speed
    return type(settings)(**wished)
