"""The library of tools: who may see and change it, what is refused, and that a secret never comes out."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from accounts.models import AuditEntry, Organization, User
from builder.config import AgentConfig
from builder.models import Secret, Tool
from builder.tools.kinds import ClientConfig, HttpConfig, SearchConfig, SmsConfig
from tests.builder.pages import html
from tests.builder.tools.conftest import SecretFactory, ToolFactory
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory, VersionFactory

pytestmark = pytest.mark.django_db

RUNNING = {"name": "find_order", "description": "Finds an order.", "speech": "One moment.", "timeout": "5"}
HTTP: dict[str, Any] = RUNNING | {
    "method": "POST",
    "url": "https://shop.example.org/orders/{number}",
    "parameters.name": ["number", "channel", "phone"],
    "parameters.where": ["path", "body", "body"],
    "parameters.source": ["model", "constant", "variable"],
    "parameters.value": ["", "voice", "{{caller_number}}"],
    "parameters.type": ["integer", "string", "string"],
    "parameters.allowed": ["", "voice, web", ""],
    "parameters.required": ["yes", "", ""],
    "parameters.description": ["On the receipt", "", ""],
    "headers.name": ["X-Key"],
    "headers.value": ["{{secret__shop_key}}"],
    "auth_scheme": "bearer",
    "auth_secret": "shop_key",
    "assign.path": ["order.status"],
    "assign.variable": ["status"],
}


def new(workspace: Organization, kind: str) -> str:
    return f"{reverse('tool_new', args=[workspace.slug])}?kind={kind}"


def posting(**settings: Any) -> dict[str, Any]:
    """A flow of a step that posts something."""
    return {"steps": [{"kind": "post", "id": "crm", "url": "https://shop.example.org/calls", **settings}]}


def address(name: str, tool: Tool) -> str:
    return reverse(name, kwargs={"workspace": tool.organization.slug, "tool_id": tool.pk})


class TestEditor:
    def test_an_admin_makes_an_http_tool(
        self, client_for: ClientFactory, admin: User, workspace: Organization, secret_factory: SecretFactory
    ) -> None:
        secret_factory()
        client = client_for(admin)
        chooser = html(client.get(reverse("tool_new", args=[workspace.slug])))
        for kind in ("http", "client", "mcp", "web_search", "sms"):
            assert new(workspace, kind) in chooser
        response = client.post(new(workspace, "http"), HTTP)
        made = Tool.objects.get()
        assertRedirects(response, made.get_absolute_url())
        config = made.parsed_config
        assert isinstance(config, HttpConfig)
        assert (config.method, config.timeout, config.speech) == ("POST", 5.0, "One moment.")
        number, channel, phone = config.parameters
        assert (number.where, number.type, number.required) == ("path", "integer", True)
        assert (channel.source, channel.value) == ("constant", "voice")
        assert (phone.source, phone.value) == ("variable", "caller_number")
        assert (config.auth.scheme, config.auth.secret) == ("bearer", "shop_key")
        assert [(one.path, one.variable) for one in config.assign] == [("order.status", "status")]

    def test_an_admin_makes_a_tool_that_writes_text_messages(
        self, client_for: ClientFactory, admin: User, workspace: Organization, connection_factory: ConnectionFactory
    ) -> None:
        client = client_for(admin)
        assert "There is none yet" in html(client.get(new(workspace, "sms")))
        carrier, model = connection_factory("Twilio", vendor="twilio"), connection_factory("Groq")
        page = html(client.get(new(workspace, "sms")))
        assert f'value="{carrier.pk}"' in page
        assert f'value="{model.pk}"' not in page
        assert "{{system__caller_id}}" in page
        data = RUNNING | {"connection": carrier.pk, "sender": "Salon", "recipient": "call me"}
        refused = html(client.post(new(workspace, "sms"), data))
        assert "“Salon” is no phone number" in refused
        assert "“call me” is no phone number" in refused
        client.post(new(workspace, "sms"), data | {"sender": "+1 415 555 0100", "recipient": ""})
        config = Tool.objects.get().parsed_config
        assert isinstance(config, SmsConfig)
        assert (config.connection, config.sender, config.recipient) == (carrier.pk, "+1 415 555 0100", "")
        assert "to whom the model writes" in html(client.get(reverse("tools", args=[workspace.slug])))

    def test_the_page_shows_what_was_saved(
        self, client_for: ClientFactory, admin: User, workspace: Organization, secret_factory: SecretFactory
    ) -> None:
        secret_factory()
        client = client_for(admin)
        client.post(new(workspace, "http"), HTTP)
        page = html(client.get(Tool.objects.get().get_absolute_url()))
        for value in ("https://shop.example.org/orders/{number}", "On the receipt", "order.status", "caller_number"):
            assert value in page
        assert "sk-very-secret" not in page

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"name": "1st"}, "Begin with a letter"),
            ({"name": "end_call"}, "Callwright itself"),
            ({"url": "shop.example.org/{number}"}, "whole address"),
            ({"url": "https://{{host}}/orders/{number}"}, "Write the host out"),
            ({"url": "https://me:word@shop.example.org/{number}"}, "Leave the password out"),
            ({"url": "https://shop.example.org/orders"}, "does not stand in the address"),
            ({"auth_secret": ""}, "Choose a secret"),
            ({"headers.value": ["{{secret__other}}"]}, "There is no secret other"),
            ({"headers.name": ["X Key:"]}, "pattern"),
            ({"assign.variable": ["no good"]}, "no name of a variable"),
            ({"timeout": "500"}, "less than or equal to 120"),
        ],
    )
    def test_what_cannot_work_is_refused_in_words(
        self,
        changes: dict[str, Any],
        said: str,
        client_for: ClientFactory,
        admin: User,
        workspace: Organization,
        secret_factory: SecretFactory,
    ) -> None:
        secret_factory()
        response = client_for(admin).post(new(workspace, "http"), HTTP | changes)
        assert response.status_code == 422
        assert said in html(response)
        assert not Tool.objects.exists()

    def test_two_tools_of_one_name_are_refused(
        self, client_for: ClientFactory, admin: User, workspace: Organization, tool_factory: ToolFactory
    ) -> None:
        tool_factory("find_order", kind="client", expects_response=True)
        response = client_for(admin).post(new(workspace, "client"), RUNNING)
        assert response.status_code == 422
        assert "already a tool of this name" in html(response)

    def test_a_tool_for_the_callers_application(
        self, client_for: ClientFactory, admin: User, workspace: Organization
    ) -> None:
        rows = {
            "parameters.name": ["page"],
            "parameters.type": ["string"],
            "parameters.allowed": [""],
            "parameters.required": ["yes"],
            "parameters.description": ["Which page to open"],
        }
        client_for(admin).post(new(workspace, "client"), RUNNING | rows)
        config = Tool.objects.get().parsed_config
        assert isinstance(config, ClientConfig)
        assert not config.expects_response
        assert config.parameters[0].required

    def test_a_search_wants_its_key(
        self, client_for: ClientFactory, admin: User, workspace: Organization, secret_factory: SecretFactory
    ) -> None:
        client = client_for(admin)
        data = RUNNING | {"name": "look_up", "engine": "tavily", "secret": ""}
        assert "Choose the secret" in html(client.post(new(workspace, "web_search"), data))
        secret_factory()
        client.post(new(workspace, "web_search"), data | {"secret": "shop_key"})
        config = Tool.objects.get().parsed_config
        assert isinstance(config, SearchConfig)
        assert config.secrets == {"shop_key"}

    def test_an_edit_is_audited_without_secrets(
        self, client_for: ClientFactory, admin: User, workspace: Organization, secret_factory: SecretFactory
    ) -> None:
        secret_factory()
        client = client_for(admin)
        client.post(new(workspace, "http"), HTTP)
        made = Tool.objects.get()
        client.post(made.get_absolute_url(), HTTP | {"timeout": "7"})
        entry = AuditEntry.objects.get(action="tool.updated")
        assert entry.changes == {"timeout": [5.0, 7.0]}
        client.post(made.get_absolute_url(), HTTP | {"timeout": "7"})
        assert AuditEntry.objects.filter(action="tool.updated").count() == 1


class TestList:
    def test_it_names_the_agents_that_use_a_tool(
        self,
        client_for: ClientFactory,
        viewer: User,
        workspace: Organization,
        agent_factory: AgentFactory,
        tool_factory: ToolFactory,
    ) -> None:
        made = tool_factory()
        agent_factory("Front desk", config=AgentConfig(tools=(made.pk,)))
        page = html(client_for(viewer).get(reverse("tools", args=[workspace.slug])))
        assert "find_order" in page
        assert "GET shop.example.org" in page
        assert "Front desk" in page
        assert made.get_absolute_url() not in page

    def test_one_in_use_is_not_deleted(
        self, client_for: ClientFactory, admin: User, agent_factory: AgentFactory, tool_factory: ToolFactory
    ) -> None:
        made = tool_factory()
        agent_factory("Front desk", config=AgentConfig(tools=(made.pk,)))
        client = client_for(admin)
        assert address("tool_delete", made) not in html(client.get(made.get_absolute_url()))
        response = client.post(address("tool_delete", made))
        assert response.status_code == 409
        assert "Front desk" in html(response)
        assert Tool.objects.exists()

    def test_one_that_only_a_step_uses_is_not_deleted(
        self, client_for: ClientFactory, admin: User, agent_factory: AgentFactory, tool_factory: ToolFactory
    ) -> None:
        made = tool_factory()
        steps = [{"kind": "tool", "id": "look", "tool": made.pk}]
        agent_factory("Front desk", config=AgentConfig.model_validate({"flow": {"steps": steps}}))
        response = client_for(admin).post(address("tool_delete", made))
        assert response.status_code == 409
        assert "Front desk" in html(response)

    def test_one_that_is_not_used_is_deleted(
        self, client_for: ClientFactory, admin: User, tool_factory: ToolFactory
    ) -> None:
        response = client_for(admin).post(address("tool_delete", tool_factory()), follow=True)
        assert "find_order is deleted" in html(response)
        assert not Tool.objects.exists()

    @pytest.mark.parametrize("action", ["tool", "tool_delete"])
    def test_a_member_may_not_and_a_stranger_finds_nothing(
        self,
        action: str,
        client_for: ClientFactory,
        member: User,
        stranger: User,
        other_workspace: Organization,
        tool_factory: ToolFactory,
    ) -> None:
        made = tool_factory()
        assert client_for(member).post(address(action, made)).status_code == 403
        assert client_for(stranger).post(address(action, made)).status_code == 404
        theirs = reverse(action, kwargs={"workspace": other_workspace.slug, "tool_id": made.pk})
        assert client_for(stranger).post(theirs).status_code == 404
        assert Tool.objects.exists()


class TestSecrets:
    def test_one_goes_in_and_never_comes_out(
        self, client_for: ClientFactory, admin: User, workspace: Organization, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        client, url = client_for(admin), reverse("secrets", args=[workspace.slug])
        refused = client.post(url, {"name": "Not Good", "value": "sk-very-secret"})
        assert refused.status_code == 422
        page = html(client.post(url, {"name": "shop_key", "value": "sk-very-secret"}, follow=True))
        assert "shop_key" in page
        assert Secret.objects.get().value == "sk-very-secret"
        audited = str([entry.changes for entry in AuditEntry.objects.all()])
        for text in (html(refused), page, caplog.text, audited):
            assert "sk-very-secret" not in text

    def test_a_second_one_of_a_name_replaces_the_first(
        self, client_for: ClientFactory, admin: User, workspace: Organization, secret_factory: SecretFactory
    ) -> None:
        secret_factory()
        client_for(admin).post(reverse("secrets", args=[workspace.slug]), {"name": "shop_key", "value": "another"})
        assert Secret.objects.get().value == "another"

    def test_one_that_a_tool_needs_is_not_deleted(
        self, client_for: ClientFactory, admin: User, tool_factory: ToolFactory, secret_factory: SecretFactory
    ) -> None:
        made, tool = secret_factory(), tool_factory()
        url = reverse("secret_delete", args=[made.organization.slug, made.pk])
        response = client_for(admin).post(url)
        assert response.status_code == 409
        assert "find_order" in html(response)
        tool.delete()
        client_for(admin).post(url)
        assert not Secret.objects.exists()

    @pytest.mark.parametrize(
        "needing",
        [
            {"webhook": {"url": "https://shop.example.org/hook", "secret": "shop_key"}},
            {"flow": posting(url="https://shop.example.org/calls?key={{secret__shop_key}}")},
            {"flow": posting(headers={"X-Key": "{{secret__shop_key}}"})},
            {"flow": posting(body={"key": "{{secret__shop_key}}"})},
        ],
        ids=["web hook", "address", "header", "body"],
    )
    @pytest.mark.parametrize("live", [False, True])
    def test_one_that_an_agent_needs_is_not_deleted(
        self,
        client_for: ClientFactory,
        admin: User,
        agent_factory: AgentFactory,
        version_factory: VersionFactory,
        secret_factory: SecretFactory,
        needing: dict[str, Any],
        live: bool,
    ) -> None:
        made, needs = secret_factory(), AgentConfig.model_validate(needing)
        agent = agent_factory("Front desk", config=None if live else needs)
        if live:
            version_factory(agent, config=needs)
        client, workspace = client_for(admin), made.organization
        url = reverse("secret_delete", args=[workspace.slug, made.pk])
        listed = html(client.get(reverse("secrets", args=[workspace.slug])))
        assert "Front desk" in listed
        assert url not in listed
        response = client.post(url)
        assert response.status_code == 409
        assert "Used by Front desk" in html(response)
        agent.delete()
        client.post(url)
        assert not Secret.objects.exists()

    def test_a_member_may_not_and_a_stranger_finds_nothing(
        self,
        client_for: ClientFactory,
        member: User,
        stranger: User,
        other_workspace: Organization,
        secret_factory: SecretFactory,
    ) -> None:
        made = secret_factory()
        assert client_for(member).get(reverse("secrets", args=[made.organization.slug])).status_code == 403
        theirs = reverse("secret_delete", args=[other_workspace.slug, made.pk])
        assert client_for(stranger).post(theirs).status_code == 404
        assert Secret.objects.exists()
