"""An agent as text: the text says what the agent is and nothing else, and mistakes are told at their lines."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
from builder.config import AgentConfig
from builder.models import Agent
from builder.references import Names, references
from builder.yaml import Document, YamlError, dump, load
from tests.conftest import AgentFactory, ConnectionFactory

NOBODY = Names()
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
tricky = st.sampled_from(["no", "true", "~", "null", "12:30", "1e3", "0o14", "1_000", "- a", "# b", "a: b", " x", "x "])
texts = words | tricky | st.lists(words, max_size=5).map("\n".join)
ids = st.sampled_from("abcdef") | st.text(string.ascii_lowercase, min_size=1, max_size=8)
"""Few of them: what is called as something else is found often."""
connections = st.just("local") | ids
names = st.dictionaries(ids, words | ids | st.just("local"), max_size=6).map(
    lambda known: {key: name for name, key in {name: key for key, name in known.items()}.items()}
)
steps = st.lists(
    st.fixed_dictionaries({"kind": st.just("sms"), "connection": ids, "recipient": words, "text": words})
    | st.fixed_dictionaries({"kind": st.just("tool"), "tool": ids})
    | st.fixed_dictionaries({"kind": st.just("conversation"), "tools": st.lists(ids, max_size=2)})
    | st.fixed_dictionaries({"kind": st.just("handoff"), "agent": ids}),
    max_size=3,
).map(lambda made: {"steps": [{**step, "id": f"step_{place}"} for place, step in enumerate(made)]})
sources = st.lists(st.fixed_dictionaries({"connection": connections, "model": texts}), max_size=2)
configs = st.fixed_dictionaries(
    {},
    optional={
        "prompt": texts,
        "greeting": texts,
        "keyterms": st.lists(texts, max_size=4),
        "tools": st.lists(ids, max_size=4),
        "knowledge": st.lists(ids, max_size=4),
        "hearing": st.fixed_dictionaries({"connection": connections, "model": texts, "fallbacks": sources}),
        "voice": st.fixed_dictionaries({"connection": connections, "speed": st.floats(0.5, 2.0)}),
        "model": st.fixed_dictionaries({"temperature": st.floats(0.0, 2.0), "max_tokens": st.integers(1, 4096)}),
        "hedge_after": st.none() | st.floats(0.0, 10.0),
        "can_end_call": st.booleans(),
        "flow": st.none() | steps,
    },
).map(AgentConfig.model_validate)


def problems(text: str, known: Names = NOBODY) -> list[tuple[int, str]]:
    with pytest.raises(YamlError) as caught:
        load(text, known)
    return [(problem.line, problem.message) for problem in caught.value.problems]


@given(configs, words.filter(lambda name: name.strip() == name != ""), names)
def test_the_text_of_an_agent_makes_the_same_agent_and_the_same_text(
    config: AgentConfig, name: str, known: dict[str, str]
) -> None:
    # What an agent refers to is there; what else is there has any name.
    present = {kind: {key: key for _, _, key in references(config.as_json())} | known for kind in KINDS}
    catalogue = Names({kind: _without_namesakes(listed) for kind, listed in present.items()})
    text = dump(name, config, catalogue)
    assert load(text, catalogue) == Document(name, config)
    assert dump(name, config, catalogue) == text


KINDS: Any = ("connection", "sms", "tool", "folder", "dictionary", "agent")


def _without_namesakes(listed: dict[str, str]) -> dict[str, str]:
    """Of those with one name the last has it; the others are called by their ids."""
    owner = {name: key for key, name in listed.items()}
    return {key: name if owner[name] == key else key for key, name in listed.items()}


def test_what_is_as_it_is_by_itself_is_left_out() -> None:
    text = dump("Reception", AgentConfig(prompt="Be kind.\nBe brief."), NOBODY)
    assert text.splitlines() == [
        "callwright: 1",
        "name: Reception",
        "prompt: |-",
        "  Be kind.",
        "  Be brief.",
        "greeting: Hello! How can I help you?",
        "language: en",
    ]


@pytest.mark.django_db
def test_it_says_names_and_reads_names_and_ids(
    workspace: Organization, connection_factory: ConnectionFactory, agent_factory: AgentFactory
) -> None:
    tool = workspace.tools.create(kind="client", name="book_table", config={})
    made = connection_factory("Groq")
    config = AgentConfig.model_validate({"tools": [tool.pk], "model": {"connection": made.pk, "name": "small"}})
    known = Names.of(workspace)
    text = dump("Reception", config, known)
    assert "- book_table" in text
    assert "connection: Groq" in text
    assert load(text, known).config == config
    assert load(text.replace("book_table", tool.pk), known).config == config


@pytest.mark.django_db
def test_of_agents_with_one_name_the_oldest_has_it_and_the_others_go_by_their_ids(
    workspace: Organization, agent_factory: AgentFactory
) -> None:
    first, second = agent_factory("Sales"), agent_factory("Sales")
    known = Names.of(workspace)
    for agent, called in ((first, "Sales"), (second, second.pk)):
        config = AgentConfig.model_validate({"handoffs": [{"agent": agent.pk}]})
        text = dump("Reception", config, known)
        assert f"agent: {called}" in text
        assert load(text, known).config == config


def test_a_name_that_is_also_an_id_means_what_has_the_id() -> None:
    known = Names({"tool": {"tool_1": "tool_2", "tool_2": "book"}})
    for key, called in (("tool_1", "tool_1"), ("tool_2", "book")):
        config = AgentConfig(tools=(key,))
        assert f"- {called}" in dump("A", config, known)
        assert load(dump("A", config, known), known).config == config
    assert load("name: A\ntools:\n- tool_2\n", known).config.tools == ("tool_2",)


def test_what_a_workspace_does_not_have_is_told_at_its_line() -> None:
    text = "name: A\nmodel:\n  connection: Groq\n  name: small\ntools:\n- book\n"
    assert problems(text) == [
        (3, "There is no connection “Groq” in this workspace."),
        (6, "There is no tool “book” in this workspace."),
    ]


def test_an_import_leaves_out_what_is_missing_and_says_so() -> None:
    known = Names({"tool": {"tool_1": "book"}})
    text = "name: A\nvoice:\n  connection: Cartesia\ntools:\n- gone\n- book\n- away\n"
    read = load(text, known, leave_out_missing=True)
    assert read.config.tools == ("tool_1",)
    assert read.config.voice.connection == "local"
    assert [missing.name for missing in read.missing] == ["gone", "away", "Cartesia"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name: A\nvoice:\n  speed: 9", 3, "Input should be less than or equal to 2."),
        ("name: A\nvoice:\n  sped: 1", 3, "There is no setting “sped” here. Is “speed” meant?"),
        ("name: A\nvoice: heart", 2, "“voice” has settings of its own, which stand below it, indented."),
        ("name: A\nspeed: 1", 2, "There is no setting “speed” here."),
        ("name: A\nprompt: x\nprompt: y", 3, "“prompt” is written twice."),
        ("name: A\ngreeting: {{name}}", 2, 'Put a text that begins with a bracket between quotes: "{{name}}".'),
        ("name: A\nkeyterms: [a\nprompt: x", 3, "Did not find expected ',' or ']'."),
        ("prompt: x", 1, "Write what the agent is called, in at most 120 letters."),
        ("callwright: 7\nname: A", 1, "This is format 7; 1 is the one that is known."),
        ("name: A\ntransfers:\n- name: Desk", 3, "“to” is missing."),
        ("- a", 1, "An agent is written as settings, such as `name: Reception`."),
        ("", 1, "There is nothing in it."),
        ("name: &a A\nprompt: *a", 1, "Write it out: aliases are not read."),
        ("name: A\nprompt: !!python/name:os.system x", 2, "Tags are not read."),
        ("name: A\nprompt: " + "[" * 10_000, 2, "This is nested too deeply."),
        ("name: " + "A" * 600_000, 1, "The text is longer than 500,000 letters."),
        ("name: \x07", 1, "Unacceptable character #x0007: control characters are not allowed."),
    ],
)
def test_a_mistake_is_told_at_its_line(text: str, line: int, words: str) -> None:
    assert (line, words) in problems(text)


@pytest.mark.parametrize("word", ["no", "on", "y", "12:30", "0x1F", "1e3", "2026-11-26", "+14155550100"])
def test_words_stay_words(word: str) -> None:
    assert load(f"name: {word}\ngreeting: {word}", NOBODY).config.greeting == word


def test_agents_of_one_name_are_told_apart_by_their_ids(workspace: Organization, agent_factory: AgentFactory) -> None:
    first, second = agent_factory("Desk"), agent_factory("Desk")
    known = Names.of(workspace)
    assert known.key("agent", "Desk") == first.pk
    assert known.name("agent", second.pk) == second.pk
    assert Agent.objects.count() == 2
