"""The steps of an agent that has any, and the ways between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from builder import vendors
from builder.problems.model import Problem, error, warning
from builder.problems.subject import Subject
from builder.tools.texting import wrong_recipient, wrong_sender
from voice.flow.expressions import matching
from voice.flow.spec import BranchStep, CollectStep, ConversationStep, Flow, Slot, SmsStep, Step, exits
from voice.providers.vendor import Role


def _steps(subject: Subject) -> Iterator[tuple[int, Step]]:
    flow = subject.config.flow
    return iter(enumerate(flow.steps if flow else ()))


def _field(number: int, path: str) -> tuple[str | int, ...]:
    """The place of a field of a step, whose path is as `exits` gives it."""
    parts = (int(part) if part.isdigit() else part for part in path.split("."))
    return ("flow", "steps", number, *parts)


WALKS_NO_STEPS: Mapping[Role, str] = {
    "realtime": "A model that hears and speaks by itself",
    "agent": "An agent in code",
}


def nobody_walks_the_steps(subject: Subject) -> Iterator[Problem]:
    flow, role = subject.config.flow, subject.answers_by
    if flow and flow.steps and role in WALKS_NO_STEPS and vendors.has_role(subject.answering_vendor, role):
        yield error(
            f"{WALKS_NO_STEPS[role]} keeps to no steps: calls would go past the flow.",
            "Choose a language model, or delete the steps.",
            "model",
            "connection",
        )


def it_begins_nowhere(subject: Subject) -> Iterator[Problem]:
    flow = subject.config.flow
    if flow and flow.steps and flow.start and flow.step(flow.start) is None:
        yield error("The step with which the call begins was deleted.", "Choose another one.", "flow", "start")


def a_way_leads_to_a_step_that_is_gone(subject: Subject) -> Iterator[Problem]:
    flow = subject.config.flow
    if flow is None:
        return
    known = {step.id for step in flow.steps}
    for number, step in _steps(subject):
        for path, label, to in exits(step):
            if to and to not in known:
                yield error(
                    f"From “{step.title}”, “{label}” leads to a step that was deleted.",
                    "Choose where it leads.",
                    *_field(number, path),
                    step=step.id,
                )
    for number, route in enumerate(flow.routes):
        if route.to not in known:
            yield error(
                f"“{route.when or route.condition}” leads to no step.",
                "Choose where it leads.",
                "flow",
                "routes",
                number,
                "to",
            )


def a_way_leads_nowhere(subject: Subject) -> Iterator[Problem]:
    for number, step in _steps(subject):
        open_ends = [(path, label) for path, label, to in exits(step) if not to]
        if open_ends:
            labels, lead = ", ".join(f"“{label}”" for _, label in open_ends), "lead" if len(open_ends) > 1 else "leads"
            yield warning(
                f"From “{step.title}”, {labels} {lead} nowhere: the call ends there.",
                "Choose where it leads, or an end step if that is meant.",
                *_field(number, open_ends[0][0]),
                step=step.id,
            )


def a_step_is_never_reached(subject: Subject) -> Iterator[Problem]:
    flow = subject.config.flow
    if flow is None or flow.first is None:
        return
    reached = _reached(flow, flow.first)
    for number, step in _steps(subject):
        if step.id not in reached:
            yield warning(
                f"No way leads to “{step.title}”.", "Connect it, or delete it.", "flow", "steps", number, step=step.id
            )


def _reached(flow: Flow, first: Step) -> set[str]:
    known = {step.id: step for step in flow.steps}
    reached, waiting = set[str](), [first.id, *(route.to for route in flow.routes)]
    while waiting:
        step_id = waiting.pop()
        if step_id in known and step_id not in reached:
            reached.add(step_id)
            waiting += [to for _, _, to in exits(known[step_id])]
    return reached


def a_condition_never_holds(subject: Subject) -> Iterator[Problem]:
    flow = subject.config.flow
    if flow is None:
        return
    domains = _domains(flow)
    for number, step in _steps(subject):
        for path, condition, can in _conditions(step, domains):
            if can is False:
                yield warning(
                    f"In “{step.title}”, “{condition}” can never be the one that holds.",
                    "Correct it: what stands before it takes all, or no value fits it.",
                    *_field(number, path),
                    step=step.id,
                )


def _conditions(step: Step, domains: Mapping[str, Sequence[object]]) -> Iterator[tuple[str, str, bool | None]]:
    """The conditions of a step, each with whether it can be the first to hold."""
    if isinstance(step, BranchStep):
        texts = [case.condition for case in step.cases]
        for number, (text, can) in enumerate(zip(texts, matching(texts, domains), strict=True)):
            yield f"cases.{number}.condition", text, can
    elif isinstance(step, ConversationStep):
        for number, route in enumerate(step.routes):
            if route.condition:
                yield f"routes.{number}.condition", route.condition, matching([route.condition], domains)[0]


def _domains(flow: Flow) -> dict[str, Sequence[object]]:
    """All values that variables can have which nothing but a field of few values sets."""
    slots = [slot for step in flow.steps if isinstance(step, CollectStep) for slot in step.slots]
    set_elsewhere = {one.name for step in flow.steps if step.kind == "set" for one in step.values}
    for step in flow.steps:
        if step.kind == "tool":
            set_elsewhere |= {step.result, *step.assign}
    by_name: dict[str, list[Slot]] = {}
    for slot in slots:
        by_name.setdefault(slot.name, []).append(slot)
    return {
        name: [None, *(value for slot in same for value in _values(slot))]
        for name, same in by_name.items()
        if name not in set_elsewhere and all(slot.type in ("choice", "yes_no") for slot in same)
    }


def _values(slot: Slot) -> Sequence[object]:
    return slot.choices if slot.type == "choice" else (True, False)


def a_way_is_never_taken(subject: Subject) -> Iterator[Problem]:
    for number, step in _steps(subject):
        for place, route in enumerate(step.routes if isinstance(step, ConversationStep) else ()):
            if not route.when.strip() and not route.condition:
                yield warning(
                    f"From “{step.title}”, a way is never taken: it does not say when.",
                    "Say when, or take it out.",
                    *_field(number, f"routes.{place}"),
                    step=step.id,
                )


_OF_A_MESSAGE = {
    "connection": "a connection that sends text messages",
    "sender": "the number that it sends from",
    "recipient": "a number to send to",
    "text": "what the message says",
}


def a_step_lacks_what_it_works_with(subject: Subject) -> Iterator[Problem]:
    config = subject.config
    targets = {target.name for target in config.transfers}
    for number, step in _steps(subject):
        missing, field = "", ""
        match step.kind:
            case "tool" if not step.tool:
                missing, field = "the tool that it runs", "tool"
            case "transfer" if step.target not in targets:
                missing, field = "somebody to transfer to", "target"
            case "post" if not step.url:
                missing, field = "the address that it sends to", "url"
            case "sms" if absent := next((name for name in _OF_A_MESSAGE if not getattr(step, name).strip()), ""):
                missing, field = _OF_A_MESSAGE[absent], absent
            case "knowledge" if not step.folders and not config.knowledge:
                missing, field = "a folder of knowledge", "folders"
        if missing:
            yield error(f"“{step.title}” lacks {missing}.", "Choose one.", "flow", "steps", number, field, step=step.id)


def a_text_message_has_no_number(subject: Subject) -> Iterator[Problem]:
    for number, step in _steps(subject):
        if not isinstance(step, SmsStep):
            continue
        connection = subject.connections.get(step.connection)
        vendor = connection.vendor if connection else ""
        wrong = {
            "sender": wrong_sender(step.sender, vendor) if step.sender.strip() and connection else "",
            "recipient": wrong_recipient(step.recipient) if step.recipient.strip() else "",
        }
        for field, why in wrong.items():
            if why:
                mend = "Write it as +14155550100, or choose a {{variable}} that holds one."
                yield error(f"“{step.title}”: {why}", mend, *_field(number, field), step=step.id)


def a_step_may_use_a_tool_that_the_agent_has_not(subject: Subject) -> Iterator[Problem]:
    for number, step in _steps(subject):
        for place, key in enumerate(step.tools or () if isinstance(step, ConversationStep) else ()):
            if key in subject.names.by_id.get("tool", {}) and key not in subject.config.tools:
                name = subject.names.name("tool", key)
                yield error(
                    f"“{step.title}” may use {name}, which is none of the agent's tools.",
                    "Give the agent that tool, or take it out of the step.",
                    *_field(number, f"tools.{place}"),
                    step=step.id,
                )
