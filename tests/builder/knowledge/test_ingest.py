"""A document on its way: read, parted into passages, learnt, and what is said when that fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization, User
from builder.knowledge import files, ingest, learn, parsing, services, tasks, upkeep
from builder.knowledge.models import ChunkVector, Document, KnowledgeFolder
from core.errors import ApiError
from tests.builder.knowledge import papers
from tests.builder.knowledge.conftest import FakeEmbedder, FileFactory, TextFactory
from voice.providers.base import ProviderError


def texts(document: Document) -> list[str]:
    return list(document.chunks.values_list("text", flat=True))


def test_a_file_becomes_passages_with_pages_and_vectors(uploaded: FileFactory, embedder: FakeEmbedder) -> None:
    document = uploaded(papers.pdf("Breakfast is at seven.", "Dogs are welcome."), "rules.pdf")
    assert (document.state, document.problem) == ("ready", "")
    assert texts(document) == ["Breakfast is at seven.\nDogs are welcome."]
    chunk = document.chunks.get()
    assert chunk.page == 1
    vector = chunk.vectors.get()
    assert (vector.dimensions, len(bytes(vector.vector))) == (embedder.dimensions, 4 * embedder.dimensions)
    assert document.text == "[Page 1]\n\nBreakfast is at seven.\n\n[Page 2]\n\nDogs are welcome."


def test_a_typed_text_has_the_headings_it_was_given(typed: TextFactory) -> None:
    document = typed("# Rooms\nQuiet.\n\n# Food\nSoup.")
    assert list(document.chunks.values_list("heading", "text")) == [("Rooms", "Quiet."), ("Food", "Soup.")]
    assert document.text == "# Rooms\nQuiet.\n\n# Food\nSoup."


def test_what_is_made_a_vector_carries_the_name_and_the_headings(typed: TextFactory, embedder: FakeEmbedder) -> None:
    typed("# Rooms\nQuiet.", "House rules")
    assert embedder.texts == ["House rules > Rooms\nQuiet."]


def test_a_file_that_cannot_be_read_says_why_and_can_be_tried_again(
    uploaded: FileFactory, owner: User, work: Callable[[], Any]
) -> None:
    document = uploaded(b"\x89PNG\0", "picture.pdf")
    assert document.state == "failed"
    assert "not a kind of file" in document.problem
    files.path_of(document.storage_key).write_bytes(b"It is a text after all.")
    with work():
        services.document_retry(document=document, actor=owner)
    document.refresh_from_db()
    assert (document.state, document.problem, texts(document)) == ("ready", "", ["It is a text after all."])


def test_a_file_that_is_gone_from_the_disk_says_so(uploaded: FileFactory, owner: User, work: Callable[[], Any]) -> None:
    document = uploaded(b"Hello.", "hello.txt")
    files.remove(document.storage_key)
    with work():
        services.document_retry(document=document, actor=owner)
    document.refresh_from_db()
    assert "cannot be read from the disk" in document.problem


def test_a_reader_that_breaks_fails_the_document_and_not_the_worker(
    uploaded: FileFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "parse", lambda *args, **more: 1 / 0)
    document = uploaded(b"Hello.", "hello.txt")
    assert document.state == "failed"
    assert "log of the worker" in document.problem


def test_only_what_changed_is_learnt_again(
    typed: TextFactory, owner: User, embedder: FakeEmbedder, work: Callable[[], Any]
) -> None:
    document = typed("# A\nOne.\n\n# B\nTwo.\n\n# C\nThree.")
    kept = {chunk.text: chunk.pk for chunk in document.chunks.all()}
    embedder.asked.clear()
    with work():
        services.text_update(document=document, actor=owner, name="Note", text="# C\nThree.\n\n# B\nNew.\n\n# A\nOne.")
    document.refresh_from_db()
    assert [text.partition("\n")[2] for text in embedder.texts] == ["New."]
    assert texts(document) == ["Three.", "New.", "One."]
    assert {chunk.text: chunk.pk for chunk in document.chunks.all()} | {"Two.": kept["Two."]} == kept | {
        "New.": document.chunks.get(text="New.").pk
    }


def test_an_embedding_model_that_fails_leaves_a_document_that_is_found_by_its_words(
    typed: TextFactory, embedder: FakeEmbedder
) -> None:
    embedder.failure = ProviderError("local", "It is starting.")
    document = typed("Dogs are welcome.")
    assert (document.state, document.problem) == ("learning", "It is starting.")
    assert texts(document) == ["Dogs are welcome."]
    embedder.failure = None
    Document.objects.update(worked_at=timezone.now() - 2 * upkeep.UNLEARNED)
    tasks.look_after_knowledge()
    document.refresh_from_db()
    assert (document.state, document.problem) == ("ready", "")


def test_a_long_document_is_learnt_a_slice_at_a_time(
    typed: TextFactory, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "SLICE_SECONDS", -1.0)
    document = typed("\n\n".join(f"# {number}\nText." for number in range(20)))
    assert document.state == "ready"
    assert ChunkVector.objects.count() == 20
    assert max(len(batch) for _, batch in embedder.asked) <= 8


def test_work_that_a_dead_worker_left_is_taken_up_again(typed: TextFactory) -> None:
    document = typed("Dogs are welcome.")
    Document.objects.update(state=Document.State.READING, worked_at=timezone.now())
    tasks.look_after_knowledge()
    document.refresh_from_db()
    assert document.state == "reading"
    Document.objects.update(worked_at=timezone.now() - upkeep.ABANDONED - timedelta(seconds=1))
    tasks.look_after_knowledge()
    document.refresh_from_db()
    assert document.state == "ready"


def test_two_workers_do_not_read_one_document(typed: TextFactory) -> None:
    document = typed("Dogs are welcome.")
    Document.objects.update(state=Document.State.READING)
    assert ingest.read_document(document.pk) is False


def test_a_document_deleted_meanwhile_stays_deleted(typed: TextFactory) -> None:
    document = typed("Dogs are welcome.")
    document.delete()
    tasks.read_document(document.pk)
    tasks.learn_document(document.pk)
    assert not Document.objects.exists()


def test_reading_tells_how_far_it_is(uploaded: FileFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PROGRESS_SECONDS", 0.0)
    told = []
    inner = ingest._Progress.__call__

    def call(self: Any, done: int, total: int) -> None:
        inner(self, done, total)
        told.append(Document.objects.values_list("state", "done", "total").get())

    monkeypatch.setattr(ingest._Progress, "__call__", call)
    uploaded(papers.pdf("One.", "Two."), "two.pdf")
    assert told == [("reading", 1, 2), ("reading", 2, 2)]


# --- files


def test_files_lie_under_random_names_and_go_with_their_document(
    uploaded: FileFactory, owner: User, work: Callable[[], Any]
) -> None:
    document = uploaded(b"Hello.", "../../etc/passwd.txt")
    path = files.path_of(document.storage_key)
    assert path.read_bytes() == b"Hello."
    assert "passwd" not in str(path)
    with work():
        services.document_delete(document=document, actor=owner)
    assert not path.exists()


@pytest.mark.parametrize("key", ["", "../secret_key", "ab", "g" * 32])
def test_what_is_no_key_leads_to_no_file(key: str) -> None:
    with pytest.raises(ValueError, match="No storage key"):
        files.path_of(key)


def test_a_file_that_is_too_large_is_refused_and_not_kept(
    folder: KnowledgeFolder, owner: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 10)
    with pytest.raises(ApiError, match="too large") as refused:
        services.file_add(folder=folder, actor=owner, name="big.txt", parts=[b"12345", b"67890", b"1"])
    assert refused.value.message.startswith("big.txt has more than")
    assert not Document.objects.exists()
    assert not [path for path in Path(settings.KNOWLEDGE_DIR).rglob("*") if path.is_file()]


def test_a_folder_takes_its_files_with_it(
    folder: KnowledgeFolder, uploaded: FileFactory, owner: User, work: Callable[[], Any], workspace: Organization
) -> None:
    path = files.path_of(uploaded(b"Hello.", "hello.txt").storage_key)
    with work():
        services.folder_delete(folder=folder, actor=owner)
    assert not path.exists()
    assert not workspace.knowledge_folders.exists()
