"""`core.http` for WebSockets: the only door for those at addresses that people type.

    connection = await sockets.connect("wss://api.example.com/listen", {"Authorization": "…"})

The address of a host is looked up once, judged, and connected to as it was judged; TLS and the Host header keep the
name. Redirects are not followed, the environment's proxies not used, messages are bounded in size and not compressed.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Any

from websockets.asyncio import client
from websockets.asyncio.client import ClientConnection
from websockets.uri import parse_uri

from core.addresses import BlockedAddress, Guard
from core.http import CONNECT_SECONDS, default_tls

__all__ = ["connect", "connect_own"]

MAX_BYTES = 8_000_000


class _Plainly(client.connect):
    """Goes nowhere else than where it was sent."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def connect(
    url: str, headers: Mapping[str, str], *, own_machine: bool = False, tls: ssl.SSLContext | None = None
) -> ClientConnection:
    """Open a WebSocket at `url` (ws:// or wss://), within 5 s for each of its steps.

    With `own_machine`, services on this machine may be reached while only its own people can reach us. Raises OSError
    when the host is not reached or may not be, TimeoutError, and what websockets raises for a handshake that failed.
    """
    where = parse_uri(url)
    reached = await _dial(where.host, where.port, Guard(own_machine))
    secure: dict[str, Any] = {"ssl": tls or default_tls(), "server_hostname": where.host} if where.secure else {}
    try:
        return await _Plainly(
            url,
            additional_headers=headers,
            user_agent_header="Callwright",
            sock=reached,
            proxy=None,
            compression=None,
            max_size=MAX_BYTES,
            open_timeout=CONNECT_SECONDS,
            **secure,
        )
    except BaseException:
        reached.close()
        raise


connect_own = partial(connect, own_machine=True)
"""`connect` for services that may run on a person's own machine."""


async def _dial(host: str, port: int, guard: Guard) -> socket.socket:
    """A TCP connection to the very address that was judged."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"There is no host named {host}.") from error
    try:
        addresses = guard.permitted(host, port, found)
    except BlockedAddress as blocked:
        raise ConnectionError(str(blocked)) from blocked
    for address in addresses[:-1]:
        try:
            return await _connected(address, port)
        except OSError:
            continue
    return await _connected(addresses[-1], port)


async def _connected(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
