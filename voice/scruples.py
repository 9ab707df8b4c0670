"""What an agent keeps from saying, and from having said: its guardrails and its honesty, held over one call.

Each time that one of them is needed it is told by an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from voice import events
from voice.clock import CallClock
from voice.guardrails import Guard
from voice.honesty import Honesty
from voice.providers.base import ToolSchema
from voice.spec import AgentSpec

Emit = Callable[[events.Event], None]
Then = Literal["refused", "replaced", "said"]


class Scruples:
    """What tools have done is remembered when another agent takes over the call; its rules are its own."""

    def __init__(self, spec: AgentSpec, *, clock: CallClock, emit: Emit) -> None:
        self._clock = clock
        self._emit = emit
        self._honesty = Honesty()
        self.take_over(spec)

    def take_over(self, spec: AgentSpec) -> None:
        """From now on the agent of `spec` speaks."""
        self._guard = Guard(spec.guardrails)
        self._mode = spec.honesty
        self.refusal = spec.guardrails.refusal

    def know(self, tools: Iterable[ToolSchema]) -> None:
        """These tools may do what the agent will claim."""
        self._honesty.know(tools)

    def notice(self, event: events.Event) -> None:
        """Something happened on the call; what tools have done counts."""
        self._honesty.notice(event)

    # --- before it is said

    def refuses(self, text: str) -> str:
        """The topic that a caller's words name and that is refused; "" if none."""
        return self._guard.refuses(text)

    def refused(self, turn: int, topic: str, text: str) -> None:
        """The caller's words were answered with the refusal."""
        self._tell(turn, "topic", topic, text, "refused")

    def clean(self, turn: int, clause: str) -> str:
        """A piece of what the brain says without what the agent never says."""
        words, found = self._guard.cleaned(clause)
        for phrase in found:
            self._tell(turn, "never_say", phrase, clause, "replaced")
        return words

    def joining(self, other: Callable[[str, int], bool | None]) -> Callable[[str, int], bool | None]:
        """What says where a text must not be cut: not within what is never said, nor where `other` says."""
        return self._guard.joining(other)

    # --- after it is said

    def corrects(self, turn: int, said: str) -> bool:
        """Whether something was claimed that no tool has done, and is to be corrected aloud."""
        doubts = self._doubts(said)
        corrects = bool(doubts) and self._mode == "correct" and self._honesty.may_correct(turn)
        self._note(turn, doubts, "corrected" if corrects else "noted")
        return corrects

    def regret(self, said: events.AgentTurn) -> None:
        """Note what should not have been said: nothing can take back a sound that a model makes by itself."""
        self._note(said.turn, self._doubts(said.text), "noted")
        for phrase in self._guard.found(said.text):
            self._tell(said.turn, "never_say", phrase, said.text, "said")

    def _doubts(self, said: str) -> list[str]:
        return [] if self._mode == "off" else self._honesty.doubts(said)

    def _note(self, turn: int, doubts: Iterable[str], then: Literal["corrected", "noted"]) -> None:
        for claim in doubts:
            self._emit(events.ClaimDoubted(at=self._clock.now(), turn=turn, claim=claim, then=then))

    def _tell(self, turn: int, kind: Literal["topic", "never_say"], rule: str, text: str, then: Then) -> None:
        self._emit(events.GuardrailApplied(at=self._clock.now(), turn=turn, kind=kind, rule=rule, text=text, then=then))
