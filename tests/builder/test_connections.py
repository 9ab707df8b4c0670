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
from builder.connection_form import ConnectionForm
from builder.models import ModelConnection
from builder.vendors import Access
from tests.builder.pages import html
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory
from voice.providers.base import ProviderError
from voice.providers.vendor import VoiceChoice

pytestmark = pytest.mark.django_db

DATA = {
    "vendor": "compatible",
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
        for vendor in (
            "OpenAI",
            "Anthropic",
            "Google Gemini",
            "Deepgram",
            "ElevenLabs",
            "Cartesia",
            "Pipecat services",
        ):
            assert f">{vendor}</option>" in page
        for service in ("Groq", "OpenRouter", "Ollama", "LM Studio", "vLLM"):
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

    def test_a_carrier_is_connected_under_its_account(
        self, client_for: ClientFactory, admin: User, workspace: Organization
    ) -> None:
        client, url = client_for(admin), reverse("connection_new", args=[workspace.slug])
        data = {"vendor": "twilio", "name": "Twilio", "api_key": "sk-very-secret"}
        response = client.post(url, data)
        assert response.status_code == 422
        assert "needs to know which account" in html(response)
        client.post(url, data | {"account_number": "AC1"})
        made = ModelConnection.objects.get()
        assert Access.by(made) == Access("twilio", "Twilio", "https://api.twilio.com", "sk-very-secret", "AC1")
        page = html(client.get(reverse("connections", args=[workspace.slug])))
        assert "Text messages" in page
        # Others say by their key whose they are.
        client.post(url, DATA | {"account_number": "AC1"})
        assert ModelConnection.objects.get(name="Groq").account_number == ""

    def test_one_by_which_a_tool_writes_is_not_deleted(
        self, client_for: ClientFactory, admin: User, workspace: Organization, connection_factory: ConnectionFactory
    ) -> None:
        made = connection_factory("Twilio", vendor="twilio")
        config = {"connection": made.pk, "sender": "+14155550100"}
        workspace.tools.create(kind="sms", name="text_the_caller", config=config)
        client = client_for(admin)
        for page in (address("connection", made), reverse("connections", args=[workspace.slug])):
            assert "text_the_caller" in html(client.get(page))
        response = client.post(address("connection_delete", made))
        assert response.status_code == 409
        assert "text_the_caller" in html(response)

    def test_one_by_which_a_step_writes_is_not_deleted(
        self,
        client_for: ClientFactory,
        admin: User,
        agent_factory: AgentFactory,
        connection_factory: ConnectionFactory,
    ) -> None:
        made = connection_factory("Twilio", vendor="twilio")
        step = {"kind": "sms", "id": "tell", "connection": made.pk}
        agent_factory("Front desk", config=AgentConfig.model_validate({"flow": {"steps": [step]}}))
        assert client_for(admin).post(address("connection_delete", made)).status_code == 409

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
        asked: list[tuple[Any, ...]] = []

        async def check(*request: Any) -> str:
            asked.append(request)
            return "small gave its first token after 420 ms."

        monkeypatch.setattr(engine, "check", check)
        page = html(client_for(admin, htmx=True).post(address("connection_test", connection_factory())))
        assert "It works" in page
        assert "420 ms" in page
        assert asked == [(Access("compatible", "Groq", "https://llm.example.org/v1", "sk-secret"), "small")]

    def test_it_says_in_words_what_is_wrong(
        self,
        client_for: ClientFactory,
        admin: User,
        connection_factory: ConnectionFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def check(*request: Any) -> str:
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
        async def check(*request: Any) -> str:
            return "The key works."

        monkeypatch.setattr(engine, "check", check)
        client, url = client_for(admin, htmx=True), address("connection_test", connection_factory())
        statuses = [client.post(url).status_code for _ in range(41)]  # the minute may end in between, once
        assert statuses[:20] == [200] * 20
        assert 429 in statuses


class TestVendors:
    def form(self, workspace: Organization, **data: str) -> ConnectionForm:
        given = {"vendor": "deepgram", "name": "Ears", "base_url": "", "api_key": "dg-1", "default_model": "", **data}
        return ConnectionForm(given, instance=ModelConnection(organization=workspace))

    def test_a_hosted_vendor_needs_no_address(self, workspace: Organization) -> None:
        form = self.form(workspace)
        assert form.is_valid(), form.errors
        made = form.save()
        assert (made.base_url, made.address) == ("", "https://api.deepgram.com")

    def test_the_vendor_s_own_address_is_not_stored(self, workspace: Organization) -> None:
        form = self.form(workspace, base_url="https://api.deepgram.com/")
        assert form.is_valid(), form.errors
        assert form.cleaned_data["base_url"] == ""

    def test_a_vendor_that_needs_a_key_is_not_connected_without_one(self, workspace: Organization) -> None:
        assert self.form(workspace, api_key="").errors == {"api_key": ["Deepgram answers nobody without a key."]}

    def test_a_compatible_service_needs_an_address_and_no_key(self, workspace: Organization) -> None:
        assert set(self.form(workspace, vendor="compatible", api_key="").errors) == {"base_url"}
        assert self.form(workspace, vendor="compatible", api_key="", base_url="http://127.0.0.1:11434/v1").is_valid()

    def test_the_vendor_of_a_connection_stays(self, connection_factory: ConnectionFactory) -> None:
        made = connection_factory("Ears", vendor="deepgram", base_url="", default_model="")
        form = ConnectionForm({"vendor": "cartesia", "name": "Ears", "base_url": "", "api_key": ""}, instance=made)
        assert form.is_valid(), form.errors
        assert form.save().vendor == "deepgram"

    def test_the_list_says_what_each_one_offers(
        self, client_for: ClientFactory, viewer: User, workspace: Organization, connection_factory: ConnectionFactory
    ) -> None:
        connection_factory("Ears", vendor="deepgram", base_url="")
        page = html(client_for(viewer).get(reverse("connections", args=[workspace.slug])))
        assert "Deepgram" in page
        assert "Speech recognition" in page
        assert "Language models" not in page

    def test_one_of_a_vendor_that_this_version_does_not_know_can_be_looked_at(
        self, client_for: ClientFactory, admin: User, workspace: Organization, connection_factory: ConnectionFactory
    ) -> None:
        made = connection_factory("Old", vendor="gone")
        client = client_for(admin)
        assert client.get(reverse("connections", args=[workspace.slug])).status_code == 200
        assert client.get(address("connection", made)).status_code == 200


class TestVoices:
    def test_they_are_asked_for_once(
        self,
        client_for: ClientFactory,
        member: User,
        connection_factory: ConnectionFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        asked: list[Access] = []

        async def voices(access: Access) -> list[VoiceChoice]:
            asked.append(access)
            return [VoiceChoice(id="v1", label="Ada", gender="female"), VoiceChoice(id="v2", label="Bo", language="de")]

        monkeypatch.setattr(engine, "voices", voices)
        made = connection_factory("Cartesia", vendor="cartesia", base_url="")
        client = client_for(member)
        listed = [client.get(address("connection_voices", made)).json() for _ in range(2)]
        labels = [{"id": "v1", "label": "Ada (female)"}, {"id": "v2", "label": "Bo (de)"}]
        assert listed == [{"voices": labels, "problem": ""}] * 2
        assert len(asked) == 1

    def test_the_best_known_ones_are_listed_where_the_vendor_cannot_be_asked(
        self,
        client_for: ClientFactory,
        member: User,
        connection_factory: ConnectionFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def voices(access: Access) -> list[VoiceChoice]:
            raise ProviderError("Cartesia", "The API key is wrong.")

        monkeypatch.setattr(engine, "voices", voices)
        made = connection_factory("Cartesia", vendor="cartesia", base_url="")
        told = client_for(member).get(address("connection_voices", made)).json()
        assert told["problem"] == "The API key is wrong."
        assert "Katie (female)" in [voice["label"] for voice in told["voices"]]


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
