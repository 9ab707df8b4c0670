"""The pages of the knowledge base, and who may do what on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Organization, User
from builder.config import AgentConfig
from builder.knowledge import files, services
from builder.knowledge.models import Document, KnowledgeFolder, KnowledgeSettings, Website
from builder.models import Agent
from tests.builder.knowledge.conftest import FakeEmbedder, FileFactory, FolderFactory, TextFactory
from tests.builder.knowledge.site import Site
from tests.builder.pages import address as agent_address
from tests.builder.pages import html, page_data
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory, VersionFactory
from voice.providers.base import ProviderError


def at(name: str, where: KnowledgeFolder | Document | Website | Organization, **query: str) -> str:
    arguments: dict[str, str] = {}
    match where:
        case Organization():
            workspace = where
        case KnowledgeFolder():
            workspace, arguments = where.organization, {"folder_id": where.pk}
        case Document():
            workspace, arguments = where.folder.organization, {"document_id": where.pk}
        case Website():
            workspace, arguments = where.folder.organization, {"website_id": where.pk}
    return reverse(name, kwargs={"workspace": workspace.slug, **arguments})


@pytest.fixture
def page(client_for: ClientFactory, member: User) -> Client:
    """A member's browser."""
    return client_for(member, htmx=True)


# --- folders


def test_an_empty_workspace_is_told_what_folders_are_for(page: Client, workspace: Organization) -> None:
    assert "Nothing to look up yet" in html(page.get(at("knowledge", workspace)))


def test_a_folder_is_made_and_one_is_led_to_it(page: Client, workspace: Organization) -> None:
    response = page.post(at("knowledge_folder_new", workspace), {"name": "Prices"})
    made = KnowledgeFolder.objects.get()
    assert response.headers["HX-Redirect"] == made.get_absolute_url()
    assert AuditEntry.objects.get().action == "knowledge.folder_created"


def test_a_name_that_is_taken_is_refused_in_its_place(
    page: Client, folder: KnowledgeFolder, folder_factory: FolderFactory
) -> None:
    response = page.post(at("knowledge_folder_new", folder.organization), {"name": folder.name})
    assert response.status_code == 422
    assert "already a folder of this name" in html(response)
    other = folder_factory("Prices")
    assert page.post(at("knowledge_folder_rename", other), {"name": folder.name}).status_code == 422
    assert page.post(at("knowledge_folder_rename", other), {"name": "Costs"}).status_code == 200
    other.refresh_from_db()
    assert other.name == "Costs"


def test_the_list_counts_what_is_in_a_folder_and_who_uses_it(
    page: Client, folder: KnowledgeFolder, typed: TextFactory, uploaded: FileFactory, agent_factory: AgentFactory
) -> None:
    typed("# A\nOne.\n\n# B\nTwo.")
    uploaded(b"\0", "broken.txt")
    agent_factory("Front desk", config=AgentConfig(knowledge=(folder.pk,)))
    shown = html(page.get(at("knowledge", folder.organization)))
    for words in ("House rules", "Front desk", "1 failed", ">2<"):
        assert words in shown


@pytest.mark.parametrize("by", ["agent", "step"])
def test_a_folder_that_an_agent_uses_is_not_deleted(
    page: Client, folder: KnowledgeFolder, version_factory: VersionFactory, agent_factory: AgentFactory, by: str
) -> None:
    agent, step = agent_factory("Front desk"), {"kind": "knowledge", "id": "ask", "folders": [folder.pk]}
    using = {"knowledge": [folder.pk]} if by == "agent" else {"flow": {"steps": [step]}}
    version_factory(agent, config=AgentConfig.model_validate(using))
    response = page.post(at("knowledge_folder_delete", folder))
    assert response.status_code == 409
    assert "Used by Front desk" in html(response)
    assert KnowledgeFolder.objects.exists()


def test_a_folder_that_nobody_uses_is_deleted(page: Client, folder: KnowledgeFolder) -> None:
    assert page.post(at("knowledge_folder_delete", folder)).status_code == 302
    assert not KnowledgeFolder.objects.exists()


# --- adding


def test_files_are_uploaded_several_at_a_time(
    page: Client, folder: KnowledgeFolder, embedder: FakeEmbedder, work: Callable[[], Any]
) -> None:
    sent = [SimpleUploadedFile("a.txt", b"Dogs are welcome."), SimpleUploadedFile("b.md", b"# Food\nSoup.")]
    with work():
        response = page.post(at("knowledge_folder_upload", folder), {"documents": sent})
    assert response.headers["HX-Redirect"] == folder.get_absolute_url()
    assert dict(Document.objects.values_list("name", "state")) == {"a.txt": "ready", "b.md": "ready"}


@pytest.mark.parametrize("sent", [{}, {"documents": SimpleUploadedFile("empty.txt", b"")}])
def test_an_upload_of_nothing_is_refused_in_its_place(page: Client, folder: KnowledgeFolder, sent: Any) -> None:
    response = page.post(at("knowledge_folder_upload", folder), sent)
    assert response.status_code == 422
    assert "field-error" in html(response)


def test_a_text_is_typed_and_changed(
    page: Client, folder: KnowledgeFolder, embedder: FakeEmbedder, work: Callable[[], Any]
) -> None:
    with work():
        page.post(at("knowledge_folder_text", folder), {"name": "Pets", "text": "Dogs are welcome."})
    document = Document.objects.get()
    with work():
        page.post(document.get_absolute_url(), {"name": "Pets", "text": "Dogs are not."})
    assert document.chunks.get().text == "Dogs are not."
    assert page.post(document.get_absolute_url(), {"name": "", "text": ""}).status_code == 422


def test_a_website_is_read(
    page: Client, folder: KnowledgeFolder, embedder: FakeEmbedder, site: Site, work: Callable[[], Any]
) -> None:
    site.page("/", '<p>Hi.</p><a href="/a">a</a>')
    site.page("/a", "<p>Text.</p>")
    sent = {"url": f"{site.url}#top", "extent": "site", "most_pages": 5, "depth": 1, "schedule": "daily"}
    with work():
        page.post(at("knowledge_folder_website", folder), sent)
    website = Website.objects.get()
    assert (website.url, website.most_pages, website.depth) == (f"{site.url}/", 5, 1)
    assert website.documents.count() == 2
    assert page.post(at("knowledge_folder_website", folder), sent).status_code == 422


def test_of_one_page_only_that_is_read(
    page: Client, folder: KnowledgeFolder, embedder: FakeEmbedder, site: Site, work: Callable[[], Any]
) -> None:
    site.page("/", '<p>Hi.</p><a href="/a">a</a>')
    with work():
        page.post(
            at("knowledge_folder_website", folder),
            {"url": site.url, "extent": "page", "most_pages": 50, "depth": 2, "schedule": "off"},
        )
    assert site.pages_asked == ["/"]


@pytest.mark.parametrize("url", ["", "mill.example", "ftp://mill.example/", "http://a:b@mill.example/", "http://[x/"])
def test_what_is_no_address_is_refused(page: Client, folder: KnowledgeFolder, url: str) -> None:
    sent = {"url": url, "extent": "page", "most_pages": 5, "depth": 1, "schedule": "off"}
    assert page.post(at("knowledge_folder_website", folder), sent).status_code == 422
    assert not Website.objects.exists()


# --- what is there


def test_a_folder_shows_its_documents_and_asks_again_while_one_is_being_read(
    page: Client, folder: KnowledgeFolder, typed: TextFactory
) -> None:
    document = typed("Dogs are welcome.", "Pets")
    shown = html(page.get(folder.get_absolute_url()))
    assert "Pets" in shown
    assert "every 1s" not in shown
    Document.objects.update(state="learning", done=3, total=12)
    shown = html(page.get(at("knowledge_folder_rows", document.folder)))
    assert "every 1s" in shown
    assert "3 of 12" in shown


def test_a_failure_is_said_where_it_can_be_tried_again(
    page: Client, uploaded: FileFactory, folder: KnowledgeFolder, work: Callable[[], Any]
) -> None:
    document = uploaded(b"\0", "broken.txt")
    shown = html(page.get(folder.get_absolute_url()))
    assert "not a kind of file" in shown
    assert at("knowledge_document_retry", document) in shown
    files.path_of(document.storage_key).write_bytes(b"Mended.")
    with work():
        page.post(at("knowledge_document_retry", document))
    assert document.chunks.get().text == "Mended."


def test_a_document_shows_its_text_and_passages(page: Client, typed: TextFactory) -> None:
    document = typed("# Pets\nDogs are <b>welcome</b>.")
    shown = html(page.get(document.get_absolute_url()))
    assert "Dogs are &lt;b&gt;welcome&lt;/b&gt;." in shown
    assert 'id="passage-0"' in shown


@pytest.mark.django_db(transaction=True)
async def test_a_file_is_only_ever_saved(uploaded_page: Document, async_client: Any, member: User) -> None:
    await async_client.aforce_login(member)
    response = await async_client.get(await sync_to_async(at)("knowledge_document_file", uploaded_page))
    assert response["Content-Disposition"].startswith("attachment; ")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join([part async for part in response.streaming_content]) == b"<script>alert(1)</script><p>Hi."


@pytest.fixture
def uploaded_page(uploaded: FileFactory) -> Document:
    return uploaded(b"<script>alert(1)</script><p>Hi.", 'a "page".html')


# --- searching


def test_a_question_shows_passages_scores_and_what_the_model_is_given(page: Client, typed: TextFactory) -> None:
    document = typed("# Pets\nDogs are welcome.", "Rules")
    shown = html(page.get(at("knowledge_search", document.folder.organization), {"q": "dogs?"}))
    for words in ("Rules, Pets", "by words no. 1", "by meaning no. 1", "From the knowledge base", "#passage-0"):
        assert words in shown


def test_a_question_that_finds_nothing_says_so(page: Client, typed: TextFactory, workspace: Organization) -> None:
    typed("Dogs are welcome.")
    assert "Nothing fits" in html(page.get(at("knowledge_search", workspace), {"q": "spaceships"}))
    assert "Write a question" in html(page.get(at("knowledge_search", workspace), {"q": ""}))


def test_a_search_by_words_alone_says_why(
    page: Client, typed: TextFactory, workspace: Organization, embedder: FakeEmbedder
) -> None:
    typed("Dogs are welcome.")
    embedder.failure = ProviderError("local", "It is starting.")
    assert "It is starting." in html(page.get(at("knowledge_search", workspace), {"q": "dogs"}))


def test_a_folder_of_somebody_else_cannot_be_asked(
    page: Client, workspace: Organization, folder_factory: FolderFactory, other_workspace: Organization
) -> None:
    theirs = folder_factory("Theirs", organization=other_workspace)
    assert page.get(at("knowledge_search", workspace), {"q": "dogs", "folder": theirs.pk}).status_code == 422


# --- the embedding model


def test_an_admin_chooses_the_embedding_model(
    client_for: ClientFactory,
    admin: User,
    workspace: Organization,
    connection_factory: ConnectionFactory,
    embedder: FakeEmbedder,
) -> None:
    connection, other = connection_factory(vendor="openai"), connection_factory("Only recognises", vendor="deepgram")
    client = client_for(admin)
    shown = html(client.get(at("knowledge_model", workspace)))
    assert connection.name in shown
    assert other.name not in shown
    assert client.post(at("knowledge_model", workspace), {"connection": connection.pk}).status_code == 422
    client.post(at("knowledge_model", workspace), {"connection": connection.pk, "model": "small"})
    assert KnowledgeSettings.objects.get().connection == connection
    assert "Vectors are being made by small" in html(client.get(at("knowledge", workspace)))
    response = client.post(
        reverse("connection_delete", kwargs={"workspace": workspace.slug, "connection_id": connection.pk})
    )
    assert response.status_code == 409


# --- roles


def test_a_viewer_reads_everything_and_can_press_nothing(
    client_for: ClientFactory, viewer: User, typed: TextFactory, folder: KnowledgeFolder
) -> None:
    document = typed("Dogs are welcome.", "Pets")
    client = client_for(viewer)
    for path in (at("knowledge", folder.organization), folder.get_absolute_url(), document.get_absolute_url()):
        shown = html(client.get(path)).partition('id="content"')[2]
        assert 'method="post"' not in shown.partition("</main>")[0]
    for name, where in (
        ("knowledge_folder_new", folder.organization),
        ("knowledge_folder_upload", folder),
        ("knowledge_folder_text", folder),
        ("knowledge_folder_delete", folder),
        ("knowledge_document", document),
        ("knowledge_document_delete", document),
    ):
        assert client.post(at(name, where), {"name": "x", "text": "x"}).status_code == 403
    assert client.get(at("knowledge_model", folder.organization)).status_code == 403
    assert client.get(at("knowledge_search", folder.organization), {"q": "dogs"}).status_code == 200


# --- on the agent's page


def test_folders_are_ticked_on_the_agents_page(
    page: Client, folder: KnowledgeFolder, folder_factory: FolderFactory, agent_factory: AgentFactory
) -> None:
    other, agent = folder_factory("Prices"), agent_factory()
    page.post(agent_address("agent_save", agent), page_data(agent, knowledge=[folder.pk, other.pk]))
    agent.refresh_from_db()
    assert set(agent.draft_config.knowledge) == {folder.pk, other.pk}
    agent = Agent.objects.get()
    page.post(agent_address("agent_save", agent), page_data(agent, knowledge=None))
    agent.refresh_from_db()
    assert agent.draft_config.knowledge == ()


def test_a_folder_of_somebody_else_cannot_be_ticked(
    page: Client, folder_factory: FolderFactory, other_workspace: Organization, agent_factory: AgentFactory
) -> None:
    theirs, agent = folder_factory(organization=other_workspace), agent_factory()
    response = page.post(agent_address("agent_save", agent), page_data(agent, knowledge=[theirs.pk]))
    assert response.status_code == 422


def test_a_viewer_reads_which_folders_an_agent_has(
    client_for: ClientFactory, viewer: User, folder: KnowledgeFolder, agent_factory: AgentFactory, owner: User
) -> None:
    agent = agent_factory(config=AgentConfig(knowledge=(folder.pk, "kf_gone")))
    assert "House rules, a deleted folder" in html(client_for(viewer).get(agent.get_absolute_url()))
    assert services.agents_using(folder) == [agent]
