"""How the messages of the Model Context Protocol travel: streamable HTTP, and the HTTP with server-sent events of old.

https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from typing import Any, NoReturn, Protocol

import httpx

VERSION = "2025-06-18"
OLD_VERSION = "2024-11-05"
CLIENT = {"name": "callwright", "version": "1"}
# An answer is not read further than this, in characters.
LARGEST = 512 * 1024
_STREAM = "text/event-stream"


class McpFailure(Exception):
    """A server could not be asked. The text is for people."""


class NotSpoken(McpFailure):
    """The server does not speak this way of MCP."""


class Wire(Protocol):
    """A way to ask one server."""

    async def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The result of one request, in a session. Raises McpFailure and httpx.HTTPError."""

    async def close(self) -> None: ...


class StreamableHttp:
    """Each request is a POST, answered by one message or by a stream of them. One session serves all requests."""

    def __init__(self, client: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
        self._client = client
        self._url = url
        self._headers = {**headers, "Accept": f"application/json, {_STREAM}"}
        self._session: dict[str, str] | None = None
        self._numbers = itertools.count(1)

    async def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        known = self._session is not None
        try:
            return await self._ask(method, params, await self._opened())
        except _Forgotten:
            self._session = None
            if not known:
                raise
            return await self._ask(method, params, await self._opened())

    async def close(self) -> None:
        if self._session and "Mcp-Session-Id" in self._session:
            with suppress(httpx.HTTPError):
                await self._client.delete(self._url, headers={**self._headers, **self._session})
        self._session = None

    async def _opened(self) -> dict[str, str]:
        """The headers of the session. Two that open one at once do no harm."""
        if self._session is None:
            session: dict[str, str] = {}
            try:
                result = await self._ask("initialize", _introduction(VERSION), session)
            except _Refused as refusal:
                if refusal.status in (404, 405):
                    raise NotSpoken("The server does not speak streamable HTTP.") from None
                raise
            session["MCP-Protocol-Version"] = str(result.get("protocolVersion") or VERSION)
            await self._post(_message("notifications/initialized"), session)
            self._session = session
        return self._session

    async def _ask(self, method: str, params: Mapping[str, Any], session: dict[str, str]) -> dict[str, Any]:
        number = next(self._numbers)
        return await self._post(_message(method, params, number), session, number)

    async def _post(
        self, message: Mapping[str, Any], session: dict[str, str], number: int | None = None
    ) -> dict[str, Any]:
        """Send a message, and wait for its result if it has a number."""
        headers = {**self._headers, **session}
        async with self._client.stream("POST", self._url, json=message, headers=headers) as response:
            if not response.is_success:
                if response.status_code == 404 and "Mcp-Session-Id" in session:
                    raise _Forgotten(response.status_code)
                raise _Refused(response.status_code)
            if given := response.headers.get("Mcp-Session-Id"):
                session["Mcp-Session-Id"] = given
            if number is None:
                return {}
            if response.headers.get("Content-Type", "").startswith(_STREAM):
                return await _answer(events(response), number)
            return _result(_parsed(await _whole(response)), number) or _broken_off()


class OldSse:
    """A GET holds a stream open, on which the answers to POSTs to another address come. Each request has a session of
    its own: nothing has to be kept, and nothing can be lost between two turns of a call."""

    def __init__(self, client: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
        self._client = client
        self._url = httpx.URL(url)
        self._headers = dict(headers)

    async def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        headers = {**self._headers, "Accept": _STREAM}
        async with self._client.stream("GET", self._url, headers=headers) as response:
            if not response.is_success:
                raise _Refused(response.status_code)
            if not response.headers.get("Content-Type", "").startswith(_STREAM):
                raise NotSpoken("At this address is no MCP server.")
            async with aclosing(events(response)) as stream:  # type: ignore[type-var]
                post = await self._endpoint(stream)
                await self._post(post, _message("initialize", _introduction(OLD_VERSION), 1))
                await _answer(stream, 1)
                await self._post(post, _message("notifications/initialized"))
                await self._post(post, _message(method, params, 2))
                return await _answer(stream, 2)

    async def close(self) -> None:
        """Nothing is kept."""

    async def _endpoint(self, stream: AsyncIterator[tuple[str, str]]) -> httpx.URL:
        async for kind, data in stream:
            if kind == "endpoint":
                post = self._url.join(data)
                if (post.scheme, post.netloc) != (self._url.scheme, self._url.netloc):
                    raise McpFailure("The server wants its messages at another server, which is not done.")
                return post
        return _broken_off()

    async def _post(self, url: httpx.URL, message: Mapping[str, Any]) -> None:
        response = await self._client.post(url, json=message, headers=self._headers)
        if not response.is_success:
            raise _Refused(response.status_code)


class _Refused(McpFailure):
    def __init__(self, status: int) -> None:
        hint = ": its key is wrong or missing" if status in (401, 403) else ""
        super().__init__(f"The server refused with status {status}{hint}.")
        self.status = status


class _Forgotten(_Refused):
    """The server does not know the session any more."""


# --- messages


async def events(response: httpx.Response) -> AsyncIterator[tuple[str, str]]:
    """The server-sent events of an answer, as (kind, data). Raises McpFailure when there is too much of it."""
    kind, data, size = "message", list[str](), 0
    async for line in response.aiter_lines():
        size += len(line)
        if size > LARGEST:
            raise McpFailure("The server answered with more than can be read.")
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield kind, "\n".join(data)
            kind, data = "message", []
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)


async def _answer(stream: AsyncIterator[tuple[str, str]], number: int) -> dict[str, Any]:
    """The result that a stream has for a request. What else the server has to say is not heard."""
    async for kind, data in stream:
        if kind == "message" and (result := _result(_parsed(data), number)) is not None:
            return result
    return _broken_off()


async def _whole(response: httpx.Response) -> str:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise McpFailure("The server answered with more than can be read.")
    return body.decode("utf-8", "replace")


def _message(method: str, params: Mapping[str, Any] | None = None, number: int | None = None) -> dict[str, Any]:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if number is not None:
        message["id"] = number
    if params:
        message["params"] = dict(params)
    return message


def _introduction(version: str) -> dict[str, Any]:
    return {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise McpFailure("The server answered with something that was not understood.") from None


def _result(message: Any, number: int) -> dict[str, Any] | None:
    """The result in a message, or in one of several; None if it is no answer to the request."""
    for one in message if isinstance(message, list) else [message]:
        if not isinstance(one, dict) or one.get("id") != number or "method" in one:
            continue
        if isinstance(error := one.get("error"), dict):
            raise McpFailure(f"The server reported: {str(error.get('message') or 'an error without words')[:300]}")
        if isinstance(result := one.get("result"), dict):
            return result
    return None


def _broken_off() -> NoReturn:
    raise McpFailure("The server broke off before its answer.")
