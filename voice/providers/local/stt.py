"""Speech recognition for calls: Moonshine, asked again and again while the caller speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from voice.media import SAMPLE_RATE, seconds
from voice.providers.base import ProviderError, Transcript
from voice.providers.local.client import Connection

_SECOND = 2 * SAMPLE_RATE
# Voice activity is known a little late, and the first sounds of a word are soft.
PRE_ROLL = 4 * _SECOND // 10
# How often the words so far are asked for while the caller speaks.
PARTIAL = 32 * _SECOND // 100
# So much of the silence after speech is kept; more of it makes the model dream.
TRAIL = 4 * _SECOND // 10
# A segment longer than this is left as it is at a pause. One without a pause is cut when it gets too long for the
# model, where it was quietest lately.
LONG = 10 * _SECOND
LONGEST = 22 * _SECOND
CUT_WITHIN = 6 * _SECOND
CUT_STEP = _SECOND // 10


class LocalStt:
    """Speech recognition through the model process."""

    name = "local-moonshine"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> LocalSttStream:
        """Recognition for one call. The model knows English only, and takes no key terms: it writes what it hears."""
        return LocalSttStream(self._connection, on_transcript, on_error)


class _Segment:
    """Some speech that is recognised as one piece."""

    def __init__(self, audio: bytes | bytearray = b"") -> None:
        self.audio = bytearray(audio)
        self.text: str | None = None
        """The words, while they cover all of the audio."""
        self.draft: list[int] = []
        """What was heard so far, as the model writes it: with it, more of the same speech is heard sooner."""


class LocalSttStream:
    """The speech of one turn, in segments. Only the last one grows and is recognised again."""

    billed_seconds = 0.0

    def __init__(
        self,
        connection: Connection,
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> None:
        self._connection = connection
        self._on_transcript = on_transcript
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._recent = bytearray()
        self._segments: list[_Segment] = []
        self._speaking = False
        self._silent = 0
        self._unasked = 0
        self._partial: asyncio.Task[None] | None = None
        self._final: asyncio.Task[None] | None = None

    def feed(self, frame: bytes) -> None:
        self._recent += frame
        if len(self._recent) > 2 * PRE_ROLL:
            del self._recent[:-PRE_ROLL]
        if not self._segments:
            return
        if not self._speaking:
            self._silent += len(frame)
            if self._silent <= TRAIL:
                self._segments[-1].audio += frame
            return
        self._segments[-1].audio += frame
        if len(self._segments[-1].audio) >= LONGEST:
            self._cut()
        self._unasked += len(frame)
        if self._unasked >= PARTIAL and self._partial is None:
            self._unasked = 0
            self._partial = self._loop.create_task(self._recognise_so_far(), name="partial transcript")

    def speech_started(self) -> None:
        self._withdraw()
        last = self._segments[-1] if self._segments else None
        if last is None:
            self._segments.append(_Segment(self._recent[-PRE_ROLL:]))
        elif len(last.audio) > LONG and last.text is not None:
            self._segments.append(_Segment(self._recent[-min(PRE_ROLL, self._silent) :] if self._silent else b""))
        elif self._silent > TRAIL:
            # Of the silence that was left out, the pre-roll belongs to the new speech.
            last.audio += self._recent[-min(PRE_ROLL, self._silent - TRAIL) :]
        self._segments[-1].text = None
        self._speaking, self._silent, self._unasked = True, 0, 0

    def speech_stopped(self) -> None:
        self._withdraw()
        self._speaking, self._silent = False, 0
        self._final = self._loop.create_task(self._recognise_all(), name="final transcript")

    def commit(self) -> None:
        self._withdraw()
        self._segments = [_Segment()] if self._speaking else []
        self._silent = self._unasked = 0

    def close(self) -> None:
        self._speaking = False
        self.commit()

    # --- recognition

    async def _recognise_so_far(self) -> None:
        began = self._loop.time()
        try:
            transcript = await self._recognise(self._segments, began, final=False)
        except ProviderError:
            return  # a partial transcript that could not be had is not missed; the final one tells
        finally:
            self._partial = None
        self._on_transcript(transcript)

    async def _recognise_all(self) -> None:
        began = self._loop.time()
        try:
            transcript = await self._recognise(self._segments, began, final=True)
        except ProviderError as error:
            self._final = None
            self._on_error(error)
            return
        self._final = None
        self._on_transcript(transcript)

    async def _recognise(self, segments: Sequence[_Segment], began: float, *, final: bool) -> Transcript:
        """The words of all segments. Those that are known are not asked for again."""
        segments = list(segments)
        texts = []
        for segment in segments:
            whole = final or segment is not segments[-1]
            text = segment.text
            if text is None:
                audio = bytes(segment.audio)
                header, _ = await self._connection.one("stt", audio, final=final, draft=segment.draft)
                text, segment.draft = str(header["text"]), list(header["tokens"])
                if whole:
                    segment.text = text
            texts.append(text)
        return Transcript(
            text=" ".join(filter(None, texts)),
            final=final,
            audio_seconds=round(seconds(sum(len(segment.audio) for segment in segments)), 3),
            took=self._loop.time() - began,
        )

    def _withdraw(self) -> None:
        for task in (self._partial, self._final):
            if task is not None:
                task.cancel()
        self._partial = self._final = None

    def _cut(self) -> None:
        """Split the last segment, where it was quietest lately: the model cannot take longer ones."""
        segment = self._segments[-1]
        place = quietest(segment.audio, CUT_WITHIN)
        self._segments[-1:] = [_Segment(segment.audio[:place]), _Segment(segment.audio[place:])]


def quietest(audio: bytes | bytearray, within: int) -> int:
    """The middle of the quietest tenth of a second in the last `within` bytes of `audio`, as a position in bytes."""
    begin = max(0, len(audio) - within)
    samples = np.frombuffer(bytes(audio[begin:]), "<i2").astype(np.float32)
    steps = len(samples) // (CUT_STEP // 2)
    energy = (samples[: steps * (CUT_STEP // 2)].reshape(steps, -1) ** 2).mean(axis=1)
    return begin + int(energy.argmin()) * CUT_STEP + CUT_STEP // 2
