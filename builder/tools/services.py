"""What changes tools and secrets. Each is one transaction with its audit entry."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from accounts.services import audit
from builder.in_use import require_unused
from builder.tools.curl import Imported
from builder.tools.kinds import McpConfig, McpListed, NewTool, ToolConfig
from builder.tools.models import Secret, Tool
from builder.tools.selectors import agents_using, users_of


@transaction.atomic
def tool_create(
    *, organization: Organization, actor: User, kind: str, name: str, description: str, config: ToolConfig
) -> Tool:
    tool = Tool.objects.create(
        organization=organization,
        kind=kind,
        name=name,
        description=description,
        config=config.model_dump(mode="json"),
    )
    created = {"kind": ("", kind), "name": ("", name)}
    audit(organization=organization, actor=actor, action="tool.created", target=tool.pk, changes=created)
    return tool


def tool_import(*, organization: Organization, actor: User, imported: Imported) -> Tool:
    """Make a tool with the secrets that were found in it, under names that are free."""
    return tools_import(organization=organization, actor=actor, imported=[imported], secrets=imported.secrets)[0]


@transaction.atomic
def tools_import(
    *, organization: Organization, actor: User, imported: Sequence[Imported], secrets: Mapping[str, str]
) -> list[Tool]:
    """Make tools of requests; see `tools_make`."""
    wanted = [NewTool(Tool.Kind.HTTP, one.name, one.description, one.config) for one in imported]
    return tools_make(organization=organization, actor=actor, wanted=wanted, secrets=secrets)


@transaction.atomic
def tools_make(
    *, organization: Organization, actor: User, wanted: Sequence[NewTool], secrets: Mapping[str, str]
) -> list[Tool]:
    """Make tools, and the secrets that they refer to, under names that are free. Other secrets are there, or come.

    A tool of that name that does the same is used in place of a new one.
    """
    taken = set(organization.secrets.values_list("name", flat=True))
    names: dict[str, str] = {}
    for name, value in secrets.items():
        names[name] = _free(name, taken)
        taken.add(names[name])
        secret_set(organization=organization, actor=actor, name=names[name], value=value)
    made = []
    for one in wanted:
        config = _with_secrets(one.config, names)
        same = organization.tools.filter(name=one.name, kind=one.kind, config=config.model_dump(mode="json")).first()
        free = _free(one.name, organization.tools.values_list("name", flat=True))
        made.append(
            same
            or tool_create(
                organization=organization,
                actor=actor,
                kind=one.kind,
                name=free,
                description=one.description,
                config=config,
            )
        )
    return made


def _with_secrets(config: ToolConfig, names: Mapping[str, str]) -> ToolConfig:
    """A config that calls secrets by other names: all at once, for one's new name may be another's old one."""
    called = re.compile(r'(?<=secret__)\w+|(?<="secret":")\w+')
    text = called.sub(lambda name: names.get(name[0], name[0]), config.model_dump_json())
    return type(config).model_validate_json(text)


def _free(wanted: str, taken: Collection[str]) -> str:
    numbered = (f"{wanted[:36]}_{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([wanted], numbered) if name not in taken)


@transaction.atomic
def tool_update(*, tool: Tool, actor: User, name: str, description: str, config: ToolConfig) -> Tool:
    """Change a tool for all agents that use it. Calls in progress keep what they began with. No change, no write."""
    current = Tool.objects.select_for_update().get(pk=tool.pk)
    after: dict[str, Any] = {"name": name, "description": description, **config.model_dump(mode="json")}
    before: dict[str, Any] = {"name": current.name, "description": current.description, **current.config}
    changed = {key: (before.get(key), value) for key, value in after.items() if before.get(key) != value}
    if "listed" in changed:  # whole schemas of a server
        changed["listed"] = (f"{len(before['listed'])} tools", f"{len(after['listed'])} tools")
    if changed:
        current.name, current.description, current.config = name, description, config.model_dump(mode="json")
        current.save()
        audit(organization=current.organization, actor=actor, action="tool.updated", target=current.pk, changes=changed)
    return current


def tool_tested(*, tool: Tool) -> None:
    """Remember that a tool, as it is now, has worked in a test."""
    Tool.objects.filter(pk=tool.pk, updated_at=tool.updated_at).update(tested_at=timezone.now())


def mcp_listed(*, tool: Tool, actor: User, listed: Sequence[McpListed]) -> Tool:
    """Store what an MCP server has now. At first all is chosen; later what was chosen stays, as far as it is there."""
    config = McpConfig.model_validate(tool.config)
    names = [one.name for one in listed]
    chosen = [name for name in names if not config.listed or name in config.chosen]
    known = config.model_copy(update={"listed": tuple(listed), "chosen": tuple(chosen)})
    return tool_update(tool=tool, actor=actor, name=tool.name, description=tool.description, config=known)


@transaction.atomic
def tool_delete(*, tool: Tool, actor: User) -> None:
    """Raises ApiError (conflict), which names the agents, while any agent's draft or live version uses it."""
    require_unused(tool, agents_using(tool), "Take it out there and publish")
    deleted = {"name": (tool.name, ""), "kind": (tool.kind, "")}
    audit(organization=tool.organization, actor=actor, action="tool.deleted", target=tool.pk, changes=deleted)
    tool.delete()


@transaction.atomic
def secret_set(*, organization: Organization, actor: User, name: str, value: str) -> Secret:
    """Store a secret, in place of the one of that name if there is one. Calls in progress keep what they began with."""
    secret, created = Secret.objects.update_or_create(organization=organization, name=name, defaults={"value": value})
    changes = {"name": ("", name), "value": ("", "changed")} if created else {"value": ("", "changed")}
    action = "secret.created" if created else "secret.updated"
    audit(organization=organization, actor=actor, action=action, target=secret.pk, changes=changes)
    return secret


@transaction.atomic
def secret_delete(*, secret: Secret, actor: User) -> None:
    """Raises ApiError (conflict), which names them, while any tool, or any agent's draft or live version, needs it."""
    require_unused(secret, users_of(secret), "Take it out there, publish the agents among them")
    audit(
        organization=secret.organization,
        actor=actor,
        action="secret.deleted",
        target=secret.pk,
        changes={"name": (secret.name, "")},
    )
    secret.delete()
