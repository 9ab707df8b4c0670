"""Websites as documents, and keeping them up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from builder.knowledge import files, services, tasks
from builder.knowledge.models import Document, KnowledgeFolder, Website
from tests.builder.knowledge.conftest import FakeEmbedder
from tests.builder.knowledge.site import Answer, Site

pytestmark = pytest.mark.usefixtures("embedder")


@pytest.fixture
def added(folder: KnowledgeFolder, owner: User, work: Callable[[], Any], site: Site) -> Callable[..., Website]:
    """Adds the site to the folder and has it read."""

    def make(path: str = "/", *, most_pages: int = 20, depth: int = 2, schedule: str = "off") -> Website:
        with work():
            website = services.website_add(
                folder=folder, actor=owner, url=site.url + path, most_pages=most_pages, depth=depth, schedule=schedule
            )
        website.refresh_from_db()
        return website

    return make


def names(website: Website) -> dict[str, str]:
    return dict(website.documents.values_list("name", "state"))


def again(website: Website, owner: User, work: Callable[[], Any]) -> None:
    with work():
        services.website_refresh(website=website, actor=owner)
    website.refresh_from_db()


def test_every_page_becomes_a_document_that_is_learnt(added: Callable[..., Website], site: Site) -> None:
    site.page("/", '<p>Welcome.</p><a href="/dogs">dogs</a>')
    site.page("/dogs", "<h1>Dogs</h1><p>They are welcome.</p>")
    website = added()
    assert (website.state, website.problem, website.pages_read) == ("ready", "", 2)
    assert names(website) == {"Start": "ready", "dogs": "ready"}
    chunk = website.documents.get(name="dogs").chunks.get()
    assert (chunk.heading, chunk.text) == ("Dogs", "They are welcome.")


def test_a_second_visit_learns_only_pages_that_changed(
    added: Callable[..., Website], site: Site, owner: User, work: Callable[[], Any], embedder: FakeEmbedder
) -> None:
    site.page("/", '<p>Welcome.</p><a href="/dogs">dogs</a>')
    site.page("/dogs", "<p>They are welcome.</p>")
    website = added()
    embedder.asked.clear()
    before = dict(website.documents.values_list("name", "storage_key"))
    site.page("/dogs", "<p>They cost ten pounds.</p>")
    again(website, owner, work)
    assert [text.partition("\n")[2] for text in embedder.texts] == ["They cost ten pounds."]
    after = dict(website.documents.values_list("name", "storage_key"))
    assert (after["Start"], after["dogs"] != before["dogs"]) == (before["Start"], True)
    assert not files.path_of(before["dogs"]).exists()


def test_pages_that_are_gone_are_forgotten_and_those_that_fail_are_kept(
    added: Callable[..., Website], site: Site, owner: User, work: Callable[[], Any]
) -> None:
    site.page("/", '<p>Hi.</p><a href="/a">a</a> <a href="/b">b</a> <a href="/c">c</a>')
    for path in ("/a", "/b", "/c"):
        site.page(path, "<p>Text.</p>")
    website = added()
    del site.pages["/a"]
    site.pages["/b"] = Answer("x", 500)
    again(website, owner, work)
    assert set(names(website)) == {"Start", "b", "c"}
    assert website.state == "ready"
    assert website.problem.startswith("2 pages could not be read.")


def test_a_site_that_cannot_be_reached_says_why_and_keeps_what_was_read(
    added: Callable[..., Website], site: Site, owner: User, work: Callable[[], Any]
) -> None:
    site.page("/", "<p>Hi.</p>")
    website = added()
    site.pages["/"] = Answer("x", 503)
    again(website, owner, work)
    assert website.state == "failed"
    assert "503" in website.problem
    assert names(website) == {"Start": "ready"}


def test_a_page_without_text_fails_by_itself(added: Callable[..., Website], site: Site) -> None:
    site.page("/", '<p>Hi.</p><a href="/empty">e</a>')
    site.page("/empty", "")
    assert names(added()) == {"Start": "ready", "empty": "failed"}


def test_a_website_is_read_again_when_its_time_has_come(added: Callable[..., Website], site: Site) -> None:
    site.page("/", "<p>Hi.</p>")
    website = added(schedule="daily")
    assert website.refresh_at is not None
    assert timedelta(hours=23) < website.refresh_at - timezone.now() <= timedelta(days=1)
    asked = len(site.asked)
    tasks.look_after_knowledge()
    assert len(site.asked) == asked
    Website.objects.update(refresh_at=timezone.now() - timedelta(seconds=1))
    tasks.look_after_knowledge()
    assert len(site.asked) == asked + 2
    website.refresh_from_db()
    assert website.refresh_at > timezone.now()


def test_a_website_without_a_schedule_is_not_read_again(added: Callable[..., Website], site: Site) -> None:
    site.page("/", "<p>Hi.</p>")
    assert added().refresh_at is None


def test_a_schedule_can_be_changed(added: Callable[..., Any], site: Site, owner: User) -> None:
    site.page("/", "<p>Hi.</p>")
    website = added()
    services.website_schedule(website=website, actor=owner, schedule="weekly")
    website.refresh_from_db()
    assert website.refresh_at - website.refreshed_at == timedelta(days=7)
    services.website_schedule(website=website, actor=owner, schedule="off")
    website.refresh_from_db()
    assert website.refresh_at is None


def test_a_website_takes_its_pages_with_it(
    added: Callable[..., Website], site: Site, owner: User, work: Callable[[], Any]
) -> None:
    site.page("/", "<p>Hi.</p>")
    website = added()
    path = files.path_of(website.documents.get().storage_key)
    with work():
        services.website_delete(website=website, actor=owner)
    assert not Document.objects.exists()
    assert not path.exists()


def test_a_visit_that_a_dead_worker_left_is_begun_again(added: Callable[..., Website], site: Site) -> None:
    site.page("/", "<p>Hi.</p>")
    website = added()
    Website.objects.update(state=Website.State.READING, changed_at=timezone.now() - timedelta(hours=1))
    tasks.look_after_knowledge()
    website.refresh_from_db()
    assert website.state == "ready"
