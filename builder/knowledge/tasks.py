"""The work of the knowledge base, in the worker. Each task does a slice and asks for the next."""

from __future__ import annotations

from celery import shared_task

from builder.knowledge import ingest, learn, pgvector, upkeep, websites
from builder.knowledge.models import ChunkVector


@shared_task
def read_document(document_id: str) -> None:
    """Make a document's passages, then their vectors."""
    if ingest.read_document(document_id):
        learn_document.delay(document_id)


@shared_task
def learn_document(document_id: str) -> None:
    """Make the vectors of a document's passages."""
    if not learn.learn_document(document_id):
        learn_document.delay(document_id)


@shared_task
def learn_workspace(organization_id: str) -> None:
    """Make the vectors that all of a workspace's passages lack."""
    if not learn.learn_workspace(organization_id):
        learn_workspace.delay(organization_id)


@shared_task
def read_website(website_id: str) -> None:
    """Visit a website, then read what it has new."""
    for document_id in websites.read_website(website_id):
        read_document.delay(document_id)


@shared_task
def look_after_knowledge() -> None:
    """Begin what is due, and go on with what was left lying."""
    due = upkeep.due()
    for website_id in due.websites:
        read_website.delay(website_id)
    for document_id in due.unread:
        read_document.delay(document_id)
    for document_id in due.unlearned:
        learn_document.delay(document_id)
    for organization_id in due.workspaces:
        learn_workspace.delay(organization_id)
    pgvector.copy(ChunkVector.objects.all())
