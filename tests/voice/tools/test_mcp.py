"""An MCP server's tools, over both ways in which its messages travel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.voice.fakes import FakeControl
from tests.voice.providers.fake_http import Exchange, FakeServer, serving
from voice.tools import Outcome, ToolError
from voice.tools.mcp import McpServer

BOOK = {
    "name": "calendar.book",
    "description": "Books an appointment.",
    "inputSchema": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
}
SAID = {"content": [{"type": "text", "text": "Booked for Friday."}]}


class Calendar:
    """What an MCP server does, however it is asked."""

    def __init__(self, said: dict[str, Any] = SAID) -> None:
        self.said = said
        self.asked: list[tuple[str, Any]] = []

    def answer(self, message: dict[str, Any]) -> dict[str, Any] | None:
        self.asked.append((message["method"], message.get("params")))
        match message["method"]:
            case "initialize":
                result: dict[str, Any] = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {}}
            case "tools/list" if not message.get("params"):
                result = {"tools": [BOOK], "nextCursor": "2"}
            case "tools/list":
                result = {"tools": [{"name": "cancel"}]}
            case "tools/call" if message["params"]["name"] == "calendar.book":
                result = self.said
            case "tools/call":
                return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": "Unknown tool."}}
            case _:
                return None
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}


class Streamable(Calendar):
    """Answers a POST with one message, or with a stream of them."""

    def __init__(self, said: dict[str, Any] = SAID, *, streams: bool = False, forgets_after: int = 10**6) -> None:
        super().__init__(said)
        self.streams = streams
        self.sessions = 0
        self.left = self.forgets_after = forgets_after

    async def __call__(self, exchange: Exchange) -> None:
        if exchange.method == "DELETE":
            await exchange.answer(200, {})
        elif exchange.body["method"] == "initialize":
            self.sessions, self.left = self.sessions + 1, self.forgets_after
            answer = self.answer(exchange.body) or {}
            await exchange.answer(200, answer, Mcp_Session_Id=f"session-{self.sessions}")
        else:
            await self.in_session(exchange)

    async def in_session(self, exchange: Exchange) -> None:
        assert exchange.headers["mcp-protocol-version"] == "2025-06-18"
        answer = self.answer(exchange.body)
        self.left -= 1
        if self.left < 0 or exchange.headers["mcp-session-id"] != f"session-{self.sessions}":
            await exchange.answer(404, {"error": "no such session"})
        elif answer is None:
            await exchange.answer(202, b"")
        elif self.streams:
            await exchange.begin()
            await exchange.part(b": hello\n\nevent: message\n")
            await exchange.send({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}})
            await exchange.send(answer)
            await exchange.end()
        else:
            await exchange.answer(200, answer)


class Old(Calendar):
    """Answers on the stream of a GET."""

    def __init__(self) -> None:
        super().__init__()
        self.stream: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.endpoint = "/v1/messages?session=1"

    async def __call__(self, exchange: Exchange) -> None:
        if exchange.method == "GET":
            await exchange.begin()
            await exchange.part(f"event: endpoint\ndata: {self.endpoint}\n\n".encode())
            while True:
                await exchange.send(json.dumps(await self.stream.get()))
        elif exchange.path != "/v1/messages?session=1":
            await exchange.answer(405, {})
        else:
            if answer := self.answer(exchange.body):
                self.stream.put_nowait(answer)
            await exchange.answer(202, b"")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:
        yield client


def server_at(fake: FakeServer, client: httpx.AsyncClient) -> McpServer:
    return McpServer(name="Calendar", url=fake.url, client=client, headers={"Authorization": "Bearer k"})


async def book(server: McpServer) -> Outcome:
    [tool] = await server.tools({"calendar.book"})
    return await tool.run({"day": "Friday"}, FakeControl())


@pytest.mark.parametrize("calendar", [Streamable(), Streamable(streams=True), Old()])
async def test_tools_are_listed_and_done_in_every_way(calendar: Any, client: httpx.AsyncClient) -> None:
    async with serving(calendar) as fake:
        server = server_at(fake, client)
        tools = await server.tools()
        assert [tool.schema.name for tool in tools] == ["calendar_book", "cancel"]
        assert tools[0].schema.description == "Books an appointment."
        assert tools[0].schema.parameters == BOOK["inputSchema"]
        assert (await tools[0].run({"day": "Friday"}, FakeControl())).text == "Booked for Friday."
        assert calendar.asked[-1] == ("tools/call", {"name": "calendar.book", "arguments": {"day": "Friday"}})
        assert {request.headers["authorization"] for request in fake.requests} == {"Bearer k"}
        await server.close()


async def test_one_session_serves_many_requests_and_is_closed(client: httpx.AsyncClient) -> None:
    calendar = Streamable()
    async with serving(calendar) as fake:
        server = server_at(fake, client)
        await book(server)
        await book(server)
        await server.close()
        assert calendar.sessions == 1
        assert (fake.requests[-1].method, fake.requests[-1].headers["mcp-session-id"]) == ("DELETE", "session-1")


async def test_a_session_that_the_server_forgot_is_opened_anew(client: httpx.AsyncClient) -> None:
    calendar = Streamable(forgets_after=4)
    async with serving(calendar) as fake:
        server = server_at(fake, client)
        assert (await book(server)).text == "Booked for Friday."
        assert (await book(server)).text == "Booked for Friday."
        assert calendar.sessions == 2


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"content": []}, "Done."),
        ({"content": [], "structuredContent": {"day": "Friday"}}, '{"day":"Friday"}'),
        ({"content": [{"type": "text", "text": "A"}, {"type": "image", "data": "x"}]}, "A\n[image]"),
        ({"content": [{"type": "resource", "resource": {"uri": "x:y", "text": "B"}}]}, "B"),
    ],
)
async def test_what_a_tool_says_is_told_in_words(said: dict[str, Any], text: str, client: httpx.AsyncClient) -> None:
    async with serving(Streamable(said)) as fake:
        assert (await book(server_at(fake, client))).text == text


# --- faults


async def test_a_tool_that_fails_says_why(client: httpx.AsyncClient) -> None:
    taken = {"content": [{"type": "text", "text": "Friday is taken."}], "isError": True}
    async with serving(Streamable(taken)) as fake:
        with pytest.raises(ToolError, match="Friday is taken"):
            await book(server_at(fake, client))


async def test_an_error_of_the_protocol_is_told(client: httpx.AsyncClient) -> None:
    async with serving(Streamable()) as fake:
        with pytest.raises(ToolError, match="Calendar: The server reported: Unknown tool"):
            await server_at(fake, client).call("nothing", {})


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": "no"}, "status 401: its key is wrong or missing"),
        (500, {"error": "no"}, "status 500"),
        (200, b"<html>", "not understood"),
        (200, {"jsonrpc": "2.0", "id": 99, "result": {}}, "broke off"),
        (200, {"x": "x" * 600_000}, "more than can be read"),
        (404, {}, "status 404"),
    ],
)
async def test_what_is_no_mcp_server_is_told(status: int, body: Any, words: str, client: httpx.AsyncClient) -> None:
    async with serving(lambda exchange: exchange.answer(status, body)) as fake:
        with pytest.raises(ToolError, match=words):
            await server_at(fake, client).tools()


async def test_a_connection_that_is_lost_is_told(client: httpx.AsyncClient) -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.cut()

    async with serving(cut) as fake:
        with pytest.raises(ToolError, match="Calendar could not be reached"):
            await server_at(fake, client).tools()


async def test_a_stream_that_ends_without_the_answer_is_told(client: httpx.AsyncClient) -> None:
    async def half(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.send({"jsonrpc": "2.0", "method": "notifications/message"})
        await exchange.end()

    async with serving(half) as fake:
        with pytest.raises(ToolError, match="broke off before its answer"):
            await server_at(fake, client).tools()


async def test_an_old_server_cannot_send_the_key_elsewhere(client: httpx.AsyncClient) -> None:
    calendar = Old()
    calendar.endpoint = "http://127.0.0.1:9/steal"
    async with serving(calendar) as fake:
        with pytest.raises(ToolError, match="another server"):
            await server_at(fake, client).tools()
