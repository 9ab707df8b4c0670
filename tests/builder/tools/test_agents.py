"""Agents with tools: chosen on their page, told in what changed, bound into their calls."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from accounts.models import Organization, User
from builder.changes import changes
from builder.compile import AgentNotReady, compile_config
from builder.config import AgentConfig
from builder.tools.bind import BoundTool, ToolClients
from builder.tools.kinds import HttpConfig
from core import http
from tests.builder.pages import address, html, page_data
from tests.builder.tools.conftest import SHOP, SecretFactory, ToolFactory
from tests.conftest import AgentFactory, ClientFactory
from voice.tools import ToolError


@pytest.mark.django_db
class TestAgentPage:
    def test_a_member_gives_an_agent_a_tool(
        self,
        client_for: ClientFactory,
        member: User,
        agent_factory: AgentFactory,
        tool_factory: ToolFactory,
        secret_factory: SecretFactory,
    ) -> None:
        secret_factory()
        agent, tool = agent_factory(), tool_factory()
        client = client_for(member)
        assert "find_order" in html(client.get(address("agent", agent)))
        response = client.post(address("agent_save", agent), page_data(agent, tools=[tool.pk]))
        assert response.json()["problem"] == ""
        agent.refresh_from_db()
        assert agent.draft_config.tools == (tool.pk,)

    def test_another_workspaces_tool_cannot_be_chosen(
        self,
        client_for: ClientFactory,
        member: User,
        other_workspace: Organization,
        agent_factory: AgentFactory,
        tool_factory: ToolFactory,
    ) -> None:
        agent, theirs = agent_factory(), tool_factory(organization=other_workspace)
        response = client_for(member).post(address("agent_save", agent), page_data(agent, tools=[theirs.pk]))
        assert response.status_code == 422
        assert "tools" in response.json()["fields"]

    def test_a_change_is_told_by_the_names_of_the_tools(self, tool_factory: ToolFactory) -> None:
        tool = tool_factory()
        (change,) = changes(AgentConfig(), AgentConfig(tools=(tool.pk,)))
        assert (change.label, change.before, change.after) == ("What the agent can do", "", "find_order")


@pytest.mark.django_db
class TestCompiling:
    def test_it_brings_the_tools_with_their_secrets(
        self, agent_factory: AgentFactory, tool_factory: ToolFactory, secret_factory: SecretFactory
    ) -> None:
        secret_factory()
        (bound,) = compile_config(agent_factory(), AgentConfig(tools=(tool_factory().pk,))).tools
        assert bound.secrets == {"shop_key": "sk-very-secret"}
        assert "sk-very-secret" not in repr(bound)

    @pytest.mark.parametrize("why", ["deleted", "no_secret", "elsewhere", "same_name", "reserved"])
    def test_an_agent_whose_tools_cannot_work_is_not_ready(
        self,
        why: str,
        other_workspace: Organization,
        agent_factory: AgentFactory,
        tool_factory: ToolFactory,
        secret_factory: SecretFactory,
    ) -> None:
        server: dict[str, Any] = {"url": "https://mcp.example.org/mcp"}

        def mcp(name: str, tool: str) -> str:
            return tool_factory(name, kind="mcp", **server, listed=[{"name": tool}], chosen=[tool]).pk

        if why != "no_secret":
            secret_factory()
        ids, said = {
            "deleted": lambda: (["tool_gone"], "was deleted"),
            "no_secret": lambda: ([tool_factory().pk], "needs the secret shop_key"),
            "elsewhere": lambda: ([tool_factory(organization=other_workspace).pk], "was deleted"),
            "same_name": lambda: ([tool_factory().pk, mcp("shop", "find_order")], "Two tools .* find_order"),
            "reserved": lambda: ([mcp("shop", "end_call")], "end_call is the name"),
        }[why]()
        with pytest.raises(AgentNotReady, match=said):
            compile_config(agent_factory(), AgentConfig(tools=tuple(ids)))


class FakeCall:
    """A call with variables."""

    def __init__(self, **variables: object) -> None:
        self.variables = variables


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """The requests of tools, which are answered by an echo of all that they carried."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"url": str(request.url), "headers": dict(request.headers)})

    def client(**options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    monkeypatch.setattr(http, "async_client", client)
    return seen


def bound(secrets: dict[str, str], **config: Any) -> BoundTool:
    return BoundTool("find_order", "Finds an order.", HttpConfig.model_validate(SHOP | config), secrets)


class TestCalls:
    async def test_secrets_are_in_the_request_and_not_in_the_result(self, answered: list[httpx.Request]) -> None:
        clients = ToolClients()
        url = "https://shop.example.org/orders/{number}?key={{secret__shop_key}}"
        auth = {"scheme": "basic", "user": "me", "secret": "shop_key"}
        assign = [{"path": "headers.x-key", "variable": "echo"}]
        (tool,) = bound({"shop_key": "s3cret/!"}, url=url, auth=auth, assign=assign).tools(clients)
        outcome = await tool.run({"number": "7"}, FakeCall())  # type: ignore[arg-type]
        (request,) = answered
        assert request.url.path == "/orders/7"
        assert request.url.params["key"] == request.headers["X-Key"] == "s3cret/!"
        assert request.headers["Authorization"] == "Basic bWU6czNjcmV0LyE="
        told = outcome.text + json.dumps(dict(outcome.variables))
        for form in ("s3cret", "bWU6czNjcmV0LyE="):
            assert form not in told
        assert outcome.variables["echo"] == "••••"
        await clients.close()

    async def test_a_caller_cannot_set_a_secret(self, answered: list[httpx.Request]) -> None:
        clients = ToolClients()
        (tool,) = bound({"shop_key": "the real one"}).tools(clients)
        await tool.run({"number": "7"}, FakeCall(secret__shop_key="forged"))  # type: ignore[arg-type]
        assert answered[0].headers["X-Key"] == "the real one"
        await clients.close()

    async def test_a_failure_does_not_quote_a_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(request: httpx.Request) -> httpx.Response:
            return httpx.Response(401, text=f"Wrong key: {request.headers['X-Key']}")

        monkeypatch.setattr(
            http, "async_client", lambda **options: httpx.AsyncClient(transport=httpx.MockTransport(refuse))
        )
        clients = ToolClients()
        (tool,) = bound({"shop_key": "sk-very-secret"}).tools(clients)
        with pytest.raises(ToolError, match="Wrong key: ••••"):
            await tool.run({"number": "7"}, FakeCall())  # type: ignore[arg-type]
        await clients.close()

    async def test_constants_are_what_they_are_said_to_be(self, answered: list[httpx.Request]) -> None:
        clients = ToolClients()
        constants = [
            {"name": name, "where": "body", "source": "constant", "type": kind, "value": value}
            for name, kind, value in [
                ("count", "integer", "3"),
                ("paid", "boolean", "true"),
                ("code", "string", "007"),
                ("tags", "strings", "a, b"),
            ]
        ]
        (tool,) = bound({}, method="POST", url="https://a.example.org", parameters=constants, headers=[]).tools(clients)
        await tool.run({}, FakeCall())  # type: ignore[arg-type]
        assert json.loads(answered[0].content) == {"count": 3, "paid": True, "code": "007", "tags": ["a", "b"]}
        await clients.close()

    async def test_what_changes_something_is_not_left_half_done(self, answered: list[httpx.Request]) -> None:
        clients = ToolClients()
        policies = {
            method: bound({}, method=method, headers=[]).tools(clients)[0].policy.cancellable
            for method in ("GET", "POST", "DELETE")
        }
        assert policies == {"GET": True, "POST": False, "DELETE": False}
        await clients.close()
