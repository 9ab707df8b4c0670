"""A flow as the engine walks it: its tools by the names that a call knows them by, and what it sends as tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from builder.tools.bind import BoundTool, ToolsNotReady, secrets_of, sms_access
from builder.tools.kinds import OF_THE_ENGINE, Header, HttpConfig, RequestValue, SmsConfig
from voice.flow.spec import ConversationStep, Flow, PostStep, SmsStep, Step, ToolStep
from voice.flow.steps import sending_tool
from voice.tools.mcp import name_for_model

LONGEST_SENDING = 15.0


class AnyValue(RequestValue):
    """A value of whatever type a variable has."""

    @property
    def schema_for_model(self) -> dict[str, Any]:
        return {}


def tools_in(flow: Flow) -> list[str]:
    """The ids of the library's tools that the steps name."""
    found: dict[str, None] = {}
    for step in flow.steps:
        if isinstance(step, ToolStep) and step.tool:
            found[step.tool] = None
        elif isinstance(step, ConversationStep):
            found |= dict.fromkeys(key for key in step.tools or () if key not in OF_THE_ENGINE)
    return list(found)


def bound_flow(flow: Flow, tools: Mapping[str, BoundTool], own: Sequence[str]) -> Flow:
    """`flow` with the names of tools in place of their ids. `tools` are those of the agent and of its steps by id,
    `own` the ids of the agent's: where others are there only for steps, conversations may not use those."""
    all_of_them = None if set(tools) <= set(own) else (*own, *sorted(OF_THE_ENGINE))

    def named(ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for key in ids for name in (tools[key].names if key in tools else [key]))

    def bound(step: Step) -> Step:
        if isinstance(step, ToolStep) and step.tool in tools:
            name = name_for_model(step.function) if step.function else next(iter(tools[step.tool].names), "")
            return step.model_copy(update={"tool": name, "function": ""})
        if isinstance(step, ConversationStep):
            ids = all_of_them if step.tools is None else step.tools
            return step.model_copy(update={"tools": None if ids is None else named(ids)})
        return step

    return flow.model_copy(update={"steps": tuple(map(bound, flow.steps))})


def bound_sending(flow: Flow, organization_id: str) -> list[BoundTool]:
    """A tool for each step that posts or writes something. Raises ToolsNotReady when a secret or a connection is
    missing."""
    posts = [_posting(step, organization_id) for step in flow.steps if isinstance(step, PostStep) and step.url]
    return posts + [_writing(step, organization_id) for step in flow.steps if isinstance(step, SmsStep)]


def _posting(step: PostStep, organization_id: str) -> BoundTool:
    config = HttpConfig(
        method="POST",
        url=step.url,
        headers=tuple(Header(name=name, value=value) for name, value in step.headers.items()),
        parameters=tuple(AnyValue(name=name) for name in step.body),
        timeout=LONGEST_SENDING,
    )
    secrets = secrets_of(organization_id, config.secrets) if config.secrets else {}
    if missing := sorted(config.secrets - secrets.keys()):
        raise ToolsNotReady(f"The step {step.title} needs the secret {missing[0]}. Enter it under Tools, Secrets.")
    return BoundTool(sending_tool(step), "", config, secrets)


def _writing(step: SmsStep, organization_id: str) -> BoundTool:
    """The step says to whom, and what."""
    config = SmsConfig(connection=step.connection, sender=step.sender, recipient="", text="", timeout=LONGEST_SENDING)
    access = sms_access(organization_id, config, f"The step {step.title}")
    return BoundTool(sending_tool(step), "", config, access=access)
