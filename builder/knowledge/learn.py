"""Passages into vectors, in the worker: a slice at a time, from where the last one ended."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from builder.knowledge import pgvector
from builder.knowledge.embedding import EmbeddingModel, Floats, models_of, opened, text_of
from builder.knowledge.ingest import folders_changed
from builder.knowledge.models import Chunk, ChunkVector, Document, KnowledgeFolder, KnowledgeSettings
from voice.providers.base import ProviderError

SLICE_SECONDS = 20.0
"""How long vectors are made at a stretch: others wait for the worker too."""
BROKE = "Something broke while its vectors were made; the log of the worker says more."

log = structlog.get_logger(__name__)


def learn_document(document_id: str) -> bool:
    """Make the vectors of a document's passages that have none. Gives whether all are there; if not, go on later.

    Where the embedding model fails the document says so, and is found by its words meanwhile.
    """
    document = Document.objects.select_related("folder").filter(pk=document_id, state=Document.State.LEARNING).first()
    if document is None:
        return True
    until = time.monotonic() + SLICE_SECONDS
    try:
        for model in models_of(document.folder.organization_id).both:
            chunks = Chunk.objects.filter(document=document)
            if not learn(chunks, model, until=until, document=document):
                return False
    except Exception as error:
        if not isinstance(error, ProviderError):
            log.exception("A document could not be learnt", document=document_id)
        problem = str(error) if isinstance(error, ProviderError) else BROKE
        working = Document.objects.filter(pk=document_id, state=Document.State.LEARNING)
        working.update(problem=problem[:500], worked_at=timezone.now())
        return True
    with transaction.atomic():
        working = Document.objects.filter(pk=document_id, state=Document.State.LEARNING)
        if working.update(state=Document.State.READY, problem="", worked_at=timezone.now()):
            folders_changed(KnowledgeFolder.objects.filter(pk=document.folder_id))
    return True


def learn_workspace(organization_id: str) -> bool:
    """Make the vectors by the chosen model that a workspace's passages lack. Gives whether all are there.

    Once they are, the chosen model answers searches, and what others have made is deleted. Where it fails the settings
    say so, and the old model goes on answering.
    """
    chosen = models_of(organization_id).chosen
    chunks = chunks_of(organization_id)
    settings = KnowledgeSettings.objects.filter(organization_id=organization_id)
    try:
        if not learn(chunks, chosen, until=time.monotonic() + SLICE_SECONDS):
            return False
    except ProviderError as error:
        settings.update(problem=str(error)[:500])
        return True
    with transaction.atomic():
        current = settings.select_for_update().first()
        if models_of(organization_id).chosen.key != chosen.key:
            return False  # chosen anew meanwhile
        if current is not None:
            current.serving_connection, current.serving_model, current.problem = current.connection, current.model, ""
            current.save()
        ChunkVector.objects.filter(chunk__in=chunks).exclude(model=chosen.key).delete()
        folders_changed(KnowledgeFolder.objects.filter(organization_id=organization_id))
    return True


def chunks_of(organization_id: str) -> QuerySet[Chunk]:
    """A workspace's passages, but for those of documents that are being worked on by themselves."""
    return Chunk.objects.filter(document__folder__organization_id=organization_id, document__state=Document.State.READY)


def learn(chunks: QuerySet[Chunk], model: EmbeddingModel, *, until: float, document: Document | None = None) -> bool:
    """Make the vectors by `model` of those of `chunks` that have none, `until` that time of the monotonic clock.

    Gives whether all are there. `document` is told of the progress. Raises ProviderError.
    """
    missing = chunks_without(chunks, model)

    async def work() -> bool:
        async with opened(model) as embedder:
            while batch := await _batch(missing, model.batch):
                texts = [text_of(document=name, heading=heading, text=text) for _, name, heading, text in batch]
                await _store([pk for pk, *_ in batch], model, await embedder.embed(texts), document)
                if time.monotonic() > until:
                    return False
        return True

    return async_to_sync(work)() if missing.exists() else True


def chunks_without(chunks: QuerySet[Chunk], model: EmbeddingModel) -> QuerySet[Chunk]:
    """Those of `chunks` that have no vector by `model`."""
    vector = ChunkVector.objects.filter(chunk=OuterRef("pk"), model=model.key)
    return chunks.filter(~Exists(vector))


async def _batch(missing: QuerySet[Chunk], size: int) -> list[tuple[int, str, str, str]]:
    rows = missing.order_by("pk").values_list("pk", "document__name", "heading", "text")[:size]
    return [row async for row in rows]


async def _store(ids: Sequence[int], model: EmbeddingModel, rows: Floats, document: Document | None) -> None:
    # A passage may be deleted meanwhile, and another task may have been as fast.
    there = {pk async for pk in Chunk.objects.filter(pk__in=ids).values_list("pk", flat=True)}
    vectors = [
        ChunkVector(chunk_id=pk, model=model.key, dimensions=len(row), vector=row.astype("<f4").tobytes())
        for pk, row in zip(ids, rows, strict=True)
        if pk in there
    ]
    await ChunkVector.objects.abulk_create(vectors, ignore_conflicts=True)
    await sync_to_async(pgvector.copy)(ChunkVector.objects.filter(chunk__in=there, model=model.key))
    if document is not None:
        working = Document.objects.filter(pk=document.pk, state=Document.State.LEARNING)
        await working.aupdate(done=F("done") + len(ids), worked_at=timezone.now())
