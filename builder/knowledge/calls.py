"""The knowledge base as a call uses it: on the event loop, in time, and never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import structlog
from django.db import close_old_connections

from builder import engine
from builder.compile import CompiledAgent, Library
from builder.knowledge.embedding import Floats, Models, models_of
from builder.knowledge.search import LONGEST_QUERY, Found, rank
from voice.knowledge import Passage
from voice.providers.base import ProviderError

EMBEDDING_SHARE = 0.6
"""How much of a turn's budget the embedding model may use; then the search goes by words alone."""
WARM_SECONDS = 30.0

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)


def knowledge_for(compiled: CompiledAgent, folders: tuple[str, ...] = ()) -> AgentKnowledge | None:
    """What a call of the agent looks things up in, getting ready from now on: its own folders, or these of its
    workspace. None where there is nothing."""
    library = Library(compiled.organization_id, folders) if folders else compiled.documents
    if library is None:
        return None
    knowledge = AgentKnowledge(library, budget=compiled.spec.knowledge_budget)
    knowledge.warm()
    return knowledge


class AgentKnowledge:
    """`voice.knowledge.Knowledge` over the folders of an agent. Belongs to the event loop of the call."""

    def __init__(self, library: Library, *, budget: float) -> None:
        self._library = library
        self._patience = EMBEDDING_SHARE * budget
        self._warming: asyncio.Task[None] | None = None

    def warm(self) -> None:
        """Begin to read the folders into memory, and to reach the embedding model: the first question finds both."""
        self._warming = asyncio.create_task(self._warm(), name="knowledge")

    async def search(self, query: str, *, most: int = 3) -> Sequence[Passage]:
        """The passages that fit best; none where the knowledge base fails, which the log tells."""
        try:
            models = await _in_thread(models_of, self._library.organization_id)
            vector = await self._vector(query[:LONGEST_QUERY], models, self._patience)
            found = await self._rank(query[:LONGEST_QUERY], vector, models, most)
        except Exception:
            log.exception("The knowledge base failed")
            return []
        return [one.passage for one in found]

    async def _warm(self) -> None:
        try:
            models = await _in_thread(models_of, self._library.organization_id)
            vector = await self._vector("Hello", models, WARM_SECONDS)
            await self._rank("Hello", vector, models, 1)
        except Exception:
            log.exception("The knowledge base could not be made ready")

    async def _vector(self, query: str, models: Models, patience: float) -> Floats | None:
        """The question as a vector; None where the embedding model does not give it in time."""
        if models.serving is None or not query.strip():
            return None
        try:
            async with asyncio.timeout(patience):
                vector: Floats = (await engine.embedder_for(models.serving).embed([query]))[0]
        except (ProviderError, TimeoutError) as error:
            log.warning("A search goes by words alone", model=models.serving.label, error=str(error) or "too slow")
            return None
        return vector

    async def _rank(self, query: str, vector: Floats | None, models: Models, most: int) -> list[Found]:
        return await _in_thread(
            rank,
            self._library.organization_id,
            self._library.folders,
            query,
            vector,
            model=models.serving.key if models.serving else "",
            most=most,
            patient=False,
        )


async def _in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call what uses the database, off the event loop. Its thread keeps no connection."""

    def call() -> R:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.to_thread(call)
