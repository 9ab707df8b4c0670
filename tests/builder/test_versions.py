"""Publishing, and the versions there were."""

from __future__ import annotations

import pytest
from pytest_django.asserts import assertRedirects

from accounts.models import User
from builder import services
from builder.config import AgentConfig
from builder.models import Agent
from tests.builder.pages import address, html
from tests.conftest import AgentFactory, ClientFactory, VersionFactory

pytestmark = pytest.mark.django_db


def edit(agent: Agent, actor: User, config: AgentConfig) -> Agent:
    agent.refresh_from_db()
    return services.agent_save_draft(
        agent=agent, actor=actor, name=agent.name, config=config, revision=agent.draft_revision
    )


class TestPublish:
    def test_the_sheet_shows_what_would_change(
        self, client_for: ClientFactory, member: User, version_factory: VersionFactory
    ) -> None:
        agent = version_factory().agent
        edit(agent, member, AgentConfig(prompt="Answer the phone.\nBe kind.", max_duration=600.0))
        page = html(client_for(member, htmx=True).get(address("agent_publish", agent)))
        assert '<ins class="diff-line' in page
        assert "Be kind." in page
        assert "Longest call" in page
        assert "30 min" in page
        assert "10 min" in page
        assert "<html" not in page

    def test_without_scripts_it_is_a_page(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        page = html(client_for(member).get(address("agent_publish", agent_factory())))
        assert "<html" in page
        assert "The first version" in page

    def test_it_makes_a_version_with_its_note(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        response = client_for(member).post(
            address("agent_publish", agent), {"revision": 1, "note": "Opening day"}, follow=True
        )
        assertRedirects(response, agent.get_absolute_url())
        assert "v1 is live" in html(response)
        agent.refresh_from_db()
        assert agent.live_version is not None
        assert (agent.live_version.note, agent.live_version.created_by) == ("Opening day", member)

    def test_htmx_is_sent_to_the_page(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        response = client_for(member, htmx=True).post(address("agent_publish", agent), {"revision": 1, "note": ""})
        assert response["HX-Redirect"] == agent.get_absolute_url()

    def test_a_draft_that_moved_on_is_shown_again_with_the_note_kept(
        self, client_for: ClientFactory, member: User, owner: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        edit(agent, owner, AgentConfig(prompt="Meanwhile."))
        response = client_for(member, htmx=True).post(
            address("agent_publish", agent), {"revision": 1, "note": "My note"}
        )
        page = html(response)
        assert response.status_code == 409
        assert "The draft has changed" in page
        assert "My note" in page
        assert "Meanwhile." in page
        assert 'name="revision" value="2"' in page
        assert not agent.versions.exists()

    def test_there_is_no_button_when_nothing_changed(
        self, client_for: ClientFactory, member: User, version_factory: VersionFactory
    ) -> None:
        agent = version_factory().agent
        client = client_for(member)
        page = html(client.get(address("agent_publish", agent)))
        assert "Nothing changed since v1" in page
        assert 'name="note"' not in page
        assert client.post(address("agent_publish", agent), {"revision": 1}).status_code == 409
        assert agent.versions.count() == 1

    def test_a_viewer_may_not_and_a_stranger_finds_nothing(
        self, client_for: ClientFactory, viewer: User, stranger: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        assert client_for(viewer).post(address("agent_publish", agent), {"revision": 1}).status_code == 403
        assert client_for(stranger).post(address("agent_publish", agent), {"revision": 1}).status_code == 404
        assert not agent.versions.exists()


class TestHistory:
    def test_it_lists_the_versions_newest_first_without_snapshots(
        self, client_for: ClientFactory, viewer: User, member: User, version_factory: VersionFactory
    ) -> None:
        agent = version_factory(note="The first").agent
        version_factory(agent, config=AgentConfig(prompt="Two."), note="The second", created_by=member)
        edit(agent, member, AgentConfig(prompt="Three."))
        services.snapshot_for_test(agent=agent, actor=member)
        page = html(client_for(viewer).get(address("agent_versions", agent)))
        assert page.index("The second") < page.index("The first")
        assert str(member) in page
        assert page.count('class="panel disclosure"') == 2

    def test_a_version_shows_what_it_changed_and_how_the_draft_differs(
        self, client_for: ClientFactory, member: User, version_factory: VersionFactory
    ) -> None:
        agent = version_factory().agent
        second = version_factory(agent, config=AgentConfig(prompt="Answer quickly."))
        edit(agent, member, AgentConfig(prompt="Answer slowly."))
        url = address("agent_version", agent, version_id=second.pk)
        page = html(client_for(member, htmx=True).get(url))
        assert "Changed since v1" in page
        assert page.index("Answer the phone.") < page.index("Answer quickly.")
        assert "Answer slowly." in page
        assert "Restore v2 into the draft" in page

    def test_a_viewer_is_not_offered_to_restore(
        self, client_for: ClientFactory, viewer: User, member: User, version_factory: VersionFactory
    ) -> None:
        version = version_factory()
        edit(version.agent, member, AgentConfig(prompt="Changed."))
        url = address("agent_version", version.agent, version_id=version.pk)
        assert "Restore" not in html(client_for(viewer).get(url))

    def test_restoring_goes_back_to_the_draft_and_does_not_publish(
        self, client_for: ClientFactory, member: User, version_factory: VersionFactory
    ) -> None:
        first = version_factory()
        second = version_factory(first.agent, config=AgentConfig(prompt="Two."))
        edit(first.agent, member, AgentConfig(prompt="Two."))
        url = address("agent_restore", first.agent, version_id=first.pk)
        response = client_for(member).post(url, {"revision": 2}, follow=True)
        assertRedirects(response, first.agent.get_absolute_url())
        assert "The draft says what v1 says" in html(response)
        agent = Agent.objects.get()
        assert agent.draft_config.prompt == "Answer the phone."
        assert agent.live_version == second

    def test_a_version_of_another_agent_is_not_found(
        self, client_for: ClientFactory, member: User, version_factory: VersionFactory, agent_factory: AgentFactory
    ) -> None:
        foreign = version_factory()
        url = address("agent_restore", agent_factory("Other"), version_id=foreign.pk)
        assert client_for(member).post(url, {"revision": 1}).status_code == 404

    def test_a_viewer_may_not_restore(
        self, client_for: ClientFactory, viewer: User, version_factory: VersionFactory
    ) -> None:
        version = version_factory()
        url = address("agent_restore", version.agent, version_id=version.pk)
        assert client_for(viewer).post(url, {"revision": 1}).status_code == 403
