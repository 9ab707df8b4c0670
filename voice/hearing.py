"""The recognisers of one call: the first one listens; when it fails, the next one hears the turn from its start."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence

from voice.faults import in_words
from voice.health import Health
from voice.providers.base import ProviderError, Stt, SttStream, Transcript

log = logging.getLogger(__name__)

PRE_ROLL_BYTES = 9_600
# So much of a turn is kept for the next recogniser: thirty seconds.
KEPT_BYTES = 960_000
# A final transcript that takes longer is asked of the next recogniser.
FINAL_SECONDS = 2.0
# A final transcript without words, where there were so many before, has lost them.
LOST_WORDS = 3


class Hearing:
    """Several recognisers that look like one, to one call. `switched` is told of each change.

    Whatever a recogniser does wrong becomes a ProviderError, and is told when the caller has paused: nobody is talked
    over because their words were lost.
    """

    def __init__(self, chain: Sequence[Stt], *, health: Health, switched: Callable[[ProviderError, str], None]) -> None:
        self._chain = health.ordered(chain, lambda stt: stt.name)
        self._health = health
        self._switched = switched

    @property
    def name(self) -> str:
        """Who listens now."""
        return self.current.name

    @property
    def current(self) -> Stt:
        return self._chain[0]

    @property
    def is_last(self) -> bool:
        """There is nobody behind the current recogniser."""
        return len(self._chain) == 1

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> SttStream:
        return _Stream(self, language, keyterms, on_transcript, on_error)

    def give_up(self, error: ProviderError) -> None:
        """The current recogniser has failed: go on with the next one, if there is one."""
        self._health.failed(self.name)
        if not self.is_last:
            self._chain = self._chain[1:]
            self._switched(error, f"listening with {self.name}")

    def missed_nothing(self, error: ProviderError) -> None:
        """The last recogniser has failed while nobody spoke."""
        self._switched(error, "listening on")


class _Stream:
    """A turn's audio is kept until it is committed, so that no word is lost when the recogniser changes; the last one
    needs none."""

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
        self._in_turn = self._speaking = self._waiting = self._closed = False
        self._so_far = ""
        self._lost: ProviderError | None = None
        """Why the words of this turn are lost; told at the caller's next pause."""
        self._timer: asyncio.TimerHandle | None = None
        self._billed = 0.0
        self._stream: SttStream | None = None
        """None while the last recogniser is broken; it is opened again for the next turn."""
        self._open()

    @property
    def billed_seconds(self) -> float:
        return self._billed + (self._stream.billed_seconds if self._stream is not None else 0.0)

    def feed(self, frame: bytes) -> None:
        if not self._hearing.is_last:
            self._keep(frame)
        if self._stream is not None:
            try:
                self._stream.feed(frame)
            except Exception as error:
                self._break(error)

    def _keep(self, frame: bytes) -> None:
        self._audio += frame
        limit = KEPT_BYTES if self._in_turn else PRE_ROLL_BYTES
        if len(self._audio) > limit + PRE_ROLL_BYTES:
            del self._audio[:-limit]

    def speech_started(self) -> None:
        self._settle()
        self._in_turn = self._speaking = True
        if self._stream is None:
            self._open()
        with self._breaking():
            if self._stream is not None:
                self._stream.speech_started()

    def speech_stopped(self) -> None:
        self._speaking = False
        self._ask()

    def commit(self) -> None:
        self._settle()
        self._in_turn, self._so_far, self._lost = self._speaking, "", None
        del self._audio[:-PRE_ROLL_BYTES]
        with self._breaking():
            if self._stream is not None:
                self._stream.commit()

    def close(self) -> None:
        self._closed = True
        self._settle()
        self._drop()

    # --- the recogniser

    def _open(self) -> None:
        with self._breaking():
            self._stream = self._hearing.current.open(
                language=self._language,
                keyterms=self._keyterms,
                on_transcript=self._heard,
                on_error=self._failed,
            )

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            stream.close()
            self._billed += stream.billed_seconds
        except Exception:
            log.exception("A stream of %s could not be closed", self._hearing.name)

    @contextlib.contextmanager
    def _breaking(self) -> Iterator[None]:
        """What a recogniser raises breaks its stream."""
        try:
            yield
        except Exception as error:
            self._break(error)

    def _break(self, error: Exception) -> None:
        self._drop()
        self._failed(in_words(self._hearing.name, error))

    # --- words

    def _ask(self) -> None:
        self._settle()
        if self._lost is not None:
            lost, self._lost = self._lost, None
            self._on_error(lost)
            return
        self._waiting = True
        if not self._hearing.is_last:
            self._timer = asyncio.get_running_loop().call_later(FINAL_SECONDS, self._overdue)
        with self._breaking():
            if self._stream is not None:
                self._stream.speech_stopped()

    def _settle(self) -> None:
        self._waiting = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _heard(self, transcript: Transcript) -> None:
        if self._closed:
            return
        if transcript.final:
            if not transcript.text.strip() and self._waiting and len(self._so_far.split()) >= LOST_WORDS:
                self._failed(ProviderError(self._hearing.name, f'The words were lost: "{self._so_far}"'))
                return
            self._settle()
        else:
            self._so_far = transcript.text
        try:
            self._on_transcript(transcript)
        except Exception as error:  # it must not break the recogniser that tells us
            log.exception("A transcript could not be taken")
            self._on_error(in_words("callwright", error))

    def _overdue(self) -> None:
        self._failed(ProviderError(self._hearing.name, f"No words came within {FINAL_SECONDS:.0f} s."))

    def _failed(self, error: ProviderError) -> None:
        if self._closed:
            return
        waiting, last = self._waiting, self._hearing.is_last
        self._settle()
        self._hearing.give_up(error)
        if not last:
            self._drop()
            self._open()
            self._hear_again()
            if waiting:
                self._ask()
        elif waiting:
            self._on_error(error)
        elif self._in_turn:
            self._lost = error
        else:
            self._hearing.missed_nothing(error)

    def _hear_again(self) -> None:
        """Let the next recogniser have the turn from its start."""
        if not self._in_turn or self._stream is None:
            return
        audio = bytes(self._audio)
        with self._breaking():
            self._stream.feed(audio[:PRE_ROLL_BYTES])
            self._stream.speech_started()
            for start in range(PRE_ROLL_BYTES, len(audio), 640):
                self._stream.feed(audio[start : start + 640])
