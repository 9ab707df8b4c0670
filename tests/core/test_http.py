"""The door for addresses that people type: what it lets through, to where, and how much comes back."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import http
from core.addresses import Guard

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "localhost",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[fe80::1]",
    "[fc00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[2001:0:7f00:1::]",
]


def resolving_to(*answers: list[str]) -> Callable[..., list[Any]]:
    """A `getaddrinfo` that gives one of `answers` after another, and then repeats the last. It remembers its names."""
    left = list(answers)

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        getaddrinfo.names.append(host)  # type: ignore[attr-defined]
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    getaddrinfo.names = []  # type: ignore[attr-defined]
    return getaddrinfo


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    tasks: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(handle(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def replying(response: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(response.replace(b"%HOST%", request.lower().split(b"host: ")[1].split(b"\r\n")[0]))
        await writer.drain()

    return handle


def body(text: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(text), b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + text


# --- addresses


@pytest.mark.parametrize("host", PRIVATE)
async def test_it_refuses_addresses_that_are_not_public(host: str) -> None:
    async with http.async_client() as client:
        with pytest.raises(httpx.ConnectError) as refused:
            await client.get(f"http://{host}:9/")
    # A system without IPv6, or a strict resolver, may not even know the address.
    assert isinstance(refused.value, http.BlockedAddress) or "There is no host" in str(refused.value)


@pytest.mark.parametrize("host", PRIVATE)
def test_the_plain_client_refuses_them_too(host: str) -> None:
    with http.client() as client, pytest.raises(httpx.ConnectError) as refused:
        client.get(f"http://{host}:9/")
    assert isinstance(refused.value, http.BlockedAddress) or "There is no host" in str(refused.value)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700:4700::1111", "::ffff:93.184.216.34"])
def test_public_addresses_are_public(address: str) -> None:
    assert http.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["::ffff:10.0.0.1", "2002:a00:1::", "64:ff9b::a00:1", "2001:0:a00:1::", "::10.0.0.1"]
)
def test_an_address_is_no_more_public_than_the_one_inside_it(address: str) -> None:
    assert not http.is_public(ipaddress.ip_address(address))


async def test_the_refusal_says_which_setting_allows_it() -> None:
    async with http.async_client() as client:
        with pytest.raises(http.BlockedAddress, match=r"OUTBOUND_ALLOWED_PRIVATE_HOSTS=localhost:11434 "):
            await client.get("http://localhost:11434/v1/models")


@pytest.mark.parametrize("entry", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port} "])
async def test_the_setting_opens_a_door_to_one_service(settings: Any, entry: str) -> None:
    async with serving(replying(body(b"hello"))) as port, http.async_client() as client:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [entry.format(port=port)]
        assert (await client.get(f"http://localhost:{port}/")).text == "hello"
        with pytest.raises(http.BlockedAddress):
            await client.get(f"http://localhost:{port + 1}/")


async def test_a_name_that_changes_its_address_gains_nothing(settings: Any, monkeypatch: Any) -> None:
    """DNS rebinding: the first look-up is public and the second is not, so there must be no second look-up."""
    lookup = resolving_to(["93.184.216.34"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    connected: list[str] = []

    class Network:
        async def connect_tcp(self, host: str, *args: Any) -> Any:
            connected.append(host)
            raise OSError("enough")

    backend = http._AsyncBackend(Guard(False))
    monkeypatch.setattr(backend, "_network", Network())
    with pytest.raises(OSError, match="enough"):
        await backend.connect_tcp("rebinding.example", 80)
    assert connected == ["93.184.216.34"]
    with pytest.raises(http.BlockedAddress):
        await backend.connect_tcp("rebinding.example", 80)
    assert lookup.names == ["rebinding.example"] * 2  # type: ignore[attr-defined]


async def test_of_a_host_with_both_kinds_of_addresses_only_the_public_ones_are_tried(monkeypatch: Any) -> None:
    assert Guard(False).permitted("both.example", 80, resolving_to(["10.0.0.1", "93.184.216.34"])("x", 80)) == [
        "93.184.216.34"
    ]


async def test_an_unknown_host_is_said_to_be_unknown(monkeypatch: Any) -> None:
    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with http.async_client() as client:
        with pytest.raises(httpx.ConnectError, match=r"no host named nowhere\.example"):
            await client.get("http://nowhere.example/")


# --- a person's own machine


async def test_own_services_are_reached_while_nobody_else_can_reach_us(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "[::1]", "localhost"]
    async with serving(replying(body(b"hello"))) as port:
        async with http.async_client(own_machine=True) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "hello"
        async with http.async_client() as client:
            with pytest.raises(http.BlockedAddress):
                await client.get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "0.0.0.0"),
        ("SITE_URL", "https://agents.example.org"),
        ("TRUST_PROXY", True),
        ("ALLOWED_HOSTS", ["localhost", "agents.example.org"]),
        ("ALLOWED_HOSTS", ["*"]),
    ],
)
async def test_own_services_are_closed_once_others_can_reach_us(settings: Any, name: str, value: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    assert http.only_used_here()
    setattr(settings, name, value)
    async with http.async_client(own_machine=True) as client:
        with pytest.raises(http.BlockedAddress):
            await client.get("http://127.0.0.1:9/")


async def test_the_rest_of_the_home_network_stays_closed(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    async with http.async_client(own_machine=True) as client:
        with pytest.raises(http.BlockedAddress):
            await client.get("http://192.168.1.1/")


# --- names and TLS


async def test_tls_and_the_host_header_keep_the_name(settings: Any, monkeypatch: Any, certificate: Path) -> None:
    names: list[str] = []
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(certificate)
    server_tls.sni_callback = lambda _socket, name, _context: names.append(name)
    client_tls = ssl.create_default_context(cafile=str(certificate))
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: real("127.0.0.1" if "example" in str(host) else host, *a, **k)
    )
    async with serving(replying(body(b"%HOST%")), server_tls) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"service.example:{port}"]
        async with http.async_client(tls=client_tls) as client:
            # The length was counted before the name was filled in, so only its beginning is read.
            assert (await client.get(f"https://service.example:{port}/")).text == "servic"
        with http.client(tls=client_tls) as plain:
            answer = await asyncio.to_thread(plain.get, f"https://service.example:{port}/")
            assert answer.text == "servic"
        async with http.async_client() as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(f"https://service.example:{port}/")
    assert names == ["service.example"] * 3


# --- bounds


async def test_redirects_are_not_followed(settings: Any) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with serving(replying(moved)) as port, http.async_client() as client:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 302


async def test_the_environments_proxy_is_not_asked(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with serving(replying(body(b"direct"))) as port, http.async_client() as client:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        assert (await client.get(f"http://127.0.0.1:{port}/")).text == "direct"


ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("response", [body(b"x" * 2000), ENDLESS + b"x" * 2000])
async def test_a_body_has_a_longest_length(settings: Any, response: bytes) -> None:
    async with serving(replying(response)) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        async with http.async_client(max_bytes=1000) as client:
            with pytest.raises(http.ResponseTooLarge, match="1,000 bytes"):
                await client.get(f"http://127.0.0.1:{port}/")
        with http.client(max_bytes=1000) as plain, pytest.raises(http.ResponseTooLarge):
            await asyncio.to_thread(plain.get, f"http://127.0.0.1:{port}/")
        async with http.async_client(max_bytes=2000) as client:
            assert len((await client.get(f"http://127.0.0.1:{port}/")).content) == 2000


async def test_a_compressed_body_is_refused(settings: Any) -> None:
    async with serving(replying(body(b"xx", b"Content-Encoding: gzip"))) as port, http.async_client() as client:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        with pytest.raises(httpx.DecodingError, match="compressed"):
            await client.get(f"http://127.0.0.1:{port}/")


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never silent for long, and never done."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ENDLESS)
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def test_an_answer_has_a_longest_time_however_it_drips(settings: Any) -> None:
    async with serving(_drip) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        async with http.async_client(total=0.2) as client:
            with pytest.raises(http.ResponseTooSlow):
                await client.get(f"http://127.0.0.1:{port}/")
        with http.client(total=0.2) as plain, pytest.raises(http.ResponseTooSlow):
            await asyncio.to_thread(plain.get, f"http://127.0.0.1:{port}/")


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_each_wait_has_a_longest_time(settings: Any) -> None:
    async with serving(_silent) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        async with http.async_client(timeout=0.1) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get(f"http://127.0.0.1:{port}/")
        with http.client(timeout=0.1) as plain, pytest.raises(httpx.ReadTimeout):
            await asyncio.to_thread(plain.get, f"http://127.0.0.1:{port}/")


async def test_a_refused_connection_is_a_connect_error(settings: Any, unused_tcp_port: int) -> None:
    settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"localhost:{unused_tcp_port}"]
    async with http.async_client() as client:
        with pytest.raises(httpx.ConnectError) as refused:
            await client.get(f"http://localhost:{unused_tcp_port}/")
    assert not isinstance(refused.value, http.BlockedAddress)


async def test_the_asynchronous_client_keeps_its_connection(settings: Any) -> None:
    connections: list[Any] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with serving(handle) as port:
        settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{port}"]
        async with http.async_client() as client:
            for _ in range(3):
                assert (await client.get(f"http://127.0.0.1:{port}/")).text == "ok"
    assert len(connections) == 1
