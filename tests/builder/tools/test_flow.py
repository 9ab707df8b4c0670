"""Flows as the engine gets them: tools by their names, posts as tools, secrets resolved."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from builder.compile import AgentNotReady, compile_config
from builder.config import AgentConfig
from builder.models import ModelConnection
from builder.tools.bind import BoundTool, ToolClients
from builder.vendors import Access
from tests.builder.tools.conftest import SecretFactory, ToolFactory
from tests.conftest import AgentFactory, ConnectionFactory
from tests.voice.fakes import FakeControl
from voice.flow.spec import Flow
from voice.tools.http import HttpTool

pytestmark = pytest.mark.django_db


def flow(*steps: dict[str, Any]) -> Flow:
    return Flow.model_validate({"steps": steps})


def bound(tools: tuple[BoundTool, ...], name: str) -> BoundTool:
    return next(tool for tool in tools if tool.name == name)


def test_the_steps_name_tools_as_the_call_knows_them(
    agent_factory: AgentFactory, tool_factory: ToolFactory, secret_factory: SecretFactory
) -> None:
    secret_factory()
    order, stock = tool_factory("find_order"), tool_factory("find_stock")
    made = flow(
        {"kind": "tool", "id": "look", "tool": order.pk},
        {"kind": "conversation", "id": "talk", "tools": [stock.pk, "end_call"]},
        {"kind": "conversation", "id": "free"},
    )
    compiled = compile_config(agent_factory(), AgentConfig(flow=made, tools=(stock.pk,)))
    assert compiled.spec.flow is not None
    look, talk, free = compiled.spec.flow.steps
    assert (look.kind, getattr(look, "tool", "")) == ("tool", "find_order")
    assert getattr(talk, "tools", None) == ("find_stock", "end_call")
    # What is there for a step only is not offered to the model.
    assert "find_stock" in getattr(free, "tools", ())
    assert "find_order" not in getattr(free, "tools", ())
    assert sorted(tool.name for tool in compiled.tools) == ["find_order", "find_stock"]


def test_an_agent_whose_steps_need_no_tools_of_their_own_has_all_of_its(
    agent_factory: AgentFactory, tool_factory: ToolFactory, secret_factory: SecretFactory
) -> None:
    secret_factory()
    stock = tool_factory("find_stock")
    made = flow({"kind": "conversation", "id": "talk"})
    compiled = compile_config(agent_factory(), AgentConfig(flow=made, tools=(stock.pk,)))
    assert compiled.spec.flow == made


def test_a_tool_that_was_deleted_is_told(agent_factory: AgentFactory) -> None:
    with pytest.raises(AgentNotReady, match="deleted"):
        compile_config(agent_factory(), AgentConfig(flow=flow({"kind": "tool", "id": "look", "tool": "tool_gone"})))


async def _post(tool: HttpTool, **arguments: object) -> httpx.Request:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    tool._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    control = FakeControl()
    control.variables["id"] = "A1"
    await tool.run(arguments, control)
    await tool._client.aclose()
    return seen[0]


def test_a_post_needs_its_secrets(agent_factory: AgentFactory, secret_factory: SecretFactory) -> None:
    step = {
        "kind": "post",
        "id": "crm",
        "url": "https://example.org/calls",
        "headers": {"X-Key": "{{secret__shop_key}}"},
        "body": {"guests": "{{party}}", "caller.name": "{{name}}"},
    }
    with pytest.raises(AgentNotReady, match="shop_key"):
        compile_config(agent_factory(), AgentConfig(flow=flow(step)))
    secret_factory()
    compiled = compile_config(agent_factory(), AgentConfig(flow=flow(step)))
    tool = bound(compiled.tools, "post_crm")
    assert tool.secrets == {"shop_key": "sk-very-secret"}
    assert "sk-very-secret" not in json.dumps(compiled.spec.model_dump(mode="json"))


@pytest.fixture
def carrier(connection_factory: ConnectionFactory) -> ModelConnection:
    return connection_factory("Twilio", vendor="twilio", base_url="", account_number="AC1")


def message(carrier: ModelConnection, **settings: Any) -> dict[str, Any]:
    return {"kind": "sms", "id": "tell", "connection": carrier.pk, "sender": "+14155550100", "text": "Hi", **settings}


def test_a_text_message_is_sent_by_its_connection(agent_factory: AgentFactory, carrier: ModelConnection) -> None:
    config = AgentConfig(flow=flow(message(carrier)))
    compiled = compile_config(agent_factory(), config)
    tool = bound(compiled.tools, "sms_tell")
    assert tool.access == Access("twilio", "Twilio", "https://api.twilio.com", "sk-secret", "AC1")
    assert "sk-secret" not in json.dumps(compiled.spec.model_dump(mode="json"))
    assert "sk-secret" not in repr(tool)
    assert config.connections == {carrier.pk}


def test_what_the_step_says_reaches_the_carrier_through_the_guarded_door(
    agent_factory: AgentFactory, carrier: ModelConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"sid": "SM1"})

    def door(**_: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    monkeypatch.setattr("core.http.async_client", door)
    compiled = compile_config(agent_factory(), AgentConfig(flow=flow(message(carrier))))

    async def send() -> None:
        clients = ToolClients()
        (tool,) = bound(compiled.tools, "sms_tell").tools(clients)
        await tool.run({"recipient": "+4930123456", "text": "Hi"}, FakeControl())
        await clients.close()

    asyncio.run(send())
    (request,) = seen
    assert str(request.url) == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert request.content == b"To=%2B4930123456&From=%2B14155550100&Body=Hi"


def test_a_text_message_without_a_carrier_takes_no_calls(
    agent_factory: AgentFactory, carrier: ModelConnection, connection_factory: ConnectionFactory
) -> None:
    for wrong in ("", "conn_gone", connection_factory("Groq").pk):
        with pytest.raises(AgentNotReady, match="The step Tell has no connection that sends text messages"):
            compile_config(agent_factory(), AgentConfig(flow=flow(message(carrier, connection=wrong))))


def test_a_post_sends_values_of_any_type(agent_factory: AgentFactory) -> None:
    body = {"guests": "{{p}}", "who.name": "x"}
    step = {"kind": "post", "id": "crm", "url": "https://example.org/{{id}}", "body": body}
    compiled = compile_config(agent_factory(), AgentConfig(flow=flow(step)))

    async def send() -> httpx.Request:
        clients = ToolClients()
        (tool,) = bound(compiled.tools, "post_crm").tools(clients)
        assert isinstance(tool, HttpTool)
        try:
            return await _post(tool, guests=4, who_name="Jane")
        finally:
            await clients.close()

    request = asyncio.run(send())
    assert (request.method, str(request.url)) == ("POST", "https://example.org/A1")
    assert json.loads(request.content) == {"guests": 4, "who": {"name": "Jane"}}
