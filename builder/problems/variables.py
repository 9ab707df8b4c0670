"""Variables: `{{names}}` in texts and names in expressions, of which something has to know the value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from builder.problems.model import Problem, error, warning
from builder.problems.subject import Subject
from builder.references import Place
from builder.tools.kinds import HttpConfig
from voice.flow.expressions import ExpressionError, parse
from voice.variables import SYSTEM, names_in

SECRET, SYSTEM_PREFIX = "secret__", "system__"
_STEPS = ("flow", "steps")
_WITH_SECRETS = ("url", "headers")
"""What a step posts by may hold secrets."""
_EXPRESSIONS = {("routes", "condition"), ("cases", "condition"), ("values", "value")}
"""Settings of each of a list, by the list's name. Fields of a body or arguments may be called the same."""


def nothing_knows_a_variable(subject: Subject) -> Iterator[Problem]:
    config, known = subject.values, _known(subject)
    seen = set[tuple[str, Place]]()
    for place, name in _uses(config, ()):
        where = (name, _setting(place))
        if name.partition(".")[0] in known or where in seen:
            continue
        seen.add(where)
        yield _unknown(subject, config, place, name)


def a_tool_needs_a_variable_that_nothing_sets(subject: Subject) -> Iterator[Problem]:
    known = _known(subject)
    for number, key in enumerate(subject.config.tools):
        tool = subject.tools.get(key)
        for name in tool.parsed_config.needed if tool else ():
            if name.partition(".")[0] not in known and not name.startswith(SECRET):
                yield warning(
                    f"The tool {tool.name if tool else ''} needs the variable “{name}”, which nothing sets.",
                    "Add it under Variables.",
                    "tools",
                    number,
                )


def _unknown(subject: Subject, config: dict[str, Any], place: Place, name: str) -> Problem:
    step = str(config["flow"]["steps"][place[2]]["id"]) if place[:2] == _STEPS else ""
    if name.startswith(SECRET):
        message = f"“{name}” is not filled in here: only requests of tools and steps know secrets."
        return error(message, "Take it out.", *place, step=step)
    if name.startswith(SYSTEM_PREFIX):
        return error(f"No call knows “{name}” of itself.", "Choose one of the list.", *place, step=step)
    message = f"Nothing sets the variable “{name}”."
    if subject.config.webhook.url:
        return warning(message, "See that the web hook does, or add it under Variables.", *place, step=step)
    return error(message, "Add it under Variables, or correct its name.", *place, step=step)


def _setting(place: Place) -> Place:
    """What is told of once: a step, or a setting."""
    return place[:3] if place[:2] == _STEPS else place[:2]


def _known(subject: Subject) -> set[str]:
    config = subject.config
    known = {one.name for one in config.variables} | set(SYSTEM)
    for step in config.flow.steps if config.flow else ():
        match step.kind:
            case "collect":
                known |= {slot.name for slot in step.slots}
            case "set":
                known |= {one.name for one in step.values}
            case "tool":
                known |= {step.result, *step.assign}
    for tool in subject.tools.values():
        if isinstance(made := tool.parsed_config, HttpConfig):
            known |= {one.variable for one in made.assign}
    return known


def _uses(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Each variable that is read, and where."""
    if isinstance(value, str):
        is_expression = place[-3::2] in _EXPRESSIONS
        if not is_expression and "{{" not in value:  # most texts
            return
        names = set(names_in(value)) | (_in_expression(value) if is_expression else frozenset())
        if place[:2] == _STEPS and place[3] in _WITH_SECRETS:
            names = {name for name in names if not name.startswith(SECRET)}
        yield from ((place, name) for name in sorted(names))
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _uses(inner, (*place, key))


def _in_expression(text: str) -> frozenset[str]:
    try:
        return parse(text).names if text else frozenset()
    except ExpressionError:
        return frozenset()
