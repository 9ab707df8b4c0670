"""Folders and documents, a worker that works at once, and an embedding model without weights."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import numpy as np
import pytest
from asgiref.sync import SyncToAsync
from django.conf import settings as django_settings
from django.db import connections

from accounts.models import Organization, User
from builder.knowledge import bm25, crawl, embedding, index, learn, search, services
from builder.knowledge.embedding import EmbeddingModel, Floats
from builder.knowledge.models import Document, KnowledgeFolder
from tests.builder.knowledge.site import Site, serving
from tests.fixtures_models import models_dir, models_socket
from voice.providers.base import ProviderError

__all__ = ["models_dir", "models_socket"]


class FakeEmbedder:
    """Vectors in which texts with many words in common are close. `models` are the keys that were asked."""

    def __init__(self) -> None:
        self.dimensions = 64
        self.asked: list[tuple[str, list[str]]] = []
        self.failure: ProviderError | None = None

    @asynccontextmanager
    async def opened(self, model: EmbeddingModel) -> AsyncIterator[Any]:
        yield _Opened(self, model.key)

    def vectors(self, key: str, texts: Sequence[str]) -> Floats:
        if self.failure is not None:
            raise self.failure
        self.asked.append((key, list(texts)))
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term in bm25.terms(text):
                row[zlib.crc32(f"{key} {term}".encode()) % self.dimensions] += 1
            row /= max(float(np.linalg.norm(row)), 1e-9)
        return rows

    @property
    def texts(self) -> list[str]:
        return [text for _, texts in self.asked for text in texts]


class _Opened:
    def __init__(self, fake: FakeEmbedder, key: str) -> None:
        self._fake = fake
        self._key = key

    async def embed(self, texts: Sequence[str]) -> Floats:
        return self._fake.vectors(self._key, texts)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> FakeEmbedder:
    """What makes all vectors, whatever the model is called."""
    fake = FakeEmbedder()
    for module in (embedding, learn, search):
        monkeypatch.setattr(module, "opened", fake.opened)
    return fake


@pytest.fixture(autouse=True)
def _no_indexes() -> Iterator[None]:
    index.INDEXES.clear()
    yield
    index.INDEXES.clear()


@pytest.fixture
def work(django_capture_on_commit_callbacks: Callable[..., Any]) -> Callable[[], Any]:
    """`with work(): …` runs the tasks of what happens inside, at its end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


class FolderFactory(Protocol):
    def __call__(self, name: str = ..., *, organization: Organization | None = ...) -> KnowledgeFolder: ...


@pytest.fixture
def folder_factory(workspace: Organization) -> FolderFactory:
    def make(name: str = "House rules", *, organization: Organization | None = None) -> KnowledgeFolder:
        return KnowledgeFolder.objects.create(organization=organization or workspace, name=name)

    return make


@pytest.fixture
def folder(folder_factory: FolderFactory) -> KnowledgeFolder:
    return folder_factory()


class TextFactory(Protocol):
    def __call__(self, text: str, name: str = ..., *, folder: KnowledgeFolder | None = ...) -> Document: ...


@pytest.fixture
def typed(folder: KnowledgeFolder, owner: User, embedder: FakeEmbedder, work: Callable[[], Any]) -> TextFactory:
    """Makes typed documents, read and learnt."""
    where = folder

    def make(text: str, name: str = "Note", *, folder: KnowledgeFolder | None = None) -> Document:
        with work():
            made = services.text_add(folder=folder or where, actor=owner, name=name, text=text)
        made.refresh_from_db()
        return made

    return make


class FileFactory(Protocol):
    def __call__(self, data: bytes, name: str) -> Document: ...


@pytest.fixture
def uploaded(folder: KnowledgeFolder, owner: User, embedder: FakeEmbedder, work: Callable[[], Any]) -> FileFactory:
    """Makes documents of files, read and learnt."""

    def make(data: bytes, name: str) -> Document:
        with work():
            made = services.file_add(folder=folder, actor=owner, name=name, parts=[data])
        made.refresh_from_db()
        return made

    return make


@pytest.fixture(autouse=True)
def _no_connections_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where tests commit, their threads' connections are closed: Postgres drops no database that is in use."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(autouse=True)
def _no_files_left() -> Iterator[None]:
    yield
    for file in django_settings.KNOWLEDGE_DIR.rglob("*"):
        if file.is_file():
            file.unlink()


@pytest.fixture
def site(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A website that may be read, without pauses."""
    monkeypatch.setattr(crawl, "PAUSE_SECONDS", 0.0)
    with serving() as running:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [running.host]
        yield running
