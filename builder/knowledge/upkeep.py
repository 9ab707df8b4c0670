"""What is to be done without anybody asking: visits that are due, and work that a worker left lying when it died."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from builder.knowledge.embedding import models_of
from builder.knowledge.learn import chunks_of, chunks_without
from builder.knowledge.models import Document, KnowledgeFolder, KnowledgeSettings, Website

ABANDONED = timedelta(minutes=20)
"""Work that has not got ahead for so long is nobody's. A page of a document takes no such time, nor one of a site."""
UNLEARNED = timedelta(minutes=2)
"""After a failure of the embedding model it is tried again so soon."""


@dataclass(frozen=True, slots=True)
class Due:
    """The ids of what is to be done."""

    websites: list[str]
    unread: list[str]
    unlearned: list[str]
    workspaces: list[str]


def due() -> Due:
    """What is due now; what was abandoned is set to wait again."""
    now = timezone.now()
    websites = Website.objects.filter(
        Q(refresh_at__lte=now) & ~Q(state__in=[Website.State.WAITING, Website.State.READING])
        | Q(state__in=[Website.State.WAITING, Website.State.READING], changed_at__lt=now - ABANDONED)
    )
    unread = Document.objects.filter(
        state__in=[Document.State.WAITING, Document.State.READING], worked_at__lt=now - ABANDONED
    )
    unlearned = Document.objects.filter(state=Document.State.LEARNING, worked_at__lt=now - UNLEARNED)
    found = Due(
        list(websites.values_list("pk", flat=True)),
        list(unread.values_list("pk", flat=True)),
        list(unlearned.values_list("pk", flat=True)),
        [pk for pk in _workspaces() if _lacks_vectors(pk)],
    )
    Website.objects.filter(pk__in=found.websites).update(state=Website.State.WAITING, changed_at=now)
    Document.objects.filter(pk__in=found.unread).update(state=Document.State.WAITING, worked_at=now)
    Document.objects.filter(pk__in=found.unlearned).update(worked_at=now)
    return found


def _workspaces() -> list[str]:
    return list(KnowledgeFolder.objects.order_by().values_list("organization_id", flat=True).distinct())


def _lacks_vectors(organization_id: str) -> bool:
    """Is the chosen model not the one that serves, or has a passage no vector of it?"""
    models = models_of(organization_id)
    if models.serving is None or models.serving.key != models.chosen.key:
        return True
    return chunks_without(chunks_of(organization_id), models.chosen).exists()


def is_relearning(settings: KnowledgeSettings | None) -> bool:
    """Is a workspace between two embedding models?"""
    return settings is not None and (settings.connection_id, settings.model) != (
        settings.serving_connection_id,
        settings.serving_model,
    )
