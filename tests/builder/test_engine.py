"""The clients that a process shares among its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from django.apps import apps

from builder import engine
from builder.compile import CompiledAgent, Endpoint
from core import http, lifespan
from voice.providers.base import ProviderError
from voice.spec import AgentSpec, Model


def compiled(base_url: str = "https://llm.example.org/v1", key: str = "sk-1") -> CompiledAgent:
    return CompiledAgent(AgentSpec(name="A", model=Model(provider="Groq", name="small")), Endpoint(base_url, key))


LOCAL = CompiledAgent(AgentSpec(name="A"), None)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    engine._clients = None


async def test_calls_share_one_client_of_the_local_models_and_a_closed_one_is_made_anew(
    settings: Any, tmp_path: Path
) -> None:
    settings.MODELS_SOCKET = tmp_path / "models.sock"
    models = engine.local_models()
    assert engine.local_models() is models
    assert engine.llm_for(LOCAL) is models.llm
    await asyncio.sleep(0)
    assert not models.status.connected
    await engine.close()
    assert engine.local_models() is not models
    await engine.close()


async def test_agents_with_the_same_address_and_key_share_a_client() -> None:
    one = engine.llm_for(compiled())
    assert engine.llm_for(compiled()) is one
    assert engine.llm_for(compiled(key="sk-2")) is not one
    assert engine.llm_for(compiled("https://other.example.org/v1")) is not one
    assert one.name == "Groq"
    await engine.close()


def test_every_event_loop_has_clients_of_its_own() -> None:
    async def llm() -> Any:
        return engine.llm_for(compiled())

    assert asyncio.run(llm()) is not asyncio.run(llm())


async def test_closing_closes_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[httpx.AsyncClient] = []

    def async_client(**options: Any) -> httpx.AsyncClient:
        made.append(httpx.AsyncClient())
        return made[-1]

    monkeypatch.setattr(http, "async_client", async_client)
    engine.llm_for(compiled())
    await engine.close()
    assert [client.is_closed for client in made] == [True]


def test_the_server_closes_them_when_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Any] = []
    monkeypatch.setattr(lifespan, "_shutdown", hooks)
    apps.get_app_config("builder").ready()
    assert hooks == [engine.close]


async def test_a_check_asks_the_service_for_a_token() -> None:
    answer = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}]}
    with respx.mock(using="httpcore") as router:
        route = router.post("https://llm.example.org/v1/chat/completions").respond(json=answer)
        seconds = await engine.check("https://llm.example.org/v1", "sk-1", "small")
    assert route.calls.last.request.headers["Authorization"] == "Bearer sk-1"
    assert seconds >= 0


async def test_a_private_address_is_not_contacted(settings: Any) -> None:
    settings.SITE_URL = "https://calls.example.org"
    with pytest.raises(ProviderError, match="OUTBOUND_ALLOWED_PRIVATE_HOSTS"):
        await engine.check("http://10.0.0.1:9/v1", "", "small")
