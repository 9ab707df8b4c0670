"""Recognition by Pipecat's STT services."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from voice.media import FRAME_BYTES, SAMPLE_RATE, seconds
from voice.providers.base import ProviderError, Transcript
from voice.providers.pipecat.pool import hosted
from voice.providers.pipecat.spec import ServiceSpec, library

if TYPE_CHECKING:
    from voice.providers.pipecat.host import Hosted

# A frame costs as much as its handling: audio goes to the service in pieces of 100 ms.
PIECE_BYTES = 5 * FRAME_BYTES
# After words that a service does not mark as its last ones, so long is waited for more.
SETTLE_SECONDS = 0.1
# So long is waited for an answer where the service does not tell how long its answers take.
ANSWER_SECONDS = 2.0
# How voice activity is told, in the terms of the service.
_START_SECONDS = 0.2
_STOP_SECONDS = 0.2
# Names of the setting for words to expect.
_KEYTERMS = ("keyterm", "keyterms", "keyterms_prompt")


class PipecatStt:
    """One service a call."""

    def __init__(self, spec: ServiceSpec, *, name: str = "pipecat") -> None:
        self.name = name
        self._spec = spec
        self._tasks: set[asyncio.Task[None]] = set()

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> PipecatStream:
        stream = PipecatStream(self._spec, self.name, language, keyterms, on_transcript, on_error)
        self._tasks.add(stream.task)
        stream.task.add_done_callback(self._tasks.discard)
        return stream

    async def close(self) -> None:
        """End all streams. Returns when their services are stopped."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class PipecatStream:
    """Recognition for one call.

    Services that mark their last words answer with them. Others answer with the words after which no more came for a
    moment, or with what there is when they usually would have answered.
    """

    def __init__(
        self,
        spec: ServiceSpec,
        provider: str,
        language: str,
        keyterms: Sequence[str],
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> None:
        self._spec = spec
        self._provider = provider
        self._language = language
        self._keyterms = list(keyterms)
        self._on_transcript = on_transcript
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._audio = bytearray()
        self._work: asyncio.Queue[bytes | str] = asyncio.Queue()
        self.billed_seconds = 0.0
        self._hears_segments = False
        # the turn
        self._fixed: list[str] = []
        self._partial = ""
        self._told = ""
        self._turn_bytes = 0
        self._in_turn = False
        self._ended: bool | None = None
        self._late = False
        """Words of the last turn, which it had only as partial ones, are still to come."""
        # the answer that is due
        self._patience = ANSWER_SECONDS
        self._asked_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.task = self._loop.create_task(self._run(), name="pipecat-stt")

    # --- what the call tells

    def feed(self, frame: bytes) -> None:
        self._audio += frame
        if self._in_turn:
            self._turn_bytes += len(frame)
        if len(self._audio) >= PIECE_BYTES:
            self._flush()

    def speech_started(self) -> None:
        self._withdraw()
        self._in_turn, self._late, self._ended = True, False, None
        self._tell("VADUserStartedSpeakingFrame")

    def speech_stopped(self) -> None:
        self._in_turn = True
        self._tell("VADUserStoppedSpeakingFrame")
        self._asked_at = self._loop.time()
        self._answer_in(SETTLE_SECONDS if self._ended else self._patience)

    def commit(self) -> None:
        self._withdraw()
        self._late = bool(self._partial)
        self._forget()
        self._tell("UserStoppedSpeakingFrame")

    def close(self) -> None:
        self._withdraw()
        self._on_transcript = self._on_error = _ignore
        self.task.cancel()

    def _tell(self, event: str) -> None:
        self._flush()
        self._work.put_nowait(event)

    def _flush(self) -> None:
        if self._audio:
            self._work.put_nowait(bytes(self._audio))
            self._audio.clear()

    # --- the service

    async def _run(self) -> None:
        """Runs one service after another: one that cannot go on is replaced when the caller speaks again."""
        first: list[str] = []
        while True:
            try:
                await self._serve(first)
            except ProviderError as error:
                self._lost(error)
            while (event := await self._work.get()) != "VADUserStartedSpeakingFrame":
                pass
            first = [event]

    async def _serve(self, first: Sequence[str]) -> None:
        """One service, until it is of no more use. Raises ProviderError."""
        wished = {"language": self._language} | dict.fromkeys(_KEYTERMS if self._keyterms else (), self._keyterms)
        service = await hosted(self._spec, "STTService", self._provider, wished)
        host = library(self._provider)
        service.take = lambda frame: self._taken(host, service, frame)
        self._hears_segments = isinstance(service.service, host.SegmentedSTTService)
        self._patience = service.service.service_metadata_frame().ttfs_p99_latency or ANSWER_SECONDS
        try:
            for event in first:
                await service.give(self._event(host.frames, event))
            while service.is_sound:
                work = await self._work.get()
                if isinstance(work, bytes):
                    self.billed_seconds += 0.0 if self._hears_segments else seconds(len(work))
                    await service.give(host.frames.InputAudioRawFrame(work, SAMPLE_RATE, 1))
                else:
                    await service.give(self._event(host.frames, work))
        finally:
            await service.stop()

    def _event(self, frames: Any, name: str) -> Any:
        match name:
            case "VADUserStartedSpeakingFrame":
                return frames.VADUserStartedSpeakingFrame(start_secs=_START_SECONDS)
            case "VADUserStoppedSpeakingFrame":
                return frames.VADUserStoppedSpeakingFrame(stop_secs=_STOP_SECONDS)
            case _:
                return frames.UserStoppedSpeakingFrame()

    def _taken(self, host: Any, service: Hosted, frame: Any) -> None:
        frames = host.frames
        if isinstance(frame, frames.TranscriptionFrame):
            self._words(frame.text, finalized=frame.finalized)
        elif isinstance(frame, frames.InterimTranscriptionFrame):
            self._guess(frame.text)
        elif isinstance(frame, frames.ProposedUserStoppedSpeakingFrame):
            self._proposed()
        elif isinstance(frame, frames.MetricsFrame) and self._hears_segments:
            usage = [one.value for one in frame.data if isinstance(one, host.STTUsageMetricsData)]
            self.billed_seconds += sum(one.audio_seconds for one in usage)
        elif isinstance(frame, frames.ErrorFrame):
            self._lost(service.failure(frame))

    # --- words

    def _words(self, text: str, *, finalized: bool) -> None:
        if self._late:
            self._late = False
            return
        self._partial = ""
        if text.strip():
            self._fixed.append(text.strip())
        if self._asked_at is None:
            self._tell_partial()
        elif finalized:
            self._answer()
        else:
            self._answer_in(SETTLE_SECONDS)

    def _guess(self, text: str) -> None:
        if not self._late:
            self._partial = text.strip()
            self._tell_partial()

    def _proposed(self) -> None:
        """The service holds that the caller has finished."""
        self._ended = True
        if self._asked_at is not None:
            self._answer_in(SETTLE_SECONDS)

    def _tell_partial(self) -> None:
        if (text := self._text()) and text != self._told:
            self._told = text
            self._on_transcript(Transcript(text, final=False, audio_seconds=self._length()))

    def _answer_in(self, wait: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(wait, self._answer)

    def _answer(self) -> None:
        asked, text = self._asked_at or self._loop.time(), self._text()
        self._withdraw()
        self._told = text
        self._on_transcript(Transcript(text, True, self._length(), self._loop.time() - asked, self._ended))

    def _withdraw(self) -> None:
        self._asked_at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lost(self, error: ProviderError) -> None:
        """The words of this turn are lost, if there is one."""
        if self._in_turn:
            self._withdraw()
            self._forget()
            self._on_error(error)

    def _forget(self) -> None:
        self._fixed.clear()
        self._partial = self._told = ""
        self._turn_bytes = 0
        self._in_turn, self._ended = False, None

    def _text(self) -> str:
        return " ".join(filter(None, (*self._fixed, self._partial)))

    def _length(self) -> float:
        return round(seconds(self._turn_bytes), 3)


def _ignore(_: object) -> None:
    """No callback comes after `close`."""
