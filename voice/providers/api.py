"""Requests to a provider's HTTP API: time limits, one retry where it helps, and failures in words."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import httpx

from voice.providers.failures import SHORT_WAIT, Failures, can_retry, wait_before_retry

CONNECT_SECONDS = 5.0
FIRST_SECONDS = 15.0
GAP_SECONDS = 15.0
# A connection used so lately is still open.
FRESH_SECONDS = 20.0
_BODY_BYTES = 20_000
# A conversation pauses for longer than the five seconds for which httpx would keep its connection.
_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100, keepalive_expiry=55.0)


class Api:
    """One provider's server, over connections that are kept; all calls share it. `close` closes them.

    Where people type the address, hand it a `client` that refuses private ones. Every failure is a ProviderError, and
    no text of it carries `secret`.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        secret: str = "",
        headers: Mapping[str, str] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.failures = Failures(name, self.base_url, secret)
        self._headers = dict(headers or {})
        self._client = client or httpx.AsyncClient(limits=_LIMITS, trust_env=False)
        self._used_at = -FRESH_SECONDS

    async def close(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        *,
        what: str,
        patience: float = FIRST_SECONDS,
        repeatable: bool = True,
        **request: Any,
    ) -> AsyncIterator[httpx.Response]:
        """A successful answer with its body still to come. `request` is httpx's: json, params, data, files, headers.

        `what` names the model or voice in the words of a failure. A connection that broke before the answer began and a
        short "not now" are tried once more; what is not `repeatable` only where the server has certainly not done it.
        Raises ProviderError: `Refused` for an answer that is no success.
        """
        retried = False
        while True:
            try:
                response = await self._send(method, path, patience, request)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if retried or not (isinstance(error, httpx.HTTPError) and can_retry(error, repeatable=repeatable)):
                    raise self.failures.of_transport(error) from error
                retried = True
                await asyncio.sleep(SHORT_WAIT / 6)
                continue
            except TimeoutError as error:
                raise self.failures.of_transport(error) from error
            async with aclosing(response):
                if response.is_success:
                    self._used_at = time.monotonic()
                    yield response
                    return
                said = await _beginning(response)
                refusal = self.failures.of_status(
                    response.status_code, said, what, response.headers.get("Location", "")
                )
                wait = wait_before_retry(response, repeatable=repeatable)
            if retried or wait is None:
                raise refusal
            retried = True
            await asyncio.sleep(wait)

    async def json(self, method: str, path: str, *, what: str, patience: float = FIRST_SECONDS, **request: Any) -> Any:
        """A whole answer, as parsed JSON. Raises ProviderError."""
        async with self.open(method, path, what=what, patience=patience, **request) as response:
            return await self.parsed(response)

    async def parsed(self, response: httpx.Response) -> Any:
        """The body of an open answer, as parsed JSON. Raises ProviderError."""
        with self.reading():
            await response.aread()
        try:
            return response.json()
        except ValueError:
            raise self.failures.garbled(response.text) from None

    async def audio(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The body of an open answer in pieces, as they come. Raises ProviderError."""
        pieces = response.aiter_bytes()
        with self.reading():
            while (piece := await _in_time(pieces, GAP_SECONDS)) is not None:
                yield piece

    async def lines(self, response: httpx.Response) -> AsyncIterator[str]:
        """The lines of an open answer, as they come. Raises ProviderError."""
        lines = response.aiter_lines()
        with self.reading():
            while (line := await _in_time(lines, GAP_SECONDS)) is not None:
                yield line

    async def sse(self, response: httpx.Response) -> AsyncIterator[str]:
        """The data of an open answer's server-sent events. Raises ProviderError, also when only comments come."""
        loop = asyncio.get_running_loop()
        due = loop.time() + FIRST_SECONDS
        lines = response.aiter_lines()
        with self.reading():
            while (line := await _in_time(lines, due - loop.time())) is not None:
                if line.startswith("data:"):
                    yield line[5:].strip()
                    due = loop.time() + GAP_SECONDS

    async def sse_json(self, response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
        """`sse` where every event is a JSON object; "[DONE]" and empty ones are passed over."""
        async with aclosing(self.sse(response)) as events:  # type: ignore[type-var]
            async for data in events:
                if data and data != "[DONE]":
                    yield self.object(data)

    def object(self, text: str) -> dict[str, Any]:
        """A JSON object. Raises ProviderError for anything else."""
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise self.failures.garbled(text)
        return parsed

    async def warm(self, path: str) -> None:
        """Open the connection for what comes soon, unless it was used just now. Never raises for failure."""
        if time.monotonic() - self._used_at <= FRESH_SECONDS:
            return
        self._used_at = time.monotonic()
        with suppress(httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            await self._client.get(f"{self.base_url}{path}", headers=self._headers, timeout=_timeout(FIRST_SECONDS))

    def reading(self) -> _Reading:
        """Turns what goes wrong while a body is read into a ProviderError."""
        return _Reading(self.failures)

    async def _send(self, method: str, path: str, patience: float, request: dict[str, Any]) -> httpx.Response:
        headers = self._headers | request.get("headers", {})
        built = self._client.build_request(
            method, f"{self.base_url}{path}", timeout=_timeout(patience), **request | {"headers": headers}
        )
        return await self._client.send(built, stream=True)


class _Reading:
    def __init__(self, failures: Failures) -> None:
        self._failures = failures

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, httpx.HTTPError | TimeoutError):
            raise self._failures.of_transport(error) from error


async def _in_time(items: AsyncIterator[Any], seconds: float) -> Any:
    """The next item, or None at the end. Raises TimeoutError."""
    async with asyncio.timeout(max(0.0, seconds)):
        return await anext(items, None)


async def _beginning(response: httpx.Response) -> str:
    text = b""
    with suppress(httpx.HTTPError, TimeoutError):
        async for part in response.aiter_bytes():
            text += part
            if len(text) > _BODY_BYTES:
                break
    return text.decode(errors="replace")


def _timeout(patience: float) -> httpx.Timeout:
    return httpx.Timeout(patience, connect=CONNECT_SECONDS)
