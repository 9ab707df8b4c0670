"""MCP servers of the library: what they have is fetched by a button, and chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.urls import reverse

from accounts.models import Organization, User
from builder.models import Tool
from builder.tools.kinds import McpConfig
from core import http
from tests.builder.pages import html
from tests.builder.tools.conftest import SecretFactory, ToolFactory
from tests.conftest import ClientFactory

pytestmark = pytest.mark.django_db

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture
def has(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says which tools the server has, or the status by which it refuses."""

    def serve(*names: str, refuses: int = 0) -> None:
        listed = [{"name": name, "description": f"Does {name}.", "inputSchema": CITY} for name in names]
        results: dict[str, Any] = {
            "initialize": {"protocolVersion": "2025-06-18", "capabilities": {}},
            "tools/list": {"tools": listed},
            "tools/call": {"content": [{"type": "text", "text": "12 degrees"}]},
        }

        def answer(request: httpx.Request) -> httpx.Response:
            if refuses:
                return httpx.Response(refuses, text=f"Not with {request.headers.get('Authorization')}")
            message = json.loads(request.content or b"{}")
            if "id" not in message:
                return httpx.Response(202)
            told = {"jsonrpc": "2.0", "id": message["id"], "result": results[message["method"]]}
            return httpx.Response(200, json=told)

        transport = httpx.MockTransport(answer)
        monkeypatch.setattr(http, "async_client", lambda **options: httpx.AsyncClient(transport=transport))

    return serve


@pytest.fixture
def server(tool_factory: ToolFactory, secret_factory: SecretFactory) -> Tool:
    secret_factory()
    return tool_factory("weather", kind="mcp", url="https://mcp.example.org/mcp", secret="shop_key")


def address(name: str, tool: Tool) -> str:
    return reverse(name, args=[tool.organization.slug, tool.pk])


def config(tool: Tool) -> McpConfig:
    tool.refresh_from_db()
    return McpConfig.model_validate(tool.config)


def test_its_tools_are_fetched_and_all_chosen_at_first(
    client_for: ClientFactory, admin: User, server: Tool, has: Callable[..., None]
) -> None:
    has("forecast", "alerts")
    page = html(client_for(admin).post(address("tool_listing", server), follow=True))
    assert "weather has 2 tools" in page
    assert "forecast: Does forecast." in page
    assert config(server).chosen == ("forecast", "alerts")


def test_a_later_fetch_chooses_nothing_new(
    client_for: ClientFactory, admin: User, server: Tool, has: Callable[..., None]
) -> None:
    client = client_for(admin)
    has("forecast", "alerts")
    client.post(address("tool_listing", server))
    has("forecast", "delete_everything")
    client.post(address("tool_listing", server))
    assert config(server).chosen == ("forecast",)


def test_saving_keeps_what_is_listed_and_stores_what_is_ticked(
    client_for: ClientFactory, admin: User, server: Tool, has: Callable[..., None]
) -> None:
    client = client_for(admin)
    has("forecast", "alerts")
    client.post(address("tool_listing", server))
    data = {"name": "weather", "url": "https://mcp.example.org/mcp", "secret": "shop_key", "timeout": "5"}
    client.post(address("tool", server), data | {"chosen": ["alerts"]})
    saved = config(server)
    assert (len(saved.listed), saved.chosen) == (2, ("alerts",))


def test_one_of_its_tools_is_tried(
    client_for: ClientFactory, admin: User, server: Tool, has: Callable[..., None]
) -> None:
    client = client_for(admin)
    has("forecast")
    client.post(address("tool_listing", server))
    page = html(client.post(address("tool_test", server), {"arg.city": "Oslo"}))
    assert "12 degrees" in page
    assert "authorization: Bearer ••••" in page


def test_a_refusal_is_told_in_words_without_the_secret(
    client_for: ClientFactory, admin: User, server: Tool, has: Callable[..., None]
) -> None:
    has(refuses=401)
    page = html(client_for(admin).post(address("tool_listing", server), follow=True))
    assert "401" in page
    assert "sk-very-secret" not in page


def test_a_member_may_not_and_a_stranger_finds_nothing(
    client_for: ClientFactory, member: User, stranger: User, other_workspace: Organization, server: Tool
) -> None:
    assert client_for(member).post(address("tool_listing", server)).status_code == 403
    theirs = reverse("tool_listing", args=[other_workspace.slug, server.pk])
    assert client_for(stranger).post(theirs).status_code == 404
