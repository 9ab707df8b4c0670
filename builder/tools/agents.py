"""The tools that an agent uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from builder.tools.bind import BoundTool, ToolsNotReady, secrets_of
from builder.tools.kinds import OF_THE_ENGINE
from builder.tools.models import Tool


def bound_tools(organization_id: str, ids: Sequence[str]) -> tuple[BoundTool, ...]:
    """The tools with those ids, in their order, with their secrets. Raises ToolsNotReady."""
    if not ids:
        return ()
    found = {tool.pk: tool for tool in Tool.objects.filter(pk__in=ids, organization_id=organization_id)}
    if any(key not in found for key in ids):
        raise ToolsNotReady("A tool that this agent uses was deleted. Take it out on the agent's page.")
    needed = {name for tool in found.values() for name in tool.parsed_config.secrets}
    secrets = secrets_of(organization_id, needed) if needed else {}
    bound = tuple(BoundTool.by(found[key], secrets) for key in ids)
    _require_one_of_each_name(bound)
    return bound


def _require_one_of_each_name(bound: Sequence[BoundTool]) -> None:
    counted = Counter(name for tool in bound for name in tool.names)
    if twice := [name for name, times in counted.items() if times > 1]:
        raise ToolsNotReady(f"Two tools of this agent are called {twice[0]}. Take one out, or give it another name.")
    if taken := sorted(OF_THE_ENGINE & counted.keys()):
        raise ToolsNotReady(f"{taken[0]} is the name of a tool that Callwright brings itself. Take out the other one.")
