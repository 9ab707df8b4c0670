"""Hearing a voice on the agent's page."""

from __future__ import annotations

import io
import wave
from typing import Any

import pytest

from accounts.models import Organization, User
from builder import engine
from builder.vendors import Access
from tests.builder.pages import address
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory
from voice.providers.base import ProviderBusy, ProviderError
from voice.providers.local import Component, ModelsStatus

pytestmark = pytest.mark.django_db

WORDS = {"connection": "local", "text": "Good morning.", "voice": "bf_emma", "speed": "1.25"}


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a voice that says half a second of nothing was asked for."""
    requests: list[dict[str, Any]] = []

    def speak(text: str, **options: Any) -> bytes:
        options["text"] = options.pop("lexicon").spoken(text, "en", "inline")
        requests.append(options)
        return bytes(16_000)

    monkeypatch.setattr(engine, "speak", speak)
    return requests


def test_it_plays_any_words_in_the_chosen_voice_and_pace(
    client_for: ClientFactory, member: User, agent_factory: AgentFactory, spoken: list[dict[str, Any]]
) -> None:
    response = client_for(member).post(address("agent_voice_preview", agent_factory()), WORDS)
    assert response["Content-Type"] == "audio/wav"
    with wave.open(io.BytesIO(response.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.getnframes() == 8_000
    assert spoken == [{"text": "Good morning.", "voice": "bf_emma", "speed": 1.25, "language": "en"}]


def test_it_plays_a_voice_of_a_connection(
    client_for: ClientFactory,
    member: User,
    agent_factory: AgentFactory,
    connection_factory: ConnectionFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    async def say(access: Access, model: str, text: str, **options: Any) -> bytes:
        asked.append((access.name, model, text, options["voice"]))
        return bytes(16_000)

    monkeypatch.setattr(engine, "say", say)
    made = connection_factory("Cartesia", vendor="cartesia", base_url="")
    url = address("agent_voice_preview", agent_factory())
    response = client_for(member).post(url, WORDS | {"connection": made.pk, "voice": "an-id"})
    assert response["Content-Type"] == "audio/wav"
    assert asked == [("Cartesia", "sonic-3.6", "Good morning.", "an-id")]


def test_a_connection_of_another_workspace_does_not_speak(
    client_for: ClientFactory,
    member: User,
    agent_factory: AgentFactory,
    connection_factory: ConnectionFactory,
    other_workspace: Organization,
) -> None:
    foreign = connection_factory(organization=other_workspace, vendor="cartesia")
    client = client_for(member, accept="application/json")
    response = client.post(address("agent_voice_preview", agent_factory()), WORDS | {"connection": foreign.pk})
    assert response.status_code == 422


@pytest.mark.parametrize(
    "change", [{"text": ""}, {"text": "x" * 301}, {"voice": "nobody"}, {"speed": "3"}, {"speed": "fast"}]
)
def test_what_cannot_be_spoken_is_refused_before_any_work(
    change: dict[str, str],
    client_for: ClientFactory,
    member: User,
    agent_factory: AgentFactory,
    spoken: list[dict[str, Any]],
) -> None:
    client = client_for(member, accept="application/json")
    response = client.post(address("agent_voice_preview", agent_factory()), WORDS | change)
    assert response.status_code == 422
    assert response.json()["message"]
    assert not spoken


def test_while_the_models_load_it_says_so(
    client_for: ClientFactory, member: User, agent_factory: AgentFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def speak(text: str, **options: Any) -> bytes:
        raise ProviderError("local", "The voices are still loading.")

    monkeypatch.setattr(engine, "speak", speak)
    loading = ModelsStatus(True, (Component("piper", "Spare voice", "downloading"),))
    monkeypatch.setattr(engine, "models_status", lambda: loading)
    response = client_for(member, accept="application/json").post(
        address("agent_voice_preview", agent_factory()), WORDS
    )
    assert response.status_code == 503
    assert response.json()["error_code"] == "models_loading"
    assert response.json()["message"] == "The voices are still loading."


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ProviderBusy("local", "The queue is full."), "rate_limited"),
        (ProviderError("local", "Broken."), "provider_failed"),
    ],
)
def test_a_failure_is_said_in_the_words_of_the_voice(
    failure: ProviderError,
    code: str,
    client_for: ClientFactory,
    member: User,
    agent_factory: AgentFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def speak(text: str, **options: Any) -> bytes:
        raise failure

    monkeypatch.setattr(engine, "speak", speak)
    response = client_for(member, accept="application/json").post(
        address("agent_voice_preview", agent_factory()), WORDS
    )
    assert response.json()["error_code"] == code
    assert response.json()["message"] == str(failure)


def test_it_is_not_done_all_the_time(
    client_for: ClientFactory, member: User, owner: User, agent_factory: AgentFactory, spoken: list[dict[str, Any]]
) -> None:
    client, url = client_for(member, accept="application/json"), address("agent_voice_preview", agent_factory())
    statuses = [client.post(url, WORDS).status_code for _ in range(41)]  # the minute may end in between, once
    assert statuses[:20] == [200] * 20
    assert 429 in statuses
    assert client_for(owner).post(url, WORDS).status_code == 200


def test_a_viewer_may_not_and_a_stranger_finds_nothing(
    client_for: ClientFactory, viewer: User, stranger: User, agent_factory: AgentFactory, spoken: list[dict[str, Any]]
) -> None:
    url = address("agent_voice_preview", agent_factory())
    assert client_for(viewer).post(url, WORDS).status_code == 403
    assert client_for(stranger).post(url, WORDS).status_code == 404
    assert not spoken
