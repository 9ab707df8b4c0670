"""Searching the web by each of the engines."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.voice.fakes import FakeControl
from tests.voice.providers.fake_http import Exchange, Handler, serving
from voice.tools import ToolError
from voice.tools.web_search import MOST, Brave, DuckDuckGo, Exa, SearchEngine, Tavily, WebSearch

KEY = "secret-key-0123456789"
LONG = "word " * 200
Make = Callable[[httpx.AsyncClient, str], SearchEngine]

ENGINES: dict[str, tuple[Make, dict[str, Any]]] = {
    "tavily": (
        lambda client, url: Tavily(KEY, client, base_url=url),
        {"results": [{"title": "Hours", "url": "https://www.lake.example/x", "content": "Open at nine."}] * 9},
    ),
    "exa": (
        lambda client, url: Exa(KEY, client, base_url=url),
        {"results": [{"title": "Hours", "url": "https://www.lake.example/x", "highlights": ["Open at", "nine."]}] * 9},
    ),
    "brave": (
        lambda client, url: Brave(KEY, client, base_url=url),
        {
            "web": {
                "results": [{"title": "Hours", "url": "https://www.lake.example/x", "description": "Open at nine."}] * 9
            }
        },
    ),
}
engines = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:
        yield client


async def search(engine: str, client: httpx.AsyncClient, handler: Handler | None = None) -> tuple[str, Exchange]:
    make, answer = ENGINES[engine]
    async with serving(handler or (lambda exchange: exchange.answer(200, answer))) as server:
        outcome = await WebSearch(make(client, server.url)).run({"query": "opening hours"}, FakeControl())
        return outcome.text, server.requests[0]


@engines
async def test_a_few_short_results_are_told(engine: str, client: httpx.AsyncClient) -> None:
    text, _ = await search(engine, client)
    assert text.splitlines() == ["- Hours (www.lake.example): Open at nine."] * MOST


async def test_each_engine_is_asked_in_its_own_way(client: httpx.AsyncClient) -> None:
    _, tavily = await search("tavily", client)
    assert (tavily.method, tavily.path, tavily.headers["authorization"]) == ("POST", "/v1/search", f"Bearer {KEY}")
    assert tavily.body == {"query": "opening hours", "max_results": MOST, "search_depth": "basic"}
    _, exa = await search("exa", client)
    assert (exa.method, exa.path, exa.headers["x-api-key"]) == ("POST", "/v1/search", KEY)
    assert exa.body == {"query": "opening hours", "numResults": MOST, "contents": {"highlights": True}}
    _, brave = await search("brave", client)
    assert (brave.method, brave.headers["x-subscription-token"]) == ("GET", KEY)
    assert brave.path == f"/v1/res/v1/web/search?q=opening+hours&count={MOST}&text_decorations=false"


async def test_a_long_page_is_cut_at_a_word(client: httpx.AsyncClient) -> None:
    long = {"results": [{"title": "T", "url": "https://a.example", "content": LONG}]}
    text, _ = await search("tavily", client, lambda exchange: exchange.answer(200, long))
    assert text.endswith("word...")
    assert len(text) < 400


@engines
async def test_nothing_found_is_told(engine: str, client: httpx.AsyncClient) -> None:
    text, _ = await search(engine, client, lambda exchange: exchange.answer(200, {"results": [], "web": None}))
    assert text == "Nothing was found."


@engines
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": f"bad key {KEY}"}, "The API key is wrong"),
        (429, {"error": "slow down"}, "accepts no more requests"),
        (200, {"results": "x"}, "not understood"),
        (200, [], "not understood"),
    ],
)
async def test_what_goes_wrong_is_told_without_the_key(
    engine: str, status: int, body: Any, words: str, client: httpx.AsyncClient
) -> None:
    if engine == "brave" and body == {"results": "x"}:
        body = {"web": {"results": "x"}}
    with pytest.raises(ToolError, match=words) as failure:
        await search(engine, client, lambda exchange: exchange.answer(status, body))
    assert KEY not in str(failure.value)


# --- without a key


async def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DuckDuckGo, "available", staticmethod(lambda: False))
    with pytest.raises(ToolError, match="Install the package ddgs"):
        await WebSearch(DuckDuckGo()).run({"query": "hours"}, FakeControl())


class DDGSException(Exception):
    pass


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([{"title": "T", "href": "https://a.example/1", "body": "Open."}], "- T (a.example): Open."),
        (DDGSException("No results found."), "Nothing was found."),
        (DDGSException("Ratelimit"), "DuckDuckGo did not answer: Ratelimit."),
    ],
)
async def test_duckduckgo_is_asked_in_a_thread(found: Any, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class DDGS:
        def __init__(self, timeout: int) -> None:
            self.timeout = timeout

        def text(self, query: str, *, max_results: int, backend: str) -> list[dict[str, str]]:
            if isinstance(found, Exception):
                raise found
            return found

    package, exceptions = ModuleType("ddgs"), ModuleType("ddgs.exceptions")
    package.DDGS, exceptions.DDGSException = DDGS, DDGSException  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ddgs", package)
    monkeypatch.setitem(sys.modules, "ddgs.exceptions", exceptions)
    monkeypatch.setattr(DuckDuckGo, "available", staticmethod(lambda: True))
    try:
        text = (await WebSearch(DuckDuckGo()).run({"query": "hours"}, FakeControl())).text
    except ToolError as failure:
        text = str(failure)
    assert text == told
