"""Collecting fields: asking, understanding, reading back, asking again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import date
from typing import Literal

from voice import events
from voice.flow import slots
from voice.flow.slots import Reading
from voice.flow.spec import CollectStep, Slot
from voice.flow.talk import ASIDE, Talk, asks_something, taken
from voice.flow.walk import Go, Part, Walk

By = Literal["words", "keypad", "model"]

# What may be found in words that answered something else: "on Friday at seven".
_FOUND_ALONGSIDE = frozenset({"date", "time", "phone", "email"})
# Only then is a number a time that nobody has asked for.
_SAYS_TIME = re.compile(r"\d:\d\d|\b(?:[ap]\.?\s?m\b|o'?clock|noon|midnight|morning|afternoon|evening|tonight|at \w)")
# What must have been said so: a model may not make it up.
_VERBATIM = frozenset({"name", "email", "phone", "digits", "text"})
MISHEARD = "I'm sorry, I didn't get that."


class Collecting:
    """Walks a collect step. The values live in the call's variables, and where it is in the walk's state."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    async def enter(self, walk: Walk, step: CollectStep) -> AsyncIterator[Part]:
        async for part in self._next(walk, step):
            yield part

    async def hear(self, walk: Walk, step: CollectStep) -> AsyncIterator[Part]:
        """Take the caller's words, or keys, for an answer to what was asked."""
        slot = next((slot for slot in step.slots if slot.name == walk.state.slot), None)
        if slot is None:
            parts = self._next(walk, step)
        elif walk.state.proposed is not None:
            parts = self._confirm(walk, step, slot)
        else:
            parts = self._answer(walk, step, slot)
        async with aclosing(parts) as said:  # type: ignore[type-var]
            async for part in said:
                yield part

    # --- asking

    async def _next(self, walk: Walk, step: CollectStep) -> AsyncIterator[Part]:
        """Ask for the next field that has no value; what was said already may have it."""
        for slot in step.slots:
            if self._is_known(walk, step, slot):
                continue
            walk.state.slot, walk.state.tries, walk.state.proposed = slot.name, 0, None
            found = self._alongside(walk, slot)
            if found is None:
                yield self._ask(walk, step, slot, "first")
                return
            if slot.confirm:
                yield self._propose(walk, step, slot, found)
                return
            self._fill(walk, step, slot, found, "words")
        walk.state.slot = ""
        yield Go(step.next, "all is known")

    def _is_known(self, walk: Walk, step: CollectStep, slot: Slot) -> bool:
        if slot.name in walk.state.filled or slot.name in walk.state.skipped:
            return True
        return not step.ask_again and walk.variables.get(slot.name) not in (None, "")

    def _alongside(self, walk: Walk, slot: Slot) -> object:
        """A value in words that the caller has said for something else."""
        if slot.type not in _FOUND_ALONGSIDE or walk.answered or slots.keyed(walk.heard) is not None:
            return None
        if slot.type == "time" and not _SAYS_TIME.search(walk.heard.lower()):
            return None
        return slots.read(slot, walk.heard, today=_today(walk)).value

    def _ask(
        self, walk: Walk, step: CollectStep, slot: Slot, why: Literal["first", "again", "confirm"], before: str = ""
    ) -> Part:
        attempt = walk.state.tries + 1
        walk.tell(events.SlotAsked, step=step.id, slot=slot.name, attempt=attempt, why=why)
        words = slots.question(slot)
        if why == "confirm":
            words = f"That's {slots.said(slot, walk.state.proposed, today=_today(walk))}. Is that right?"
        walk.expect_keys(1 if why == "confirm" else keys_expected(slot))
        return self._talk.say(walk, f"{before} {words}")

    def _propose(self, walk: Walk, step: CollectStep, slot: Slot, value: object) -> Part:
        walk.state.proposed = value
        return self._ask(walk, step, slot, "confirm")

    # --- understanding

    async def _answer(self, walk: Walk, step: CollectStep, slot: Slot) -> AsyncIterator[Part]:
        keys = slots.keyed(walk.heard)
        by: By = "words" if keys is None else "keypad"
        reading = self._read(walk, slot) if keys is None else slots.read_keys(slot, keys, today=_today(walk))
        aside = keys is None and await self._leads_away(walk, slot, reading)
        if isinstance(aside, Go):
            yield aside
        elif reading.value is not None and not aside:
            async for part in self._take(walk, step, slot, reading.value, by):
                yield part
        elif not aside and not slot.required and slots.declines(walk.heard):
            self._heard(walk, step, slot, "skipped")
            walk.state.skipped.add(slot.name)
            async for part in self._next(walk, step):
                yield part
        elif reading.problem:
            self._heard(walk, step, slot, "refused", detail=reading.problem)
            yield self._again(walk, step, slot, reading.problem)
        elif keys is None:
            async for part in self._unclear(walk, step, slot):
                yield part
        else:
            self._heard(walk, step, slot, "not_understood")
            yield self._again(walk, step, slot)

    def _read(self, walk: Walk, slot: Slot) -> Reading:
        return slots.read(slot, walk.heard, today=_today(walk))

    async def _leads_away(self, walk: Walk, slot: Slot, reading: Reading) -> Go | bool:
        """Whether words that can be taken for a value say something else: where any words can, the model is asked."""
        if slot.type == "text" and (go := await self._talk.judged_route(walk, ())):
            return go
        return asks_something(walk.heard) and (slot.type == "text" or reading.value is not None)

    async def _unclear(self, walk: Walk, step: CollectStep, slot: Slot) -> AsyncIterator[Part]:
        """Words that are no value: a correction, a question, a wish, or a value in other words."""
        if corrected := self._corrected(walk, step):
            yield self._ask(walk, step, slot, "again", before=corrected)
            return
        routes = self._talk.open_routes(walk, ())
        options = [route.when for route in routes]
        if asks_something(walk.heard) and not routes:
            chosen: int | None = 0
        else:
            asked = slots.question(slot).rstrip("?")
            options += ["the caller asks about something else", f"it answers the question: {asked}"]
            chosen = await self._talk.which(walk, options)
            if chosen is not None and chosen < len(routes):
                yield taken(routes[chosen])
                return
            chosen = None if chosen is None else chosen - len(routes)
        if chosen == 0:
            async for part in self._digress(walk, step, slot):
                yield part
        elif chosen == 1 and (value := await self._by_model(walk, slot)) is not None:
            async for part in self._take(walk, step, slot, value, "model"):
                yield part
        else:
            self._heard(walk, step, slot, "not_understood")
            yield self._again(walk, step, slot)

    async def _by_model(self, walk: Walk, slot: Slot) -> object:
        """What the model takes the words for, if it can be read as a value, and was not made up."""
        what = slots.question(slot).rstrip("?").lower()
        if slot.choices:
            what += f" ({', '.join(slot.choices)})"
        written = await self._talk.extract(walk, what)
        if slot.type in _VERBATIM and not slots.mentions(walk.heard, written):
            return None
        return slots.read(slot, written, today=_today(walk)).value if written else None

    def _corrected(self, walk: Walk, step: CollectStep) -> str:
        """A field that was filled before and is corrected now ("no, the fourteenth"): the words that say so."""
        answer, rest = slots.yes_or_no(walk.heard)
        if answer is not False or not rest:
            return ""
        for name in reversed(walk.state.filled):
            slot = next(slot for slot in step.slots if slot.name == name)
            value = slots.read(slot, rest, today=_today(walk)).value if slot.type != "text" else None
            if value is not None and value != walk.variables.get(name):
                self._fill(walk, step, slot, value, "words")
                return f"{slots.said(slot, value, today=_today(walk))}, then."
        return ""

    async def _digress(self, walk: Walk, step: CollectStep, slot: Slot) -> AsyncIterator[Part]:
        """The model answers what the caller asks; then the field is asked for again."""
        self._talk.instruct(ASIDE, tools=())
        async with aclosing(self._talk.answer(walk)) as outputs:  # type: ignore[type-var]
            async for output in outputs:
                yield output
        yield self._ask(walk, step, slot, "again" if walk.state.proposed is None else "confirm")

    # --- taking

    async def _take(self, walk: Walk, step: CollectStep, slot: Slot, value: object, by: By) -> AsyncIterator[Part]:
        if slot.confirm:
            self._heard(walk, step, slot, "filled", value=value, by=by)
            yield self._propose(walk, step, slot, value)
            return
        self._fill(walk, step, slot, value, by)
        async for part in self._next(walk, step):
            yield part

    async def _confirm(self, walk: Walk, step: CollectStep, slot: Slot) -> AsyncIterator[Part]:
        keys = slots.keyed(walk.heard)
        answer, rest = slots.yes_or_no(walk.heard)
        if keys is not None:
            answer, rest = {"1": True, "2": False}.get(keys.strip("#")), ""
        value = self._other(walk, slot, rest) if rest else None
        if value is not None:
            walk.state.tries += answer is False
            yield self._propose(walk, step, slot, value)
        elif answer:
            self._heard(walk, step, slot, "confirmed", value=walk.state.proposed)
            self._fill(walk, step, slot, walk.state.proposed, None)
            async for part in self._next(walk, step):
                yield part
        elif answer is False:
            self._heard(walk, step, slot, "denied", value=walk.state.proposed)
            walk.state.proposed = None
            yield self._again(walk, step, slot, "I'm sorry.")
        elif asks_something(walk.heard):
            async for part in self._digress(walk, step, slot):
                yield part
        elif go := await self._talk.judged_route(walk, ()):
            yield go
        else:
            yield self._again(walk, step, slot)

    def _other(self, walk: Walk, slot: Slot, text: str) -> object:
        """Another value than the one that was read back."""
        if slot.type == "text":
            return None
        value = slots.read(slot, text, today=_today(walk)).value
        return value if value != walk.state.proposed else None

    def _again(self, walk: Walk, step: CollectStep, slot: Slot, problem: str = "") -> Part:
        """Ask again, unless that was too often."""
        walk.state.tries += 1
        if walk.state.tries > slot.retries:
            return Go(step.failed, f"{slots.label(slot)} was asked for {walk.state.tries} times")
        why: Literal["again", "confirm"] = "again" if walk.state.proposed is None else "confirm"
        if slot.again and why == "again":
            walk.tell(events.SlotAsked, step=step.id, slot=slot.name, attempt=walk.state.tries + 1, why=why)
            return self._talk.say(walk, slot.again)
        return self._ask(walk, step, slot, why, before=problem or MISHEARD)

    def _fill(self, walk: Walk, step: CollectStep, slot: Slot, value: object, by: By | None) -> None:
        if by is not None:
            self._heard(walk, step, slot, "filled", value=value, by=by)
        walk.set(slot.name, value, step.title)
        walk.state.filled.append(slot.name)
        walk.state.proposed = None

    def _heard(self, walk: Walk, step: CollectStep, slot: Slot, verdict: str, **more: object) -> None:
        walk.tell(events.SlotHeard, step=step.id, slot=slot.name, verdict=verdict, **more)


def keys_expected(slot: Slot) -> int | None:
    """How many keys answer a slot, if that is known."""
    if slot.type == "yes_no" or (slot.type == "choice" and len(slot.choices) < 10):
        return 1
    return int(slot.most) if slot.type == "digits" and slot.most is not None and slot.least == slot.most else None


def _today(walk: Walk) -> date:
    return date.fromisoformat(str(walk.variables["system__date"]))
