"""What an agent's next calls will cost: for the one who publishes, and for programs that place batches."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Organization, User
from accounts.services import api_key_create
from builder.config import AgentConfig
from builder.models import Agent
from telephony.models import Call
from telephony.reports.forecast import batch_forecast, publish_forecast
from tests.builder.pages import html
from tests.conftest import CallFactory, ClientFactory, ConnectionFactory, VersionFactory
from tests.facts import used

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(version_factory: VersionFactory, call_factory: CallFactory) -> Agent:
    """One with a live version that runs on this machine, and forty calls of a minute with services that cost."""
    version = version_factory()
    for _ in range(40):
        used(call_factory(version))
    return Agent.objects.select_related("organization", "live_version").get(pk=version.agent_id)


def with_hosted_ears(agent: Agent, connection_factory: ConnectionFactory) -> None:
    ears = connection_factory("Ears", vendor="deepgram", base_url="")
    config = AgentConfig(**{**agent.draft, "hearing": {"connection": ears.pk, "model": "nova-3"}})
    agent.draft = config.as_json()
    agent.save()


def test_a_draft_with_dearer_services_is_told_to_cost_more(agent: Agent, connection_factory: ConnectionFactory) -> None:
    with_hosted_ears(agent, connection_factory)
    found = publish_forecast(agent)
    assert found.live is not None
    # A hundred minutes at the platform's six cents; recognition of 40 s a call at $0.0048 a minute comes on top.
    assert 5_500_000 < found.live.amount.p50 < 7_500_000
    assert found.change is not None
    assert 200_000 < found.change < 450_000


def test_a_draft_that_changes_no_service_costs_the_same(agent: Agent) -> None:
    agent.draft = AgentConfig(**{**agent.draft, "prompt": "Be brief."}).as_json()
    assert publish_forecast(agent).change == 0


def test_the_sheet_asks_for_it(
    agent: Agent,
    client_for: ClientFactory,
    member: User,
    workspace: Organization,
    connection_factory: ConnectionFactory,
) -> None:
    with_hosted_ears(agent, connection_factory)
    client, args = client_for(member), [workspace.slug, agent.pk]
    address = reverse("agent_forecast", args=args)
    assert f'hx-get="{address}"' in html(client.get(reverse("agent_publish", args=args)))
    text = html(client.get(address))
    assert "Drawn from the last 40 calls" in text
    assert "against v1" in text
    assert f"/forecast/batch?agent_id={agent.pk}" in unescape(text)


def test_an_agent_that_was_never_called_is_guessed_at(
    version_factory: VersionFactory, client_for: ClientFactory, member: User, workspace: Organization
) -> None:
    version = version_factory()
    text = html(client_for(member).get(reverse("agent_forecast", args=[workspace.slug, version.agent_id])))
    assert "has had no calls" in text


def test_unanswered_calls_make_a_batch_cheaper(agent: Agent, call_factory: CallFactory) -> None:
    before = batch_forecast(agent, recipients=1000)
    for _ in range(60):
        call_factory(agent.live_version, direction=Call.Direction.OUTBOUND, duration_ms=0, end_reason="no_answer")
    after = batch_forecast(agent, recipients=1000)
    assert after.calls.p95 < before.calls.p50
    assert after.amount.p50 < before.amount.p50


def ask(workspace: Organization, actor: User, **query: Any) -> Any:
    _, text = api_key_create(organization=workspace, actor=actor, name="Dialer", kind="standard")
    return Client(headers={"Authorization": f"Bearer {text}"}).get("/forecast/batch", query)


def test_a_program_asks_for_a_batch(agent: Agent, workspace: Organization, owner: User) -> None:
    answer = ask(workspace, owner, agent_id=agent.pk, recipients=500).json()
    assert answer["recipients"] == 500
    assert answer["past_calls"] == 40
    assert 0 < answer["micro_dollars"]["p50"] < answer["micro_dollars"]["p95"]
    assert answer["calls"]["p95"] <= 500


def test_the_agents_of_others_are_not_there(agent: Agent, other_workspace: Organization, stranger: User) -> None:
    response = ask(other_workspace, stranger, agent_id=agent.pk, recipients=5)
    assert response.status_code == 404
    assert response.json()["error_code"] == "not_found"


@pytest.mark.parametrize("recipients", [0, -1, 5001, "many"])
def test_a_batch_has_a_size(recipients: Any, agent: Agent, workspace: Organization, owner: User) -> None:
    assert ask(workspace, owner, agent_id=agent.pk, recipients=recipients).status_code == 400
