"""Controls of agents are drawn once for each value, and nobody notices."""

from __future__ import annotations

import pytest
from django.utils.safestring import SafeString

from accounts.models import Organization
from builder import drawing
from builder.config import AgentConfig, ModelChoice
from builder.forms import AgentForm
from builder.models import Agent
from tests.builder.pages import page_data
from tests.conftest import AgentFactory, ConnectionFactory

pytestmark = pytest.mark.django_db


def drawn(agent: Agent, name: str, **sent: object) -> str:
    data = page_data(agent, **sent) if sent else None
    form = AgentForm(data, organization=agent.organization, agent=agent)
    return str(form[name].as_field_group())


def test_each_agent_shows_its_own_values(agent_factory: AgentFactory) -> None:
    first, second = (agent_factory(config=AgentConfig(greeting=words)) for words in ("Hello!", "Good day!"))
    for agent, mine, other in ((first, "Hello!", "Good day!"), (second, "Good day!", "Hello!")) * 2:
        assert mine in drawn(agent, "greeting")
        assert other not in drawn(agent, "greeting")


def test_what_was_added_since_is_offered(
    agent_factory: AgentFactory, connection_factory: ConnectionFactory, workspace: Organization
) -> None:
    agent = agent_factory(config=AgentConfig(model=ModelChoice()))
    for name in ("connection", "model_fallbacks"):
        assert "Brand new" not in drawn(agent, name)
    connection_factory("Brand new")
    for name in ("connection", "model_fallbacks"):
        assert "Brand new" in drawn(agent, name)


def test_what_is_wrong_with_a_value_stands_at_its_control(agent_factory: AgentFactory) -> None:
    agent = agent_factory()
    assert "field-error" not in drawn(agent, "greeting")
    assert "field-error" in drawn(agent, "greeting", greeting="x" * 100_000)
    assert "field-error" not in drawn(agent, "greeting")


def test_when_there_are_too_many_it_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "KEPT", 100)
    kept = drawing.Drawings()
    drawings = []

    def draw(what: str) -> str:
        def make() -> SafeString:
            drawings.append(what)
            return SafeString(what * 20)

        return kept.get(what, make)

    assert [draw(what) for what in "aab"] == ["a" * 20, "a" * 20, "b" * 20]
    assert drawings == ["a", "b"]
    for what in "cdefa":
        assert draw(what) == what * 20
    assert drawings == [*"ab", *"cdef", "a"], "the first was forgotten"
