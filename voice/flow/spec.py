"""Flow: an agent as steps with routes between them. The platform keeps the state; the model only talks.

A plain agent is a flow of one conversation step (`as_flow`). A route names the step that it leads to; one that is
empty, or that leads to a step which is not there, ends the call with a goodbye. The list of problems on the agent page
tells of such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from voice.flow.texts import Address, Condition, FieldName, HeaderName, Name, Pattern, StepId, Template, To, Words
from voice.frozen import Frozen

MOST_STEPS = 500


# --- parts of steps


class Position(Frozen):
    """Where a step stands in the picture, in pixels from the upper left."""

    x: float = Field(ge=-100_000, le=100_000)
    y: float = Field(ge=-100_000, le=100_000)


class Route(Frozen):
    """A way out of a conversation: `when`, in words that the model judges ("the caller wants to reschedule"), and
    `condition`, an expression that must hold. With both, both must; with neither it is never taken."""

    when: str = Field("", max_length=500)
    condition: Condition | Literal[""] = ""
    to: To = ""


class Case(Frozen):
    """Of a branch."""

    condition: Condition
    to: To = ""


class Key(Frozen):
    """Of a menu: the key to press, and what may be said instead."""

    key: str = Field(pattern=r"^[0-9*#]$")
    words: tuple[Annotated[str, StringConstraints(min_length=1, max_length=60)], ...] = Field((), max_length=10)
    to: To = ""


class Assignment(Frozen):
    name: Name
    value: Condition


SlotType = Literal["name", "date", "time", "phone", "email", "number", "digits", "choice", "yes_no", "text"]


class Slot(Frozen):
    """A field to collect, stored in the variable `name`.

    Values are stored as `voice.flow.slots` reads them: dates as 2026-12-31, times as 17:30, phone numbers in E.164,
    numbers as numbers, `digits` as text, yes_no as true or false, and choices as they are written here.
    """

    name: Name
    type: SlotType = "text"
    question: Words = ""
    """How it is asked for; empty asks by the name."""
    again: Words = ""
    """Said when the answer cannot be used; empty says what is wrong with it."""
    required: bool = True
    """Otherwise the caller may have none."""
    confirm: bool = False
    """Read the value back, and have it confirmed."""
    retries: int = Field(2, ge=0, le=10)
    """So often it is asked for again."""
    choices: tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...] = Field((), max_length=50)
    """Of a choice."""
    least: float | None = None
    """Of a number, its least value; of digits and text, the fewest characters."""
    most: float | None = None
    whole: bool = False
    """Of a number: no fractions."""
    period: Literal["any", "future", "past"] = "any"
    """Of a date: today counts for both."""
    earliest: str = Field("", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")
    """Of a time: not before."""
    latest: str = Field("", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")
    region: str = Field("US", pattern=r"^[A-Z]{2}$")
    """Of a phone number without a country code: its country, ISO 3166-1."""
    pattern: Pattern = ""
    """Of digits and text: a regular expression that the whole of it has to fit."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Slot:
        if self.type == "choice" and not self.choices:
            raise ValueError("A choice needs its choices.")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("The least is more than the most.")
        if self.earliest and self.latest and self.earliest > self.latest:
            raise ValueError("The earliest time is after the latest.")
        return self


# --- steps


class BaseStep(Frozen):
    """What all steps have. `id` is unique in the flow, `name` is for people."""

    id: StepId
    name: str = Field("", max_length=80)
    position: Position | None = None
    """None leaves it to the layout."""

    @property
    def title(self) -> str:
        return self.name or self.id.replace("_", " ").capitalize()


class ConversationStep(BaseStep):
    """The model talks with the caller, by the agent's prompt and this step's, until a route is taken."""

    kind: Literal["conversation"]
    prompt: str = Field("", max_length=20_000)
    say: Words = ""
    """Said when the step begins; empty has the model speak, if it is its turn."""
    tools: tuple[str, ...] | None = Field(None, max_length=40)
    """The ids of those of the agent's tools that it may use here; None is all of them."""
    voice: str = Field("", max_length=200)
    """Another voice of the agent's provider."""
    language: str = Field("", pattern=r"^([a-z]{2})?$")
    """Another one of the agent's languages."""
    temperature: float | None = Field(None, ge=0.0, le=2.0)
    routes: tuple[Route, ...] = Field((), max_length=20)
    max_turns: int | None = Field(None, ge=1, le=100)
    """After so many turns of the caller without a route, `too_long` is taken."""
    too_long: To = ""


class BranchStep(BaseStep):
    """The first case that holds is taken."""

    kind: Literal["branch"]
    cases: tuple[Case, ...] = Field((), max_length=50)
    otherwise: To = ""


class CollectStep(BaseStep):
    """Asks for fields, one after the other; those that have a value already are not asked for."""

    kind: Literal["collect"]
    slots: tuple[Slot, ...] = Field(min_length=1, max_length=30)
    ask_again: bool = False
    """Forget the values that the fields have."""
    next: To = ""
    failed: To = ""
    """When a field was asked for too often."""


class ToolStep(BaseStep):
    """Runs one of the agent's tools, without the model."""

    kind: Literal["tool"]
    tool: str = Field("", max_length=100)
    """Its id in the library."""
    function: str = Field("", max_length=100)
    """Of a tool that has several, an MCP server: which."""
    arguments: Mapping[str, Template] = Field(default_factory=dict, max_length=40)
    say: Words = ""
    """Said while it runs."""
    result: Name | Literal[""] = ""
    """The variable that takes all of its result."""
    assign: Mapping[Name, str] = Field(default_factory=dict, max_length=40)
    """Variables, by dotted paths in a result that is JSON ("slots.0.time")."""
    success: To = ""
    failure: To = ""


class KnowledgeStep(BaseStep):
    """Answers a question from documents, and from nothing else."""

    kind: Literal["knowledge"]
    question: Words = ""
    """Asked first; empty answers what the caller has said last."""
    folders: tuple[str, ...] = Field((), max_length=50)
    """Their ids; none is all that the agent has."""
    next: To = ""
    nothing_found: To = ""


class MenuStep(BaseStep):
    """Offers keys to press; the words for them may be said as well."""

    kind: Literal["menu"]
    say: Words = ""
    """The offer; empty is made of the keys."""
    keys: tuple[Key, ...] = Field(min_length=1, max_length=12)
    again: Words = "I'm sorry, I didn't get that."
    """Said before the offer is repeated."""
    retries: int = Field(2, ge=0, le=10)
    failed: To = ""


class TransferStep(BaseStep):
    """Gives the caller to somebody that the agent knows of."""

    kind: Literal["transfer"]
    target: str = Field("", max_length=64)
    """The name of one of the agent's transfers."""
    say: Words = "One moment, I'll connect you."
    brief: Template = ""
    """What a warm transfer tells that person."""
    failure: To = ""


class HandOffStep(BaseStep):
    """Another agent goes on with the call, or another step with what was said so far; it speaks with its own voice."""

    kind: Literal["handoff"]
    agent: str = Field("", max_length=64)
    """Its id; empty goes on in `next`."""
    say: Words = ""
    """Said before; empty hands off silently."""
    message: Template = ""
    """What the next one is told, in words for a model."""
    next: To = ""
    """Without an agent, or when it cannot take the call."""


class SetStep(BaseStep):
    kind: Literal["set"]
    values: tuple[Assignment, ...] = Field((), max_length=40)
    next: To = ""


class PostStep(BaseStep):
    """Sends what is known to an HTTP address."""

    kind: Literal["post"]
    url: Address = ""
    """It, and the headers, may hold {{variables}} and {{secret__names}}."""
    headers: Mapping[HeaderName, Template] = Field(default_factory=dict, max_length=20)
    body: Mapping[FieldName, Template] = Field(default_factory=dict, max_length=40)
    """Sent as JSON, by dotted names ("customer.name"). One that is only a {{variable}} keeps its type."""
    wait: bool = False
    """Whether the conversation waits for the answer; otherwise `failure` is never taken."""
    next: To = ""
    failure: To = ""


class SmsStep(BaseStep):
    """Sends a text message, by one of the workspace's connections to a carrier."""

    kind: Literal["sms"]
    connection: str = Field("", max_length=40)
    """Its id."""
    sender: str = Field("", max_length=200)
    """A number of that account in E.164, or a pool of numbers as the carrier names it."""
    recipient: str = Field("{{system__caller_id}}", max_length=200)
    """A number in E.164."""
    text: str = Field("", max_length=1_600)
    """So much fits into one. May hold {{variables}}, as sender and recipient may."""
    wait: bool = False
    """As for a post."""
    next: To = ""
    failure: To = ""


class SayStep(BaseStep):
    kind: Literal["say"]
    say: Words = ""
    interruptible: bool = True
    next: To = ""


class EndStep(BaseStep):
    kind: Literal["end"]
    say: Words = "Thank you for calling. Goodbye."
    reason: str = Field("", max_length=200)
    """For people: why the call was over."""


Step = Annotated[
    ConversationStep
    | BranchStep
    | CollectStep
    | ToolStep
    | KnowledgeStep
    | MenuStep
    | TransferStep
    | HandOffStep
    | SetStep
    | PostStep
    | SmsStep
    | SayStep
    | EndStep,
    Field(discriminator="kind"),
]


class Flow(Frozen):
    """The steps of an agent. It begins with `start`, or with the first step where that is not there."""

    start: To = ""
    steps: tuple[Step, ...] = Field((), max_length=MOST_STEPS)
    routes: tuple[Route, ...] = Field((), max_length=20)
    """Can be taken from any step that listens to the caller: "they ask for a human"."""

    @model_validator(mode="after")
    def _has_one_of_each_id(self) -> Flow:
        seen: set[str] = set()
        for step in self.steps:
            if step.id in seen:
                raise ValueError(f"Two steps have the id {step.id}.")
            seen.add(step.id)
        return self

    def step(self, step_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == step_id), None)

    @property
    def first(self) -> Step | None:
        return self.step(self.start) or next(iter(self.steps), None)


def as_flow() -> Flow:
    """A plain agent as a flow: one conversation, which adds nothing to the agent's own prompt."""
    return Flow(
        start="conversation", steps=(ConversationStep(kind="conversation", id="conversation", name="Conversation"),)
    )


def exits(step: Step) -> Iterator[tuple[str, str, str]]:
    """The routes out of a step, as (path of the field, what they are for people, the id that they lead to)."""
    match step:
        case ConversationStep():
            for place, route in enumerate(step.routes):
                yield f"routes.{place}.to", route.when or route.condition, route.to
            if step.max_turns is not None:
                yield "too_long", f"after {step.max_turns} turns", step.too_long
        case BranchStep():
            for place, case in enumerate(step.cases):
                yield f"cases.{place}.to", case.condition, case.to
            yield "otherwise", "otherwise", step.otherwise
        case MenuStep():
            for place, key in enumerate(step.keys):
                yield f"keys.{place}.to", " · ".join((key.key, *key.words[:1])), key.to
            yield "failed", "no choice", step.failed
        case CollectStep():
            yield "next", "all known", step.next
            yield "failed", "asked too often", step.failed
        case ToolStep():
            yield "success", "success", step.success
            yield "failure", "failure", step.failure
        case KnowledgeStep():
            yield "next", "answered", step.next
            yield "nothing_found", "nothing found", step.nothing_found
        case TransferStep():
            yield "failure", "failure", step.failure
        case HandOffStep():
            yield "next", "cannot take the call" if step.agent else "goes on", step.next
        case PostStep() | SmsStep():
            yield "next", "next", step.next
            if step.wait:
                yield "failure", "failure", step.failure
        case SetStep() | SayStep():
            yield "next", "next", step.next
        case EndStep():
            pass
