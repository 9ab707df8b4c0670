"""The tool by which the agent searches the web, by one of several search engines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from voice.providers.api import Api
from voice.providers.base import ProviderError, ToolSchema
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy

# A caller waits while the model reads: a few results, a few sentences of each.
MOST = 4
EXCERPT = 350


@dataclass(frozen=True, slots=True)
class Hit:
    """One page that was found, and what it says."""

    title: str
    url: str
    text: str


class SearchEngine(Protocol):
    async def search(self, query: str, *, most: int) -> Sequence[Hit]:
        """The best pages, best first. Raises ToolError or ProviderError."""


class WebSearch:
    """Searches the web when the model wants it to."""

    def __init__(self, engine: SearchEngine, *, policy: ToolPolicy | None = None) -> None:
        self.policy = policy or ToolPolicy(timeout=10.0, speech="Let me look that up.")
        self._engine = engine
        self.schema = ToolSchema(
            name="web_search",
            description="Search the web for what is new or what you do not know. Name where it is from, without links.",
            parameters={
                "type": "object",
                "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 400}},
                "required": ["query"],
            },
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        try:
            hits = await self._engine.search(str(arguments["query"]), most=MOST)
        except ProviderError as error:
            raise ToolError(f"The search did not work: {error}") from error
        except (AttributeError, KeyError, TypeError) as error:
            raise ToolError("The search engine answered with something that was not understood.") from error
        return Outcome("\n".join(_brief(hit) for hit in hits) or "Nothing was found.")


def _brief(hit: Hit) -> str:
    text = " ".join(hit.text.split())
    cut = text if len(text) <= EXCERPT else f"{text[:EXCERPT].rsplit(' ', 1)[0]}..."
    return f"- {hit.title} ({urlsplit(hit.url).hostname or hit.url}): {cut}"


# --- engines with a key


class Tavily:
    """Tavily's search (https://docs.tavily.com/api-reference/endpoint/search)."""

    def __init__(self, key: str, client: httpx.AsyncClient, *, base_url: str = "https://api.tavily.com") -> None:
        self._api = Api("Tavily", base_url, secret=key, headers={"Authorization": f"Bearer {key}"}, client=client)

    async def search(self, query: str, *, most: int) -> Sequence[Hit]:
        body = {"query": query, "max_results": most, "search_depth": "basic"}
        answer = await self._api.json("POST", "/search", what="search", json=body)
        return [Hit(one["title"], one["url"], one["content"]) for one in answer["results"][:most]]


class Exa:
    """Exa's search (https://docs.exa.ai/reference/search)."""

    def __init__(self, key: str, client: httpx.AsyncClient, *, base_url: str = "https://api.exa.ai") -> None:
        self._api = Api("Exa", base_url, secret=key, headers={"x-api-key": key}, client=client)

    async def search(self, query: str, *, most: int) -> Sequence[Hit]:
        body = {"query": query, "numResults": most, "contents": {"highlights": True}}
        answer = await self._api.json("POST", "/search", what="search", json=body)
        return [
            Hit(one.get("title") or "", one["url"], " ".join(one.get("highlights") or ()))
            for one in answer["results"][:most]
        ]


class Brave:
    """Brave's web search (https://api-dashboard.search.brave.com/app/documentation/web-search)."""

    def __init__(self, key: str, client: httpx.AsyncClient, *, base_url: str = "https://api.search.brave.com") -> None:
        self._api = Api("Brave", base_url, secret=key, headers={"X-Subscription-Token": key}, client=client)

    async def search(self, query: str, *, most: int) -> Sequence[Hit]:
        params: dict[str, Any] = {"q": query, "count": most, "text_decorations": "false"}
        answer = await self._api.json("GET", "/res/v1/web/search", what="search", params=params)
        found = (answer.get("web") or {}).get("results", ())
        return [Hit(one["title"], one["url"], one.get("description") or "") for one in found[:most]]


# --- without a key


class DuckDuckGo:
    """DuckDuckGo through the `ddgs` package, which is optional. It needs no key, and promises nothing."""

    @staticmethod
    def available() -> bool:
        return find_spec("ddgs") is not None

    async def search(self, query: str, *, most: int) -> Sequence[Hit]:
        if not self.available():
            raise ToolError(
                "Web search without a key is not installed. Install the package ddgs (the extra `search`), or give the "
                "agent a key of Tavily, Exa or Brave."
            )
        found = await asyncio.to_thread(self._ask, query, most)
        return [Hit(one["title"], one["href"], one["body"]) for one in found]

    @staticmethod
    def _ask(query: str, most: int) -> list[dict[str, str]]:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException

        try:
            results: list[dict[str, str]] = DDGS(timeout=8).text(query, max_results=most, backend="duckduckgo")
        except DDGSException as error:
            if "no results" in str(error).lower():
                return []
            raise ToolError(f"DuckDuckGo did not answer: {error}.") from error
        return results
