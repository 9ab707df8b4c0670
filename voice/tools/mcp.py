"""The tools of a Model Context Protocol server. A thin client: it asks what there is, and has it done."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar

import httpx

from voice.providers.base import ToolSchema
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy
from voice.tools.mcp_wire import McpFailure, NotSpoken, OldSse, StreamableHttp, Wire

T = TypeVar("T")

# A list of tools that never ends is given up, and so is a server that takes so many seconds to list them.
MOST_PAGES = 20
LISTING_SECONDS = 10.0
NAME_LIMIT = 64


class McpServer:
    """One MCP server over HTTP, for one agent; calls share it. Every failure is a ToolError.

    `client` must be one that addresses which people typed may be given to. `headers` say who asks. A server that does
    not know streamable HTTP is asked in the old way.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str,
        client: httpx.AsyncClient,
        headers: Mapping[str, str] | None = None,
        policy: ToolPolicy | None = None,
    ) -> None:
        self.name = name
        self._old = OldSse(client, url, headers or {})
        self._wire: Wire = StreamableHttp(client, url, headers or {})
        self._policy = policy or ToolPolicy()

    async def tools(self, only: Collection[str] | None = None) -> list[McpTool]:
        """What the server can do; of these, those that `only` names."""
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                listed = await self._told(self._list)
        except TimeoutError:
            raise ToolError(f"{self.name} did not say within {LISTING_SECONDS:g} s what it can do.") from None
        return [
            McpTool(self, str(one["name"]), one, self._policy)
            for one in listed
            if isinstance(one, dict) and "name" in one and (only is None or one["name"] in only)
        ]

    async def call(self, tool: str, arguments: Mapping[str, object]) -> str:
        """Have a tool do its work; what it said."""
        result = await self._told(lambda: self._ask("tools/call", {"name": tool, "arguments": dict(arguments)}))
        text = _text(result)
        if result.get("isError"):
            raise ToolError(text or "It did not work, and did not say why.")
        return text or "Done."

    async def close(self) -> None:
        """Tell the server that nobody asks any more."""
        await self._wire.close()

    async def _list(self) -> list[Any]:
        tools: list[Any] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            page = await self._ask("tools/list", {"cursor": cursor} if cursor else {})
            tools += page.get("tools") or ()
            cursor = str(page.get("nextCursor") or "")
            if not cursor:
                break
        return tools

    async def _ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return await self._wire.request(method, params)
        except NotSpoken:
            if self._wire is self._old:
                raise
            self._wire = self._old
            return await self._old.request(method, params)

    async def _told(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await work()
        except McpFailure as failure:
            raise ToolError(f"{self.name}: {failure}") from failure
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ToolError(f"{self.name} could not be reached: {str(error) or type(error).__name__}.") from error


class McpTool:
    """One tool of an MCP server."""

    def __init__(self, server: McpServer, tool: str, described: Mapping[str, Any], policy: ToolPolicy) -> None:
        self.policy = policy
        self.name = tool
        """What the server calls it."""
        self._server = server
        parameters = described.get("inputSchema")
        self.schema = ToolSchema(
            name=name_for_model(tool),
            description=str(described.get("description") or described.get("title") or ""),
            parameters=parameters if isinstance(parameters, dict) else {"type": "object", "properties": {}},
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        return Outcome(await self._server.call(self.name, arguments))


def name_for_model(tool: str) -> str:
    """What the model calls a tool of a server: models take fewer signs in a name than servers do."""
    return re.sub(r"[^\w-]+", "_", tool)[:NAME_LIMIT]


def _text(result: Mapping[str, Any]) -> str:
    """What a result says in words; its data, where it has no words. Pictures and sounds are named only."""
    words = []
    for part in result.get("content") or ():
        match part:
            case {"type": "text", "text": str(text)}:
                words.append(text)
            case {"type": "resource", "resource": {"text": str(text)}}:
                words.append(text)
            case {"type": "resource_link", "uri": str(uri)}:
                words.append(uri)
            case {"type": str(kind)}:
                words.append(f"[{kind}]")
    if not words and (data := result.get("structuredContent")) is not None:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return "\n".join(words)
