"""Websites into documents. The worker calls this; it claims the website first, and can be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import structlog
from django.db import transaction
from django.utils import timezone

from builder.knowledge import files
from builder.knowledge.crawl import CannotFetch, Fetched, Missed, Visit
from builder.knowledge.ingest import folders_changed
from builder.knowledge.models import Document, KnowledgeFolder, Website

log = structlog.get_logger(__name__)


def read_website(website_id: str) -> list[str]:
    """Visit a waiting website and bring its documents up to date. Gives those that are to be read."""
    claimed = Website.objects.filter(pk=website_id, state=Website.State.WAITING)
    if not claimed.update(state=Website.State.READING, problem="", pages_read=0, changed_at=timezone.now()):
        return []
    website = Website.objects.select_related("folder").get(pk=website_id)
    changed: list[str] = []
    kept: set[str] = set()
    missed: list[Missed] = []
    try:
        with Visit(website.url, most_pages=website.most_pages, depth=website.depth) as visit:
            for count, page in enumerate(visit.pages(), start=1):
                if isinstance(page, Missed):
                    missed.append(page)
                    continue
                kept.add(page.url)
                if (document_id := page_store(website=website, page=page)) is not None:
                    changed.append(document_id)
                reading = Website.objects.filter(pk=website_id, state=Website.State.READING)
                reading.update(pages_read=count - len(missed), changed_at=timezone.now())
            was_cut = visit.was_cut
    except CannotFetch as error:
        _finish(website, Website.State.FAILED, str(error))
        return changed
    except Exception:
        log.exception("A website could not be read", website=website_id)
        _finish(website, Website.State.FAILED, "Something broke while it was read; the log of the worker says more.")
        return changed
    if not was_cut:
        # What a server could not give this time may be there the next.
        kept |= {page.url for page in missed if not page.gone}
        pages_remove(website=website, but=kept)
    _finish(website, Website.State.READY, _said_of(missed, was_cut))
    return changed


@transaction.atomic
def page_store(*, website: Website, page: Fetched) -> str | None:
    """Keep a page that was fetched. Gives its document if it says something new."""
    digest = sha256(page.data).hexdigest()
    document = Document.objects.select_for_update().filter(website=website, url=page.url).first()
    if document is not None and document.content_hash == digest and document.state != Document.State.FAILED:
        return None
    key, size, _ = files.store([page.data])
    name = (page.title or page.url.partition("://")[2]).strip()[:200]
    if document is None:
        document = Document(
            folder_id=website.folder_id,
            website=website,
            url=page.url,
            source=Document.Source.PAGE,
            updated_at=timezone.now(),
        )
    old_key = document.storage_key
    document.name, document.storage_key, document.size, document.content_hash = name, key, size, digest
    document.state, document.problem = Document.State.WAITING, ""
    document.save()
    transaction.on_commit(lambda: files.remove(old_key))
    return document.pk


@transaction.atomic
def pages_remove(*, website: Website, but: set[str]) -> None:
    """Delete the documents of pages that a website does not have any more."""
    gone = [document for document in website.documents.all() if document.url not in but]
    keys = [document.storage_key for document in gone]
    Document.objects.filter(pk__in=[document.pk for document in gone]).delete()
    if gone:
        folders_changed(KnowledgeFolder.objects.filter(pk=website.folder_id))
        transaction.on_commit(lambda: files.remove(*keys))


def _said_of(missed: Sequence[Missed], was_cut: bool) -> str:
    """What a visit could not read, in words."""
    parts = ["Only a part of it was read: there are more pages than fit into one visit."] if was_cut else []
    if missed:
        pages = "1 page" if len(missed) == 1 else f"{len(missed)} pages"
        parts.append(f"{pages} could not be read. {missed[0].reason}")
    return " ".join(parts)


def _finish(website: Website, state: Website.State, problem: str) -> None:
    now = timezone.now()
    # As it is now: the schedule may have been changed during the visit.
    schedule = Website.objects.filter(pk=website.pk).values_list("schedule", flat=True).first() or Website.Schedule.OFF
    reading = Website.objects.filter(pk=website.pk, state=Website.State.READING)
    reading.update(
        state=state,
        problem=problem[:500],
        changed_at=now,
        refreshed_at=now,
        refresh_at=next_time(now, schedule),
    )


def next_time(now: datetime, schedule: str) -> datetime | None:
    """When a website that was read `now` is due again."""
    period = Website.PERIODS.get(Website.Schedule(schedule))
    return now + period if period else None
