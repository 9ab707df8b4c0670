"""What people change about the knowledge base: each is one transaction with its audit entry. The worker follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services import audit
from builder.in_use import require_unused
from builder.knowledge import files
from builder.knowledge.ingest import folders_changed
from builder.knowledge.models import Document, KnowledgeFolder, KnowledgeSettings, Website
from builder.knowledge.websites import next_time
from builder.models import Agent, ModelConnection
from core.errors import ApiError, ErrorCode

# --- folders


@transaction.atomic
def folder_create(*, organization: Organization, actor: User, name: str) -> KnowledgeFolder:
    folder = KnowledgeFolder.objects.create(organization=organization, name=name)
    _audit(folder, actor, "knowledge.folder_created", name=("", name))
    return folder


@transaction.atomic
def folder_rename(*, folder: KnowledgeFolder, actor: User, name: str) -> None:
    if name != folder.name:
        _audit(folder, actor, "knowledge.folder_renamed", name=(folder.name, name))
        folder.name = name
        folder.save(update_fields=["name"])


@transaction.atomic
def folder_delete(*, folder: KnowledgeFolder, actor: User) -> None:
    """Delete a folder with all of its documents. Raises ApiError (conflict), which names them, while agents use it."""
    require_unused(folder, agents_using(folder), "Take it off there and publish")
    keys = list(folder.documents.values_list("storage_key", flat=True))
    _audit(folder, actor, "knowledge.folder_deleted", name=(folder.name, ""), documents=(len(keys), 0))
    folder.delete()
    transaction.on_commit(lambda: files.remove(*keys))


def agents_using(folder: KnowledgeFolder) -> list[Agent]:
    """The agents, not deleted, whose draft or live version looks things up in `folder`."""
    agents = Agent.objects.filter(organization_id=folder.organization_id, deleted_at=None)
    return [agent for agent in agents.select_related("organization", "live_version") if folder.pk in folders_of(agent)]


def folders_of(agent: Agent) -> set[str]:
    """The folders of an agent's draft and of its live version."""
    return {folder for config in agent.configs for folder in config.folders}


# --- documents


@transaction.atomic
def file_add(*, folder: KnowledgeFolder, actor: User, name: str, parts: Iterable[bytes]) -> Document:
    """Keep an uploaded file and have it read. Raises ApiError (request too large)."""
    try:
        key, size, digest = files.store(parts)
    except files.FileTooLarge:
        message = f"{name} has more than {files.MOST_BYTES // 1_000_000} MB. Split it, or leave out its pictures."
        raise ApiError(ErrorCode.REQUEST_TOO_LARGE, "The file is too large", message) from None
    try:
        document = Document.objects.create(
            folder=folder,
            source=Document.Source.FILE,
            name=name[:200],
            storage_key=key,
            size=size,
            content_hash=digest,
            created_by=actor,
            updated_at=timezone.now(),
        )
        _audit_document(document, actor, "knowledge.document_added", name=("", document.name))
    except BaseException:
        files.remove(key)
        raise
    _read_soon(document)
    return document


@transaction.atomic
def text_add(*, folder: KnowledgeFolder, actor: User, name: str, text: str) -> Document:
    """Keep a typed text and have it read."""
    document = Document.objects.create(
        folder=folder,
        source=Document.Source.TEXT,
        name=name,
        text=text,
        size=len(text.encode()),
        created_by=actor,
        updated_at=timezone.now(),
    )
    _audit_document(document, actor, "knowledge.document_added", name=("", name))
    _read_soon(document)
    return document


@transaction.atomic
def text_update(*, document: Document, actor: User, name: str, text: str) -> None:
    """Change a typed text and have it read again; passages that stay the same stay as they are."""
    if (document.name, document.text) == (name, text):
        return
    lengths = (f"{len(document.text)} characters", f"{len(text)} characters")
    _audit_document(document, actor, "knowledge.document_changed", name=(document.name, name), text=lengths)
    document.name, document.text, document.size = name, text, len(text.encode())
    document.state, document.problem, document.updated_at = Document.State.WAITING, "", timezone.now()
    document.save()
    _read_soon(document)


@transaction.atomic
def document_retry(*, document: Document, actor: User) -> None:
    """Read a document once more. Nothing happens to one that is being worked on."""
    waiting = {"state": Document.State.WAITING, "problem": "", "worked_at": timezone.now()}
    if Document.objects.filter(pk=document.pk).exclude(state=Document.State.READING).update(**waiting):
        _audit_document(document, actor, "knowledge.document_retried")
        _read_soon(document)


@transaction.atomic
def document_delete(*, document: Document, actor: User) -> None:
    _audit_document(document, actor, "knowledge.document_deleted", name=(document.name, ""))
    key = document.storage_key
    document.delete()
    folders_changed(KnowledgeFolder.objects.filter(pk=document.folder_id))
    transaction.on_commit(lambda: files.remove(key))


# --- websites


@transaction.atomic
def website_add(
    *, folder: KnowledgeFolder, actor: User, url: str, most_pages: int, depth: int, schedule: str
) -> Website:
    """Have a page, or the pages reached from it, read now and by the schedule."""
    website = Website.objects.create(
        folder=folder, url=url, most_pages=most_pages, depth=depth, schedule=Website.Schedule(schedule)
    )
    _audit(folder, actor, "knowledge.website_added", url=("", url), pages=("", most_pages), schedule=("", schedule))
    _visit_soon(website)
    return website


@transaction.atomic
def website_schedule(*, website: Website, actor: User, schedule: str) -> None:
    """Change how often a website is read again."""
    if website.schedule == schedule:
        return
    _audit(website.folder, actor, "knowledge.website_changed", schedule=(website.schedule, schedule))
    website.schedule = Website.Schedule(schedule)
    website.refresh_at = next_time(website.refreshed_at or timezone.now(), schedule)
    website.save(update_fields=["schedule", "refresh_at"])


@transaction.atomic
def website_refresh(*, website: Website, actor: User) -> None:
    """Read a website again now. Nothing happens to one that is being read."""
    waiting = {"state": Website.State.WAITING, "problem": "", "changed_at": timezone.now()}
    if Website.objects.filter(pk=website.pk).exclude(state=Website.State.READING).update(**waiting):
        _audit(website.folder, actor, "knowledge.website_refreshed", url=("", website.url))
        _visit_soon(website)


@transaction.atomic
def website_delete(*, website: Website, actor: User) -> None:
    """Forget a website, with the documents that its pages are."""
    keys = list(website.documents.values_list("storage_key", flat=True))
    _audit(website.folder, actor, "knowledge.website_deleted", url=(website.url, ""), documents=(len(keys), 0))
    folder_id = website.folder_id
    website.delete()
    folders_changed(KnowledgeFolder.objects.filter(pk=folder_id))
    transaction.on_commit(lambda: files.remove(*keys))


# --- the embedding model


@transaction.atomic
def embedding_choose(
    *, organization: Organization, actor: User, connection: ModelConnection | None, model: str
) -> None:
    """Have the workspace's vectors made by another model: the local one, or `model` at `connection`.

    Searches are answered by the old vectors until the new ones are all there.
    """
    name = model if connection else ""
    settings, _ = KnowledgeSettings.objects.select_for_update().get_or_create(organization=organization)
    if (settings.connection, settings.model) == (connection, name):
        return
    change = (_model_words(settings.connection, settings.model), _model_words(connection, name))
    audit(
        organization=organization,
        actor=actor,
        action="knowledge.embedding_chosen",
        target=organization.pk,
        changes={"model": change},
    )
    settings.connection, settings.model, settings.problem = connection, name, ""
    settings.save(update_fields=["connection", "model", "problem"])
    _soon("learn_workspace", organization.pk)


def _model_words(connection: ModelConnection | None, name: str) -> str:
    return f"{name} at {connection.name}" if connection else "local"


# --- shared


def _read_soon(document: Document) -> None:
    _soon("read_document", document.pk)


def _visit_soon(website: Website) -> None:
    _soon("read_website", website.pk)


def _soon(task: str, pk: str) -> None:
    """Give the worker something to do, once this transaction is stored. A queue that is down is made up for later."""
    transaction.on_commit(lambda: _task(task)(pk), robust=True)


def _task(name: str) -> Callable[[str], Any]:
    from builder.knowledge import tasks  # whose work imports what this module needs

    return getattr(tasks, name).delay


def _audit(folder: KnowledgeFolder, actor: User, action: str, **changes: tuple[Any, Any]) -> None:
    audit(organization=folder.organization, actor=actor, action=action, target=folder.pk, changes=changes)


def _audit_document(document: Document, actor: User, action: str, **changes: tuple[Any, Any]) -> None:
    organization = document.folder.organization
    audit(organization=organization, actor=actor, action=action, target=document.pk, changes=changes)
