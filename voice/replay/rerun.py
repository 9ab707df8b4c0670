"""Holding a stored call again: its caller and its providers do what they did, and the engine does what it does now."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice import events
from voice.call import EndReason
from voice.chain import ChatModel
from voice.clock import run_virtual
from voice.conversation import Conversation
from voice.events import Event
from voice.flow.runner import agent_brain
from voice.health import Health
from voice.media import FRAME_BYTES, FRAME_SECONDS, SILENCE
from voice.media.pacer import Pacer
from voice.providers.base import LlmSettings, ProviderError
from voice.replay.ears import Edge, RecordedEndOfTurn, RecordedStt, RecordedVad, transcripts
from voice.replay.providers import Answers, RecordedKnowledge, RecordedLlm, RecordedPhrases, RecordedTool, RecordedTts
from voice.replay.record import Record
from voice.replay.timeline import Timeline
from voice.services import Services
from voice.spec import AgentSpec, Ambient, Voice
from voice.speech import VoiceService
from voice.transport import Destination, TransferFailed, Transport

# Who ended the call from outside.
OUTSIDE = (EndReason.CALLER, EndReason.CONNECTION_LOST, EndReason.SHUTDOWN)
# A call that the engine does not end as it did is ended so long after.
OVERTIME_SECONDS = 30.0
# What was being said when the call ended is cut off by its end, which is told when the far end has gone.
PARTING_SECONDS = 6.0


def rerun(
    record: Record, *, spec: AgentSpec | None = None, audio: bytes = b"", edges: Sequence[Edge] = ()
) -> list[Event]:
    """The events of the call, held again on the virtual clock, with another spec perhaps.

    `audio` is the caller's, 16 kHz mono PCM16 from the start of the call, and `edges` the voice activity in it; without
    them the caller makes silence, and voice activity is what it was.
    """
    return run_virtual(_Rerun(record, spec or record.spec, audio, edges).run())


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that happens to the call from outside."""

    at: float
    act: Callable[[], None]


class _Rerun:
    def __init__(self, record: Record, spec: AgentSpec, audio: bytes, edges: Sequence[Edge]) -> None:
        self._record = record
        # The sound of a room is made on a thread, for which virtual time has none; nothing is decided by it.
        self._spec = spec.model_copy(update={"ambient": Ambient()})
        self._audio = audio
        self._edges = edges or _edges(record)
        self._heard = transcripts(record)

    async def run(self) -> list[Event]:
        found: list[Event] = []
        timeline = Timeline()
        self._vad = RecordedVad(timeline)
        self._stts = [RecordedStt(name, self._heard) for name in self._record.recognisers]
        self._call = Conversation(
            call_id=self._record.started.call_id,
            spec=self._spec,
            services=self._services(timeline),
            transport=RecordedFarEnd(self._record, timeline),
            sink=found.append,
            variables=self._record.started.variables,
        )
        await timeline.until(self._record.started.at)
        playing = asyncio.get_running_loop().create_task(self._play(timeline), name="caller")
        await self._call.run()
        playing.cancel()
        await asyncio.wait([playing])
        return found

    def _services(self, timeline: Timeline) -> Services:
        record, answers = self._record, Answers(self._record)
        runs = list(record.tool_runs)
        health = Health(timeline.now)
        models = [
            ChatModel(llm=RecordedLlm(provider, answers), settings=LlmSettings(model=model))
            for provider, model in record.models
        ]
        voices = [
            VoiceService(tts=RecordedTts(name, record, timeline), voice=Voice(provider=name, id=voice))
            for name, voice in record.voices
        ]
        knowledge = RecordedKnowledge(record) if record.all(events.KnowledgeSearched) else None
        return Services(
            stt=self._stts,
            voices=voices,
            brain=agent_brain(models, health=health, knowledge=knowledge),
            vad=self._vad,
            pacer=Pacer(),
            phrases=RecordedPhrases(record, timeline),
            end_of_turn=RecordedEndOfTurn(record, timeline) if record.end_of_turn else None,
            health=health,
            tools=[RecordedTool(name, policy, runs) for name, policy in record.tool_policies.items()],
        )

    # --- the caller

    async def _play(self, timeline: Timeline) -> None:
        """All that came from outside, in its order. Of what happened at once the audio comes first."""
        steps = heapq.merge(self._frames(), self._steps(), key=lambda step: step.at)
        for step in steps:
            if step.at > timeline.now():
                await timeline.until(step.at)
            step.act()

    def _frames(self) -> Iterator[_Step]:
        gaps = _gaps(self._record)
        for number in itertools.count():
            at = (number + 1) * FRAME_SECONDS
            if not any(begin < at <= end for begin, end in gaps):
                frame = self._audio[number * FRAME_BYTES : (number + 1) * FRAME_BYTES]
                whole = frame if len(frame) == FRAME_BYTES else SILENCE
                yield _Step(at, lambda frame=whole: self._call.on_audio(frame))  # type: ignore[misc]

    def _steps(self) -> list[_Step]:
        told = [_Step(edge.at, lambda edge=edge: self._vad.tell(edge)) for edge in self._edges]  # type: ignore[misc]
        steps = [*told, *self._words(), *self._acts()]
        return sorted(steps, key=lambda step: step.at)

    def _words(self) -> Iterator[_Step]:
        for place, heard in enumerate(self._heard):
            yield _Step(heard.event.at, lambda place=place: self._tell(place))  # type: ignore[misc]
        for failure in self._record.hearing_failures:
            yield _Step(failure.at, lambda failure=failure: self._fail(failure))  # type: ignore[misc]

    def _acts(self) -> Iterator[_Step]:
        call = self._call
        for event in self._record.events:
            match event:
                case events.CallerTurn(source="typed", text=text):
                    yield _Step(event.at, lambda text=text: call.on_text(text))  # type: ignore[misc]
                case events.DigitPressed(digit=digit):
                    yield _Step(event.at, lambda digit=digit: call.on_digit(digit))  # type: ignore[misc]
                case events.ClientMessage(data=data):
                    yield _Step(event.at, lambda data=data: call.on_message(data))  # type: ignore[misc]
                case events.BudgetSpent(at=at, until=until):
                    yield _Step(at, lambda at=at, grace=until - at: call.limit(at, grace=grace))  # type: ignore[misc]
        yield self._end()

    def _end(self) -> _Step:
        ended = self._record.events[-1]
        if not isinstance(ended, events.CallEnded):
            return _Step(ended.at, lambda: self._call.end(EndReason.SHUTDOWN, "Here the stored events end."))
        if ended.reason not in OUTSIDE:
            return _Step(
                ended.at + OVERTIME_SECONDS, lambda: self._call.end(EndReason.CALLER, "The stored call is over.")
            )
        reason, detail = EndReason(ended.reason), ended.detail
        turns = self._record.all(events.AgentTurn)
        cut = bool(turns) and turns[-1].interrupted and ended.at - turns[-1].at < PARTING_SECONDS
        return _Step(turns[-1].at if cut else ended.at, lambda: self._call.end(reason, detail))

    def _tell(self, place: int) -> None:
        # Only the one that listens now has a stream open.
        for stt in self._stts:
            stt.tell(place)

    def _fail(self, failure: events.ProviderFailed) -> None:
        for stt in self._stts:
            if stt.name == failure.provider:
                stt.fail(ProviderError(failure.provider, failure.error))


class RecordedFarEnd(Transport):
    """Plays to nobody, as late as the far end of the stored call did, and is transferred as it was."""

    lead = 0.06

    def __init__(self, record: Record, timeline: Timeline) -> None:
        self._delays = [(event.at, event.playout_delay) for event in record.all(events.AgentSpeechStarted)]
        self._transfers = iter(record.all(events.TransferFinished))
        self._starts = iter(record.all(events.TransferStarted))
        self._takes_messages = bool(record.all(events.ClientTold))
        self._timeline = timeline

    @property
    def playout_delay(self) -> float:  # type: ignore[override]
        now = self._timeline.now()
        return min(self._delays, key=lambda one: abs(one[0] - now), default=(0.0, 0.0))[1]

    def send_audio(self, frame: bytes) -> None: ...

    def clear(self) -> None: ...

    async def hang_up(self, reason: str) -> None: ...

    def send_digits(self, digits: str) -> bool:
        return True

    def send_message(self, message: Mapping[str, Any]) -> bool:
        return self._takes_messages

    async def transfer(self, to: Destination) -> None:
        started, finished = next(self._starts, None), next(self._transfers, None)
        if started is None or finished is None:
            raise TransferFailed("No such transfer was recorded.")
        await asyncio.sleep(finished.at - started.at)
        if finished.outcome == "failed":
            raise TransferFailed(finished.detail)


def _edges(record: Record) -> list[Edge]:
    return [
        Edge(event.at, True, event.onset)
        if isinstance(event, events.CallerSpeechStarted)
        else Edge(event.at, False, event.offset)
        for event in record.events
        if isinstance(event, events.CallerSpeechStarted | events.CallerSpeechStopped)
    ]


def _gaps(record: Record) -> list[tuple[float, float]]:
    """When no audio arrived."""
    patience, speech = record.spec.patience.no_audio, record.all(events.CallerSpeechStarted)
    gaps = []
    for event in record.all(events.ProviderSlow):
        if event.role == "transport":
            began = event.at - patience
            never = began <= record.started.at + FRAME_SECONDS
            # A caller who has no microphone types, and none comes.
            until = next((one.onset - 1.0 for one in speech), record.ends_at) if never else event.at
            gaps.append((0.0 if never else began, max(event.at, until)))
    end = record.events[-1]
    if isinstance(end, events.CallEnded) and end.reason == EndReason.NO_AUDIO:
        gaps.append((end.at - 2 * patience, end.at))
    return gaps
