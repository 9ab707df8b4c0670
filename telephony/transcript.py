"""A call read from its events: who said what and when, what was done meanwhile, and what the model was sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from telephony.models import CallEvent
from telephony.words import Tone, pretty, remark
from voice import events
from voice.events import Event, Word
from voice.latency import TurnLatency, turn_latencies
from voice.speech import timings

KEYED = "[keyed in: "
"""How the engine tells the model of an entry by keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSaid:
    """What the caller said or typed. Its words have no times of their own: they are spread evenly.

    Not `finished` is a turn that has not ended yet, or never did: only the words recognised so far are known.
    """

    at: float
    end: float
    text: str
    source: Literal["speech", "typed", "keypad"] = "speech"
    words: list[Word]
    finished: bool = True
    kind: str = "caller"


@dataclass(slots=True, kw_only=True)
class AgentSaid:
    """What the caller heard of the agent, and what was cut off."""

    at: float
    end: float
    text: str = ""
    words: list[Word] = field(default_factory=list)
    interrupted: bool = False
    unheard: str = ""
    finished: bool = False
    kind: str = "agent"


@dataclass(slots=True, kw_only=True)
class ToolUse:
    """`took` is None until the tool has returned."""

    at: float
    name: str
    arguments: str
    result: str = ""
    error: str = ""
    took: float | None = None
    kind: str = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    at: float
    tone: Tone
    text: str
    icon: str = "info"
    detail: str = ""
    kind: str = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of the knowledge base that was found; `score` is in percent."""

    text: str
    source: str
    score: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeUse:
    """What the knowledge base gave for a turn; `took` is seconds."""

    at: float
    query: str
    passages: list[Passage]
    took: float
    kind: str = "knowledge"


Item = CallerSaid | AgentSaid | ToolUse | KnowledgeUse | Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    role: str
    content: str
    tool_calls: str


@dataclass(slots=True, kw_only=True)
class ModelRequest:
    """One request to the language model: what it was sent, and what came back. `first_token` and `took` are seconds
    after `at`."""

    request: str
    provider: str
    model: str
    at: float
    messages: list[SentMessage]
    tools: list[str]
    speculative: bool
    first_token: float | None = None
    took: float | None = None
    finish: str = ""
    text: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyPart:
    """A share of a turn's latency; `percent` is of the total."""

    name: str
    label: str
    seconds: float
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySpan:
    """A bar of the waterfall; `x` and `width` are percent of it."""

    name: str
    label: str
    start: float
    end: float
    seconds: float
    detail: str
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long the caller waited for an answer, and for what. `start` is where the waterfall begins."""

    total: float
    start: float
    parts: list[LatencyPart]
    spans: list[LatencySpan]

    @property
    def summary(self) -> str:
        """The parts that the turn had, in milliseconds: "EOT 180 · STT 40 · LLM 240 · TTS 95 · playout 57"."""
        return " · ".join(
            f"{SHORT.get(part.name, part.name)} {part.seconds * 1000:.0f}" for part in self.parts if part.seconds
        )


@dataclass(slots=True, kw_only=True)
class Turn:
    """A caller's turn and the answer to it; turn 0 is what the agent says first."""

    number: int
    at: float
    items: list[Item] = field(default_factory=list)
    requests: list[ModelRequest] = field(default_factory=list)
    latency: Latency | None = None


LABELS = {
    "end_of_turn": "End of turn",
    "stt": "Recognition",
    "llm": "Model",
    "tts": "Voice",
    "playout": "Playout",
}
"""The parts of a turn's latency, in their order, as people read them."""
SHORT = {"end_of_turn": "EOT", "stt": "STT", "llm": "LLM", "tts": "TTS"}
"""How they are called where there is little room."""


def decoded(row: CallEvent) -> Event | None:
    """The event that a row holds; None where it is of a kind that this version does not know."""
    try:
        return events.decode(row.encoded)
    except (KeyError, TypeError):
        return None


def turns(call_events: Iterable[Event]) -> list[Turn]:
    """The call's turns, in order, also of a call that is still going on or that was cut off in the middle."""
    reader = _Reader()
    call_events = list(call_events)
    for event in call_events:
        reader.take(event)
    reader.finish()
    for number, latency in turn_latencies(call_events).items():
        if number in reader.turns:
            reader.turns[number].latency = _latency(latency)
    return [reader.turns[number] for number in sorted(reader.turns)]


class _Reader:
    """Goes through a call's events once, and sorts them into turns."""

    def __init__(self) -> None:
        self.turns: dict[int, Turn] = {}
        self._partial: events.CallerPartial | None = None
        self._speaking: dict[int, AgentSaid] = {}
        self._tools: dict[str, ToolUse] = {}
        self._requests: dict[str, ModelRequest] = {}
        self._latest = 0

    def take(self, event: Event) -> None:
        match event:
            case events.CallerPartial():
                self._partial = event
            case events.CallerTurn():
                self._partial = None
                self._caller(event)
            case events.AgentSpeechStarted():
                started = event.at + event.playout_delay
                self._speaking[event.turn] = said = AgentSaid(at=started, end=started)
                self._add(event.turn, said)
            case events.AgentHeard():
                self._heard(event)
            case events.AgentTurn():
                said = self._spoken(event.turn, event.started)
                said.at, said.end, said.text = event.started, event.ended, event.text
                said.interrupted, said.unheard, said.finished = event.interrupted, event.unheard, True
                self._speaking.pop(event.turn, None)
            case events.ToolCalled():
                self._tools[event.tool_call] = tool = ToolUse(
                    at=event.at, name=event.name, arguments=pretty(event.arguments)
                )
                self._add(event.turn, tool)
            case events.ToolReturned():
                if used := self._tools.get(event.tool_call):
                    used.result, used.error, used.took = event.result, event.error, event.took
            case events.ModelRequested() | events.ModelFirstToken() | events.ModelFinished():
                self._model(event)
            case _:
                self._notice(event)

    def finish(self) -> None:
        """The call's events end here: what was being said goes in as far as it is known."""
        if partial := self._partial:
            self._add(
                partial.turn,
                CallerSaid(at=partial.at, end=partial.at, text=partial.text, words=[], finished=False),
            )
        for turn in self.turns.values():
            turn.items.sort(key=lambda item: item.at)

    def _caller(self, event: events.CallerTurn) -> None:
        text = event.text.removeprefix(KEYED).removesuffix("]") if event.source == "keypad" else event.text
        length = event.ended - event.started
        words = [Word(w.text, w.start, w.end) for w in timings(text, length, event.started)]
        self._add(
            event.turn, CallerSaid(at=event.started, end=event.ended, text=text, source=event.source, words=words)
        )

    def _heard(self, event: events.AgentHeard) -> None:
        if not event.words:
            return
        said = self._spoken(event.turn, event.words[0].start)
        said.words += event.words
        said.end = max(said.end, event.words[-1].end)
        said.text = " ".join(word.text for word in said.words)

    def _spoken(self, turn: int, at: float) -> AgentSaid:
        """What the agent is saying in this turn."""
        if turn not in self._speaking:
            self._speaking[turn] = said = AgentSaid(at=at, end=at)
            self._add(turn, said)
        return self._speaking[turn]

    def _model(self, event: events.ModelRequested | events.ModelFirstToken | events.ModelFinished) -> None:
        if isinstance(event, events.ModelRequested):
            self._requests[event.request] = asked = ModelRequest(
                request=event.request,
                provider=event.provider,
                model=event.model,
                at=event.at,
                messages=[_message(message) for message in event.messages],
                tools=event.tools,
                speculative=event.speculative,
            )
            self._turn(event.turn, event.at).requests.append(asked)
        elif found := self._requests.get(event.request):
            if isinstance(event, events.ModelFirstToken):
                found.first_token = event.at - found.at
            else:
                found.took, found.finish, found.text = event.at - found.at, event.finish, event.text
                found.input_tokens, found.output_tokens = event.input_tokens, event.output_tokens
                found.cached_tokens = event.cached_tokens

    def _notice(self, event: Event) -> None:
        if isinstance(event, events.KnowledgeSearched):
            self._add(event.turn, _knowledge(event))
        elif (said := remark(event)) is not None:
            notice = Notice(at=event.at, tone=said.tone, text=said.text, icon=said.icon, detail=said.detail)
            # An event of no turn belongs to the one that it happened in.
            self._add(getattr(event, "turn", self._latest), notice)

    def _add(self, number: int, item: Item) -> None:
        turn = self._turn(number, item.at)
        turn.at = min(turn.at, item.at)
        turn.items.append(item)

    def _turn(self, number: int, at: float) -> Turn:
        self._latest = max(self._latest, number)
        return self.turns.setdefault(number, Turn(number=number, at=at))


def _knowledge(event: events.KnowledgeSearched) -> KnowledgeUse:
    passages = [
        Passage(
            text=str(passage.get("text", "")),
            source=str(passage.get("source", "")),
            score=round(100 * passage["score"]) if isinstance(passage.get("score"), int | float) else None,
        )
        for passage in event.passages
    ]
    return KnowledgeUse(at=event.at, query=event.query, passages=passages, took=event.took)


def _message(message: dict[str, Any]) -> SentMessage:
    content = message.get("content") or ""
    return SentMessage(
        role=str(message.get("role", "")),
        content=content if isinstance(content, str) else pretty(content),
        tool_calls=pretty(message["tool_calls"]) if message.get("tool_calls") else "",
    )


def _latency(turn: TurnLatency) -> Latency:
    start = min((span.start for span in turn.spans), default=0.0)
    width = max((span.end for span in turn.spans), default=0.0) - start or 1.0
    return Latency(
        total=turn.total,
        start=start,
        parts=[
            LatencyPart(
                name=name,
                label=label,
                seconds=getattr(turn, name),
                percent=round(100 * getattr(turn, name) / turn.total, 2) if turn.total > 0 else 0.0,
            )
            for name, label in LABELS.items()
        ],
        spans=[
            LatencySpan(
                name=span.name,
                label=LABELS.get(span.name, span.name.capitalize()),
                start=span.start,
                end=span.end,
                seconds=span.end - span.start,
                detail=span.detail,
                x=round(100 * (span.start - start) / width, 2),
                width=round(100 * (span.end - span.start) / width, 2),
            )
            for span in turn.spans
        ],
    )
