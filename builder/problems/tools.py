"""The tools that an agent has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from builder.problems.model import Problem, error, warning
from builder.problems.subject import Subject
from builder.tools.kinds import OF_THE_ENGINE, McpConfig, SmsConfig
from builder.tools.models import Tool


def _listed(subject: Subject) -> Iterator[tuple[int, Tool]]:
    """Those of the agent that are there, with their positions."""
    for number, key in enumerate(subject.config.tools):
        if key in subject.tools:
            yield number, subject.tools[key]


def a_secret_is_missing(subject: Subject) -> Iterator[Problem]:
    for tool in subject.tools.values():
        for name in sorted(tool.parsed_config.secrets - subject.secrets):
            yield error(
                f"The tool {tool.name} needs the secret “{name}”, which is not there.",
                "Enter it under Tools, Secrets.",
                *_place(subject, tool),
            )


def nothing_sends_its_messages(subject: Subject) -> Iterator[Problem]:
    for tool in subject.tools.values():
        config = tool.parsed_config
        if isinstance(config, SmsConfig) and config.connection not in subject.names.by_id.get("sms", {}):
            yield error(
                f"The tool {tool.name} has no connection that sends its text messages.",
                "Choose one on the page of the tool.",
                *_place(subject, tool),
            )


def two_have_the_same_name(subject: Subject) -> Iterator[Problem]:
    names = [(name, number) for number, tool in _listed(subject) for name in _names(tool)]
    counted = Counter(name for name, _ in names)
    for name, number in names:
        if counted[name] > 1:
            yield error(f"Two tools are called {name}.", "Take one out, or rename it.", "tools", number)
        if name in OF_THE_ENGINE:
            yield error(
                f"{name} is the name of a tool that Callwright brings itself.", "Give it another name.", "tools", number
            )


def _names(tool: Tool) -> tuple[str, ...]:
    config = tool.parsed_config
    return config.chosen if isinstance(config, McpConfig) else (tool.name,)


def the_model_is_not_told_when_to_use_one(subject: Subject) -> Iterator[Problem]:
    for number, tool in _listed(subject):
        if not tool.description.strip() and tool.kind != Tool.Kind.MCP:
            yield warning(
                f"The tool {tool.name} has no description: the model does not know when to use it.",
                "Say what it does, and when to use it.",
                "tools",
                number,
            )


def one_was_never_tested(subject: Subject) -> Iterator[Problem]:
    for tool in subject.tools.values():
        if tool.kind == Tool.Kind.CLIENT:  # the caller's application is only there in a call
            continue
        if tool.tested_at is None:
            message = f"The tool {tool.name} was never tested."
        elif tool.tested_at < tool.updated_at:
            message = f"The tool {tool.name} was changed after its last test."
        else:
            continue
        yield warning(message, "Open it and try it with sample values.", *_place(subject, tool))


def one_is_never_used(subject: Subject) -> Iterator[Problem]:
    flow = subject.config.flow
    if flow is None or not flow.steps:
        return
    used: set[str] = {step.tool for step in flow.steps if step.kind == "tool"}
    for step in flow.steps:
        if step.kind == "conversation":
            used |= set(subject.config.tools if step.tools is None else step.tools)
    for number, tool in _listed(subject):
        if tool.pk not in used:
            yield warning(f"No step uses the tool {tool.name}.", "Give it to a step, or take it out.", "tools", number)


def _place(subject: Subject, tool: Tool) -> tuple[str | int, ...]:
    """Where the agent has a tool: in its list, or in a step alone."""
    ids = subject.config.tools
    if tool.pk in ids:
        return "tools", ids.index(tool.pk)
    steps = subject.config.flow.steps if subject.config.flow else ()
    number = next((n for n, step in enumerate(steps) if step.kind == "tool" and step.tool == tool.pk), 0)
    return "flow", "steps", number, "tool"
