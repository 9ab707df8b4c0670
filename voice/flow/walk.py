"""One turn's way through a flow: where the call is, and what happens to it on the way."""

from __future__ import annotations

import copy
import re
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from voice import events
from voice.brain import Ask, Output
from voice.clock import CallClock
from voice.flow import slots
from voice.flow.spec import CollectStep, Flow, Step
from voice.tools import CallControl
from voice.variables import names_in, render, value_at

Emit = Callable[[events.Event], None]

_ONLY_A_PLACE = re.compile(r"^\s*\{\{\s*([\w.-]+)\s*\}\}\s*$")


@dataclass(frozen=True, slots=True)
class Go:
    """The way leads on: to the step with this id, `because` of something, in words for people."""

    to: str
    because: str


Part = Output | Go
"""What a step gives: words, what happens to the call, or where it goes on. A step that ends without a `Go` waits."""


@dataclass(slots=True)
class State:
    """Where a call is in its flow. All but `step` and `listening` belong to the step, and begin anew with it."""

    step: str = ""
    """Its id; "" before the flow has begun."""
    listening: str = ""
    """The last step that listened to the caller: a goodbye that was interrupted goes back there."""
    turns: int = 0
    """How often the caller has spoken in it."""
    tries: int = 0
    """How often the same thing was asked for in vain."""
    slot: str = ""
    """The variable that is asked for."""
    proposed: Any = None
    """A value that waits to be confirmed."""
    skipped: set[str] = field(default_factory=set)
    """Variables that the caller has nothing to say to."""
    filled: list[str] = field(default_factory=list)
    """Variables that were filled here, in order."""

    def enter(self, step_id: str) -> None:
        self.step = step_id
        self.turns = self.tries = 0
        self.slot, self.proposed = "", None
        self.skipped, self.filled = set(), []


class Walk:
    """The way of one turn. The caller may yet go on speaking, and it never happened: until `certain`, it has a state
    and variables of its own, and tells nobody."""

    def __init__(
        self, ask: Ask, flow: Flow, state: State, *, control: CallControl, clock: CallClock, emit: Emit
    ) -> None:
        self.ask = ask
        self.state = copy.deepcopy(state)
        self.variables: ChainMap[str, object] = ChainMap({}, control.variables)
        self.heard = ask.text
        """The caller's words, until something has answered them."""
        self.answered = False
        """The model has spoken to what the caller said."""
        self._flow = flow
        self._control = control
        self._clock = clock
        self._emit = emit
        self._effects: list[Callable[[], None]] = []
        self._counts = False

    # --- what happens

    async def certain(self) -> None:
        """Wait until the caller is known to have finished. From then on everything counts."""
        await self.ask.certain.wait()
        self._counts = True
        effects, self._effects = self._effects, []
        for effect in effects:
            effect()

    def do(self, effect: Callable[[], None]) -> None:
        """Do something to the call, once it counts."""
        if self._counts:
            effect()
        else:
            self._effects.append(effect)

    def tell(self, event: Callable[..., events.Event], /, **fields: object) -> None:
        """Emit an event of this turn."""
        self.do(lambda: self._emit(event(at=self._clock.now(), turn=self.ask.turn, **fields)))

    def note(self, text: str) -> None:
        """Leave a warning for whoever made the flow."""
        self.do(lambda: self._emit(events.AgentLogged(at=self._clock.now(), name="flow", level="warning", text=text)))

    def expect_keys(self, most: int | None) -> None:
        """How many keys the caller is asked for; None where that is open."""
        self.do(partial(self._control.expect_keys, most))

    def set(self, name: str, value: object, by: str) -> None:
        self.variables[name] = value
        self.do(partial(self._set, name, value, by))

    def _set(self, name: str, value: object, by: str) -> None:
        """From here on the call's own variables have it, as their types want it."""
        self.variables.maps[0].pop(name, None)
        self._control.set_variable(name, value, by)

    # --- where it goes

    @property
    def step(self) -> Step | None:
        """Where it is."""
        return self._flow.step(self.state.step)

    def enter(self, step: Step, because: str) -> None:
        self.state.enter(step.id)
        self.expect_keys(None)
        self.tell(events.StepEntered, step=step.id, name=step.title, kind=step.kind, because=because)

    # --- words

    def words(self, text: str, *, aloud: bool = False) -> str:
        """A text with its variables; `aloud`, the fields among them are as they are read back."""
        values = ChainMap(self._read_back(names_in(text)), self.variables) if aloud else self.variables
        return " ".join(render(text, values).split())

    def _read_back(self, names: Sequence[str]) -> dict[str, object]:
        """Those of these variables that are fields: what is stored as 2026-12-01 is said as “Tuesday, December 1”."""
        today = date.fromisoformat(str(self.variables["system__date"]))
        fields = [slot for step in self._flow.steps if isinstance(step, CollectStep) for slot in step.slots]
        known = [(slot, self.variables.get(slot.name)) for slot in fields if slot.name in names]
        return {slot.name: slots.aloud(slot, value, today=today) for slot, value in known if value is not None}

    def filled(self, template: str) -> object:
        """A template with its variables; one that is only a variable is its value, of whatever type."""
        if match := _ONLY_A_PLACE.match(template):
            return value_at(self.variables, match[1])
        return render(template, self.variables)

    def arguments(self, templates: Mapping[str, str]) -> dict[str, object]:
        """Templates, filled; those whose variable has no value are left out."""
        found = {name: self.filled(template) for name, template in templates.items()}
        return {name: value for name, value in found.items() if value is not None}
