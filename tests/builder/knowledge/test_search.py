"""The search: in which folders, ranked how, and what happens while things change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from accounts.models import Organization, User
from builder.knowledge import bm25, index, services
from builder.knowledge.models import ChunkVector, KnowledgeFolder, KnowledgeSettings
from builder.knowledge.search import Found, fuse, search
from tests.builder.knowledge.conftest import FakeEmbedder, FolderFactory, TextFactory
from tests.conftest import ConnectionFactory
from voice.knowledge import written
from voice.providers.base import ProviderError


def found(organization: Organization, query: str, folders: list[str] | None = None, **more: Any) -> list[str]:
    return [one.chunk.text for one in search(organization, folders, query, **more).found]


def test_what_fits_best_comes_first_and_no_more_than_wanted(typed: TextFactory, workspace: Organization) -> None:
    for text in ("Dogs are welcome.", "Dogs cost ten pounds a night.", "Breakfast is at seven.", "There is a piano."):
        typed(text)
    assert found(workspace, "what do dogs cost")[0] == "Dogs cost ten pounds a night."
    assert len(found(workspace, "dogs", most=1)) == 1


def test_a_passage_is_cited_with_its_document_headings_and_page(typed: TextFactory, workspace: Organization) -> None:
    typed("# Pets\nDogs are welcome.", "House rules")
    (one,) = search(workspace, None, "dogs").found
    assert one.source == "House rules, Pets"
    assert written([one.passage]).endswith("- Dogs are welcome. (House rules, Pets)]")
    one.chunk.page = 3
    assert Found(one.chunk, 1.0, 1, 1.0, 1, 1.0).source == "House rules, Pets, page 3"


def test_only_the_folders_that_are_asked_are_searched(
    typed: TextFactory, folder_factory: FolderFactory, folder: KnowledgeFolder, workspace: Organization
) -> None:
    other = folder_factory("Prices")
    typed("Dogs are welcome.")
    typed("Dogs cost ten pounds.", folder=other)
    assert found(workspace, "dogs", [folder.pk]) == ["Dogs are welcome."]
    assert found(workspace, "dogs", [other.pk]) == ["Dogs cost ten pounds."]
    assert len(found(workspace, "dogs", [folder.pk, other.pk])) == 2
    assert len(found(workspace, "dogs")) == 2
    assert found(workspace, "dogs", []) == []


def test_another_workspace_finds_nothing_not_even_by_the_folders_id(
    typed: TextFactory, folder: KnowledgeFolder, other_workspace: Organization
) -> None:
    typed("Dogs are welcome.")
    assert found(other_workspace, "dogs") == []
    assert found(other_workspace, "dogs", [folder.pk]) == []


@pytest.mark.parametrize("query", ["", "  ", "the and of", "?!", "x" * 5000])
def test_a_question_that_says_nothing_finds_nothing(typed: TextFactory, workspace: Organization, query: str) -> None:
    typed("Dogs are welcome.")
    assert found(workspace, query) == []


def test_what_changes_is_found_at_once(
    typed: TextFactory, workspace: Organization, owner: User, work: Callable[[], Any]
) -> None:
    document = typed("Dogs are welcome.")
    assert found(workspace, "dogs") == ["Dogs are welcome."]
    with work():
        services.text_update(document=document, actor=owner, name="Note", text="Dogs are not allowed.")
    assert found(workspace, "dogs") == ["Dogs are not allowed."]
    services.document_delete(document=document, actor=owner)
    assert found(workspace, "dogs") == []


def test_an_index_is_read_once_for_many_questions(
    typed: TextFactory, workspace: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("Dogs are welcome.")
    built: list[str] = []
    build = index.build

    def counted(folder_id: str, model: str, revision: int) -> index.FolderIndex:
        built.append(folder_id)
        return build(folder_id, model, revision)

    monkeypatch.setattr(index, "build", counted)
    for _ in range(3):
        found(workspace, "dogs")
    assert len(built) == 1


def test_an_old_index_answers_who_cannot_wait(
    typed: TextFactory, folder: KnowledgeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("Dogs are welcome.")
    folder.refresh_from_db()
    old = index.INDEXES.get(folder.pk, "", folder.revision)
    renewed: list[Any] = []
    monkeypatch.setattr(index.Indexes, "_renew", lambda self, key, revision: renewed.append((key, revision)))
    assert index.INDEXES.get(folder.pk, "", folder.revision + 1, patient=False) is old
    for thread in threading.enumerate():
        if thread.name == "knowledge index":
            thread.join()
    assert renewed == [((folder.pk, ""), folder.revision + 1)]
    assert index.INDEXES.get(folder.pk, "", folder.revision + 1) is not old


def test_the_indexes_used_least_make_room(folder_factory: FolderFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MOST_PASSAGES", 0)
    one, two = folder_factory("One").pk, folder_factory("Two").pk
    monkeypatch.setattr(
        index,
        "build",
        lambda folder, model, revision: index.FolderIndex(
            revision, np.zeros(1, np.int64), bm25.Bm25(["x"]), index.InMemory(np.zeros((1, 0), np.float32))
        ),
    )
    indexes = index.Indexes()
    first = indexes.get(one, "", 0)
    indexes.get(two, "", 0)
    assert indexes.get(one, "", 0) is not first


def test_an_embedding_model_that_fails_leaves_the_words(
    typed: TextFactory, workspace: Organization, embedder: FakeEmbedder
) -> None:
    typed("Dogs are welcome.")
    embedder.failure = ProviderError("local", "It is starting.")
    results = search(workspace, None, "dogs")
    assert results.problem == "It is starting."
    assert [(one.chunk.text, one.meaning_rank) for one in results.found] == [("Dogs are welcome.", None)]


# --- ranking


def scores(*values: float) -> Any:
    return np.array(values, np.float32)


def test_who_is_first_both_ways_is_first() -> None:
    assert fuse(scores(0.9, 0.2, 0), scores(0.8, 0.7, 0.1), most=3)[0].place == 0


def test_a_word_that_accounts_for_little_does_not_outdo_the_meaning() -> None:
    assert [place.place for place in fuse(scores(0.2, 0), scores(0.3, 0.5), most=2)] == [1, 0]


def test_a_name_that_is_all_of_the_question_outdoes_a_vague_meaning() -> None:
    assert fuse(scores(0, 1.0), scores(0.3, 0.2), most=2)[0].place == 1


def test_what_means_something_else_is_not_found() -> None:
    assert [place.place for place in fuse(scores(0, 0), scores(0.6, 0.3), most=2)] == [0]
    assert fuse(scores(0.1, 0), scores(0.1, 0.05), most=2) == []


def test_without_meanings_words_decide() -> None:
    assert [place.place for place in fuse(scores(0.1, 0.4, 0), scores(0, 0, 0), most=3)] == [1, 0]


def test_equal_passages_come_in_their_order() -> None:
    places = fuse(np.full(200, 0.5, np.float32), np.zeros(200, np.float32), most=3)
    assert len({place.place for place in places}) == 3
    assert places == fuse(np.full(200, 0.5, np.float32), np.zeros(200, np.float32), most=3)


# --- another embedding model


def vectors() -> set[str]:
    return set(ChunkVector.objects.values_list("model", flat=True))


def test_the_old_vectors_serve_until_the_new_ones_are_all_there(
    typed: TextFactory,
    workspace: Organization,
    owner: User,
    embedder: FakeEmbedder,
    connection_factory: ConnectionFactory,
    work: Callable[[], Any],
) -> None:
    typed("Dogs are welcome.")
    old = vectors()
    connection = connection_factory(vendor="openai")
    embedder.failure = ProviderError("Groq", "The API key is wrong.")
    with work():
        services.embedding_choose(organization=workspace, actor=owner, connection=connection, model="large")
    settings = KnowledgeSettings.objects.get()
    assert settings.problem == "The API key is wrong."
    assert (settings.serving_connection, settings.serving_model) == (None, "")
    embedder.failure = None
    assert found(workspace, "dogs") == ["Dogs are welcome."]
    assert embedder.asked[-1][0] in old

    from builder.knowledge import tasks

    embedder.dimensions = 32
    tasks.look_after_knowledge()
    settings.refresh_from_db()
    assert (settings.problem, settings.serving_connection, settings.serving_model) == ("", connection, "large")
    assert len(vectors()) == 1
    assert vectors() != old
    (one,) = search(workspace, None, "dogs").found
    assert one.meaning_rank == 1
    assert embedder.asked[-1][0] in vectors()


def test_vectors_of_another_size_are_made_anew_and_never_compared(
    typed: TextFactory,
    workspace: Organization,
    owner: User,
    embedder: FakeEmbedder,
    connection_factory: ConnectionFactory,
    work: Callable[[], Any],
) -> None:
    for text in ("Dogs are welcome.", "Breakfast is at seven."):
        typed(text)
    embedder.dimensions = 96
    assert [one.meaning_rank for one in search(workspace, None, "dogs").found] == [None]
    with work():
        services.embedding_choose(
            organization=workspace, actor=owner, connection=connection_factory(vendor="openai"), model="large"
        )
    assert set(ChunkVector.objects.values_list("dimensions", flat=True)) == {96}
    assert ChunkVector.objects.count() == 2
    assert search(workspace, None, "dogs").found[0].meaning_rank == 1


def test_a_document_added_between_two_models_is_found_by_both(
    typed: TextFactory,
    workspace: Organization,
    owner: User,
    embedder: FakeEmbedder,
    connection_factory: ConnectionFactory,
) -> None:
    services.embedding_choose(
        organization=workspace, actor=owner, connection=connection_factory(vendor="openai"), model="large"
    )
    typed("Dogs are welcome.")
    assert len(vectors()) == 2


def test_a_connection_with_another_address_has_its_vectors_made_anew(
    typed: TextFactory,
    workspace: Organization,
    owner: User,
    connection_factory: ConnectionFactory,
    work: Callable[[], Any],
) -> None:
    from builder.knowledge import tasks

    connection = connection_factory(vendor="compatible")
    with work():
        services.embedding_choose(organization=workspace, actor=owner, connection=connection, model="small")
    typed("Dogs are welcome.")
    before = vectors()
    connection.base_url = "https://other.example.org/v1"
    connection.save()
    tasks.look_after_knowledge()
    assert len(vectors()) == 1
    assert vectors() != before
