"""The only door for addresses that people type: clients that cannot be turned against our own network.

    async with http.async_client() as client:
        response = await client.get(url)

The address of a host is looked up once, judged, and connected to as it was judged: a name that changes its mind gains
nothing; TLS and the Host header keep the name. Addresses that are not public are refused (`BlockedAddress`) unless the
setting OUTBOUND_ALLOWED_PRIVATE_HOSTS names them. Redirects are not followed, the environment's proxies not used, and
answers are bounded in size and time.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from core.addresses import BlockedAddress, Guard, is_public, only_used_here

__all__ = [
    "BlockedAddress",
    "ResponseTooLarge",
    "ResponseTooSlow",
    "async_client",
    "client",
    "is_public",
    "only_used_here",
]

CONNECT_SECONDS = 5.0
# A conversation pauses for longer than the five seconds for which httpx would keep its connection.
KEEP_SECONDS = 55.0


class ResponseTooLarge(httpx.TransportError):
    """The answer was longer than the client accepts."""


class ResponseTooSlow(httpx.TimeoutException):
    """The whole answer did not arrive in the time that the client allows."""


def client(
    *,
    timeout: float = 10.0,
    total: float = 30.0,
    max_bytes: int = 5_000_000,
    own_machine: bool = False,
    tls: ssl.SSLContext | None = None,
) -> httpx.Client:
    """A client for addresses that people type. Close it, or use it in a `with` block.

    `timeout` bounds each wait and `total` a whole exchange, in seconds; `max_bytes` bounds a body. With `own_machine`,
    services on this machine may be reached while only its own people can reach us (`only_used_here`).
    """
    return httpx.Client(
        transport=_Transport(_pool_options(tls), Guard(own_machine), total, max_bytes),
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        **_CLIENT_OPTIONS,
    )


def async_client(
    *,
    timeout: float = 10.0,
    total: float = 30.0,
    max_bytes: int = 5_000_000,
    own_machine: bool = False,
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """`client` for asynchronous code. It keeps connections, so make one for each service and share it."""
    return httpx.AsyncClient(
        transport=_AsyncTransport(_pool_options(tls), Guard(own_machine), total, max_bytes),
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        **_CLIENT_OPTIONS,
    )


# --- connecting


class _AsyncBackend(httpcore.AsyncNetworkBackend):
    """Connects to the very address that was judged."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the name is httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"The name {host} was not resolved in time.") from None
        except (OSError, UnicodeError) as error:
            raise _unknown_host(host) from error
        addresses = self._guard.permitted(host, port, found)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _Backend(httpcore.NetworkBackend):
    """Connects to the very address that was judged, for one exchange of at most `total` seconds."""

    def __init__(self, guard: Guard, total: float) -> None:
        self._guard = guard
        self._total = total
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        deadline = time.monotonic() + self._total
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise _unknown_host(host) from error
        addresses = self._guard.permitted(host, port, found)
        for address in addresses[:-1]:
            try:
                stream = self._network.connect_tcp(address, port, timeout, local_address, socket_options)
                return _TimedStream(stream, deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        stream = self._network.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)
        return _TimedStream(stream, deadline)


class _TimedStream(httpcore.NetworkStream):
    """A connection on which nothing is waited for past its deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._stream.read(max_bytes, self._left(timeout))
        except httpcore.ReadTimeout:
            self._left(timeout)
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ResponseTooSlow(_TOO_SLOW)
        return left if timeout is None else min(timeout, left)


def _unknown_host(host: str) -> httpcore.ConnectError:
    return httpcore.ConnectError(f"There is no host named {host}.")


# --- httpx


_TOO_SLOW = "The answer took too long in all."
_CLIENT_OPTIONS: dict[str, Any] = {
    "follow_redirects": False,
    "trust_env": False,
    # Compressed bodies are refused, for a small one may unpack to any size.
    "headers": {"Accept-Encoding": "identity", "User-Agent": "Callwright"},
}


@lru_cache(maxsize=1)
def default_tls() -> ssl.SSLContext:
    """Trusts whom httpx trusts, whatever the environment says."""
    return httpx.create_ssl_context(trust_env=False)


def _pool_options(tls: ssl.SSLContext | None) -> dict[str, Any]:
    return {"ssl_context": tls or default_tls(), "max_connections": 1000, "keepalive_expiry": KEEP_SECONDS}


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """httpcore's errors under their names in httpx."""
    try:
        yield
    except httpx.TransportError:
        raise
    except Exception as error:
        for kind in type(error).__mro__:
            if kind.__module__.startswith("httpcore") and hasattr(httpx, kind.__name__):
                raise getattr(httpx, kind.__name__)(str(error)) from error
        raise


@asynccontextmanager
async def _until(deadline: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise ResponseTooSlow(_TOO_SLOW) from None


def _core_request(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _answer(response: httpcore.Response, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
    return httpx.Response(response.status, headers=response.headers, stream=stream, extensions=response.extensions)


def _refusal(response: httpcore.Response, max_bytes: int) -> httpx.TransportError | httpx.DecodingError | None:
    """What is wrong with a response as its headers announce it."""
    headers = httpx.Headers(response.headers)
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        return httpx.DecodingError("The answer is compressed, though we asked for it plain.")
    length = headers.get("Content-Length", "")
    return _too_large(max_bytes) if length.isdigit() and int(length) > max_bytes else None


def _too_large(max_bytes: int) -> ResponseTooLarge:
    return ResponseTooLarge(f"The answer is longer than {max_bytes:,} bytes.")


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any, max_bytes: int) -> None:
        self._stream = stream
        self._left = self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        with _httpx_errors():
            for part in self._stream:
                self._left -= len(part)
                if self._left < 0:
                    raise _too_large(self._max_bytes)
                yield part

    def close(self) -> None:
        with _httpx_errors():
            self._stream.close()


class _Transport(httpx.BaseTransport):
    def __init__(self, options: dict[str, Any], guard: Guard, total: float, max_bytes: int) -> None:
        # A connection serves one exchange, which is what its deadline is for.
        options = {**options, "max_keepalive_connections": 0}
        self._pool = httpcore.ConnectionPool(**options, network_backend=_Backend(guard, total))
        self._max_bytes = max_bytes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _httpx_errors():
            response = self._pool.handle_request(_core_request(request))
            if refusal := _refusal(response, self._max_bytes):
                response.close()
                raise refusal
        return _answer(response, _Body(response.stream, self._max_bytes))

    def close(self) -> None:
        self._pool.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, stream: Any, max_bytes: int, deadline: float) -> None:
        self._stream = stream
        self._left = self._max_bytes = max_bytes
        self._deadline = deadline

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors():
            parts = aiter(self._stream)
            while True:
                async with _until(self._deadline):
                    part = await anext(parts, None)
                if part is None:
                    return
                self._left -= len(part)
                if self._left < 0:
                    raise _too_large(self._max_bytes)
                yield part

    async def aclose(self) -> None:
        with _httpx_errors():
            await self._stream.aclose()


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self, options: dict[str, Any], guard: Guard, total: float, max_bytes: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(**options, network_backend=_AsyncBackend(guard))
        self._total = total
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = asyncio.get_running_loop().time() + self._total
        with _httpx_errors():
            async with _until(deadline):
                response = await self._pool.handle_async_request(_core_request(request))
            if refusal := _refusal(response, self._max_bytes):
                await response.aclose()
                raise refusal
        return _answer(response, _AsyncBody(response.stream, self._max_bytes, deadline))

    async def aclose(self) -> None:
        await self._pool.aclose()
