"""Turn taking: when the caller has finished, and what is an interruption."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from voice import cues, events
from voice.clock import CallClock
from voice.faults import in_words, worded
from voice.media import FRAME_SAMPLES, SAMPLE_RATE
from voice.providers.base import EndOfTurn, ProviderError, Stt, SttStream, Transcript, Vad
from voice.spec import TurnTaking

Emit = Callable[[events.Event], None]
NoInterruption = Literal["backchannel", "echo", "background"]

# How long speech must last to be speech, and silence to be a pause. A pause is where recognition and the
# end-of-turn model are asked; whether the turn ends there is decided with more patience.
SPEECH_SECONDS = 0.096
PAUSE_SECONDS = 0.128
# The end-of-turn model sees at most so much.
LOOK_BACK_BYTES = 8 * 2 * SAMPLE_RATE
PRE_ROLL_BYTES = round(0.3 * 2 * SAMPLE_RATE)
# Recognition that takes longer than this after a pause has failed.
RECOGNITION_SECONDS = 4.0
# Speech over the agent that is so much softer than the caller's is someone else's, farther away.
BACKGROUND_DECIBELS = 10.0


@dataclass(frozen=True, slots=True)
class Pause:
    """What is known when the caller pauses. `probability` is the end-of-turn model's, `turn_ended` the recogniser's
    opinion, None where there is none; `cue` is what the words say."""

    probability: float | None
    model: str = ""
    turn_ended: bool | None = None
    cue: cues.Cue | None = None


# What a recogniser's own opinion on the end of a turn is worth, where the words say nothing.
STT_SAYS_FINISHED = cues.Cue("stt", 0.0, 0.3)
STT_SAYS_UNFINISHED = cues.Cue("stt", 0.5, 1.0)

Policy = Callable[[Pause, TurnTaking], tuple[float, str]]


def patience(pause: Pause, settings: TurnTaking) -> tuple[float, str]:
    """Seconds of silence that end the turn, and what says so: a cue, "stt", the model's name or "silence".

    The model's doubt, 0 to 1, is how far to go from `finished_silence` to `unfinished_silence`. The words and the
    recogniser's opinion set bounds to it, which may lie beyond 1: who dictates a number takes longer breaths.
    """
    doubt, by = 0.0, "silence"
    if pause.probability is not None:
        doubt, by = 1 - min(1.0, pause.probability / settings.finished_probability) ** 2, pause.model
    if pause.turn_ended is not None and (pause.cue is None or pause.cue.may_be_last):
        doubt, by = (STT_SAYS_FINISHED if pause.turn_ended else STT_SAYS_UNFINISHED).bound(doubt, by)
    if pause.cue is not None:
        doubt, by = pause.cue.bound(doubt, by)
    return settings.finished_silence + doubt * (settings.unfinished_silence - settings.finished_silence), by


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

    def no_interruption(self, text: str, reason: NoInterruption) -> None:
        """These words over the agent are over, and were none: the agent keeps the turn."""

    def not_understood(self, error: ProviderError) -> None:
        """Recognition failed; the caller's words are lost."""

    def deaf(self, error: ProviderError) -> None:
        """Voice activity is not detected any more: nobody will be heard."""


class TurnTaker:
    """Follows the caller's speech from voice activity to finished turns.

    At each pause it asks for the words and for the probability that they are a whole turn, and then waits:
    `finished_silence` for a caller who sounds finished, longer the less they do (`patience`). Set `expecting` to what
    the agent has asked for.

    `saying` tells what the caller has heard of the agent's words, and None while it is the caller's turn.
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
        saying: Callable[[], str | None] = lambda: None,
        policy: Policy = patience,
    ) -> None:
        self._settings = settings
        self._recogniser = stt
        self._keyterms = keyterms
        self._end_of_turn = end_of_turn
        self._clock = clock
        self._emit = emit
        self._turn = turn
        self._listener = listener
        self._saying = saying
        self._policy = policy
        self._reads = cues.reads(language)
        self.expecting = cues.OPEN
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
        self._so_far = ""
        self._over: str | None = None
        self._interrupts = False
        self._level: float | None = None
        self._turn_ended: bool | None = None
        self._cue: cues.Cue | None = None
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

    def interrupts(self) -> bool:
        """Whether the sound over the agent, as far as it is known, takes the turn. Once it does, it has."""
        text = self._so_far
        if self.speaking and text:
            # Of words that go on the last may be half of one. The agent is silent meanwhile, so waiting costs nothing.
            text = " ".join(cues.words_of(text)[:-1])
            if not text:
                return self._interrupts
        self._interrupts = self._interrupts or self._no_interruption(text) is None
        return self._interrupts

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
        self._reads = cues.reads(language)

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
                self._started, self._over = at, self._saying()
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
                self._so_far = text
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
        if not self._interrupts and (reason := self._no_interruption(text)) is not None:
            self.discard()
            self._listener.no_interruption(text, reason)
            return
        self._stop_timer()
        self._text = self._so_far = text
        self._turn_ended = transcript.turn_ended
        self._cue = cues.read(text, self.expecting) if self._reads else None
        self._listener.words_so_far(text)
        if self._cue is None or self._cue.may_be_last:
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
        model = "" if self._end_of_turn is None else self._end_of_turn.name
        wait, by = self._policy(Pause(self._probability, model, self._turn_ended, self._cue), self._settings)
        if self._cue is not None and cues.is_dictated(self._cue, self.expecting):
            wait *= self._settings.dictation
        self._emit(
            events.TurnDecision(
                at=self._clock.now(),
                turn=self._turn(),
                verdict="finished" if wait <= self._half_way else "waiting",
                by=by,
                probability=None if self._probability is None else round(self._probability, 4),
                wait=round(wait, 3),
            )
        )
        due = self._ended + wait - self._clock.now()
        self._timer = self._loop.call_later(max(0.0, due), self._finish)

    @property
    def _half_way(self) -> float:
        return (self._settings.finished_silence + self._settings.unfinished_silence) / 2

    def _finish(self) -> None:
        text, started, ended = self._text, self._started, self._ended
        self._level = self._loudness()
        self.discard()
        if text is not None and started is not None and ended is not None:
            self._listener.finished(text, started, ended)

    # --- interruptions

    def _no_interruption(self, text: str) -> NoInterruption | None:
        """Why `text`, said over the agent, does not take the turn; None if it does, or if the agent is silent."""
        saying = self._saying()
        if self._over is None:
            return None
        self._over = max(self._over, saying or "", key=len)
        if self._reads and cues.is_echo(text, self._over, whole=not self.speaking):
            return "echo"
        if self._level is not None and self._loudness() < self._level - BACKGROUND_DECIBELS:
            return "background"
        # What is said while the agent finishes its question is the answer.
        if saying is not None and cues.is_backchannel(text) and not cues.asks_yes_or_no(self._over):
            return "backchannel"
        return None

    def _loudness(self) -> float:
        """How loud the speech of this turn is, in decibels below full scale."""
        seconds = self._clock.now() - (self._started or 0.0)
        return _loudness(bytes(self._audio[-2 * round(seconds * SAMPLE_RATE) :]))

    # --- state

    def _reset(self) -> None:
        # Who goes on speaking begins a new turn now.
        self._started, self._over = (self._clock.now(), self._saying()) if self.speaking else (None, None)
        self._ended = self._text = self._probability = self._turn_ended = self._cue = None
        self._so_far = ""
        self._predicted = self._interrupts = False
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


def _loudness(pcm: bytes) -> float:
    """The loudness of the loudest fifth of the audio, in decibels below full scale: of the voice, not of the pauses."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    steps = (samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES) ** 2).mean(axis=1)
    if not steps.size:
        return -100.0
    return float(10 * np.log10(max(np.percentile(steps, 80), 1.0) / 32768**2))
