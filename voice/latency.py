"""Where the time went between the caller's last sound and the agent's first, read from a call's events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from voice import events
from voice.events import Event

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Span:
    """Some work done for a reply, on the call's clock. `name` is a part of `TurnLatency`, or "tool"."""

    name: str
    start: float
    end: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """Seconds that the caller waited for the answer in one turn, shared out over what they were waiting for.

    The five parts follow each other and add up to `total`. Work that ran beside other work (a reply begun while it was
    not yet certain that the caller had finished) counts only where it held the reply up; the `spans` show all of it.
    What the agent says while it thinks is no answer.
    """

    turn: int
    total: float
    end_of_turn: float
    stt: float
    llm: float
    tts: float
    playout: float
    first_sound: float
    """Seconds until the agent made any sound: less than `total` where it said something while it thought."""
    spans: list[Span] = field(default_factory=list)


def turn_latencies(call: Iterable[Event]) -> dict[int, TurnLatency]:
    """The latency of every turn of `call` that was answered with a sound."""
    by_turn: dict[int, list[Event]] = {}
    stopped: events.CallerSpeechStopped | None = None
    for event in call:
        if isinstance(event, events.CallerSpeechStopped):
            stopped = event
        turn = getattr(event, "turn", None)
        if turn:
            found = by_turn.setdefault(turn, [])
            if isinstance(event, events.CallerTurn) and event.source == "speech" and stopped is not None:
                found.append(stopped)
            found.append(event)
    latencies = {turn: _latency(turn, found) for turn, found in by_turn.items()}
    return {turn: latency for turn, latency in latencies.items() if latency is not None}


def _latency(turn: int, found: Sequence[Event]) -> TurnLatency | None:
    asked = _first(found, events.CallerTurn)
    if asked is None:
        return None
    # Not `at`: a speech-to-speech model may speak before the caller's words are known.
    begun = _first(found, events.AgentSpeechStarted, after=asked.ended)
    if begun is None:
        return None
    hesitated = _last(found, events.AgentHesitated, until=begun.at)
    # Of what was sent to model and voice, that counts which led to the first sound of the answer.
    if hesitated is None:
        sent, first_audio = begun.at, _last(found, events.SpeechFirstAudio, until=begun.at)
    else:
        first_audio = _first(found, events.SpeechFirstAudio, after=hesitated.at)
        if first_audio is None:
            return None
        sent = max(first_audio.at, begun.at + hesitated.seconds)
    zero, heard = asked.ended, sent + begun.playout_delay
    spoken = next(
        (e for e in _all(found, events.SpeechRequested) if first_audio and e.request == first_audio.request), None
    )
    said_at = spoken.at if spoken else sent
    requested = _last(found, events.ModelRequested, until=said_at)
    asked_model_at = requested.at if requested else said_at
    audio_at = first_audio.at if first_audio else sent
    held = _length(max(audio_at, zero), sent)

    stopped = _last(found, events.CallerSpeechStopped, until=asked.at)
    segment = _last(found, events.CallerSegment, until=asked.at)
    listened = _length(stopped.at, segment.at) if stopped and segment and asked.source == "speech" else 0.0
    listened = min(listened, _length(zero, asked_model_at))
    return TurnLatency(
        turn=turn,
        total=round(heard - zero, 4),
        end_of_turn=round(_length(zero, asked_model_at) - listened + (0.0 if hesitated else held), 4),
        stt=round(listened, 4),
        llm=round(_length(max(asked_model_at, zero), max(said_at, zero)), 4),
        tts=round(_length(max(said_at, zero), max(audio_at, zero)), 4),
        playout=round(begun.playout_delay + (held if hesitated else 0.0), 4),
        first_sound=round(begun.at + begun.playout_delay - zero, 4),
        spans=_spans(found, asked, sent, begun.playout_delay, stopped, segment),
    )


def _spans(
    found: Sequence[Event],
    asked: events.CallerTurn,
    sent: float,
    playout_delay: float,
    stopped: events.CallerSpeechStopped | None,
    segment: events.CallerSegment | None,
) -> list[Span]:
    spans = []
    if asked.source == "speech":
        decision = _last(found, events.TurnDecision, until=asked.at)
        by = f"{decision.by}: {decision.verdict}" if decision else ""
        requested = _first(found, events.ModelRequested, after=asked.ended)
        certain = min(asked.at, requested.at) if requested and not requested.speculative else asked.at
        spans.append(Span("end_of_turn", asked.ended, certain, by))
        if stopped is not None and segment is not None:
            spans.append(Span("stt", stopped.at, segment.at, segment.provider))
    now = max(event.at for event in found)
    for request in _all(found, events.ModelRequested):
        end = next((e.at for e in _all(found, events.ModelFinished) if e.request == request.request), now)
        token = next((e.at for e in _all(found, events.ModelFirstToken) if e.request == request.request), None)
        first = f", first token after {(token - request.at) * 1000:.0f} ms" if token is not None else ""
        spans.append(Span("llm", request.at, end, f"{request.model}{first}"))
    for call in _all(found, events.ToolCalled):
        end = next((e.at for e in _all(found, events.ToolReturned) if e.tool_call == call.tool_call), now)
        spans.append(Span("tool", call.at, end, call.name))
    for speech in _all(found, events.SpeechRequested):
        end = next((e.at for e in _all(found, events.SpeechFinished) if e.request == speech.request), now)
        spans.append(Span("tts", speech.at, end, speech.text))
    spans += [Span("thinking", e.at, e.at + e.seconds, e.text) for e in _all(found, events.AgentHesitated)]
    spans.append(Span("playout", sent, sent + playout_delay))
    return sorted(spans, key=lambda span: span.start)


def _length(start: float, end: float) -> float:
    return max(0.0, end - start)


def _all(found: Sequence[Event], kind: type[E]) -> list[E]:
    return [event for event in found if isinstance(event, kind)]


def _first(found: Sequence[Event], kind: type[E], *, after: float = 0.0) -> E | None:
    return next((event for event in _all(found, kind) if event.at >= after), None)


def _last(found: Sequence[Event], kind: type[E], *, until: float) -> E | None:
    return next((event for event in reversed(_all(found, kind)) if event.at <= until), None)
