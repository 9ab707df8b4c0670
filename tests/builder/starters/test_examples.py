"""The examples: each is whole, holds a call to its end, and has nothing that cannot work."""

from __future__ import annotations

import pytest

from builder import starters
from builder.compile import compile_config
from builder.problems import errors
from builder.starters import STARTERS, Starter
from tests.conftest import AgentFactory
from tests.voice.fakes import FakeLlm, Speaks, hold_call
from voice.flow.spec import CollectStep
from voice.providers.base import ToolRequest
from voice.variables import Variables

EXAMPLES = STARTERS[1:]
TITLES = [each.key for each in EXAMPLES]
PLAIN = [each for each in EXAMPLES if each.config.flow is None]


def opening(example: Starter) -> str:
    """What the agent says before anybody has spoken to it: a field that comes first is asked for with the greeting."""
    first = example.config.flow.first if example.config.flow else None
    asked = first.slots[0].question if isinstance(first, CollectStep) else ""
    return f"{example.config.greeting} {asked}".strip()


def test_there_are_ten_and_their_names_differ() -> None:
    assert len(EXAMPLES) == 10
    assert len({each.key for each in EXAMPLES} | {each.name for each in EXAMPLES}) == 20


@pytest.mark.parametrize("example", EXAMPLES, ids=TITLES)
class TestExamples:
    def test_it_says_who_it_is_and_how_to_speak(self, example: Starter) -> None:
        assert starters.STYLE in example.config.prompt
        assert len(example.config.prompt) < 300 * 5  # a small model reads it in five seconds
        assert len(example.questions) == 3

    def test_it_opens_with_one_question(self, example: Starter) -> None:
        assert opening(example).endswith("?")
        assert opening(example).count("?") == 1

    def test_it_has_no_tool_that_would_need_a_network(self, example: Starter) -> None:
        assert example.config.tools == ()
        assert example.config.connections == set()

    @pytest.mark.django_db
    def test_nothing_stops_it_from_being_published(self, example: Starter, agent_factory: AgentFactory) -> None:
        agent = agent_factory(config=example.config)
        assert [problem.message for problem in errors(agent)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("example", PLAIN, ids=[each.key for each in PLAIN])
def test_an_example_without_steps_answers_from_its_facts_and_ends_the_call(
    example: Starter, agent_factory: AgentFactory
) -> None:
    agent = agent_factory(example.name, config=example.config)
    compiled = compile_config(agent, agent.draft_config)
    llm = FakeLlm("Certainly, I note that down.", ["Goodbye.", ToolRequest("call_1", "end_call", "{}")])
    call = hold_call(
        Speaks(9.0, example.questions[0], 2.0),
        Speaks(17.0, "No, that was all. Thank you.", 2.0),
        spec=compiled.spec,
        llm=llm,
        variables=agent.draft_config.test_values,
        ends_at=60.0,
    )
    said = [text for who, text in call.transcript if who == "agent"]
    known = Variables(agent.draft_config.test_values, declared=agent.draft_config.variables)
    greeting = example.config.greeting
    for name in known:
        greeting = greeting.replace(f"{{{{{name}}}}}", str(known[name]))
    assert said[0] == greeting
    assert ("caller", example.questions[0]) in call.transcript
    assert call.end.reason == "agent_ended"
    told = llm.asked[0][0]["content"]
    assert starters.STYLE in told
    assert "{{" not in told
