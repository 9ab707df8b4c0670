"""Looking things up for a turn: the Knowledge protocol, and how long an answer may wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from voice import events
from voice.clock import CallClock
from voice.faults import worded
from voice.providers.base import ProviderError

Emit = Callable[[events.Event], None]


@dataclass(frozen=True, slots=True)
class Passage:
    """Some text that was found. `source` names where it stands; a higher `score` fits better."""

    text: str
    source: str
    score: float


class Knowledge(Protocol):
    """What an agent can look up."""

    async def search(self, query: str, *, most: int = 3) -> Sequence[Passage]:
        """The passages that fit best, best first."""


async def consult(knowledge: Knowledge, query: str, *, turn: int, budget: float, clock: CallClock, emit: Emit) -> str:
    """The passages for a turn, written for a model; empty when there are none or they do not come in time."""
    return written(await look_up(knowledge, query, turn=turn, budget=budget, clock=clock, emit=emit))


async def look_up(
    knowledge: Knowledge, query: str, *, turn: int, budget: float, clock: CallClock, emit: Emit
) -> Sequence[Passage]:
    """The passages for a turn; none when they do not come in time."""
    started = clock.now()
    passages: Sequence[Passage] = ()
    failure: ProviderError | None = None
    try:
        async with asyncio.timeout(budget):
            with worded("knowledge"):
                passages = await knowledge.search(query)
    except TimeoutError:
        failure = ProviderError("knowledge", f"Nothing was found within {budget:g} s.")
    except ProviderError as error:  # it must not cost the caller the answer
        failure = error
    if failure is not None:
        emit(
            events.ProviderFailed(
                at=clock.now(),
                turn=turn,
                role="knowledge",
                provider=failure.provider,
                error=str(failure),
                then="answering without it",
            )
        )
    emit(
        events.KnowledgeSearched(
            at=clock.now(),
            turn=turn,
            query=query,
            passages=[asdict(passage) for passage in passages],
            took=round(clock.now() - started, 4),
        )
    )
    return passages


def written(passages: Sequence[Passage]) -> str:
    """Passages as a model reads them, behind the caller's words; empty without any."""
    if not passages:
        return ""
    found = "\n".join(f"- {passage.text} ({passage.source})" for passage in passages)
    return f"\n[From the knowledge base, use what fits:\n{found}]"
