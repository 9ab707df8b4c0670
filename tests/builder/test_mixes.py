"""Services that go together, of what a workspace has connected."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import Organization, User
from builder.config import AgentConfig, ModelChoice, VoiceChoice
from builder.measures.models import ServiceMeasure
from builder.mixes import Offer, offer
from tests.builder.pages import address
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory

pytestmark = pytest.mark.django_db


def mixed(workspace: Organization, key: str, config: AgentConfig | None = None) -> Offer:
    found = offer(workspace, config or AgentConfig(), key)
    assert found is not None
    return found


def test_with_nothing_connected_all_are_our_own_and_say_what_is_missing(workspace: Organization) -> None:
    assert mixed(workspace, "offline").lacks == ""
    fastest = mixed(workspace, "fastest")
    assert fastest.config == AgentConfig()
    assert fastest.missing == ("recognition", "a language model", "a voice")


def test_the_best_of_what_is_connected_is_taken(workspace: Organization, connection_factory: ConnectionFactory) -> None:
    eleven = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    claude = connection_factory("Claude", vendor="anthropic", base_url="")
    smartest = mixed(workspace, "smartest")
    config = smartest.config
    assert (config.hearing.connection, config.hearing.model) == (eleven.pk, "scribe_v2_realtime")
    assert (config.voice.connection, config.voice.model, config.voice.id) == (eleven.pk, "eleven_multilingual_v2", "")
    assert (config.model.connection, config.model.name) == (claude.pk, "claude-sonnet-5-5")
    assert smartest.lacks == ""


def test_the_fastest_is_what_calls_have_measured_to_be(
    workspace: Organization, connection_factory: ConnectionFactory
) -> None:
    groq = connection_factory("Groq")
    google = connection_factory("Gemini", vendor="google", base_url="")
    assert mixed(workspace, "fastest").config.model.connection == groq.pk
    ServiceMeasure.objects.create(
        organization=workspace,
        call_id="call_1",
        role="llm",
        vendor="google",
        model="gemini-3.5-flash-lite",
        ended_at=timezone.now(),
        call_seconds=60,
        waited_ms=250,
    )
    assert mixed(workspace, "fastest").config.model.connection == google.pk


def test_what_else_was_set_stays(workspace: Organization, connection_factory: ConnectionFactory) -> None:
    eleven = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    config = AgentConfig(
        prompt="Be kind.",
        voice=VoiceChoice(connection=eleven.pk, id="mine", speed=1.2),
        model=ModelChoice(temperature=1),
    )
    balanced = mixed(workspace, "balanced", config).config
    assert (balanced.prompt, balanced.voice.id, balanced.voice.speed) == ("Be kind.", "mine", 1.2)
    assert balanced.model.temperature == 1
    assert mixed(workspace, "offline", balanced).config.voice.id == VoiceChoice().id


def test_a_mix_is_put_into_the_draft_and_flips_when_it_is_edited(
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    agent_factory: AgentFactory,
    connection_factory: ConnectionFactory,
) -> None:
    made = connection_factory("Eleven", vendor="elevenlabs", base_url="")
    agent = agent_factory()
    client = client_for(member)
    assert client.post(address("agent_mix", agent), {"mix": "fastest"})["Location"] == agent.get_absolute_url()
    agent.refresh_from_db()
    config = agent.draft_config
    assert config.voice.connection == made.pk
    assert mixed(workspace, "fastest", config).is_set
    edited = config.model_copy(update={"voice": config.voice.model_copy(update={"model": "eleven_v3"})})
    assert not any(offer(workspace, edited, key).is_set for key in ("fastest", "offline"))  # type: ignore[union-attr]
    assert client.post(address("agent_mix", agent), {"mix": "cheapest"}).status_code == 404
