"""Documents into passages. The worker calls this; it claims the document first, and can be repeated."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from builder.knowledge import chunking, files, parsing
from builder.knowledge.chunking import Piece
from builder.knowledge.models import Chunk, Document, KnowledgeFolder
from builder.knowledge.parsing import Unreadable

PROGRESS_SECONDS = 0.5

log = structlog.get_logger(__name__)


def read_document(document_id: str) -> bool:
    """Make a waiting document's passages. Gives whether there are some now; why not is said on the document."""
    claimed = Document.objects.filter(pk=document_id, state=Document.State.WAITING)
    if not claimed.update(state=Document.State.READING, problem="", done=0, total=0, worked_at=timezone.now()):
        return False
    document = Document.objects.select_related("folder").get(pk=document_id)
    try:
        blocks = _blocks(document)
    except Unreadable as error:
        _fail(document, str(error))
        return False
    except OSError as error:
        _fail(document, f"Its file cannot be read from the disk: {error.strerror}.")
        return False
    except Exception:
        log.exception("A document could not be read", document=document_id)
        _fail(document, "Something broke while it was read; the log of the worker says more.")
        return False
    text = document.text if document.source == Document.Source.TEXT else written_out(blocks)
    return chunks_store(document_id=document_id, text=text, pieces=chunking.pieces(blocks))


def _blocks(document: Document) -> list[parsing.Block]:
    if document.source == Document.Source.TEXT:
        blocks = list(parsing.markdown(document.text))
        if not blocks:
            raise Unreadable("There is no text in it.")
        return blocks
    data = files.path_of(document.storage_key).read_bytes()
    return parsing.parse(data, parsing.sniff(data, document.name), progress=_Progress(document.pk))


def written_out(blocks: Sequence[parsing.Block]) -> str:
    """What was read, for people: the headings where they change, pages as they begin."""
    lines: list[str] = []
    headings: tuple[str, ...] = ()
    page: int | None = None
    for block in blocks:
        if block.page != page:
            page = block.page
            lines.append(f"[Page {page}]")
        for level, heading in enumerate(block.headings):
            if block.headings[: level + 1] != headings[: level + 1]:
                lines.append(f"{'#' * (level + 1)} {heading}")
        headings = block.headings
        lines.append(block.text)
    return "\n\n".join(lines).replace("\0", "")


class _Progress:
    """Writes down how many pages are read, not too often."""

    def __init__(self, document_id: str) -> None:
        self._document_id = document_id
        self._told_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        if (now := time.monotonic()) - self._told_at < PROGRESS_SECONDS:
            return
        self._told_at = now
        working = Document.objects.filter(pk=self._document_id, state=Document.State.READING)
        working.update(done=done, total=total, worked_at=timezone.now())


def _fail(document: Document, problem: str) -> None:
    working = Document.objects.filter(pk=document.pk, state=Document.State.READING)
    working.update(state=Document.State.FAILED, problem=problem[:500], worked_at=timezone.now())


@transaction.atomic
def chunks_store(*, document_id: str, text: str, pieces: Sequence[Piece]) -> bool:
    """Make `pieces` the document's passages. Those that say the same as before are kept, with their vectors.

    False when the document was deleted meanwhile, or is being read anew.
    """
    document = Document.objects.select_for_update().filter(pk=document_id, state=Document.State.READING).first()
    if document is None:
        return False
    kept: dict[str, list[Chunk]] = defaultdict(list)
    for chunk in document.chunks.all():
        kept[chunk.content_hash].append(chunk)
    new, moved = [], []
    for position, piece in enumerate(pieces):
        piece = Piece(piece.text.replace("\0", ""), piece.heading.replace("\0", ""), piece.page)
        digest = _digest(document.name, piece)
        if known := kept.get(digest):
            chunk = known.pop(0)
            if chunk.position != position:
                chunk.position = position
                moved.append(chunk)
        else:
            new.append(
                Chunk(
                    document=document,
                    position=position,
                    text=piece.text,
                    heading=piece.heading,
                    page=piece.page,
                    content_hash=digest,
                )
            )
    gone = [chunk.pk for chunks in kept.values() for chunk in chunks]
    document.chunks.filter(pk__in=gone).delete()
    Chunk.objects.bulk_update(moved, ["position"], batch_size=500)
    Chunk.objects.bulk_create(new, batch_size=500)
    if new or gone or document.text != text:
        document.updated_at = timezone.now()
    document.text, document.state = text, Document.State.LEARNING
    document.done, document.total = 0, len(pieces)
    document.save(update_fields=["text", "state", "done", "total", "updated_at", "worked_at"])
    if new or gone or moved:
        folders_changed(KnowledgeFolder.objects.filter(pk=document.folder_id))
    return True


def _digest(name: str, piece: Piece) -> str:
    return sha256("\n".join((name, piece.heading, str(piece.page or ""), piece.text)).encode()).hexdigest()


def folders_changed(folders: QuerySet[KnowledgeFolder]) -> None:
    """What is searched in `folders` has changed: indexes of it are old from now on."""
    folders.update(revision=F("revision") + 1)
