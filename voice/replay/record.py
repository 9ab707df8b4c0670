"""A stored call, read for replay: its events, and what each provider gave in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from voice import events
from voice.events import Event
from voice.providers.base import ProviderBusy, ProviderError, ToolRequest
from voice.spec import AgentSpec
from voice.toolbox import INTERRUPTED
from voice.tools import ToolPolicy
from voice.tools.builtin import tools_of

E = TypeVar("E", bound=Event)

# A recogniser's failures that the engine found out for itself, and will again.
_FOUND_OUT = ("No words came within", "The words were lost")
_LISTENING_WITH = "listening with "
_UNANSWERED = ("cancelled", "lost_race", "too_slow", "error")


class NotReplayable(Exception):
    """These events cannot be replayed; the text says why."""


def read_events(path: Path) -> list[Event]:
    """The events of a file: JSON lines, a JSON array, or an object with `events`, as a call's events.json is.

    Raises NotReplayable for anything else.
    """
    try:
        rows = _rows(path.read_text(encoding="utf-8"))
        return [events.decode({name: value for name, value in row.items() if name != "sequence"}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotReplayable(f"{path} does not hold the events of a call: {type(error).__name__}: {error}") from error


def _rows(text: str) -> list[dict[str, Any]]:
    try:
        data = json.loads(text)
    except ValueError:
        data = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(data, dict):
        data = data.get("events", [data])
    return list(data)


@dataclass(eq=False)
class Answer:
    """One request to a language model, and what came of it. Times are seconds from the request."""

    requested: events.ModelRequested
    first: float | None = None
    finished: events.ModelFinished | None = None
    tools: list[ToolRequest] = field(default_factory=list)
    failure: ProviderError | None = None

    @property
    def lasted(self) -> float:
        return self.finished.at - self.requested.at if self.finished else 0.0

    @property
    def whole(self) -> bool:
        """The model came to its end."""
        return self.finished is not None and self.finished.finish not in _UNANSWERED


@dataclass(eq=False)
class Spoken:
    """One request to a voice, and what came of it. Times are seconds from the request."""

    requested: events.SpeechRequested
    first: float | None = None
    finished: events.SpeechFinished | None = None
    failure: ProviderError | None = None

    @property
    def lasted(self) -> float:
        return self.finished.at - self.requested.at if self.finished else 0.0


@dataclass(eq=False)
class ToolRun:
    """One run of a tool. `told` are its messages to the caller's application, by seconds from its start."""

    called: events.ToolCalled
    returned: events.ToolReturned | None = None
    variables: dict[str, object] = field(default_factory=dict)
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)


class Record:
    """The events of one call, up to a hand-off to another agent: what that one is, the call does not know."""

    def __init__(self, found: Sequence[Event], spec: AgentSpec | None = None) -> None:
        if not found or not isinstance(found[0], events.CallStarted):
            raise NotReplayable("The first event is not the start of a call.")
        handed_off = next((i for i, one in enumerate(found) if isinstance(one, events.AgentSwitched)), len(found))
        self.started = found[0]
        self.events = list(found[:handed_off])
        self.whole = handed_off == len(found)
        if spec is None and not self.started.spec:
            raise NotReplayable("The call does not say how its agent was set up: give its AgentSpec with --spec.")
        self.spec = spec or AgentSpec.model_validate(self.started.spec)

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def ends_at(self) -> float:
        return self.events[-1].at

    # --- who took part

    @cached_property
    def recognisers(self) -> list[str]:
        names = []
        for event in self.events:
            if isinstance(event, events.CallerSegment):
                names.append(event.provider)
            elif isinstance(event, events.ProviderFailed) and event.role == "stt":
                names.append(event.provider)
                if event.then.startswith(_LISTENING_WITH):
                    names.append(event.then.removeprefix(_LISTENING_WITH))
        return list(dict.fromkeys(names)) or ["recorded"]

    @cached_property
    def models(self) -> list[tuple[str, str]]:
        """Providers and models, in the order in which they were asked."""
        asked = [(one.provider, one.model) for one in self.all(events.ModelRequested)]
        return list(dict.fromkeys(asked)) or [("recorded", self.spec.model.name)]

    @cached_property
    def voices(self) -> list[tuple[str, str]]:
        """Providers and voices, in the order in which they spoke; each provider once."""
        first: dict[str, str] = {}
        for one in self.all(events.SpeechRequested):
            first.setdefault(one.provider, one.voice)
        return list(first.items()) or [("recorded", self.spec.voice.id)]

    @cached_property
    def end_of_turn(self) -> str:
        """The name of the model that judges whether a turn is over; empty if none did."""
        judged = [one.by for one in self.all(events.TurnDecision) if one.probability is not None]
        failed = [one.provider for one in self._failures("end_of_turn")]
        named = [by for by in judged if "-" in by]
        return next(iter([*failed, *named, *judged]), "")

    # --- what they gave

    @cached_property
    def answers(self) -> list[Answer]:
        found: dict[str, Answer] = {}
        latest: dict[int, Answer] = {}
        for place, event in enumerate(self.events):
            if isinstance(event, events.ModelRequested):
                found[event.request] = Answer(event)
            elif isinstance(event, events.ModelFirstToken):
                found[event.request].first = event.at - found[event.request].requested.at
            elif isinstance(event, events.ModelFinished):
                answer = found[event.request]
                answer.finished = event
                if event.finish == "error":
                    answer.failure = self._model_failure(place, answer.requested.provider)
                if answer.whole:
                    latest[event.turn] = answer
            # What a model prints into its words is found in them again.
            elif isinstance(event, events.ToolCalled) and not event.tool_call.startswith("said-"):
                request = ToolRequest(event.tool_call, event.name, _written(event.arguments))
                if event.turn in latest:
                    latest[event.turn].tools.append(request)
        return list(found.values())

    def _model_failure(self, place: int, provider: str) -> ProviderError:
        """Why a model failed, by what is told next of it."""
        for event in self.events[place:]:
            if (
                isinstance(event, events.ProviderSlow)
                and event.role == "llm"
                and event.at < self.events[place].at + 0.1
            ):
                return ProviderBusy(provider, "It was busy.")
            if isinstance(event, events.ProviderFailed) and event.role == "llm":
                return ProviderError(provider, event.error, retryable=event.then == f"asking {provider} again")
        return ProviderError(provider, "It failed.")

    @cached_property
    def spoken(self) -> list[Spoken]:
        found: dict[str, Spoken] = {}
        for place, event in enumerate(self.events):
            if isinstance(event, events.SpeechRequested):
                found[event.request] = Spoken(event)
            elif isinstance(event, events.SpeechFirstAudio):
                found[event.request].first = event.at - found[event.request].requested.at
            elif isinstance(event, events.SpeechFinished):
                one = found[event.request]
                one.finished, one.failure = event, self._voice_failure(place, one.requested.provider)
        return list(found.values())

    def _voice_failure(self, place: int, provider: str) -> ProviderError | None:
        """Why a voice broke off, if that is told before it is asked again."""
        for event in self.events[place:]:
            if isinstance(event, events.SpeechRequested):
                break
            if isinstance(event, events.ProviderFailed) and (event.role, event.provider) == ("tts", provider):
                return ProviderError(provider, event.error, retryable=event.then == f"asking {provider} again")
        return None

    @cached_property
    def tool_runs(self) -> list[ToolRun]:
        runs: dict[str, ToolRun] = {}
        running: list[ToolRun] = []
        for event in self.events:
            if isinstance(event, events.ToolCalled):
                runs[event.tool_call] = ToolRun(event)
                running.append(runs[event.tool_call])
            elif isinstance(event, events.ToolReturned) and event.tool_call in runs:
                run = runs[event.tool_call]
                run.returned = event
                running.remove(run)
            elif isinstance(event, events.ClientTold) and running:
                running[-1].told.append((event.at - running[-1].called.at, event.data))
            elif isinstance(event, events.VariableSet):
                of = [run for run in runs.values() if run.called.name == event.by and run.returned is not None]
                if of:
                    of[-1].variables[event.name] = event.value
        return list(runs.values())

    @cached_property
    def tool_policies(self) -> Mapping[str, ToolPolicy]:
        """The tools that are not the engine's own, and how they were run as far as the events tell."""
        own = {tool.schema.name for tool in tools_of(self.spec)}
        named = [name for one in self.all(events.ModelRequested) for name in one.tools]
        called = [run.called.name for run in self.tool_runs]
        return {name: self._policy(name) for name in dict.fromkeys([*named, *called]) if name not in own}

    def _policy(self, name: str) -> ToolPolicy:
        done = [(run.called, run.returned) for run in self.tool_runs if run.called.name == name and run.returned]
        asked, turns = self.all(events.ModelRequested), self.all(events.CallerTurn)
        background = any(
            called.at < one.at < returned.at and one.turn == called.turn for called, returned in done for one in asked
        )
        late = any(called.at < turn.at < returned.at for called, returned in done for turn in turns)
        stopped = any(returned.error == INTERRUPTED for _, returned in done)
        said = (self._said_before(called.turn, returned.at) for called, returned in done)
        return ToolPolicy(
            timeout=60.0 + max((returned.took for _, returned in done), default=0.0),
            background=background,
            cancellable=stopped or not late,
            speech=next(filter(None, said), ""),
        )

    def _said_before(self, turn: int, at: float) -> str:
        """What was said in a turn before its tool was done, and is not the model's."""
        written = " ".join(one.finished.text for one in self.answers if one.requested.turn == turn and one.finished)
        fixed = self.spec.phrases.model_dump().values()
        said = (e.text for e in self.all(events.SpeechRequested) if e.turn == turn and e.at < at)
        return next((text for text in said if text not in written and text not in fixed), "")

    @cached_property
    def hearing_failures(self) -> list[events.ProviderFailed]:
        """What recognisers reported, as opposed to what the engine found out."""
        return [one for one in self._failures("stt") if not one.error.startswith(_FOUND_OUT)]

    def _failures(self, role: str) -> Iterator[events.ProviderFailed]:
        return (one for one in self.all(events.ProviderFailed) if one.role == role)

    def failure_at(self, role: str, at: float) -> ProviderError | None:
        """What this role failed with at that moment."""
        found = next((one for one in self._failures(role) if abs(one.at - at) < 0.01), None)
        return None if found is None else ProviderError(found.provider, found.error)


def _written(arguments: Mapping[str, Any]) -> str:
    """The JSON of a tool call, as the model wrote it if it was none."""
    raw = arguments.get("raw")
    return raw if len(arguments) == 1 and isinstance(raw, str) and "raw" in arguments else json.dumps(arguments)
