"""The knowledge base in a call: what the agent is given, in time and whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.models import Organization
from builder import engine
from builder.compile import Library, compile_agent
from builder.config import AgentConfig
from builder.knowledge import calls
from builder.knowledge.calls import AgentKnowledge, knowledge_for
from builder.knowledge.models import Chunk, ChunkVector, Document, KnowledgeFolder
from tests.builder.knowledge.conftest import FakeEmbedder
from tests.conftest import VersionFactory
from voice import events
from voice.clock import CallClock
from voice.knowledge import consult
from voice.providers.base import ProviderError

pytestmark = pytest.mark.django_db(transaction=True)


class Shared:
    """The embedder that calls share."""

    def __init__(self, fake: FakeEmbedder) -> None:
        self._fake = fake
        self.hangs = False

    async def embed(self, texts: Sequence[str]) -> Any:
        if self.hangs:
            await asyncio.Event().wait()
        return self._fake.vectors("local:all-MiniLM-L6-v2", texts)


@pytest.fixture
def shared(embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch) -> Shared:
    shared = Shared(embedder)
    monkeypatch.setattr(engine, "embedder_for", lambda model: shared)
    return shared


@pytest.fixture
def library(folder: KnowledgeFolder, embedder: FakeEmbedder) -> Library:
    """A folder with two passages, learnt."""
    document = Document.objects.create(
        folder=folder, source="text", name="House rules", state="ready", updated_at=timezone.now()
    )
    for position, text in enumerate(("Dogs are welcome.", "Breakfast is at seven.")):
        chunk = Chunk.objects.create(document=document, position=position, text=text, heading="Stay", content_hash=text)
        row = embedder.vectors("local:all-MiniLM-L6-v2", [f"House rules > Stay\n{text}"])[0]
        ChunkVector.objects.create(
            chunk=chunk, model="local:all-MiniLM-L6-v2", dimensions=len(row), vector=row.astype("<f4").tobytes()
        )
    return Library(folder.organization_id, (folder.pk,))


async def test_a_turn_is_given_passages_and_the_call_cites_them(library: Library, shared: Shared) -> None:
    emitted: list[events.Event] = []
    knowledge = AgentKnowledge(library, budget=5.0)
    clock = CallClock(asyncio.get_running_loop())
    given = await consult(knowledge, "Can I bring my dogs?", turn=1, budget=30.0, clock=clock, emit=emitted.append)
    assert "Dogs are welcome. (House rules, Stay)" in given
    (searched,) = emitted
    assert isinstance(searched, events.KnowledgeSearched)
    assert searched.passages[0]["source"] == "House rules, Stay"
    assert searched.passages[0]["score"] > 0


async def test_an_embedding_model_that_hangs_leaves_the_words(library: Library, shared: Shared) -> None:
    shared.hangs = True
    found = await AgentKnowledge(library, budget=0.01).search("dogs")
    assert [passage.text for passage in found] == ["Dogs are welcome."]


async def test_an_embedding_model_that_fails_leaves_the_words(
    library: Library, shared: Shared, embedder: FakeEmbedder
) -> None:
    embedder.failure = ProviderError("local", "It is starting.")
    found = await AgentKnowledge(library, budget=5.0).search("dogs")
    assert [passage.text for passage in found] == ["Dogs are welcome."]


async def test_a_knowledge_base_that_breaks_costs_the_caller_nothing(
    library: Library, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "rank", lambda *args, **more: 1 / 0)
    assert await AgentKnowledge(library, budget=5.0).search("dogs") == []


async def test_folders_that_were_deleted_are_passed_over(library: Library, shared: Shared) -> None:
    await KnowledgeFolder.objects.all().adelete()
    assert await AgentKnowledge(library, budget=5.0).search("dogs") == []


async def test_a_call_warms_up_what_its_first_question_needs(
    library: Library, shared: Shared, embedder: FakeEmbedder, version_factory: VersionFactory
) -> None:
    version = await sync_to_async(version_factory)(config=AgentConfig(knowledge=library.folders))
    compiled = await sync_to_async(compile_agent)(version)
    embedder.asked.clear()
    knowledge = knowledge_for(compiled)
    assert knowledge is not None
    assert knowledge._warming is not None
    await knowledge._warming
    assert embedder.texts == ["Hello"]


async def test_an_agent_without_folders_looks_nothing_up(
    version_factory: VersionFactory, workspace: Organization
) -> None:
    compiled = await sync_to_async(lambda: compile_agent(version_factory()))()
    assert knowledge_for(compiled) is None


def test_vectors_are_those_that_were_stored(library: Library, embedder: FakeEmbedder) -> None:
    stored = ChunkVector.objects.order_by("pk").first()
    assert stored is not None
    row = np.frombuffer(bytes(stored.vector), "<f4")
    assert np.isclose(np.linalg.norm(row), 1.0)
