"""Vectors that Postgres compares. Where it cannot, these tests are skipped, and the search is tested without it."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection

from accounts.models import Organization
from builder.knowledge import index, pgvector, tasks
from builder.knowledge.models import Chunk, ChunkVector, KnowledgeFolder
from builder.knowledge.pgvector import InDatabase
from builder.knowledge.search import search
from tests.builder.knowledge.conftest import FakeEmbedder, TextFactory

pytestmark = pytest.mark.django_db

TEXTS = ("Dogs are welcome.", "Dogs cost ten pounds a night.", "Breakfast is at seven.", "There is a piano.")


@pytest.fixture
def _pgvector() -> None:
    if not pgvector.is_ready():
        pytest.skip("pgvector: this database is no Postgres with the extension `vector`")


def both(folder: KnowledgeFolder) -> tuple[InDatabase, index.InMemory]:
    """The vectors of a folder where Postgres compares them, and where we do."""
    model = ChunkVector.objects.values_list("model", flat=True)[0]
    passages = Chunk.objects.order_by("document_id", "position").values_list("pk", flat=True)
    ids = np.array(passages, np.int64)
    stored = InDatabase.of(folder.pk, model, ids)
    assert stored is not None
    return stored, index.InMemory.of(folder.pk, model, ids)


@pytest.mark.usefixtures("_pgvector")
def test_postgres_compares_as_we_do(typed: TextFactory, folder: KnowledgeFolder, embedder: FakeEmbedder) -> None:
    for text in TEXTS:
        typed(text)
    stored, held = both(folder)
    question = embedder.vectors(stored.model, ["what do dogs cost"])[0]
    assert np.allclose(stored.similarities(question), held.similarities(question), atol=1e-6)
    assert stored.similarities(question).any()


@pytest.mark.usefixtures("_pgvector")
def test_no_vectors_are_held_in_memory(typed: TextFactory, folder: KnowledgeFolder, workspace: Organization) -> None:
    typed(TEXTS[0])
    folder.refresh_from_db()
    assert search(workspace, None, "dogs").found[0].meaning_rank == 1
    model = ChunkVector.objects.get().model
    assert isinstance(index.INDEXES.get(folder.pk, model, folder.revision).vectors, InDatabase)


@pytest.mark.usefixtures("_pgvector")
def test_a_question_of_another_size_is_near_to_nothing(typed: TextFactory, folder: KnowledgeFolder) -> None:
    typed(TEXTS[0])
    stored, _ = both(folder)
    assert not stored.similarities(np.ones(3, np.float32)).any()


@pytest.mark.usefixtures("_pgvector")
def test_only_the_nearest_are_told_apart(
    typed: TextFactory, folder: KnowledgeFolder, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgvector, "NEAREST", 1)
    for text in TEXTS:
        typed(text)
    stored, held = both(folder)
    question = embedder.vectors(stored.model, ["what do dogs cost"])[0]
    found = stored.similarities(question)
    assert np.count_nonzero(found) == 1
    assert found.argmax() == held.similarities(question).argmax()


@pytest.mark.usefixtures("_pgvector")
def test_vectors_from_before_are_held_in_memory_until_the_worker_has_copied_them(
    typed: TextFactory, folder: KnowledgeFolder
) -> None:
    typed(TEXTS[0])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE builder_chunkvector SET embedding = NULL, folder_id = NULL")
    model = ChunkVector.objects.get().model
    assert isinstance(index.build(folder.pk, model, 0).vectors, index.InMemory)
    tasks.look_after_knowledge()
    assert isinstance(index.build(folder.pk, model, 0).vectors, InDatabase)


@pytest.mark.usefixtures("_pgvector")
def test_a_database_that_is_prepared_once_more_stays_as_it_is(typed: TextFactory, folder: KnowledgeFolder) -> None:
    typed(TEXTS[0])
    pgvector.prepare()
    assert both(folder)


def test_a_database_that_cannot_compare_vectors_is_asked_for_nothing(
    typed: TextFactory, folder: KnowledgeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgvector, "is_ready", lambda: False)
    typed(TEXTS[0])
    assert pgvector.copy(ChunkVector.objects.all()) == 0
    assert isinstance(index.build(folder.pk, ChunkVector.objects.get().model, 0).vectors, index.InMemory)
