"""Where two runs of a call part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from voice import events
from voice.events import Event

# Seconds that an event may come earlier or later.
TOLERANCE = 0.25
# So many words earlier or later may the agent have been cut off.
WORDS = 2
CONTEXT = 3


def _nothing(event: Any) -> dict[str, object]:
    return {}


def _fields(*names: str) -> Callable[[Any], dict[str, object]]:
    return lambda event: {name: getattr(event, name) for name in names}


def _request(event: events.ModelRequested) -> dict[str, object]:
    last = event.messages[-1] if event.messages else {}
    return {
        "turn": event.turn,
        "model": f"{event.provider} {event.model}",
        "asked": last.get("content"),
    }


def _answer(event: events.ModelFinished) -> dict[str, object]:
    # How far a model came that nobody listens to any more is a matter of milliseconds.
    left = event.finish in ("cancelled", "lost_race")
    return {"turn": event.turn, "finish": event.finish, "text": "" if left else event.text}


def _decision(event: events.TurnDecision) -> dict[str, object]:
    probability = None if event.probability is None else round(event.probability, 2)
    return {
        "turn": event.turn,
        "verdict": event.verdict,
        "by": event.by,
        "probability": probability,
        "wait": round(event.wait, 2),
    }


# What of an event is compared besides its time; the others are not compared.
FACTS: Mapping[type[Event], Callable[[Any], dict[str, object]]] = {
    events.CallerSpeechStarted: _nothing,
    events.CallerSpeechStopped: _nothing,
    events.CallerPartial: _fields("turn", "text"),
    events.CallerSegment: _fields("turn", "text"),
    events.TurnDecision: _decision,
    events.CallerTurn: _fields("turn", "text", "source"),
    events.InterruptionIgnored: _fields("turn", "text", "reason"),
    events.DigitPressed: _fields("digit"),
    events.ClientMessage: _fields("data"),
    events.MachineJudged: _fields("verdict"),
    events.ModelRequested: _request,
    events.ModelFirstToken: _fields("turn"),
    events.ModelFinished: _answer,
    events.ToolCalled: _fields("turn", "name", "arguments"),
    events.ToolReturned: _fields("turn", "name", "result", "error"),
    events.VariableSet: _fields("name", "value"),
    events.KnowledgeSearched: _fields("turn", "query"),
    events.ClaimDoubted: _fields("turn", "claim"),
    events.SpeechRequested: _fields("turn", "provider", "text"),
    events.SpeechFirstAudio: _fields("turn"),
    events.SpeechFinished: _fields("turn"),
    events.AgentSpeechStarted: _fields("turn"),
    events.AgentTurn: _fields("turn", "interrupted", "text", "unheard"),
    events.DigitsSent: _fields("digits"),
    events.ClientTold: _fields("data"),
    events.SettingChanged: _fields("name", "value"),
    events.TransferStarted: _fields("to"),
    events.TransferFinished: _fields("to", "outcome"),
    events.InactivityNoticed: _fields("step"),
    events.BudgetSpent: _fields("step"),
    events.ProviderSlow: _fields("turn", "role"),
    events.ProviderFailed: _fields("turn", "role", "then"),
    events.CallEnded: _fields("reason"),
}
# The far end and the disk take their time at the end of a call.
TIMELESS = (events.CallEnded,)
# Events of one lane follow one another; those of different lanes may change places by a millisecond.
LANES = {"turn": "caller", "variable": "tool", "transfer": "call", "provider": "call", "claim": "call"}


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the runs part: the events of one lane that should be the same, with what stands around them."""

    lane: str
    recorded: Event | None
    replayed: Event | None
    before: Sequence[Event]
    recorded_after: Sequence[Event]
    replayed_after: Sequence[Event]

    @property
    def at(self) -> float:
        return min(event.at for event in (self.recorded, self.replayed) if event is not None)

    def __str__(self) -> str:
        lines = [f"The first divergence is at {self.at:.2f} s ({self.lane}):", ""]
        lines += [f"    {line_of(event)}" for event in self.before]
        lines.append(f"  - {line_of(self.recorded)}" if self.recorded else "  - nothing more in the stored call")
        lines.append(f"  + {line_of(self.replayed)}" if self.replayed else "  + nothing more in the replay")
        for title, after in (("stored", self.recorded_after), ("replayed", self.replayed_after)):
            if after:
                lines += ["", f"  {title}, next:", *(f"    {line_of(event)}" for event in after)]
        return "\n".join(lines)


def line_of(event: Event) -> str:
    facts = " ".join(f"{name}={value!r}" for name, value in FACTS[type(event)](event).items())
    return f"{event.at:8.2f}  {event.type}  {facts}".rstrip()


def first_divergence(
    recorded: Sequence[Event], replayed: Sequence[Event], tolerance: float = TOLERANCE
) -> Divergence | None:
    """The earliest difference between two runs of a call; None if they are the same."""
    one, other = _lanes(recorded), _lanes(replayed)
    found = [
        divergence
        for lane in dict.fromkeys([*one, *other])
        if (divergence := _parting(lane, one.get(lane, []), other.get(lane, []), tolerance)) is not None
    ]
    return min(found, key=lambda divergence: divergence.at, default=None)


def compared(found: Sequence[Event]) -> int:
    """How many of these events are compared."""
    return sum(type(event) in FACTS for event in found)


def _lanes(found: Sequence[Event]) -> dict[str, list[Event]]:
    lanes: dict[str, list[Event]] = {}
    for event in found:
        if type(event) in FACTS:
            prefix = event.type.partition(".")[0]
            lanes.setdefault(LANES.get(prefix, prefix), []).append(event)
    return lanes


def _parting(lane: str, one: Sequence[Event], other: Sequence[Event], tolerance: float) -> Divergence | None:
    for place, (recorded, replayed) in enumerate(zip_longest(one, other)):
        if not _same(recorded, replayed, tolerance):
            after = slice(place + 1, place + 1 + CONTEXT)
            before = one[max(0, place - CONTEXT) : place]
            return Divergence(lane, recorded, replayed, before, one[after], other[after])
    return None


def _same(recorded: Event | None, replayed: Event | None, tolerance: float) -> bool:
    if recorded is None or replayed is None or type(recorded) is not type(replayed):
        return False
    if not isinstance(recorded, TIMELESS) and abs(recorded.at - replayed.at) > tolerance:
        return False
    if isinstance(recorded, events.AgentTurn) and isinstance(replayed, events.AgentTurn):
        return _said_the_same(recorded, replayed)
    facts = FACTS[type(recorded)]
    return facts(recorded) == facts(replayed)


def _said_the_same(recorded: events.AgentTurn, replayed: events.AgentTurn) -> bool:
    """The same words, cut off at about the same place."""
    one, other = recorded.text.split(), replayed.text.split()
    whole = one + recorded.unheard.split(), other + replayed.unheard.split()
    near = abs(len(one) - len(other)) <= (WORDS if recorded.interrupted else 0)
    same_turn = (recorded.turn, recorded.interrupted) == (replayed.turn, replayed.interrupted)
    # What had not been spoken yet when the caller interrupted is in neither.
    return same_turn and near and all(a == b for a, b in zip(*whole, strict=False))
