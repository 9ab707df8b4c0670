"""What the caller of a stored call was heard to say, given again when it was heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from voice import events
from voice.media import SAMPLE_RATE
from voice.providers.base import ProviderError, Transcript
from voice.replay.record import Record
from voice.replay.timeline import Timeline
from voice.turns import STT_SAYS_FINISHED, STT_SAYS_UNFINISHED


@dataclass(frozen=True, slots=True)
class Edge:
    """The caller's speech began or ended at `edge`, which was certain at `at`."""

    at: float
    speaking: bool
    edge: float


class RecordedVad:
    """Hears what it is told to, by `tell`."""

    name = "recorded-vad"

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._streams: list[_VadStream] = []

    def open(self, on_speech: Callable[[bool, int], None], *, start: float, stop: float) -> _VadStream:
        self._streams.append(_VadStream(on_speech))
        return self._streams[-1]

    def tell(self, edge: Edge) -> None:
        for stream in self._streams:
            stream.tell(edge, self._timeline.now())


class _VadStream:
    def __init__(self, on_speech: Callable[[bool, int], None]) -> None:
        self._on_speech: Callable[[bool, int], None] | None = on_speech
        self._fed = 0

    def feed(self, frame: bytes) -> None:
        self._fed += len(frame) // 2

    def tell(self, edge: Edge, now: float) -> None:
        if self._on_speech is not None:
            self._on_speech(edge.speaking, self._fed - round((now - edge.edge) * SAMPLE_RATE))

    def close(self) -> None:
        self._on_speech = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript of the stored call. Those of a turn have its first one's place as their `turn`."""

    event: events.CallerPartial | events.CallerSegment
    turn: int
    turn_ended: bool | None = None

    @property
    def final(self) -> bool:
        return isinstance(self.event, events.CallerSegment)


def transcripts(record: Record) -> list[Heard]:
    found: list[Heard] = []
    first = 0
    for event in record.events:
        if isinstance(event, events.CallerPartial | events.CallerSegment):
            found.append(Heard(event, first, _opinion(record, event.at)))
            if isinstance(event, events.CallerSegment) and not event.text:
                first = len(found)
        elif isinstance(event, events.CallerTurn | events.InterruptionIgnored | events.SettingChanged) or (
            isinstance(event, events.ProviderFailed) and event.role == "stt"
        ):
            first = len(found)
    return found


def _opinion(record: Record, at: float) -> bool | None:
    """What the recogniser thought of the end of the turn, where that decided how long it was waited for."""
    decision = next((one for one in record.all(events.TurnDecision) if one.at >= at), None)
    if decision is None or decision.by != "stt":
        return None
    settings = record.spec.turns
    between = (STT_SAYS_FINISHED.most + STT_SAYS_UNFINISHED.least) / 2
    least, most = settings.finished_silence, settings.unfinished_silence
    return decision.wait < least + between * (most - least)


class RecordedStt:
    """One of the recognisers, told what to recognise by `tell` and `fail`."""

    def __init__(self, name: str, heard: Sequence[Heard]) -> None:
        self.name = name
        self.heard = heard
        self._streams: list[_SttStream] = []

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> _SttStream:
        stream = _SttStream(self.heard, on_transcript, on_error)
        self._streams.append(stream)
        return stream

    def tell(self, place: int) -> None:
        for stream in self._streams:
            stream.tell(place)

    def fail(self, error: ProviderError) -> None:
        for stream in self._streams:
            stream.fail(error)


class _SttStream:
    """Where a turn ends elsewhere than in the stored call, its words are those that were said since."""

    billed_seconds = 0.0

    def __init__(
        self,
        heard: Sequence[Heard],
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> None:
        self._heard = heard
        self._on_transcript = on_transcript
        self._on_error = on_error
        self._next = self._since = 0
        self._closed = False

    def tell(self, place: int) -> None:
        if self._closed:
            return
        self._next = place + 1
        event = self._heard[place].event
        if isinstance(event, events.CallerSegment):
            self._on_transcript(
                Transcript(
                    self._text(place),
                    final=True,
                    audio_seconds=event.audio_seconds,
                    took=event.took,
                    turn_ended=self._heard[place].turn_ended,
                )
            )
        else:
            self._on_transcript(Transcript(self._text(place), final=False))

    def fail(self, error: ProviderError) -> None:
        if not self._closed:
            self._on_error(error)

    def _text(self, place: int) -> str:
        heard, text = self._heard[place], self._heard[place].event.text
        taken = [one for one in self._heard[heard.turn : self._since] if one.final]
        if taken:
            # Its turn has ended earlier than it did.
            return text.removeprefix(taken[-1].event.text).lstrip(" ,.")
        # Turns before it have ended later, and are still going on: the last final transcript of each.
        whole = {one.turn: one.event.text for one in self._heard[self._since : heard.turn] if one.final}
        return " ".join([*filter(None, whole.values()), text])

    def feed(self, frame: bytes) -> None: ...

    def speech_started(self) -> None: ...

    def speech_stopped(self) -> None: ...

    def commit(self) -> None:
        self._since = self._next

    def close(self) -> None:
        self._closed = True


class RecordedEndOfTurn:
    """Gives the opinion that the next decision was made on."""

    def __init__(self, record: Record, timeline: Timeline) -> None:
        self.name = record.end_of_turn
        self._record = record
        self._timeline = timeline

    async def predict(self, audio: bytes) -> float:
        now = self._timeline.now()
        resumed = min((e.at for e in self._record.all(events.CallerSpeechStarted) if e.at > now), default=float("inf"))
        decisions = (e for e in self._record.all(events.TurnDecision) if now - 1e-6 <= e.at < resumed)
        decision = next(decisions, None)
        if decision is None:
            return 0.0
        await self._timeline.until(decision.at)
        if decision.probability is None:
            raise self._record.failure_at("end_of_turn", decision.at) or ProviderError(self.name, "It had no opinion.")
        return decision.probability
