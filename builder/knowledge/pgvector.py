"""Vectors in Postgres, where its extension `vector` (pgvector) can be had: who searches holds none of them in memory.

`ChunkVector` gets columns there that Postgres can compare, of any number of dimensions. They are filled as vectors are
made, and by the worker for those that there were. A folder is compared whole: it is a part of a table of which an
approximate index would find too little. 50,000 vectors of 384 numbers take two cores some 60 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from builder.knowledge.embedding import Floats
from builder.knowledge.models import ChunkVector

NEAREST = 50
"""How many passages of a folder are told apart by their meaning."""
SLICE = 5_000

_COLUMNS = (
    "ALTER TABLE builder_chunkvector ADD COLUMN IF NOT EXISTS embedding vector, "
    "ADD COLUMN IF NOT EXISTS folder_id varchar(40)",
    # Beside the row and not away from it, where a comparison would fetch each by itself: five times as slow.
    "ALTER TABLE builder_chunkvector ALTER COLUMN embedding SET STORAGE MAIN",
    "CREATE INDEX IF NOT EXISTS knowledge_vector_folder ON builder_chunkvector (folder_id, model)",
    "CREATE INDEX IF NOT EXISTS knowledge_vector_lacking ON builder_chunkvector (id) WHERE embedding IS NULL",
)
_IS_AVAILABLE = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')"
_IS_READY = (
    "SELECT EXISTS (SELECT FROM pg_attribute "
    "WHERE attrelid = to_regclass('builder_chunkvector') AND attname = 'embedding' AND NOT attisdropped)"
)
_COMPARE = (
    "SELECT chunk_id, -(embedding <#> question) AS similarity "
    "FROM builder_chunkvector, (SELECT %s::real[]::vector AS question) AS asked "
    "WHERE folder_id = %s AND model = %s AND dimensions = %s ORDER BY embedding <#> question LIMIT %s"
)
_LACKS_EMBEDDING = RawSQL("builder_chunkvector.embedding IS NULL", (), output_field=BooleanField())

log = structlog.get_logger(__name__)


def prepare(**_: object) -> None:
    """Make the columns, after every `migrate`: the extension may have been installed since the last one."""
    if connection.vendor != "postgresql" or is_ready() or not _asked(_IS_AVAILABLE):
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")
            for statement in _COLUMNS:
                cursor.execute(statement)
    except DatabaseError as error:
        log.warning(
            "Postgres has pgvector, and may not use it: vectors are compared in memory. "
            "Let its administrator run CREATE EXTENSION vector, and migrate once more",
            error=str(error),
        )


def is_ready() -> bool:
    """Can this database compare vectors?"""
    return connection.vendor == "postgresql" and _asked(_IS_READY)


def copy(vectors: QuerySet[ChunkVector]) -> int:
    """Make the next of `vectors`, a slice at most, comparable to the database. Gives how many those were."""
    if not is_ready():
        return 0
    lacking = vectors.filter(_LACKS_EMBEDDING).values_list("vector", "chunk__document__folder_id", "pk")[:SLICE]
    rows = [(np.frombuffer(bytes(data), "<f4").tolist(), folder, pk) for data, folder, pk in lacking]
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE builder_chunkvector SET embedding = %s::real[]::vector, folder_id = %s WHERE id = %s", rows
        )
    return len(rows)


@dataclass(frozen=True, slots=True)
class InDatabase:
    """The vectors by `model` of a folder whose passages are `ids`."""

    folder_id: str
    model: str
    ids: npt.NDArray[np.int64]

    @classmethod
    def of(cls, folder_id: str, model: str, ids: npt.NDArray[np.int64]) -> InDatabase | None:
        """None where the database does not have all of them."""
        vectors = ChunkVector.objects.filter(chunk__document__folder_id=folder_id, model=model)
        if not is_ready() or vectors.filter(_LACKS_EMBEDDING).exists():
            return None
        return cls(folder_id, model, ids)

    def similarities(self, question: Floats) -> Floats:
        """The cosine of each of the NEAREST to a question; 0 of the others, and where the vectors are not of its kind.
        Blocks for the database."""
        with connection.cursor() as cursor:
            cursor.execute(_COMPARE, [question.tolist(), self.folder_id, self.model, len(question), NEAREST])
            nearest = dict(cursor.fetchall())
        found = np.zeros(len(self.ids), np.float32)
        places = np.flatnonzero(np.isin(self.ids, list(nearest)))
        found[places] = [nearest[int(self.ids[place])] for place in places]
        return found


def _asked(query: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return bool(cursor.fetchone()[0])
