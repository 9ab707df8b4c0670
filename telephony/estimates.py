"""What an agent's answers take and cost: from the last calls of this workspace, and from the prices.

Of services that no call has used yet only the price is known, and a minute of a usual call stands for what they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from billing.costs import Component, Usage, costs
from billing.selectors import LOCAL, PriceBook, price_book
from builder.compile import default_model
from builder.config import AgentConfig
from builder.measures.selectors import measured
from builder.models import Agent, ModelConnection
from builder.problems.subject import Chosen, Subject
from voice.providers.vendor import Role

TYPICAL_MS: Mapping[str, int] = {"stt": 150, "llm": 900, "tts": 450}
"""Of our own models on two cores (benchmarks/), until calls of this installation say more."""
TURNS_A_MINUTE = 4
ANSWER_TOKENS = 40
CONVERSATION_TOKENS = 600
"""Of the conversation so far, which each turn sends again."""
CHARACTERS_A_MINUTE = 400
"""The agent speaks for about half of the time."""
JUDGED_MS = 60
"""The end of a turn is judged while the pause goes on, and a little longer."""
BAR = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One service, or the wait for the end of the turn. None is what nobody knows; money is micro-dollars a minute."""

    key: str
    label: str
    name: str
    waited_ms: int | None
    basis: str
    """Where the time is from, in words."""
    micro: int | None
    priced: bool = True
    """False for what is no service, and costs nothing."""
    measured: bool = False
    """The time is from calls of this installation."""

    @property
    def seconds(self) -> str:
        """The time to two digits, "0.45"; "" where nobody knows it."""
        return "" if self.waited_ms is None else f"{self.waited_ms / 1000:.2g}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a stacked bar, in thousandths of it."""

    key: str
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an answer takes and a minute costs. A total leaves out what is not known."""

    parts: tuple[Part, ...]

    @property
    def waited_ms(self) -> int:
        return sum(part.waited_ms or 0 for part in self.parts)

    @property
    def micro(self) -> int:
        return sum(part.micro or 0 for part in self.parts)

    @property
    def beside(self) -> dict[str, Part | None]:
        """What stands beside each choice of a service, by what it does; None where it is not asked at all, for the
        model hears and speaks by itself."""
        by_key = {part.key: part for part in self.parts}
        return {
            "stt": by_key.get("stt"),
            "answers": by_key.get("llm") or by_key.get("realtime"),
            "tts": by_key.get("tts"),
        }

    @property
    def unmeasured(self) -> list[str]:
        return [part.label for part in self.parts if part.waited_ms is None]

    @property
    def unpriced(self) -> list[str]:
        return [part.label for part in self.parts if part.micro is None]

    @property
    def time_bar(self) -> list[Segment]:
        return list(_segments([(part.key, part.waited_ms or 0) for part in self.parts]))

    @property
    def cost_bar(self) -> list[Segment]:
        return list(_segments([(part.key, part.micro or 0) for part in self.parts]))


def _segments(values: list[tuple[str, int]]) -> Iterator[Segment]:
    total, done = sum(value for _, value in values), 0
    for key, value in values:
        if value:
            begin, end = done * BAR // total, (done + value) * BAR // total
            yield Segment(key, begin, end - begin)
        done += value


def estimate(agent: Agent, config: AgentConfig | None = None) -> Estimate:
    """Of the draft, or of `config` in its place. What stands behind the first choices is left out."""
    subject = Subject.of(agent, config or agent.draft_config)
    book = price_book(agent.organization)
    turns = subject.config.turns
    pause = Part(
        key="turn",
        label="Pause",
        name="waits for the caller to have finished",
        waited_ms=round(1000 * turns.finished_silence) + JUDGED_MS,
        basis="set under Turn taking",
        micro=0,
        priced=False,
    )
    if subject.answers_by == "realtime":
        return Estimate((_service(subject, book, "realtime", subject.chain("llm")[0]),))
    services = [_service(subject, book, role, subject.chain(role)[0]) for role in ("stt", "llm", "tts")]
    return Estimate((pause, *services))


_LABELS: Mapping[Component, str] = {
    "stt": "Recognition",
    "llm": "Language model",
    "tts": "Voice",
    "realtime": "Speech to speech",
}


def _service(subject: Subject, book: PriceBook, role: Component, chosen: Chosen) -> Part:
    connection = subject.connections.get(chosen.source.connection)
    vendor = LOCAL if chosen.source.connection == LOCAL else connection.vendor if connection else ""
    model = _model(chosen, connection)
    found = measured(subject.organization, role, vendor, model)
    waited, basis = found.waited_ms, f"median of {found.calls} call{'' if found.calls == 1 else 's'}"
    is_measured = waited is not None
    if waited is None:
        waited = TYPICAL_MS.get(role) if vendor == LOCAL else None
        basis = "usual on two cores" if waited is not None else "no call has used it yet"
    per_minute = found.per_minute or _usual(subject, role)
    name = "On this machine" if vendor == LOCAL else " · ".join(filter(None, (str(connection or "gone"), model)))
    return Part(
        key=role,
        label=_LABELS[role],
        name=name,
        waited_ms=waited,
        basis=basis,
        micro=_price(book, role, vendor, model, per_minute),
        measured=is_measured,
    )


def _model(chosen: Chosen, connection: ModelConnection | None) -> str:
    role: Role = chosen.role
    if connection is None:
        return ""
    return chosen.source.model or default_model(connection, role)


def _usual(subject: Subject, role: Component) -> dict[str, float]:
    """What a minute of a usual call takes of a service."""
    match role:
        case "stt":
            return {"stt_second": 60.0}
        case "tts":
            return {"tts_character": float(CHARACTERS_A_MINUTE)}
        case "llm":
            sent = subject.prompt_tokens + CONVERSATION_TOKENS
            out = float(TURNS_A_MINUTE * ANSWER_TOKENS)
            return {"llm_input_token": float(TURNS_A_MINUTE * sent), "llm_output_token": out}
    return {}


def _price(book: PriceBook, role: Component, vendor: str, model: str, per_minute: Mapping[str, float]) -> int | None:
    """Micro-dollars; None where a price, or what a minute takes, is not known."""
    if vendor == LOCAL:
        return 0
    usages = [
        Usage(
            component=role, provider=vendor, vendor=vendor, model=model, unit=unit, quantity=Fraction(round(count, 3))
        )
        for unit, count in per_minute.items()
    ]
    total = costs(usages, book.price_of)
    return total.total if total.complete and usages else None
