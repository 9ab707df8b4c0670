"""Connections to language models: who may see and change them, and that a key never comes out."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.asserts import assertRedirects

from accounts.models import Organization, User
from builder import engine
from builder.config import AgentConfig, ModelChoice
from builder.forms import ConnectionForm
from builder.models import ModelConnection
from tests.builder.pages import html
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory
from voice.providers.base import ProviderError

pytestmark = pytest.mark.django_db

DATA = {
    "name": "Groq",
    "base_url": "https://llm.example.org/v1/",
    "api_key": "sk-very-secret",
    "default_model": "small",
}


def address(name: str, made: ModelConnection) -> str:
    return reverse(name, kwargs={"workspace": made.organization.slug, "connection_id": made.pk})


class TestPages:
    def test_an_admin_connects_a_service(self, client_for: ClientFactory, admin: User, workspace: Organization) -> None:
        client, url = client_for(admin), reverse("connection_new", args=[workspace.slug])
        page = html(client.get(url))
        for service in ("OpenAI", "Groq", "OpenRouter", "Ollama", "LM Studio", "vLLM"):
            assert service in page
        response = client.post(url, DATA)
        made = ModelConnection.objects.get()
        assertRedirects(response, address("connection", made))
        assert (made.base_url, made.api_key) == ("https://llm.example.org/v1", "sk-very-secret")

    def test_the_key_is_on_no_page_and_in_no_log(
        self,
        client_for: ClientFactory,
        admin: User,
        workspace: Organization,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        client = client_for(admin)
        refused = client.post(reverse("connection_new", args=[workspace.slug]), DATA | {"base_url": "nonsense"})
        assert refused.status_code == 422
        assert "sk-very-secret" not in html(refused)
        client.post(reverse("connection_new", args=[workspace.slug]), DATA)
        made = ModelConnection.objects.get()
        for url in (address("connection", made), reverse("connections", args=[workspace.slug])):
            page = html(client.get(url))
            assert "stored" in page
            assert "sk-very-secret" not in page
        assert "sk-very-secret" not in caplog.text
        assert "sk-very-secret" not in repr(made.__dict__ | {"api_key": ""})

    def test_an_empty_key_keeps_the_stored_one(
        self, client_for: ClientFactory, admin: User, connection_factory: ConnectionFactory
    ) -> None:
        made = connection_factory()
        data = {"name": "Renamed", "base_url": made.base_url, "api_key": "", "default_model": "large"}
        client_for(admin).post(address("connection", made), data)
        made.refresh_from_db()
        assert (made.name, made.default_model, made.api_key) == ("Renamed", "large", "sk-secret")

    def test_the_stored_key_does_not_follow_to_another_address(
        self, client_for: ClientFactory, admin: User, connection_factory: ConnectionFactory
    ) -> None:
        made = connection_factory()
        data = {"name": "Groq", "base_url": "https://thief.example.net/v1", "api_key": "", "default_model": "small"}
        response = client_for(admin).post(address("connection", made), data)
        assert response.status_code == 422
        assert "enter the key again" in html(response)
        made.refresh_from_db()
        assert made.base_url == "https://llm.example.org/v1"

    def test_two_connections_of_one_name_are_refused(
        self, client_for: ClientFactory, admin: User, workspace: Organization, connection_factory: ConnectionFactory
    ) -> None:
        connection_factory("Groq")
        response = client_for(admin).post(reverse("connection_new", args=[workspace.slug]), DATA)
        assert response.status_code == 422
        assert "already a connection of this name" in html(response)

    def test_the_list_names_the_agents_that_use_one(
        self,
        client_for: ClientFactory,
        viewer: User,
        workspace: Organization,
        agent_factory: AgentFactory,
        connection_factory: ConnectionFactory,
    ) -> None:
        made = connection_factory()
        agent_factory("Front desk", config=AgentConfig(model=ModelChoice(connection=made.pk, name="small")))
        page = html(client_for(viewer).get(reverse("connections", args=[workspace.slug])))
        assert "Front desk" in page
        assert "New connection" not in page
        assert address("connection", made) not in page

    def test_one_in_use_is_not_deleted(
        self,
        client_for: ClientFactory,
        admin: User,
        agent_factory: AgentFactory,
        connection_factory: ConnectionFactory,
    ) -> None:
        made = connection_factory()
        agent_factory("Front desk", config=AgentConfig(model=ModelChoice(connection=made.pk, name="small")))
        client = client_for(admin)
        assert address("connection_delete", made) not in html(client.get(address("connection", made)))
        response = client.post(address("connection_delete", made))
        assert response.status_code == 409
        assert "Front desk" in html(response)
        assert ModelConnection.objects.exists()

    def test_one_that_is_not_used_is_deleted(
        self, client_for: ClientFactory, admin: User, connection_factory: ConnectionFactory
    ) -> None:
        response = client_for(admin).post(address("connection_delete", connection_factory()), follow=True)
        assert "Groq is deleted" in html(response)
        assert not ModelConnection.objects.exists()

    @pytest.mark.parametrize("action", ["connection", "connection_test", "connection_delete"])
    def test_a_member_may_not_and_a_stranger_finds_nothing(
        self,
        action: str,
        client_for: ClientFactory,
        member: User,
        stranger: User,
        connection_factory: ConnectionFactory,
    ) -> None:
        made = connection_factory()
        assert client_for(member).post(address(action, made), DATA).status_code == 403
        assert client_for(stranger).post(address(action, made), DATA).status_code == 404
        made.refresh_from_db()
        assert made.api_key == "sk-secret"


class TestTest:
    def test_it_shows_how_long_the_answer_took(
        self,
        client_for: ClientFactory,
        admin: User,
        connection_factory: ConnectionFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        asked: list[tuple[str, ...]] = []

        async def check(*request: str) -> float:
            asked.append(request)
            return 0.42

        monkeypatch.setattr(engine, "check", check)
        page = html(client_for(admin, htmx=True).post(address("connection_test", connection_factory())))
        assert "It answers" in page
        assert "420 ms" in page
        assert asked == [("https://llm.example.org/v1", "sk-secret", "small")]

    def test_it_says_in_words_what_is_wrong(
        self,
        client_for: ClientFactory,
        admin: User,
        connection_factory: ConnectionFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def check(*request: str) -> float:
            raise ProviderError("Groq", "The service refused the API key.")

        monkeypatch.setattr(engine, "check", check)
        response = client_for(admin, htmx=True).post(address("connection_test", connection_factory()))
        assert response.status_code == 200
        assert "The service refused the API key." in html(response)
        assert "sk-secret" not in html(response)

    def test_it_is_not_done_all_the_time(
        self,
        client_for: ClientFactory,
        admin: User,
        connection_factory: ConnectionFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def check(*request: str) -> float:
            return 0.1

        monkeypatch.setattr(engine, "check", check)
        client, url = client_for(admin, htmx=True), address("connection_test", connection_factory())
        statuses = [client.post(url).status_code for _ in range(41)]  # the minute may end in between, once
        assert statuses[:20] == [200] * 20
        assert 429 in statuses


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" https://api.example.org/v1/ ", "https://api.example.org/v1"),
        ("https://api.example.org/v1/chat/completions", "https://api.example.org/v1"),
        ("http://ollama:11434/v1", "http://ollama:11434/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_an_address_is_tidied(typed: str, stored: str, workspace: Organization) -> None:
    form = ConnectionForm(DATA | {"base_url": typed}, instance=ModelConnection(organization=workspace))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["base_url"] == stored


@pytest.mark.parametrize(
    "typed",
    [
        "api.example.org/v1",
        "ftp://example.org",
        "https://",
        "https://me:key@example.org/v1",
        "https://e.org/v1?key=x",
        "http://e:port/",
    ],
)
def test_what_is_no_address_is_refused(typed: str, workspace: Organization) -> None:
    form = ConnectionForm(DATA | {"base_url": typed}, instance=ModelConnection(organization=workspace))
    assert "base_url" in form.errors


def test_an_endpoint_does_not_print_its_key() -> None:
    from builder.compile import Endpoint

    shown: Any = repr(Endpoint("https://llm.example.org/v1", "sk-secret"))
    assert "sk-secret" not in shown
