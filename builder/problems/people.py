"""Whom a call may be given to: people and other agents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from builder.problems.model import Problem, error, warning
from builder.problems.subject import Subject

_INTERNATIONAL = re.compile(r"\+[1-9]\d{6,14}")
_SIP = re.compile(r"sips?:[^\s@]+(@[^\s@]+)?", re.IGNORECASE)
_LOCAL = re.compile(r"\d{2,15}")


def a_number_cannot_be_called(subject: Subject) -> Iterator[Problem]:
    for number, target in enumerate(subject.config.transfers):
        to = target.to
        if _INTERNATIONAL.fullmatch(to) or _SIP.fullmatch(to) or "{{" in to:
            continue
        place = ("transfers", number, "to")
        if _LOCAL.fullmatch(to):
            yield warning(
                f"The number of {target.name} has no country code: which country it is in depends on the line.",
                "Write it as +1 415 555 0100.",
                *place,
            )
        else:
            yield error(
                f"{target.name} cannot be reached at “{to[:40]}”.",
                "Write a number as +1 415 555 0100, or an address as sip:desk@example.org.",
                *place,
            )


def the_model_is_not_told_when_to_transfer(subject: Subject) -> Iterator[Problem]:
    for number, target in enumerate(subject.config.transfers):
        if not target.when.strip():
            yield warning(
                f"The agent is not told when to transfer to {target.name}.",
                "Write when.",
                "transfers",
                number,
                "when",
            )


def a_colleague_takes_no_calls(subject: Subject) -> Iterator[Problem]:
    steps = subject.config.flow.steps if subject.config.flow else ()
    wanted = {step.agent for step in steps if step.kind == "handoff" and step.agent}
    wanted |= {one.agent for one in subject.config.handoffs}
    waiting = subject.organization.agents.filter(pk__in=wanted, live_version=None, deleted_at=None)
    unpublished = dict(waiting.values_list("pk", "name")) if wanted else {}
    for number, one in enumerate(subject.config.handoffs):
        if one.agent in unpublished and one.agent != subject.agent.pk:
            yield warning(
                f"{unpublished[one.agent]} was never published: calls would go on with its draft.",
                "Publish it.",
                "handoffs",
                number,
                "agent",
            )
    for number, step in enumerate(steps):
        if step.kind == "handoff" and step.agent in unpublished and step.agent != subject.agent.pk:
            yield warning(
                f"{unpublished[step.agent]} was never published: calls would go on with its draft.",
                "Publish it.",
                "flow",
                "steps",
                number,
                "agent",
                step=step.id,
            )
