"""The list of agents and the page of one, for each persona."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from builder import services
from builder.config import AgentConfig
from builder.forms import AgentForm

pytestmark = pytest.mark.django_db


def address(name, agent, **more):
    return reverse(name, kwargs={"workspace": agent.organization.slug, "agent_id": agent.pk, **more})


def page_data(agent, **changes):
    """What the page of `agent` would send, with `changes`."""
    form = AgentForm(organization=agent.organization, agent=agent)
    data = {name: form[name].value() for name in form.fields}
    for name, value in list(data.items()):
        if value is True:
            data[name] = "on"
        elif value is False:
            del data[name]
    return {**data, **changes}


class TestList:
    def test_it_shows_an_agent_with_its_version_model_voice_and_calls(
        self, client_for, owner, workspace, version_factory, call_factory
    ):
        version = version_factory()
        call_factory(version)
        call_factory(version, started_at=timezone.now() - timedelta(days=9))
        page = client_for(owner).get(reverse("agents", args=[workspace.slug])).content.decode()
        assert "Reception" in page
        assert "v1 live" in page
        assert "On this machine" in page
        assert "Heart" in page
        assert ">1</a>" in page  # of the two calls one is older than a week
        assert f"{version.agent.get_absolute_url()}?talk=1" in page

    def test_it_marks_unpublished_changes(self, client_for, owner, workspace, version_factory, agent_factory):
        agent = version_factory().agent
        agent.draft = AgentConfig(prompt="Something else.").as_json()
        agent.save()
        agent_factory("Never out")
        page = client_for(owner).get(reverse("agents", args=[workspace.slug])).content.decode()
        assert page.count("Unpublished changes") == 1
        assert page.count("Not published") == 1

    def test_a_deleted_agent_is_not_in_it(self, client_for, owner, workspace, agent_factory):
        agent = agent_factory("Gone agent")
        services.agent_delete(agent=agent, actor=owner)
        assert "Gone agent" not in client_for(owner).get(reverse("agents", args=[workspace.slug])).content.decode()

    def test_agents_of_another_workspace_are_not_in_it(
        self, client_for, owner, workspace, other_workspace, agent_factory
    ):
        agent_factory("Not yours", organization=other_workspace)
        assert "Not yours" not in client_for(owner).get(reverse("agents", args=[workspace.slug])).content.decode()

    def test_a_viewer_gets_no_buttons(self, client_for, viewer, workspace, agent_factory):
        agent_factory()
        page = client_for(viewer).get(reverse("agents", args=[workspace.slug])).content.decode()
        assert "New agent" not in page
        assert "talk=1" not in page

    def test_it_needs_as_many_queries_for_many_agents_as_for_one(
        self, client_for, owner, workspace, version_factory, agent_factory, django_assert_num_queries
    ):
        client = client_for(owner)
        version_factory()
        client.get(reverse("agents", args=[workspace.slug]))
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(
            connection,
        ) as one:
            client.get(reverse("agents", args=[workspace.slug]))
        for number in range(3):
            version_factory(agent_factory(f"Agent {number}"))
        with django_assert_num_queries(len(one)):
            client.get(reverse("agents", args=[workspace.slug]))


class TestPage:
    def test_a_member_can_edit(self, client_for, member, agent_factory):
        agent = agent_factory()
        page = client_for(member).get(agent.get_absolute_url()).content.decode()
        assert 'name="prompt"' in page
        assert "Answer the phone." in page
        assert address("agent_save", agent) in page
