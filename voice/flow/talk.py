"""What the steps of a flow have in common: how they speak, ask the model aside, and take routes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from voice.brain import Ask, LlmBrain, Output, Say
from voice.flow.expressions import parse
from voice.flow.spec import Flow, Route
from voice.flow.walk import Go, Walk
from voice.providers.base import ProviderError
from voice.spec import AgentSpec

_NUMBER = re.compile(r"\d+")
_JSON = re.compile(r"\{.*?\}", re.DOTALL)
_QUESTION = re.compile(
    r"^\W*(?:(?:um|uh|er|well|so|and|but|okay|ok|sorry|wait|hi|hello|excuse me|first|actually)\W+)*"
    r"(?:what|when|where|who|whom|whose|why|which|how|do you|does|did|are you|are there|is there|is it|is that|"
    r"will you|will it|would you|can you|could you|have you|don't you|may i ask|i have a question|tell me)\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"^\W*(?:how about|what about|(?:can|could|may) (?:i|we)|would .* work|is .* (?:okay|possible|free|available))\b",
    re.IGNORECASE,
)
ASIDE = "Answer what the caller has just said, in one or two short sentences. Ask for nothing, and promise nothing."


class Talk:
    """The model of a call that has a flow. It talks when a step lets it, and decides between what a step offers."""

    def __init__(self, brain: LlmBrain, spec: AgentSpec, flow: Flow) -> None:
        self.brain = brain
        self._spec = spec
        self._flow = flow

    # --- speaking

    def say(self, walk: Walk, text: str, *, interruptible: bool = True) -> Say:
        """Fixed words, which the model is to remember as its own."""
        words = walk.words(text, aloud=True)
        if words:
            self.brain.said(walk.ask.turn, words)
        return Say(f"{words} ", interruptible=interruptible, pause=True)

    def instruct(self, prompt: str, *, tools: Sequence[str] | None, temperature: float | None = None) -> None:
        """Have the model go by the agent's prompt and this one."""
        whole = "\n\n".join(filter(None, (self._spec.prompt, prompt)))
        self.brain.instruct(whole, tools=tools, temperature=temperature)

    async def answer(self, walk: Walk, *, known: str | None = None, hint: str = "") -> AsyncIterator[Output]:
        """Let the model speak. Raises ProviderError."""
        ask = Ask(walk.ask.turn, walk.heard, walk.ask.certain)
        async with aclosing(self.brain.go_on(ask, known=known, hint=hint)) as outputs:  # type: ignore[type-var]
            async for output in outputs:
                yield output
        yield Say(" ", pause=True)
        walk.answered = True

    # --- deciding

    async def which(self, walk: Walk, options: Sequence[str]) -> int | None:
        """Which of these is true of the caller's last words; None for none of them, or when the model cannot say."""
        lines = ["0: none of these", *(f"{number}: {option}" for number, option in enumerate(options, 1))]
        question = (
            "Do not answer this yet. Which line is true of my last words? Choose 0 unless one clearly is.\n"
            + "\n".join(lines)
            + '\nAnswer with JSON: {"line": number}'
        )
        numbers = list(range(len(lines)))
        form = {
            "type": "object",
            "properties": {"line": {"enum": numbers}},
            "required": ["line"],
            "additionalProperties": False,
        }
        written = await self._judged(walk, question, form)
        match = _NUMBER.search(written)
        chosen = int(match[0]) if match else 0
        return chosen - 1 if 0 < chosen <= len(options) else None

    async def extract(self, walk: Walk, what: str) -> str:
        """What the caller's last words say of something, as the model understands them; "" for nothing."""
        question = (
            f"Do not answer this yet. From my last words only: {what}? "
            'Answer with JSON: {"value": "..."}, or {"value": null} if I did not say.'
        )
        form = {
            "type": "object",
            "properties": {"value": {"anyOf": [{"type": "string", "maxLength": 120}, {"type": "null"}]}},
            "required": ["value"],
            "additionalProperties": False,
        }
        match = _JSON.search(await self._judged(walk, question, form))
        try:
            value = json.loads(match[0]).get("value") if match else None
        except (ValueError, AttributeError):
            value = None
        return str(value) if value is not None else ""

    async def _judged(self, walk: Walk, question: str, form: dict[str, object]) -> str:
        try:
            return await self.brain.judge(walk.ask, question, form)
        except ProviderError:
            # It is told in events, and the flow goes on as if the model had not been sure.
            return ""

    # --- routes

    def open_routes(self, walk: Walk, routes: Sequence[Route]) -> list[Route]:
        """The routes that only words can decide now."""
        return [
            route
            for route in (*routes, *self._flow.routes)
            if route.when
            and route.to != walk.state.step
            and (not route.condition or parse(route.condition).holds(walk.variables))
        ]

    def sure_route(self, walk: Walk, routes: Sequence[Route]) -> Go | None:
        """The first route whose expression alone decides, and holds."""
        for route in (*routes, *self._flow.routes):
            if route.to == walk.state.step:
                continue
            if route.condition and not route.when and parse(route.condition).holds(walk.variables):
                return Go(route.to, f"because {route.condition}")
        return None

    async def judged_route(self, walk: Walk, routes: Sequence[Route]) -> Go | None:
        """The route that the caller's words take, as the model judges them."""
        offered = self.open_routes(walk, routes)
        if not offered or not walk.heard:
            return None
        chosen = await self.which(walk, [walk.words(route.when) for route in offered])
        return taken(offered[chosen]) if chosen is not None else None


def taken(route: Route) -> Go:
    return Go(route.to, f"“{route.when}”")


def asks_something(text: str) -> bool:
    """Whether the caller's words ask for something else than they were asked for: "are you open on Sundays?"; not "can
    I come on Sunday?"."""
    if _WISH.match(text):
        return False
    return text.rstrip().endswith("?") or bool(_QUESTION.match(text))
