"""What makes an agent of a document that was read."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Organization, User
from builder.config import AgentConfig
from builder.imports.draft import Imported
from builder.imports.models import AgentImport
from builder.models import Agent, Tool
from builder.references import put, references
from builder.services import agent_create_from
from builder.tools import services as tools


@transaction.atomic
def agent_import(*, organization: Organization, actor: User, imported: Imported, name: str = "") -> Agent:
    """A new agent with its tools and secrets, and the report of what became of the document.

    A tool of the workspace that has the same name and does the same is used, not made again.
    """
    made = tools.tools_make(organization=organization, actor=actor, wanted=imported.tools, secrets=imported.secrets)
    config = _with_tools(imported.config, dict(zip((one.name for one in imported.tools), made, strict=True)))
    agent = agent_create_from(
        organization=organization,
        actor=actor,
        name=name or imported.name or "Imported agent",
        config=config,
        source=imported.format,
    )
    AgentImport.objects.create(agent=agent, format=imported.format, report=imported.report.as_json(), created_by=actor)
    return agent


def _with_tools(config: AgentConfig, made: dict[str, Tool]) -> AgentConfig:
    """The config with the ids of tools where it has their names."""
    values = config.as_json()
    for kind, place, name in list(references(values)):
        if kind == "tool" and name in made:
            put(values, place, made[name].pk)
    return AgentConfig.model_validate(values)
