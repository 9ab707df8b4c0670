"""From a tool of the library to what a call runs."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import httpx

from builder import vendors
from builder.models import ModelConnection
from builder.tools.kinds import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    MOST_LISTED,
    ClientConfig,
    HttpConfig,
    McpConfig,
    McpListed,
    RequestValue,
    SearchConfig,
    SmsConfig,
    ToolConfig,
)
from builder.tools.models import Secret, Tool
from builder.tools.secrecy import Mask, SecretiveTool, basic
from builder.vendors import Access
from core import http
from voice import tools as engine
from voice.providers.base import Texting, ToolSchema
from voice.providers.vendor import Account
from voice.tools.client import ClientTool
from voice.tools.http import HttpRequest, HttpTool, Parameter
from voice.tools.mcp import McpServer, McpTool, name_for_model
from voice.tools.sms import SmsTool
from voice.tools.web_search import Brave, DuckDuckGo, Exa, SearchEngine, Tavily, WebSearch

LONGEST = 120.0
"""Seconds that a tool may take at most."""
LARGEST = 1_000_000
"""Bytes of an answer that are read at most."""
ENGINES = {"tavily": Tavily, "exa": Exa, "brave": Brave}


class ToolsNotReady(Exception):
    """A tool lacks something that it works with; the text says what, and what to do."""


class ToolClients:
    """The doors through which the tools of a process reach the world. They belong to an event loop: close them."""

    def __init__(self) -> None:
        self.http = http.async_client(timeout=LONGEST, total=LONGEST, max_bytes=LARGEST, own_machine=True)
        self._servers: dict[tuple[str, str, str], McpServer] = {}
        self._texting: dict[Access, Texting] = {}

    def server(self, name: str, url: str, token: str) -> McpServer:
        """An MCP server; all calls share its session."""
        key = (name, url, token)
        if key not in self._servers:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            self._servers[key] = McpServer(name=name, url=url, client=self.http, headers=headers)
        return self._servers[key]

    def texting(self, access: Access) -> Texting:
        """Who sends an account's text messages; equal accounts share one."""
        make = vendors.vendor(access.vendor).sms
        if make is None:
            raise TypeError(f"{access.vendor} sends no text messages.")
        if access not in self._texting:
            account = Account(
                base_url=access.base_url,
                api_key=access.api_key,
                number=access.number,
                client=lambda: self.http,
                name=access.name,
            )
            self._texting[access] = make(account, "")
        return self._texting[access]

    async def close(self) -> None:
        for server in self._servers.values():
            await server.close()
        await self.http.aclose()


@dataclass(frozen=True, slots=True)
class BoundTool:
    """A tool of the library with the values of the secrets that it needs, by their names."""

    name: str
    description: str
    config: ToolConfig
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    access: Access | None = None
    """The account that it sends text messages by."""

    @classmethod
    def by(cls, tool: Tool, secrets: Mapping[str, str] | None = None) -> BoundTool:
        """Raises ToolsNotReady. `secrets` are all of the workspace, where they are known already."""
        config = tool.parsed_config
        known = secrets_of(tool.organization_id, config.secrets) if secrets is None else secrets
        if missing := sorted(config.secrets - known.keys()):
            raise ToolsNotReady(
                f"The tool {tool.name} needs the secret {missing[0]}, which is not there. "
                "Enter it under Tools, Secrets."
            )
        needed = {name: known[name] for name in config.secrets}
        access = sms_access(tool.organization_id, config, f"The tool {tool.name}")
        return cls(tool.name, tool.description, config, needed, access)

    @property
    def names(self) -> list[str]:
        """What the model calls what it can do."""
        if isinstance(self.config, McpConfig):
            return [name_for_model(name) for name in self.config.chosen]
        return [self.name]

    @property
    def mask(self) -> Mask:
        """Hides its secrets."""
        auth = self.config.auth if isinstance(self.config, HttpConfig) else None
        together = [basic(auth.user, self.secrets[auth.secret])] if auth and auth.scheme == "basic" else []
        if access := self.access:
            user, _, password = access.api_key.rpartition(":")
            together += [access.api_key, password, basic(user or access.number, password)]
        return Mask(self.secrets, *together)

    async def listing(self) -> list[McpListed]:
        """What its server says that it has. Raises ToolError."""
        if not isinstance(self.config, McpConfig):
            raise engine.ToolError("Only an MCP server lists its tools.")
        clients = ToolClients()
        try:
            server = clients.server(self.name, self.config.url, self.secrets.get(self.config.secret, ""))
            return [
                McpListed(
                    name=tool.name[:LONGEST_NAME],
                    description=tool.schema.description[:LONGEST_DESCRIPTION],
                    parameters=dict(tool.schema.parameters),
                )
                for tool in (await server.tools())[:MOST_LISTED]
            ]
        except engine.ToolError as error:
            raise engine.ToolError(self.mask(str(error))) from None
        finally:
            await clients.close()

    def tools(self, clients: ToolClients) -> list[engine.Tool]:
        """What the engine runs, for one call."""
        made = self._made(clients)
        return [SecretiveTool(tool, self.secrets, self.mask) for tool in made] if self.secrets else made

    def _made(self, clients: ToolClients) -> list[engine.Tool]:
        match self.config:
            case HttpConfig():
                request = _request(self.config, self.secrets)
                return [
                    HttpTool(
                        name=self.name,
                        description=self.description,
                        request=request,
                        client=clients.http,
                        policy=self.config.policy,
                    )
                ]
            case ClientConfig():
                schema = ToolSchema(self.name, self.description, _parameters(self.config))
                return [ClientTool(schema, policy=self.config.policy, expects_response=self.config.expects_response)]
            case McpConfig():
                return self._of_server(self.config, clients)
            case SearchConfig():
                return [self._search(self.config, clients.http)]
            case SmsConfig() if self.access is not None:
                return [self._sms(self.config, clients.texting(self.access), self.access)]
        raise TypeError(f"{type(self.config).__name__} is no kind of tool.")

    def _of_server(self, config: McpConfig, clients: ToolClients) -> list[engine.Tool]:
        server = clients.server(self.name, config.url, self.secrets.get(config.secret, ""))
        described = {one.name: {"description": one.description, "inputSchema": one.parameters} for one in config.listed}
        return [McpTool(server, name, described[name], config.policy) for name in config.chosen if name in described]

    def _sms(self, config: SmsConfig, texting: Texting, access: Access) -> engine.Tool:
        return SmsTool(
            name=self.name,
            description=self.description,
            texting=texting,
            sender=config.sender,
            pools=vendors.vendor(access.vendor).pools,
            recipient=config.recipient,
            text=config.text,
            policy=config.policy,
        )

    def _search(self, config: SearchConfig, client: httpx.AsyncClient) -> engine.Tool:
        make = ENGINES.get(config.engine)
        source = make(self.secrets.get(config.secret, ""), client) if make else DuckDuckGo()
        search = WebSearch(cast("SearchEngine", source), policy=config.policy)
        search.schema = replace(
            search.schema, name=self.name, description=self.description or search.schema.description
        )
        return search


def sms_access(organization_id: str, config: ToolConfig, whose: str) -> Access | None:
    """The account by which a tool sends text messages; None for other tools. Raises ToolsNotReady, of `whose` tool."""
    if not isinstance(config, SmsConfig):
        return None
    found = ModelConnection.objects.filter(organization_id=organization_id, pk=config.connection).first()
    if found is None or not vendors.has_role(found.vendor, "sms"):
        raise ToolsNotReady(f"{whose} has no connection that sends text messages. Choose one.")
    return Access.by(found)


def secrets_of(organization_id: str, names: Collection[str]) -> dict[str, str]:
    """The values of those secrets that are there."""
    found = Secret.objects.filter(organization_id=organization_id, name__in=names)
    return dict(found.values_list("name", "value"))


def _request(config: HttpConfig, secrets: Mapping[str, str]) -> HttpRequest:
    auth = config.auth
    token = secrets.get(auth.secret, "")
    return HttpRequest(
        method=config.method,
        url=config.url,
        parameters=[_parameter(one) for one in config.parameters],
        headers={one.name: one.value for one in config.headers},
        bearer=token if auth.scheme == "bearer" else "",
        basic=(auth.user, token) if auth.scheme == "basic" else None,
        assign={one.variable: one.path for one in config.assign},
    )


def _parameter(value: RequestValue) -> Parameter:
    return Parameter(
        name=value.name,
        where=value.where,
        source=value.source,
        value=_typed(value) if value.source == "constant" else value.value,
        schema=value.schema_for_model,
        required=value.required,
    )


def _typed(value: RequestValue) -> object:
    """A constant as what it is said to be; text that is none of it, such as a `{{variable}}`, stays text."""
    if value.type == "string":
        return value.value
    if value.type == "strings":
        return [one.strip() for one in value.value.split(",") if one.strip()]
    try:
        return json.loads(value.value)
    except ValueError:
        return value.value


def _parameters(config: ClientConfig) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {one.name: one.schema_for_model for one in config.parameters},
        "required": [one.name for one in config.parameters if one.required],
    }
