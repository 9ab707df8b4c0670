"""The list of agents and the page of one, for each persona."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from accounts.models import AuditEntry, Organization, User
from builder import engine, services
from builder.config import AgentConfig, ModelChoice
from builder.models import Agent
from tests.builder.pages import address, html, page_data
from tests.conftest import AgentFactory, CallFactory, ClientFactory, ConnectionFactory, VersionFactory
from voice.providers.local import Component, ModelsStatus

pytestmark = pytest.mark.django_db

CHANGING = ("agent_save", "agent_publish", "agent_delete", "agent_duplicate", "agent_voice_preview")


def agents_page(client_for: ClientFactory, user: User, workspace: Organization) -> str:
    return html(client_for(user).get(reverse("agents", args=[workspace.slug])))


class TestList:
    def test_it_shows_an_agent_with_its_version_model_voice_and_calls(
        self,
        client_for: ClientFactory,
        owner: User,
        workspace: Organization,
        version_factory: VersionFactory,
        call_factory: CallFactory,
    ) -> None:
        version = version_factory()
        call_factory(version)
        call_factory(version, started_at=timezone.now() - timedelta(days=9))
        page = agents_page(client_for, owner, workspace)
        for words in ("Reception", "v1 live", "On this machine", "Heart", f"{version.agent.get_absolute_url()}?talk=1"):
            assert words in page
        counted = rf'calls/\?agent={version.agent.pk}"\s*>1</a'
        assert re.search(counted, page)  # the other call is older than a week

    def test_it_marks_unpublished_changes(
        self,
        client_for: ClientFactory,
        owner: User,
        workspace: Organization,
        version_factory: VersionFactory,
        agent_factory: AgentFactory,
    ) -> None:
        agent = version_factory().agent
        config = AgentConfig(prompt="Something else.")
        services.agent_save_draft(agent=agent, actor=owner, name=agent.name, config=config, revision=1)
        agent_factory("Never out")
        page = agents_page(client_for, owner, workspace)
        assert page.count("Unpublished changes") == 1
        assert page.count("Not published") == 1

    def test_neither_deleted_agents_nor_those_of_others_are_in_it(
        self,
        client_for: ClientFactory,
        owner: User,
        workspace: Organization,
        other_workspace: Organization,
        agent_factory: AgentFactory,
    ) -> None:
        services.agent_delete(agent=agent_factory("Gone agent"), actor=owner)
        agent_factory("Foreign agent", organization=other_workspace)
        page = agents_page(client_for, owner, workspace)
        assert "Gone agent" not in page
        assert "Foreign agent" not in page
        assert "No agents yet" in page

    def test_a_viewer_gets_no_buttons(
        self, client_for: ClientFactory, viewer: User, workspace: Organization, agent_factory: AgentFactory
    ) -> None:
        agent_factory()
        page = agents_page(client_for, viewer, workspace)
        assert "New agent" not in page
        assert "?talk=1" not in page

    def test_many_agents_take_no_more_queries_than_one(
        self,
        client_for: ClientFactory,
        owner: User,
        workspace: Organization,
        version_factory: VersionFactory,
        agent_factory: AgentFactory,
    ) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                agents_page(client_for, owner, workspace)
            return len(captured)

        version_factory()
        one = queries()
        for number in range(3):
            version_factory(agent_factory(f"Agent {number}"))
        assert queries() == one


class TestNew:
    def test_a_member_starts_from_a_template(
        self, client_for: ClientFactory, member: User, workspace: Organization
    ) -> None:
        client, url = client_for(member), reverse("agent_new", args=[workspace.slug])
        assert 'href="?start=reservation"' in html(client.get(url))
        preview = html(client.get(f"{url}?start=reservation"))
        assert "A table for four on Friday" in preview
        response = client.post(url, {"start": "reservation", "name": "Lucia"})
        agent = Agent.objects.get()
        assertRedirects(response, agent.get_absolute_url())
        assert agent.name == "Lucia"
        assert "Trattoria Lucia" in agent.draft_config.prompt

    def test_an_unknown_template_is_refused(
        self, client_for: ClientFactory, member: User, workspace: Organization
    ) -> None:
        response = client_for(member).post(reverse("agent_new", args=[workspace.slug]), {"start": "rocket"})
        assert response.status_code == 422
        assert not Agent.objects.exists()

    def test_a_viewer_may_not(self, client_for: ClientFactory, viewer: User, workspace: Organization) -> None:
        response = client_for(viewer).post(reverse("agent_new", args=[workspace.slug]), {"start": "blank"})
        assert response.status_code == 403
        assert not Agent.objects.exists()


class TestPage:
    @pytest.mark.parametrize("persona", ["owner", "admin", "member"])
    def test_who_may_edit_gets_every_control(
        self, persona: str, request: pytest.FixtureRequest, client_for: ClientFactory, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        agent.organization.pronunciation_dictionaries.create(name="Names")
        page = html(client_for(request.getfixturevalue(persona)).get(agent.get_absolute_url()))
        for name in page_data(agent):
            assert f'name="{name}"' in page
        assert "Answer the phone." in page

    def test_a_large_workspace_takes_no_more_queries_than_a_small_one(
        self,
        client_for: ClientFactory,
        member: User,
        workspace: Organization,
        agent_factory: AgentFactory,
        connection_factory: ConnectionFactory,
    ) -> None:
        client, agent = client_for(member), agent_factory()

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get(agent.get_absolute_url())
            return len(captured)

        connection_factory("Connection", vendor="openai")
        queries()  # the first one enters the workspace
        one = queries()
        for number in range(5):
            connection_factory(f"Connection {number}", vendor="openai")
            workspace.tools.create(kind="client", name=f"tool_{number}", config={})
            workspace.knowledge_folders.create(name=f"Folder {number}")
            agent_factory(f"Agent {number}")
        assert queries() == one

    def test_a_viewer_reads_everything_and_can_press_nothing(
        self, client_for: ClientFactory, viewer: User, version_factory: VersionFactory
    ) -> None:
        agent = version_factory().agent
        page = html(client_for(viewer).get(agent.get_absolute_url()))
        for words in ("Answer the phone.", "Heart", "Longest call", "30 min", "Are you still there?"):
            assert words in page
        assert 'name="prompt"' not in page
        for action in CHANGING:
            assert address(action, agent) not in page

    def test_a_viewer_reads_the_flow_and_the_text_and_can_change_nothing(
        self, client_for: ClientFactory, viewer: User, stranger: User, agent_factory: AgentFactory
    ) -> None:
        steps = [{"kind": "say", "id": "greet", "say": "Welcome to the harbour!"}]
        agent = agent_factory(config=AgentConfig.model_validate({"prompt": "Be kind.", "flow": {"steps": steps}}))
        client = client_for(viewer)
        pages = {view: html(client.get(address(view, agent))) for view in ("agent", "agent_flow", "agent_yaml")}
        for page in pages.values():
            for view in pages:
                assert f'href="{address(view, agent)}"' in page
            for action in (*CHANGING, "agent_save_config", "agent_save_yaml", "agent_undo"):
                assert address(action, agent) not in page
            assert "contenteditable" not in page
            assert "<textarea" not in page
        assert "Welcome to the harbour!" in pages["agent_flow"]
        assert "prompt: Be kind." in pages["agent_yaml"]
        assert "say: Welcome to the harbour!" in pages["agent_yaml"]
        for view in pages:
            assert client_for(stranger).get(address(view, agent)).status_code == 404

    def test_a_stranger_finds_nothing(
        self, client_for: ClientFactory, stranger: User, other_workspace: Organization, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        client = client_for(stranger)
        assert client.get(agent.get_absolute_url()).status_code == 404
        there = reverse("agent", kwargs={"workspace": other_workspace.slug, "agent_id": agent.pk})
        assert client.get(there).status_code == 404

    def test_a_deleted_agent_is_not_found(
        self, client_for: ClientFactory, owner: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        services.agent_delete(agent=agent, actor=owner)
        assert client_for(owner).get(agent.get_absolute_url()).status_code == 404

    def test_it_warns_when_the_local_model_is_switched_off(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory, settings: object
    ) -> None:
        settings.LLM = "none"  # type: ignore[attr-defined]
        page = html(client_for(member).get(agent_factory().get_absolute_url()))
        assert "runs without its local language model" in page
        assert "(switched off)" in page

    def test_it_says_that_the_spare_voice_speaks_when_the_others_are_missing(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        off = ModelsStatus(True, (Component("tts", "Natural voices", "off", message="npm is not installed"),))
        monkeypatch.setattr(engine, "models_status", lambda: off)
        page = html(client_for(member).get(agent_factory().get_absolute_url()))
        assert "(npm is not installed). Joe, the light voice, speaks in their place" in page

    def test_a_deleted_connection_is_shown_as_such(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory(config=AgentConfig(model=ModelChoice(connection="conn_gone", name="x")))
        page = html(client_for(member).get(agent.get_absolute_url()))
        assert re.search(r'<option value="conn_gone"\s+selected\s*>\s*A deleted connection', page)


class TestSave:
    def test_it_saves_what_was_typed(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        data = page_data(agent, prompt="Be kind.", speed="1.25", interruptible=None, max_duration_minutes="2.5")
        response = client_for(member, accept="application/json").post(address("agent_save", agent), data)
        assert response.json() == {
            "revision": 2,
            "state": "new",
            "problem": "",
            "model": "qwen2.5-1.5b",
            "merged": False,
            "undo": "Prompt, Speed, The caller may interrupt, Longest call (member@example.org)",
            "redo": "",
        }
        agent.refresh_from_db()
        config = agent.draft_config
        assert (config.prompt, config.voice.speed, config.turns.interruptible) == ("Be kind.", 1.25, False)
        assert config.max_duration == 150.0

    def test_saving_the_page_as_it_came_changes_nothing(
        self, client_for: ClientFactory, member: User, version_factory: VersionFactory
    ) -> None:
        agent = version_factory().agent
        client = client_for(member, accept="application/json")
        response = client.post(address("agent_save", agent), page_data(agent))
        assert response.json()["revision"] == 1
        assert response.json()["state"] == "published"
        assert not AuditEntry.objects.exists()

    def test_what_cannot_be_is_said_at_the_control_and_nothing_is_saved(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        data = page_data(agent, prompt="New.", name="", speed="9", check_ins="many")
        response = client_for(member, accept="application/json").post(address("agent_save", agent), data)
        assert response.status_code == 422
        assert response.json()["error_code"] == "validation_failed"
        assert set(response.json()["fields"]) == {"name", "speed", "check_ins"}
        agent.refresh_from_db()
        assert agent.draft_config.prompt == "Answer the phone."

    def test_a_stale_save_is_refused_and_can_be_made_on_purpose(
        self, client_for: ClientFactory, member: User, owner: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        mine = page_data(agent, prompt="Mine.")
        client_for(owner).post(address("agent_save", agent), page_data(agent, prompt="Theirs."))
        client = client_for(member, accept="application/json")
        response = client.post(address("agent_save", agent), mine)
        assert response.status_code == 409
        assert response.json()["error_code"] == "stale_revision"
        assert "Olive Owner" in response.json()["message"]
        agent.refresh_from_db()
        assert agent.draft_config.prompt == "Theirs."
        kept = client.post(address("agent_save", agent), mine | {"revision": response.json()["revision"]})
        assert kept.status_code == 200
        agent.refresh_from_db()
        assert agent.draft_config.prompt == "Mine."

    def test_a_connection_of_another_workspace_cannot_be_chosen(
        self,
        client_for: ClientFactory,
        member: User,
        other_workspace: Organization,
        agent_factory: AgentFactory,
        connection_factory: ConnectionFactory,
    ) -> None:
        agent = agent_factory()
        foreign = connection_factory(organization=other_workspace)
        data = page_data(agent, connection=foreign.pk)
        response = client_for(member, accept="application/json").post(address("agent_save", agent), data)
        assert set(response.json()["fields"]) == {"connection"}

    def test_a_viewer_may_not_and_a_stranger_finds_nothing(
        self, client_for: ClientFactory, viewer: User, stranger: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory()
        data = page_data(agent, prompt="Hacked.")
        assert client_for(viewer).post(address("agent_save", agent), data).status_code == 403
        assert client_for(stranger).post(address("agent_save", agent), data).status_code == 404
        assert client_for().post(address("agent_save", agent), data).status_code == 302
        agent.refresh_from_db()
        assert agent.draft_revision == 1


class TestDuplicateAndDelete:
    def test_a_duplicate_opens(self, client_for: ClientFactory, member: User, agent_factory: AgentFactory) -> None:
        agent = agent_factory()
        response = client_for(member).post(address("agent_duplicate", agent))
        copy = Agent.objects.exclude(pk=agent.pk).get()
        assertRedirects(response, copy.get_absolute_url())

    def test_deleting_goes_back_to_the_list_and_says_so(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        response = client_for(member).post(address("agent_delete", agent_factory()), follow=True)
        assert "Reception is deleted" in html(response)

    @pytest.mark.parametrize("action", ["agent_duplicate", "agent_delete"])
    def test_a_viewer_may_not(
        self, action: str, client_for: ClientFactory, viewer: User, agent_factory: AgentFactory
    ) -> None:
        assert client_for(viewer).post(address(action, agent_factory())).status_code == 403
        assert Agent.objects.filter(deleted_at=None).count() == 1

    @pytest.mark.parametrize("action", ["agent_duplicate", "agent_delete", "agent_save", "agent_voice_preview"])
    def test_a_link_cannot_do_it(
        self, action: str, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        assert client_for(member).get(address(action, agent_factory())).status_code == 405
