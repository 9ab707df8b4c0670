"""What the pages of tools read."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from accounts.models import Organization
from builder.flow import tools_in
from builder.models import Agent
from builder.tools.kinds import ClientConfig, HttpConfig, McpConfig, SearchConfig, SmsConfig
from builder.tools.models import Secret, Tool

ICONS = {"http": "globe", "client": "smartphone", "mcp": "blocks", "web_search": "search", "sms": "message-square-text"}
KINDS = [
    ("http", ICONS["http"], "HTTP request", "Asks or tells any web service: a calendar, a shop, your own server."),
    ("mcp", ICONS["mcp"], "MCP server", "Brings all the tools that a Model Context Protocol server has."),
    ("web_search", ICONS["web_search"], "Web search", "Looks up what is new."),
    ("sms", ICONS["sms"], "Text message", "Sends a text message, to the caller or to somebody else."),
    (
        "client",
        ICONS["client"],
        "Caller's application",
        "Has your website or app do something while it holds the call.",
    ),
]
"""The kinds of tools for people: (kind, icon, title, what it is for)."""
ENGINE_NAMES = {"tavily": "Tavily", "exa": "Exa", "brave": "Brave", "duckduckgo": "DuckDuckGo"}


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A tool in the list, and the agents that use it in their draft or live."""

    tool: Tool
    icon: str
    summary: str
    agents: list[Agent]


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A secret, and the tools and agents that need it."""

    secret: Secret
    users: list[Tool | Agent]


def tool_list(organization: Organization) -> list[ToolRow]:
    """The workspace's tools by name."""
    agents = list(organization.agents.filter(deleted_at=None).select_related("organization", "live_version"))
    used = [(agent, tools_of(agent)) for agent in agents]
    return [
        ToolRow(tool, ICONS[tool.kind], summary(tool), [agent for agent, ids in used if tool.pk in ids])
        for tool in organization.tools.select_related("organization")
    ]


def summary(tool: Tool) -> str:
    """What it reaches, in a few words."""
    match tool.parsed_config:
        case HttpConfig(method=method, url=url):
            return f"{method} {urlsplit(url).hostname}"
        case McpConfig(url=url, chosen=chosen):
            return f"{len(chosen)} of {urlsplit(url).hostname}"
        case ClientConfig(expects_response=expects):
            return "answers" if expects else "is told"
        case SearchConfig(engine=engine):
            return ENGINE_NAMES[engine]
        case SmsConfig(recipient=recipient):
            return f"to {recipient}" if recipient else "to whom the model writes"
    return ""


def tools_of(agent: Agent) -> set[str]:
    """The ids of all that the draft and the live version use."""
    steps = {tool for config in agent.configs if config.flow for tool in tools_in(config.flow)}
    return steps | {tool for config in agent.configs for tool in config.tools}


def agents_using(tool: Tool) -> list[Agent]:
    """The agents, not deleted, whose draft or live version uses `tool`."""
    agents = Agent.objects.filter(organization_id=tool.organization_id, deleted_at=None)
    return [agent for agent in agents.select_related("organization", "live_version") if tool.pk in tools_of(agent)]


def secret_list(organization: Organization) -> list[SecretRow]:
    """The workspace's secrets by name, without their values."""
    needed = _secrets_needed(organization)
    return [
        SecretRow(secret, [user for user, names in needed if secret.name in names])
        for secret in organization.secrets.defer("value")
    ]


def users_of(secret: Secret) -> list[Tool | Agent]:
    """What needs a secret, as the list of secrets says it."""
    return [user for user, names in _secrets_needed(secret.organization) if secret.name in names]


def _secrets_needed(organization: Organization) -> list[tuple[Tool | Agent, set[str]]]:
    """The tools, and the agents, not deleted, by their draft or live version, with the names of their secrets."""
    tools = organization.tools.select_related("organization")
    agents = organization.agents.filter(deleted_at=None).select_related("organization", "live_version")
    return [
        *((tool, tool.parsed_config.secrets) for tool in tools),
        *((agent, {name for config in agent.configs for name in config.secrets}) for agent in agents),
    ]
