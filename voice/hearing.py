"""The recognisers of one call: the first one listens; when it fails, the next one hears the turn from its start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from voice.health import Health
from voice.providers.base import ProviderError, Stt, SttStream, Transcript

PRE_ROLL_BYTES = 9_600
# So much of a turn is kept for the next recogniser: thirty seconds.
KEPT_BYTES = 960_000
# A final transcript that takes longer is asked of the next recogniser.
FINAL_SECONDS = 2.0


class Hearing:
    """Several recognisers that look like one, to one call. `switched` is told of each change."""

    def __init__(self, chain: Sequence[Stt], *, health: Health, switched: Callable[[ProviderError, str], None]) -> None:
        self._chain = health.ordered(chain, lambda stt: stt.name)
        self._health = health
        self._switched = switched

    @property
    def name(self) -> str:
        """Who listens now."""
        return self._chain[0].name

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> SttStream:
        return _Stream(self, language, keyterms, on_transcript, on_error)

    @property
    def current(self) -> Stt:
        return self._chain[0]

    def give_up(self, error: ProviderError) -> bool:
        """The current recogniser has failed: go on with the next one. False if there is none."""
        self._health.failed(self.name)
        if len(self._chain) == 1:
            return False
        self._chain = self._chain[1:]
        self._switched(error, f"listening with {self.name}")
        return True


class _Stream:
    """A turn's audio is kept until it is committed, so that no word is lost when the recogniser changes."""

    def __init__(
        self,
        hearing: Hearing,
        language: str,
        keyterms: Sequence[str],
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> None:
        self._hearing = hearing
        self._language = language
        self._keyterms = keyterms
        self._on_transcript = on_transcript
        self._on_error = on_error
        self._audio = bytearray()
        self._in_turn = self._speaking = self._waiting = False
        self._timer: asyncio.TimerHandle | None = None
        self._billed = 0.0
        self._stream = self._open()

    @property
    def billed_seconds(self) -> float:
        return self._billed + self._stream.billed_seconds

    def feed(self, frame: bytes) -> None:
        self._audio += frame
        limit = KEPT_BYTES if self._in_turn else PRE_ROLL_BYTES
        if len(self._audio) > limit + PRE_ROLL_BYTES:
            del self._audio[:-limit]
        self._stream.feed(frame)

    def speech_started(self) -> None:
        self._settle()
        self._in_turn = self._speaking = True
        self._stream.speech_started()

    def speech_stopped(self) -> None:
        self._speaking = False
        self._ask()

    def commit(self) -> None:
        self._settle()
        self._in_turn = self._speaking
        del self._audio[:-PRE_ROLL_BYTES]
        self._stream.commit()

    def close(self) -> None:
        self._settle()
        self._stream.close()

    def _open(self) -> SttStream:
        return self._hearing.current.open(
            language=self._language,
            keyterms=self._keyterms,
            on_transcript=self._heard,
            on_error=self._failed,
        )

    def _ask(self) -> None:
        self._settle()
        self._waiting = True
        self._timer = asyncio.get_running_loop().call_later(FINAL_SECONDS, self._overdue)
        self._stream.speech_stopped()

    def _settle(self) -> None:
        self._waiting = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _heard(self, transcript: Transcript) -> None:
        if transcript.final:
            self._settle()
        self._on_transcript(transcript)

    def _overdue(self) -> None:
        self._failed(ProviderError(self._hearing.name, f"No words came within {FINAL_SECONDS:.0f} s."))

    def _failed(self, error: ProviderError) -> None:
        waiting = self._waiting
        self._settle()
        if not self._hearing.give_up(error):
            self._on_error(error)
            return
        self._billed += self._stream.billed_seconds
        self._stream.close()
        self._stream = self._open()
        if self._in_turn:
            audio = bytes(self._audio)
            self._stream.feed(audio[:PRE_ROLL_BYTES])
            self._stream.speech_started()
            for start in range(PRE_ROLL_BYTES, len(audio), 640):
                self._stream.feed(audio[start : start + 640])
        if waiting:
            self._ask()
