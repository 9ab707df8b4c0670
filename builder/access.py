"""The only way in which a view gets a row of this app: 404 unless it is in the reader's own workspace."""

from __future__ import annotations

from django.http import Http404

from accounts.models import Organization
from builder.models import Agent, AgentVersion, ModelConnection, Secret, Tool


def get_agent(organization: Organization, agent_id: str) -> Agent:
    live = Agent.objects.select_related("live_version")
    agent = live.filter(organization=organization, pk=agent_id, deleted_at=None).first()
    if agent is None:
        raise Http404("No such agent.")
    agent.organization = organization  # what was read of it is read once
    return agent


def get_version(agent: Agent, version_id: str) -> AgentVersion:
    """A published version of `agent`."""
    version = agent.versions.filter(pk=version_id, number__isnull=False).first()
    if version is None:
        raise Http404("No such version.")
    return version


def get_connection(organization: Organization, connection_id: str) -> ModelConnection:
    connection = ModelConnection.objects.filter(organization=organization, pk=connection_id).first()
    if connection is None:
        raise Http404("No such connection.")
    return connection


def get_tool(organization: Organization, tool_id: str) -> Tool:
    tool = Tool.objects.select_related("organization").filter(organization=organization, pk=tool_id).first()
    if tool is None:
        raise Http404("No such tool.")
    return tool


def get_secret(organization: Organization, secret_id: str) -> Secret:
    secret = Secret.objects.select_related("organization").filter(organization=organization, pk=secret_id).first()
    if secret is None:
        raise Http404("No such secret.")
    return secret
