"""What the pages of the knowledge base read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q, QuerySet

from accounts.models import Organization
from builder.knowledge.embedding import models_of
from builder.knowledge.learn import chunks_of
from builder.knowledge.models import Chunk, ChunkVector, Document, KnowledgeFolder, KnowledgeSettings, Website
from builder.knowledge.services import folders_of
from builder.models import Agent


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder in the list, and the agents that use it, in their draft or live."""

    folder: KnowledgeFolder
    documents: int
    chunks: int
    failed: int
    updated_at: datetime | None
    agents: list[Agent]


@dataclass(frozen=True, slots=True)
class Learning:
    """How far a workspace is with the vectors of another model."""

    label: str
    done: int
    total: int
    problem: str


def folder_list(organization: Organization) -> list[FolderRow]:
    """The workspace's folders by name."""
    agents = list(organization.agents.filter(deleted_at=None).select_related("organization", "live_version"))
    used = [(agent, folders_of(agent)) for agent in agents]
    folders = organization.knowledge_folders.select_related("organization").annotate(
        documents_count=Count("documents", distinct=True),
        chunks_count=Count("documents__chunks", distinct=True),
        failed_count=Count("documents", filter=Q(documents__state=Document.State.FAILED), distinct=True),
        changed_at=Max("documents__updated_at"),
    )
    return [
        FolderRow(
            folder,
            folder.documents_count,
            folder.chunks_count,
            folder.failed_count,
            folder.changed_at,
            [agent for agent, keys in used if folder.pk in keys],
        )
        for folder in folders
    ]


def document_list(folder: KnowledgeFolder) -> QuerySet[Document]:
    """A folder's documents by name, each with its `chunks_count`."""
    documents = folder.documents.select_related("website", "folder__organization").defer("text")
    return documents.annotate(chunks_count=Count("chunks"))


def website_list(folder: KnowledgeFolder) -> QuerySet[Website]:
    """A folder's websites by address, each with its `documents_count`."""
    return folder.websites.annotate(documents_count=Count("documents"))


def is_busy(folder: KnowledgeFolder) -> bool:
    """Is anything of the folder being read or learnt?"""
    return (
        folder.documents.filter(state__in=Document.BUSY, problem="").exists()
        or folder.websites.filter(state__in=[Website.State.WAITING, Website.State.READING]).exists()
    )


def learning(organization: Organization) -> Learning | None:
    """How far the vectors of a model are that was chosen and does not serve yet; None when all is as chosen."""
    models = models_of(organization.pk)
    if models.serving is not None and models.serving.key == models.chosen.key:
        return None
    chunks = chunks_of(organization.pk)
    done = ChunkVector.objects.filter(chunk__in=chunks, model=models.chosen.key).count()
    stored = KnowledgeSettings.objects.filter(organization=organization).first()
    return Learning(models.chosen.label, done, chunks.count(), stored.problem if stored else "")


def passages_of(document: Document) -> QuerySet[Chunk]:
    return document.chunks.order_by("position")
