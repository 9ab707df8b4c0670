"""What is wrong with an agent, or may be: found by one small function for each kind of problem.

`problems` gives all of them. An error stops publishing, for callers would meet it; a warning does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from builder.compile import AgentNotReady, compile_config
from builder.config import AgentConfig
from builder.models import Agent
from builder.problems.checks import CHECKS
from builder.problems.model import Problem, error
from builder.problems.subject import Subject

__all__ = ["Problem", "errors", "problems"]


def problems(agent: Agent, config: AgentConfig | None = None) -> list[Problem]:
    """What is wrong with the draft of an agent, or with `config` in its place: errors first, each in the order of the
    page."""
    subject = Subject.of(agent, config or agent.draft_config)
    found = list(dict.fromkeys(problem for check in CHECKS for problem in check(subject)))
    if all(problem.severity != "error" for problem in found):
        found += _whatever_else_stops_calls(subject)
    return sorted(found, key=lambda problem: problem.severity != "error")


def _whatever_else_stops_calls(subject: Subject) -> Iterator[Problem]:
    """Calls are made with what the config compiles to: what stops that is an error, also where no check knows it."""
    try:
        compile_config(subject.agent, subject.config)
    except AgentNotReady as reason:
        yield error(str(reason), "")


def errors(agent: Agent, config: AgentConfig | None = None) -> list[Problem]:
    return [problem for problem in problems(agent, config) if problem.severity == "error"]
