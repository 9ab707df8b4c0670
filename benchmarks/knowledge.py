"""How long the knowledge base takes for a question: `python -m benchmarks.knowledge --passages 10000`.

Made-up passages of 120 words of a language with 20,000 words, as common and rare as those of a real one, with random
vectors of 384 numbers, in a SQLite database that is thrown away, or with `scripts/with_postgres.py` before it and
`--postgres` after it in Postgres. Measured are reading the folder into memory, which a process does once, and the
search of a question whose vector is known, with everything that a call does for it but asking the embedding model.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

import numpy as np

WORDS_OF_LANGUAGE = 20_000
WORDS_OF_PASSAGE = 120
WORDS_OF_QUESTION = 10
DIMENSIONS = 384
MODEL = "benchmark"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--postgres", action="store_true", help="in the empty database that DATABASE_URL names")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="callwright-bench-") as home:
        os.environ |= {"CALLWRIGHT_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
        if not options.postgres:
            os.environ.pop("DATABASE_URL", None)
        measure(options.passages, options.questions)


def measure(passages: int, questions: int) -> None:
    """Fill a new installation, ask, and print what that took."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from builder.knowledge import pgvector
    from builder.knowledge.index import INDEXES
    from builder.knowledge.models import ChunkVector
    from builder.knowledge.search import rank

    random = np.random.default_rng(0)
    organization_id, folder_id = fill(random, passages)
    while pgvector.copy(ChunkVector.objects.all()):
        pass  # the worker does so, a slice at a time
    started = time.perf_counter()
    INDEXES.get(folder_id, MODEL, 0)
    reading = time.perf_counter() - started
    times = []
    for _ in range(questions):
        question, vector = " ".join(words(random, WORDS_OF_QUESTION)), unit(random, 1)[0]
        started = time.perf_counter()
        rank(organization_id, [folder_id], question, vector, model=MODEL, most=3)
        times.append(1000 * (time.perf_counter() - started))
    print(f"{passages:,} passages: read into memory in {reading:.1f} s")
    print(f"a search: median {statistics.median(times):.1f} ms, 95 % within {np.percentile(times, 95):.1f} ms")


def fill(random: np.random.Generator, passages: int) -> tuple[str, str]:
    """A workspace with one folder of one document. Gives the ids of the workspace and of the folder."""
    from django.utils import timezone

    from accounts.models import Organization
    from builder.knowledge.models import Chunk, ChunkVector, Document, KnowledgeFolder

    organization = Organization.objects.create(name="Benchmark", slug="benchmark")
    folder = KnowledgeFolder.objects.create(organization=organization, name="Benchmark")
    document = Document.objects.create(
        folder=folder, source=Document.Source.TEXT, name="Benchmark", state="ready", updated_at=timezone.now()
    )
    chunks = Chunk.objects.bulk_create(
        [
            Chunk(document=document, position=number, text=" ".join(words(random, WORDS_OF_PASSAGE)), content_hash="")
            for number in range(passages)
        ],
        batch_size=1000,
    )
    rows = unit(random, passages)
    ChunkVector.objects.bulk_create(
        [
            ChunkVector(chunk=chunk, model=MODEL, dimensions=DIMENSIONS, vector=row.tobytes())
            for chunk, row in zip(chunks, rows, strict=True)
        ],
        batch_size=1000,
    )
    return organization.pk, folder.pk


def words(random: np.random.Generator, count: int) -> list[str]:
    """Words as often as Zipf's law has them."""
    return [f"w{number % WORDS_OF_LANGUAGE}" for number in random.zipf(1.2, count)]


def unit(random: np.random.Generator, count: int) -> np.ndarray:
    """Rows of length 1."""
    rows = random.standard_normal((count, DIMENSIONS)).astype("<f4")
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


if __name__ == "__main__":
    main()
