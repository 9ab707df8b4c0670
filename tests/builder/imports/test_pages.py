"""Importing an agent by its pages: what becomes of it is read first, and kept with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Organization, User
from builder import yaml
from builder.config import AgentConfig
from builder.models import Agent, Secret, Tool
from builder.references import Names
from tests.builder.imports.samples import CARTESIA, VAPI, WORKFLOW
from tests.builder.pages import address, html
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory

pytestmark = pytest.mark.django_db


def bring(client: Any, workspace: Organization, text: str) -> str:
    """The address of the page that tells what becomes of a document."""
    response = client.post(reverse("agent_import", args=[workspace.slug]), {"pasted": text})
    assert response.status_code == 302, html(response)
    return str(response.headers["Location"])


def test_an_agent_is_made_with_its_tools_and_secrets_after_its_report_was_read(
    client_for: ClientFactory, admin: User, workspace: Organization
) -> None:
    client = client_for(admin)
    report = bring(client, workspace, json.dumps(VAPI))
    page = html(client.get(report))
    assert "model.messages[0].content" in page
    assert "What is to be found out from calls is not set on agents." in page
    assert "sk-very-secret" not in page
    assert not Agent.objects.exists()
    client.post(report, {"name": "Pets"})
    agent = Agent.objects.get()
    assert agent.name == "Pets"
    names = dict(Tool.objects.values_list("pk", "name"))
    assert [names[key] for key in agent.draft_config.tools] == ["find_pet", "book"]
    assert Secret.objects.get(name="find_pet_x_api_key").value == "sk-very-secret"


def test_the_report_stays_with_the_agent_and_can_be_downloaded(
    client_for: ClientFactory, admin: User, viewer: User, workspace: Organization
) -> None:
    client = client_for(admin)
    client.post(bring(client, workspace, json.dumps(CARTESIA)), {"name": "Desk"})
    origin = address("agent_origin", Agent.objects.get())
    assert origin in html(client.get(Agent.objects.get().get_absolute_url()))
    page = html(client_for(viewer).get(origin))
    assert "config.audio.output.emotion" in page
    assert "find_order_token" in page
    sheet = client.get(f"{origin}?as=csv").content.decode()
    assert "lost,config.audio.output.emotion,calm,,Voices have no moods here." in sheet


def test_the_steps_of_a_workflow_use_its_tools(client_for: ClientFactory, admin: User, workspace: Organization) -> None:
    client = client_for(admin)
    client.post(bring(client, workspace, json.dumps(WORKFLOW)), {"name": "Leads"})
    flow = Agent.objects.get().draft_config.flow
    assert flow is not None
    step: Any = flow.step("save_lead")
    assert step.tool == Tool.objects.get().pk


def test_a_tool_that_is_there_already_is_used(client_for: ClientFactory, admin: User, workspace: Organization) -> None:
    client = client_for(admin)
    for name in ("One", "Two"):
        client.post(bring(client, workspace, json.dumps(WORKFLOW)), {"name": name})
    assert Tool.objects.count() == 1


def test_a_member_imports_without_tools(client_for: ClientFactory, member: User, workspace: Organization) -> None:
    client = client_for(member)
    report = bring(client, workspace, json.dumps(VAPI))
    assert "Only admins make tools" in html(client.get(report))
    client.post(report, {"name": "Pets"})
    assert not Tool.objects.exists()
    assert not Secret.objects.exists()
    assert Agent.objects.get().draft_config.tools == ()


def test_our_own_yaml_comes_back_and_what_is_missing_is_said(
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    agent_factory: AgentFactory,
    connection_factory: ConnectionFactory,
) -> None:
    connection = connection_factory("Elsewhere")
    config = AgentConfig(prompt="Be kind.", greeting="Hello?", model={"connection": connection.pk, "name": "big"})
    text = yaml.dump("Kind one", config, Names.of(workspace))
    connection.delete()
    client = client_for(member)
    report = bring(client, workspace, text)
    assert "There is no connection “Elsewhere” in this workspace." in html(client.get(report))
    client.post(report, {"name": "Kind one"})
    made = Agent.objects.get().draft_config
    assert (made.prompt, made.greeting, made.model.connection) == ("Be kind.", "Hello?", "local")


def test_a_file_is_taken_and_what_is_no_agent_is_refused_in_words(
    client_for: ClientFactory, member: User, workspace: Organization
) -> None:
    client, url = client_for(member), reverse("agent_import", args=[workspace.slug])
    file = SimpleUploadedFile("agent.json", json.dumps(CARTESIA).encode())
    assert client.post(url, {"file": file}).status_code == 302
    for data, said in (
        ({"pasted": '{"a": 1}'}, "none of these: Callwright agent, Vapi workflow"),
        ({"pasted": "{"}, "no JSON"),
        ({}, "Choose a file"),
        ({"file": SimpleUploadedFile("a.json", b"\xff\xfe")}, "no text"),
    ):
        response = client.post(url, data)
        assert response.status_code == 422
        assert said in html(response)


def test_a_document_that_is_gone_is_asked_for_again(
    client_for: ClientFactory, member: User, workspace: Organization
) -> None:
    response = client_for(member).get(reverse("agent_import_report", args=[workspace.slug]) + "?document=none")
    assert response.headers["Location"] == reverse("agent_import", args=[workspace.slug])
