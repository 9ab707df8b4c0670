"""Which secret goes to which address is for admins to decide, in whichever way an agent is edited."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Organization, User
from builder import services, yaml
from builder.config import AgentConfig
from builder.models import Agent, Secret
from builder.references import Names
from builder.sending import SendsSecrets
from tests.builder.pages import address, html, page_data
from tests.conftest import AgentFactory, ClientFactory

pytestmark = pytest.mark.django_db

SAID = "Only admins may send a secret to an address. Ask one, or leave the secret out."
CRM = {"url": "https://crm.example.org/calls", "secret": "crm"}
POST = {
    "kind": "post",
    "id": "tell",
    "url": "https://crm.example.org/notes",
    "headers": {"X-Key": "{{secret__crm}}"},
    "body": {"name": "{{name}}"},
}
ELSEWHERE = "https://elsewhere.example.org/"


def config(*steps: dict[str, Any], **settings: Any) -> AgentConfig:
    flow = {"steps": steps} if steps else None
    return AgentConfig.model_validate({"prompt": "Answer.", "flow": flow, **settings})


@pytest.fixture(autouse=True)
def _secrets(workspace: Organization) -> None:
    for name in ("crm", "other"):
        Secret.objects.create(organization=workspace, name=name, value="x")


def save_json(client: Any, agent: Agent, edited: AgentConfig) -> Any:
    text = json.dumps(edited.as_json())
    return client.post(address("agent_save_config", agent), {"text": text, "revision": agent.draft_revision})


# --- the three views


class TestGuide:
    @pytest.mark.parametrize(
        ("before", "edit"),
        [
            ({}, {"webhook_url": ELSEWHERE, "webhook_secret": "crm"}),
            (CRM, {"webhook_url": ELSEWHERE}),
            (CRM, {"webhook_secret": "other"}),
            ({"url": ELSEWHERE}, {"webhook_secret": "crm"}),
            ({"secret": "crm"}, {"webhook_url": ELSEWHERE}),
        ],
    )
    def test_a_member_gives_no_secret_to_a_web_hook(
        self,
        client_for: ClientFactory,
        member: User,
        admin: User,
        agent_factory: AgentFactory,
        before: dict[str, str],
        edit: dict[str, str],
    ) -> None:
        agent = agent_factory(config=config(webhook=before))
        data = page_data(agent, **edit)
        response = client_for(member).post(address("agent_save", agent), data)
        assert (response.status_code, response.json()["error_code"]) == (403, "permission_denied")
        assert response.json()["fields"] == {"webhook_secret": SAID}
        agent.refresh_from_db()
        assert agent.draft_config.webhook.model_dump(include=set(before)) == before
        assert client_for(admin).post(address("agent_save", agent), data).status_code == 200

    @pytest.mark.parametrize("edit", [{"webhook_secret": ""}, {"webhook_url": ""}, {"webhook_timeout": "5"}])
    def test_what_an_admin_has_set_up_is_left_or_taken_away_by_members(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory, edit: dict[str, str]
    ) -> None:
        agent = agent_factory(config=config(POST, webhook=CRM))
        data = page_data(agent, greeting="Good day!", **edit)
        assert client_for(member).post(address("agent_save", agent), data).status_code == 200
        agent.refresh_from_db()
        assert agent.draft_config.greeting == "Good day!"

    def test_an_address_without_a_secret_is_for_everybody(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory(config=config(webhook=CRM))
        data = page_data(agent, webhook_url=ELSEWHERE, webhook_secret="")
        assert client_for(member).post(address("agent_save", agent), data).status_code == 200


class TestFlow:
    @pytest.mark.parametrize(
        ("changed", "place"),
        [
            ({"url": ELSEWHERE}, "headers"),
            ({"headers": {"X-Key": "{{secret__other}}"}}, "headers"),
            ({"headers": {}, "url": f"{ELSEWHERE}?key={{{{secret__crm}}}}"}, "url"),
            ({"headers": {}, "body": {"key": "{{ secret__crm }}"}}, "body"),
        ],
    )
    def test_a_member_has_no_step_send_a_secret_otherwise(
        self,
        client_for: ClientFactory,
        member: User,
        admin: User,
        agent_factory: AgentFactory,
        changed: dict[str, Any],
        place: str,
    ) -> None:
        agent = agent_factory(config=config(POST))
        edited = config({"kind": "end", "id": "bye"}, {**POST, **changed})
        response = save_json(client_for(member), agent, edited)
        assert response.status_code == 403
        assert response.json()["problems"] == [{"place": f"flow.steps.1.{place}", "message": SAID}]
        assert save_json(client_for(admin), agent, edited).status_code == 200

    def test_a_member_moves_renames_copies_and_leads_on_a_step_that_sends_one(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory(config=config(POST))
        moved = {**POST, "name": "Tell them", "next": "bye", "wait": True, "position": {"x": 1, "y": 2}}
        edited = config({"kind": "end", "id": "bye"}, moved, {**POST, "id": "again"})
        assert save_json(client_for(member), agent, edited).status_code == 200

    def test_a_member_has_a_step_send_what_is_no_secret(
        self, client_for: ClientFactory, member: User, agent_factory: AgentFactory
    ) -> None:
        agent = agent_factory(config=config(POST))
        assert (
            save_json(client_for(member), agent, config({**POST, "url": ELSEWHERE, "headers": {}})).status_code == 200
        )


class TestYaml:
    def test_a_member_is_told_at_the_line(
        self,
        client_for: ClientFactory,
        member: User,
        admin: User,
        agent_factory: AgentFactory,
        workspace: Organization,
    ) -> None:
        agent = agent_factory(config=config(POST, webhook=CRM))
        text = yaml.dump(agent.name, agent.draft_config, Names.of(workspace)).replace(
            "crm.example", "elsewhere.example"
        )
        data = {"text": text, "revision": agent.draft_revision}
        response = client_for(member).post(address("agent_save_yaml", agent), data)
        assert response.status_code == 403
        found = response.json()["problems"]
        assert [(each["place"], each["message"]) for each in found] == [
            ("webhook.secret", SAID),
            ("flow.steps.0.headers", SAID),
        ]
        lines = text.splitlines()
        assert [lines[each["line"] - 1].strip() for each in found] == ["secret: crm", "headers:"]
        assert client_for(admin).post(address("agent_save_yaml", agent), data).status_code == 200


# --- round about


def test_two_edits_that_meet_make_no_pair_that_nobody_allowed(
    agent_factory: AgentFactory, admin: User, member: User
) -> None:
    agent = agent_factory(config=config(webhook={"url": CRM["url"]}))
    services.agent_save_draft(agent=agent, actor=admin, name=agent.name, config=config(webhook=CRM), revision=1)
    with pytest.raises(SendsSecrets):
        services.agent_save_draft(
            agent=agent, actor=member, name=agent.name, config=config(webhook={"url": ELSEWHERE}), revision=1
        )


def test_an_admin_of_another_workspace_is_none_here(
    agent_factory: AgentFactory, stranger: User, other_workspace: Organization
) -> None:
    agent = agent_factory()
    with pytest.raises(SendsSecrets):
        services.agent_save_draft(agent=agent, actor=stranger, name="A", config=config(webhook=CRM), revision=1)


def test_a_member_undoes_restores_and_copies_what_an_admin_has_set_up(
    agent_factory: AgentFactory, admin: User, member: User
) -> None:
    agent = agent_factory(config=config())
    agent = services.agent_save_draft(
        agent=agent, actor=admin, name=agent.name, config=config(POST, webhook=CRM), revision=1
    )
    version = services.snapshot_for_test(agent=agent, actor=admin)
    agent = services.agent_save_draft(agent=agent, actor=member, name=agent.name, config=config(), revision=2)
    agent, _ = services.agent_undo(agent=agent, actor=member, revision=3)
    assert agent.draft_config.webhook.secret == "crm"
    assert services.agent_duplicate(agent=agent, actor=member).draft_config == agent.draft_config
    assert services.agent_restore(agent=agent, actor=member, version=version).draft_config == agent.draft_config


def test_what_a_member_imports_comes_without_its_secrets(
    client_for: ClientFactory, member: User, admin: User, workspace: Organization
) -> None:
    brought = config(POST, webhook=CRM)
    text = yaml.dump("Reception", brought, Names.of(workspace))
    for person, made in (
        (member, config({**POST, "headers": {}}, webhook={"url": CRM["url"]})),
        (admin, brought),
    ):
        client = client_for(person)
        report = client.post(reverse("agent_import", args=[workspace.slug]), {"pasted": text}).headers["Location"]
        assert (html(client.get(report)).count(SAID)) == (2 if person == member else 0)
        client.post(report, {"name": person.email})
        assert Agent.objects.get(name=person.email).draft_config == made


def test_nothing_makes_an_agent_that_sends_a_secret_for_a_member(workspace: Organization, member: User) -> None:
    with pytest.raises(SendsSecrets):
        services.agent_create_from(
            organization=workspace, actor=member, name="A", config=config(webhook=CRM), source="anything"
        )
