"""The door for WebSockets at addresses that people type."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.http11 import Request, Response

from core import sockets
from core.http import default_tls
from tests.core.test_http import serving as plain_server


async def greet(connection: ServerConnection) -> None:
    """Says which host it was called by, and what key it was shown."""
    assert connection.request is not None
    headers = connection.request.headers
    await connection.send(f"{headers['Host']} {headers.get('X-Key', '')} {headers.get('User-Agent', '')}")
    await connection.wait_closed()


@asynccontextmanager
async def serving(handler: Any = greet, **options: Any) -> AsyncIterator[int]:
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "[fc00::1]"])
async def test_it_refuses_addresses_that_are_not_public(host: str) -> None:
    with pytest.raises(OSError, match=r"OUTBOUND_ALLOWED_PRIVATE_HOSTS|Address family|not known"):
        await sockets.connect(f"ws://{host}:9/", {})


async def test_what_the_setting_names_is_reached_with_the_headers(settings: Any) -> None:
    async with serving() as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"localhost:{port}"]
        connection = await sockets.connect(f"ws://localhost:{port}/", {"X-Key": "k-1"})
        assert await connection.recv() == f"localhost:{port} k-1 Callwright"
        await connection.close()


async def test_own_services_are_reached_while_nobody_else_can_reach_us(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    async with serving() as port:
        connection = await sockets.connect_own(f"ws://127.0.0.1:{port}/", {})
        await connection.close()
        settings.SITE_URL = "https://agents.example.org"
        with pytest.raises(ConnectionError, match="not a public address"):
            await sockets.connect_own(f"ws://127.0.0.1:{port}/", {})


async def test_a_name_that_changes_its_address_gains_nothing(monkeypatch: Any) -> None:
    """DNS rebinding: the first look-up is public and the second is not, so there must be no second look-up."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    asked: list[str] = []
    reached: list[str] = []

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers.pop(0)]

    async def connected(address: str, port: int) -> socket.socket:
        reached.append(address)
        raise OSError("enough")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(sockets, "_connected", connected)
    with pytest.raises(OSError, match="enough"):
        await sockets.connect("ws://rebinding.example/", {})
    assert (asked, reached) == (["rebinding.example"], ["93.184.216.34"])
    with pytest.raises(ConnectionError, match="not a public address"):
        await sockets.connect("ws://rebinding.example/", {})
    assert reached == ["93.184.216.34"]


async def test_the_next_address_of_a_host_is_tried(settings: Any, monkeypatch: Any) -> None:
    async with serving() as port:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"two.example:{port}"]
        connection = await sockets.connect(f"ws://two.example:{port}/", {})
        await connection.close()


async def test_tls_and_the_host_header_keep_the_name(settings: Any, monkeypatch: Any, certificate: Path) -> None:
    names: list[str] = []
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(certificate)
    server_tls.sni_callback = lambda _socket, name, _context: names.append(name)
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: real("127.0.0.1" if "example" in str(host) else host, *a, **k)
    )
    async with serving(ssl=server_tls) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"service.example:{port}"]
        ours = ssl.create_default_context(cafile=str(certificate))
        connection = await sockets.connect(f"wss://service.example:{port}/", {}, tls=ours)
        assert str(await connection.recv()).startswith(f"service.example:{port} ")
        await connection.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await sockets.connect(f"wss://service.example:{port}/", {}, tls=default_tls())
    assert names == ["service.example"] * 2


async def test_redirects_are_not_followed(settings: Any) -> None:
    def moved(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(HTTPStatus.FOUND, "")
        response.headers["Location"] = "ws://127.0.0.1:9/"
        return response

    async with serving(process_request=moved) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        with pytest.raises(InvalidStatus):
            await sockets.connect(f"ws://127.0.0.1:{port}/", {})


async def test_a_message_has_a_longest_length(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sockets, "MAX_BYTES", 1000)

    async def talk(connection: ServerConnection) -> None:
        await connection.send(b"x" * 1001)
        await connection.wait_closed()

    async with serving(talk) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        connection = await sockets.connect(f"ws://127.0.0.1:{port}/", {})
        with pytest.raises(ConnectionClosedError, match="too big"):
            await connection.recv()


async def test_a_server_that_never_answers_is_given_up(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(sockets, "CONNECT_SECONDS", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with plain_server(silent) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        with pytest.raises(TimeoutError):
            await sockets.connect(f"ws://127.0.0.1:{port}/", {})


async def test_a_refused_connection_is_an_os_error(settings: Any, unused_tcp_port: int) -> None:
    settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"localhost:{unused_tcp_port}"]
    with pytest.raises(ConnectionRefusedError):
        await sockets.connect(f"ws://localhost:{unused_tcp_port}/", {})
