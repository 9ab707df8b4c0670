"""Turn taking: when the caller has finished, and what is an interruption."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Protocol

from voice import events
from voice.clock import CallClock
from voice.faults import in_words, worded
from voice.media import SAMPLE_RATE
from voice.providers.base import EndOfTurn, ProviderError, Stt, SttStream, Transcript, Vad
from voice.spec import TurnTaking

Emit = Callable[[events.Event], None]

# How long speech must last to be speech, and silence to be a pause. A pause is where recognition and the
# end-of-turn model are asked; whether the turn ends there is decided with more patience.
SPEECH_SECONDS = 0.096
PAUSE_SECONDS = 0.128
# The end-of-turn model sees at most so much.
LOOK_BACK_BYTES = 8 * 2 * SAMPLE_RATE
PRE_ROLL_BYTES = round(0.3 * 2 * SAMPLE_RATE)
# Recognition that takes longer than this after a pause has failed.
RECOGNITION_SECONDS = 4.0

BACKCHANNELS = frozenset(
    "ah aha alright good great hm hmm huh mhm mhmm mm mmhm mmhmm mmm oh ok okay right sure thank thanks uhhuh uh-huh "
    "um wow yea yeah yep yes you mm-hm mm-hmm uh".split()
)
HANGING = frozenset(
    "a an and as at because but by er erm for from i i'm if in into it's my of on or our that's the to uh um "
    "with your".split()
)


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text.lower())


def is_backchannel(text: str) -> bool:
    """Whether the words only say "I'm listening". No words at all say nothing."""
    words = words_of(text)
    return bool(words) and len(words) <= 3 and all(word in BACKCHANNELS for word in words)


def is_hanging(text: str) -> bool:
    """Whether the words stop where nobody stops: after "and", "my", "um"."""
    words = words_of(text)
    return bool(words) and words[-1] in HANGING and not text.rstrip().endswith("?")


class Listener(Protocol):
    """Who is told how the caller's turn goes."""

    def speech_began(self, onset: float) -> None:
        """The caller makes a sound that seems to be speech."""

    def words_so_far(self, text: str) -> None:
        """The words of the turn that is being spoken, as known by now."""

    def maybe_finished(self, text: str) -> None:
        """The caller has paused after these words, and may be done."""

    def finished(self, text: str, started: float, ended: float) -> None:
        """The caller's turn is over."""

    def nothing_said(self) -> None:
        """The sound is over and there were no words in it."""

    def not_understood(self, error: ProviderError) -> None:
        """Recognition failed; the caller's words are lost."""

    def deaf(self, error: ProviderError) -> None:
        """Voice activity is not detected any more: nobody will be heard."""


class TurnTaker:
    """Follows the caller's speech from voice activity to finished turns.

    At each pause it asks for the words and for the probability that they are a whole turn, and then waits:
    `finished_silence` for a caller who sounds finished, up to `unfinished_silence` the less they do.
    """

    def __init__(
        self,
        *,
        settings: TurnTaking,
        language: str,
        keyterms: Sequence[str] = (),
        stt: Stt,
        vad: Vad,
        end_of_turn: EndOfTurn | None,
        clock: CallClock,
        emit: Emit,
        turn: Callable[[], int],
        listener: Listener,
    ) -> None:
        self._settings = settings
        self._recogniser = stt
        self._keyterms = keyterms
        self._end_of_turn = end_of_turn
        self._clock = clock
        self._emit = emit
        self._turn = turn
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._detector = vad.name
        self._vad = vad.open(self._on_speech, start=SPEECH_SECONDS, stop=PAUSE_SECONDS)
        self._stt = self._open(language)
        self._fed = 0
        self._audio = bytearray()
        self.speaking = False
        self._started: float | None = None
        self._ended: float | None = None
        self._text: str | None = None
        self._probability: float | None = None
        self._predicted = False
        self._timer: asyncio.TimerHandle | None = None
        self._prediction: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """The caller speaks, or has paused and may have finished."""
        return self.speaking or self._started is not None

    def feed(self, frame: bytes) -> None:
        """Take 20 ms of caller audio."""
        self._fed += len(frame) // 2
        try:
            self._vad.feed(frame)
        except Exception as error:
            self._listener.deaf(in_words(self._detector, error))
            return
        self._stt.feed(frame)
        if self._end_of_turn is not None:
            self._remember(frame)

    def discard(self) -> None:
        """Forget the words so far: they were no turn, or were taken otherwise."""
        self._cancel()
        self._stt.commit()
        self._reset()

    def listen_in(self, language: str) -> None:
        """Understand another language from the next turn on."""
        self.discard()
        self._finish_listening()
        self._stt = self._open(language)

    def close(self) -> None:
        self._cancel()
        self._vad.close()
        self._finish_listening()

    def _open(self, language: str) -> SttStream:
        return self._recogniser.open(
            language=language, keyterms=self._keyterms, on_transcript=self._transcribed, on_error=self._failed
        )

    def _finish_listening(self) -> None:
        self._stt.close()
        if self._stt.billed_seconds:
            self._emit(
                events.ListeningFinished(
                    at=self._clock.now(),
                    provider=self._recogniser.name,
                    billed_seconds=round(self._stt.billed_seconds, 3),
                )
            )

    # --- voice activity

    def _on_speech(self, speaking: bool, edge: int) -> None:
        at = self._clock.now() - (self._fed - edge) / SAMPLE_RATE
        self.speaking = speaking
        self._cancel()
        if speaking:
            self._emit(events.CallerSpeechStarted(at=self._clock.now(), onset=round(at, 3)))
            if self._started is None:
                self._started = at
            self._stt.speech_started()
            self._listener.speech_began(at)
        else:
            self._emit(events.CallerSpeechStopped(at=self._clock.now(), offset=round(at, 3)))
            self._paused(at)

    def _paused(self, offset: float) -> None:
        self._ended, self._text, self._probability = offset, None, None
        self._predicted = self._end_of_turn is None
        self._stt.speech_stopped()
        overdue = ProviderError(self._recogniser.name, f"No words came within {RECOGNITION_SECONDS:.0f} s.")
        self._timer = self._loop.call_later(RECOGNITION_SECONDS, self._failed, overdue)
        if self._end_of_turn is not None:
            predict = self._predict(self._end_of_turn, bytes(self._audio[-LOOK_BACK_BYTES:]))
            self._prediction = self._loop.create_task(predict, name="end of turn")

    def _remember(self, frame: bytes) -> None:
        self._audio += frame
        limit = LOOK_BACK_BYTES if self._started is not None else PRE_ROLL_BYTES
        if len(self._audio) > limit + 2 * SAMPLE_RATE:
            del self._audio[:-limit]

    # --- words

    def _transcribed(self, transcript: Transcript) -> None:
        text = transcript.text.strip()
        if not transcript.final:
            if text:
                self._emit(events.CallerPartial(at=self._clock.now(), turn=self._turn(), text=text))
                self._listener.words_so_far(text)
            return
        self._emit(
            events.CallerSegment(
                at=self._clock.now(),
                turn=self._turn(),
                text=text,
                provider=self._recogniser.name,
                audio_seconds=round(transcript.audio_seconds, 3),
                took=round(transcript.took, 4),
            )
        )
        if self.speaking or self._ended is None:
            return
        if not text:
            self.discard()
            self._listener.nothing_said()
            return
        self._stop_timer()
        self._text = text
        self._listener.words_so_far(text)
        # The listener may have discarded the words: they were a backchannel.
        if self._text is not None:
            self._listener.maybe_finished(text)
            self._judge()

    def _failed(self, error: ProviderError) -> None:
        self.discard()
        self._listener.not_understood(error)

    # --- the end of the turn

    async def _predict(self, model: EndOfTurn, audio: bytes) -> None:
        try:
            with worded(model.name):
                opinion = await asyncio.wait_for(model.predict(audio), self._settings.unfinished_silence)
                self._probability = float(opinion)
        except Exception as error:
            # The turn ends without its opinion.
            self._probability = None
            self._emit(self._without(model, error))
        self._predicted = True
        self._judge()

    def _without(self, model: EndOfTurn, error: Exception) -> events.ProviderFailed:
        late = f"No opinion came within {self._settings.unfinished_silence:g} s."
        return events.ProviderFailed(
            at=self._clock.now(),
            turn=self._turn(),
            role="end_of_turn",
            provider=model.name,
            error=late if isinstance(error, TimeoutError) else str(in_words(model.name, error)),
            then="deciding by words and silence",
        )

    def _judge(self) -> None:
        """Once the words and the model's opinion are there, wait for as much silence as they ask for."""
        if self._text is None or self._ended is None or not self._predicted:
            return
        wait, by = self._patience(self._text, self._probability)
        self._emit(
            events.TurnDecision(
                at=self._clock.now(),
                turn=self._turn(),
                verdict="finished" if wait <= self._settings.finished_silence else "waiting",
                by=by,
                probability=None if self._probability is None else round(self._probability, 4),
                wait=round(wait, 3),
            )
        )
        due = self._ended + wait - self._clock.now()
        self._timer = self._loop.call_later(max(0.0, due), self._finish)

    def _patience(self, text: str, probability: float | None) -> tuple[float, str]:
        """Seconds of silence that end the turn after `text`, and what says so."""
        least, most = self._settings.finished_silence, self._settings.unfinished_silence
        if is_hanging(text):
            return most, "words"
        if probability is None or self._end_of_turn is None:
            return least, "silence"
        doubt = 1 - min(1.0, probability / self._settings.finished_probability)
        return least + (most - least) * doubt, self._end_of_turn.name

    def _finish(self) -> None:
        text, started, ended = self._text, self._started, self._ended
        self.discard()
        if text is not None and started is not None and ended is not None:
            self._listener.finished(text, started, ended)

    # --- state

    def _reset(self) -> None:
        # Who goes on speaking begins a new turn now.
        self._started = self._clock.now() if self.speaking else None
        self._ended = self._text = self._probability = None
        self._predicted = False
        del self._audio[:-PRE_ROLL_BYTES]

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancel(self) -> None:
        self._stop_timer()
        if self._prediction is not None:
            if self._prediction is not asyncio.current_task():
                self._prediction.cancel()
            self._prediction = None
