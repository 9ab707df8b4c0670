"""What a speech-to-speech session tells of the caller and of the model, as the events of a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voice import events
from voice.answers import Answer
from voice.clock import CallClock
from voice.providers.base import Message
from voice.providers.realtime import Realtime, ReplyDone

Emit = Callable[[events.Event], None]

NOT_WRITTEN = "[not transcribed]"


@dataclass(slots=True)
class _Said:
    """A turn of the caller's whose words are not all known yet."""

    turn: int
    started: float
    ended: float
    text: str = ""
    counts: bool = True


class CallerLog:
    """The caller's speech and turns. Their words may come long after them."""

    def __init__(self, provider: str, clock: CallClock, emit: Emit) -> None:
        self._provider = provider
        self._clock = clock
        self._emit = emit
        self._said: dict[str, _Said] = {}
        self._onset = 0.0

    def started(self, ago: float) -> None:
        self._onset = round(max(0.0, self._clock.now() - ago), 3)
        self._emit(events.CallerSpeechStarted(at=self._clock.now(), onset=self._onset))

    def stopped(self, said: str, turn: int, ago: float) -> None:
        """The caller's turn is over, says the provider."""
        self._stopped(said, turn, ago)
        self._emit(events.TurnDecision(at=self._clock.now(), turn=turn, verdict="finished", by=self._provider))

    def overheard(self, said: str, turn: int, ago: float) -> None:
        """Somebody has spoken who is not talked to yet: it is no turn."""
        self._stopped(said, turn, ago).counts = False

    def partial(self, said: str, text: str, speaking: int) -> None:
        """The words so far of a turn; of the turn `speaking` if it is not over yet."""
        turn = self._said.get(said)
        if turn is not None:
            turn.text = text
        if text:
            number = turn.turn if turn is not None else speaking
            self._emit(events.CallerPartial(at=self._clock.now(), turn=number, text=text))

    def written(self, said: str, text: str) -> None:
        """All words of a turn. With none it was a noise, and is no turn of the transcript."""
        turn = self._said.pop(said, None)
        if turn is not None and text:
            self._tell(turn, text)

    def unwritten(self, said: str) -> None:
        """The words of a turn are not to be had: it is told with those that are known."""
        if (turn := self._said.pop(said, None)) is not None:
            self._tell(turn, turn.text or NOT_WRITTEN)

    def is_unwritten(self, turn: int) -> bool:
        return any(said.turn == turn for said in self._said.values())

    def close(self) -> None:
        """Nothing more will be known."""
        for said in tuple(self._said):
            self.unwritten(said)

    def _stopped(self, said: str, turn: int, ago: float) -> _Said:
        ended = round(max(self._onset, self._clock.now() - ago), 3)
        self._said[said] = _Said(turn, self._onset, ended)
        self._emit(events.CallerSpeechStopped(at=self._clock.now(), offset=ended))
        return self._said[said]

    def _tell(self, said: _Said, text: str) -> None:
        if not said.counts:
            self._emit(
                events.CallerSegment(
                    at=self._clock.now(),
                    turn=said.turn,
                    text=text,
                    provider=self._provider,
                    audio_seconds=round(said.ended - said.started, 3),
                    took=round(self._clock.now() - said.ended, 4),
                )
            )
            return
        self._emit(
            events.CallerTurn(
                at=self._clock.now(), turn=said.turn, text=text, started=said.started, ended=said.ended, source="speech"
            )
        )


@dataclass(slots=True)
class Asked:
    """A reply that the model is to make, or makes. Without an `answer` nobody wants to hear it any more."""

    turn: int
    answer: Answer | None
    aside: bool = False
    more: bool = False
    """Another reply follows it in the same answer."""
    text: str = ""
    began: bool = False
    sounded: bool = False


class ModelLog:
    """The replies that are being made, by their names."""

    def __init__(self, realtime: Realtime, tools: list[str], clock: CallClock, emit: Emit) -> None:
        self._realtime = realtime
        self._tools = tools
        self._clock = clock
        self._emit = emit
        self._asked: dict[str, Asked] = {}

    def ask(self, reply: str, asked: Asked) -> None:
        self._asked[reply] = asked

    def find(self, reply: str) -> Asked | None:
        return self._asked.get(reply)

    def unwant(self) -> None:
        """Nobody wants to hear those that are being made."""
        for asked in self._asked.values():
            asked.answer = None

    def began(self, reply: str, messages: list[Message]) -> None:
        asked = self._asked[reply]
        asked.began = True
        self._emit(
            events.ModelRequested(
                at=self._clock.now(),
                turn=asked.turn,
                request=reply,
                provider=self._realtime.name,
                model=self._realtime.model,
                messages=messages,
                tools=self._tools,
            )
        )

    def sounded(self, reply: str, text: str = "") -> Asked | None:
        """Some words or some sound of a reply have come."""
        asked = self._asked.get(reply)
        if asked is None:
            return None
        if not asked.sounded:
            asked.sounded = True
            self._emit(events.ModelFirstToken(at=self._clock.now(), turn=asked.turn, request=reply))
        asked.text += text
        return asked

    def finished(self, reply: str, done: ReplyDone) -> Asked | None:
        asked = self._asked.pop(reply, None)
        if asked is not None and asked.began:
            self._tell(reply, asked, done)
        return asked

    def close(self) -> None:
        """The call is over: what was being made is cancelled."""
        for reply in tuple(self._asked):
            self.finished(reply, ReplyDone(finish="cancelled"))

    def _tell(self, reply: str, asked: Asked, done: ReplyDone) -> None:
        usage = done.usage
        self._emit(
            events.ModelFinished(
                at=self._clock.now(),
                turn=asked.turn,
                request=reply,
                text=asked.text,
                finish=done.finish,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cached_tokens=usage.cached_tokens,
                input_audio_tokens=usage.input_audio_tokens,
                output_audio_tokens=usage.output_audio_tokens,
                cached_audio_tokens=usage.cached_audio_tokens,
            )
        )
