"""Agents that hand calls over to each other: their team is compiled, and circles have an end."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organization
from builder.changes import changes
from builder.compile import AgentNotReady, compile_config
from builder.config import AgentConfig, HandOffChoice
from builder.forms import AgentForm
from builder.models import Agent
from tests.builder.pages import page_data
from tests.conftest import AgentFactory, ConnectionFactory
from voice.spec import HandOffTarget

pytestmark = pytest.mark.django_db


def handing_to(*agents: Agent, **more: Any) -> AgentConfig:
    return AgentConfig(handoffs=tuple(HandOffChoice(agent=agent.pk, **more) for agent in agents))


def test_a_team_is_all_to_whom_the_call_can_come(agent_factory: AgentFactory) -> None:
    billing = agent_factory("Billing & refunds", config=AgentConfig(prompt="Invoices."))
    sales = agent_factory("Sales", config=handing_to(billing))
    first = agent_factory("Reception")
    config = handing_to(sales, when="They want to buy.", say="I'll get Sales.", greets=True)
    compiled = compile_config(first, config)
    assert compiled.spec.handoffs == (
        HandOffTarget(name="Sales", to=sales.pk, when="They want to buy.", say="I'll get Sales.", greets=True),
    )
    assert set(compiled.team) == {first.pk, sales.pk, billing.pk}
    assert compiled.team[sales.pk].spec.handoffs[0].name == "Billing_refunds"
    assert compiled.team[billing.pk].spec.prompt == "Invoices."


def test_agents_may_hand_over_in_circles(agent_factory: AgentFactory) -> None:
    one, two = agent_factory("One"), agent_factory("Two")
    one.draft, two.draft = handing_to(two).as_json(), handing_to(one).as_json()
    one.save()
    two.save()
    compiled = compile_config(one, one.draft_config)
    assert set(compiled.team) == {one.pk, two.pk}
    assert compiled.team[one.pk].spec == compiled.spec


def test_an_agent_without_others_has_no_team(agent_factory: AgentFactory) -> None:
    assert compile_config(agent_factory(), AgentConfig()).team == {}


def test_an_agent_that_is_gone_or_foreign_is_told(agent_factory: AgentFactory, other_workspace: Organization) -> None:
    foreign = agent_factory("Theirs", organization=other_workspace)
    with pytest.raises(AgentNotReady, match="was deleted"):
        compile_config(agent_factory(), handing_to(foreign))


def test_a_model_that_speaks_itself_cannot_take_over(
    agent_factory: AgentFactory, connection_factory: ConnectionFactory
) -> None:
    made = connection_factory("Ours", vendor="openai", base_url="", default_model="")
    live = AgentConfig.model_validate({"model": {"connection": made.pk, "name": "gpt-realtime-2"}})
    with pytest.raises(AgentNotReady, match="Voice cannot take over"):
        compile_config(agent_factory(), handing_to(agent_factory("Voice", config=live)))
    with pytest.raises(AgentNotReady, match="cannot hand a call over"):
        compile_config(agent_factory(), live.model_copy(update={"handoffs": handing_to(agent_factory()).handoffs}))


def test_they_are_chosen_on_the_page_by_their_names(agent_factory: AgentFactory, workspace: Organization) -> None:
    agent, other = agent_factory("Reception"), agent_factory("Sales")
    row = {"agent": other.pk, "when": "They want to buy.", "say": "", "greets": "yes"}
    data = page_data(agent, **{f"handoffs.{name}": [value] for name, value in row.items()})
    form = AgentForm(data, organization=workspace, agent=agent)
    assert form.is_valid(), form.errors
    chosen = handing_to(other, when="They want to buy.", greets=True)
    assert form.config.handoffs == chosen.handoffs
    (change,) = changes(AgentConfig(), chosen)
    assert change.after == "Sales · They want to buy. · It greets the caller"
    twice = page_data(agent, **{f"handoffs.{name}": [value, value] for name, value in row.items()})
    assert "in two of them" in str(AgentForm(twice, organization=workspace, agent=agent).errors)


# --- languages


def test_further_languages_have_voices_and_need_a_recogniser_that_knows_them(
    agent_factory: AgentFactory, connection_factory: ConnectionFactory
) -> None:
    ears = connection_factory("Deepgram", vendor="deepgram", base_url="", default_model="")
    values = {"languages": [{"language": "es", "voice": "ef_dora"}, {"language": "fr"}], "detect_language": True}
    hosted = AgentConfig.model_validate(values | {"hearing": {"connection": ears.pk}})
    languages = compile_config(agent_factory(), hosted).spec.languages
    assert {name: voice.id for name, voice in languages.voices.items()} == {"es": "ef_dora", "fr": "af_heart"}
    assert languages.detect
    with pytest.raises(AgentNotReady, match="understands English only"):
        compile_config(agent_factory(), AgentConfig.model_validate(values))
    with pytest.raises(AgentNotReady, match="understands English only"):
        compile_config(agent_factory(), AgentConfig(language="de"))
