"""Folders as they are searched, held in memory by each process that searches, and built again when they change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import structlog
from django.db import close_old_connections

from builder.knowledge.bm25 import Bm25
from builder.knowledge.embedding import Floats, text_of
from builder.knowledge.models import Chunk, ChunkVector
from builder.knowledge.pgvector import InDatabase

MOST_PASSAGES = 200_000
"""What a process holds of all folders: some 500 MB with vectors of 384 numbers. The folders used last are kept."""

log = structlog.get_logger(__name__)

Key = tuple[str, str]
"""A folder's id and the key of an embedding model ("" for words alone)."""


@dataclass(frozen=True, slots=True)
class FolderIndex:
    """One folder at one `revision`, whose passages are `ids`."""

    revision: int
    ids: npt.NDArray[np.int64]
    words: Bm25
    vectors: InMemory | InDatabase


@dataclass(frozen=True, slots=True)
class InMemory:
    """The vectors of a folder, of which row i is passage `ids[i]`; a passage without a vector has zeros."""

    rows: Floats
    """Shape (passages, dimensions); (passages, 0) where no passage has a vector."""

    @classmethod
    def of(cls, folder_id: str, model: str, ids: npt.NDArray[np.int64]) -> InMemory:
        places = {int(chunk): place for place, chunk in enumerate(ids)}
        stored = ChunkVector.objects.filter(chunk__document__folder_id=folder_id, model=model)
        rows = np.zeros((len(ids), 0), np.float32)
        for chunk, dimensions, data in stored.values_list("chunk_id", "dimensions", "vector").iterator(chunk_size=2000):
            if rows.shape[1] == 0:
                rows = np.zeros((len(ids), dimensions), np.float32)
            place = places.get(chunk)
            if place is not None and dimensions == rows.shape[1]:
                rows[place] = np.frombuffer(bytes(data), "<f4")
        return cls(rows)

    def similarities(self, question: Floats) -> Floats:
        """The cosine of each passage to a question; 0 where the vectors are not of its kind."""
        if self.rows.shape[1] != len(question):
            return np.zeros(len(self.rows), np.float32)
        return np.asarray(self.rows @ question, np.float32)


def build(folder_id: str, model: str, revision: int) -> FolderIndex:
    """Read a folder from the database. Takes a second or two for 10,000 passages."""
    rows = list(
        Chunk.objects.filter(document__folder_id=folder_id)
        .order_by("document_id", "position")
        .values_list("pk", "document__name", "heading", "text")
    )
    ids = np.array([row[0] for row in rows], np.int64)
    words = Bm25(text_of(document=name, heading=heading, text=text) for _, name, heading, text in rows)
    vectors = InDatabase.of(folder_id, model, ids) or InMemory.of(folder_id, model, ids)
    return FolderIndex(revision, ids, words, vectors)


class Indexes:
    """The indexes of a process, for all of its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._built: OrderedDict[Key, FolderIndex] = OrderedDict()
        self._building: dict[Key, threading.Lock] = {}

    def get(self, folder_id: str, model: str, revision: int, *, patient: bool = True) -> FolderIndex:
        """The folder's index at `revision`. Unless `patient`, an older one at once, while a new one is being built."""
        key = (folder_id, model)
        known = self._known(key)
        if known is not None and known.revision >= revision:
            return known
        if known is not None and not patient:
            threading.Thread(target=self._renew, args=(key, revision), daemon=True, name="knowledge index").start()
            return known
        return self._build(key, revision)

    def clear(self) -> None:
        with self._lock:
            self._built.clear()

    def _known(self, key: Key) -> FolderIndex | None:
        with self._lock:
            if key in self._built:
                self._built.move_to_end(key)
            return self._built.get(key)

    def _build(self, key: Key, revision: int) -> FolderIndex:
        with self._lock:
            building = self._building.setdefault(key, threading.Lock())
        with building:  # whoever waited finds it built
            known = self._known(key)
            if known is None or known.revision < revision:
                known = build(*key, revision)
                self._keep(key, known)
            return known

    def _renew(self, key: Key, revision: int) -> None:
        if self._building.setdefault(key, threading.Lock()).locked():
            return  # somebody is at it
        close_old_connections()
        try:
            self._build(key, revision)
        except Exception as error:  # the old index goes on serving
            log.warning("A knowledge index could not be built", folder=key[0], error=str(error))
        finally:
            close_old_connections()

    def _keep(self, key: Key, index: FolderIndex) -> None:
        with self._lock:
            self._built[key] = index
            self._built.move_to_end(key)
            held = sum(len(built.ids) for built in self._built.values())
            while held > MOST_PASSAGES and len(self._built) > 1:
                _, oldest = self._built.popitem(last=False)
                held -= len(oldest.ids)


INDEXES = Indexes()


def similarities(indexes: Sequence[FolderIndex], question: Floats | None) -> Floats:
    """The cosines of all passages of `indexes`, one after the other; zeros without a question.

    Where Postgres compares the vectors, those of the nearest only, and zeros for the others.
    """
    if question is None:
        return np.zeros(sum(len(index.ids) for index in indexes), np.float32)
    return np.concatenate([index.vectors.similarities(question) for index in indexes] or [np.zeros(0, np.float32)])
