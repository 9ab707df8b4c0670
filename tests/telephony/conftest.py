"""A server's runtime on fake models, and browsers that call it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.test import AsyncClient

from accounts.models import User
from builder.models import Agent
from config.asgi import application
from telephony import runtime as telephony_runtime
from telephony.models import Call
from telephony.runtime import Runtime
from tests.telephony.fakes import FakeProviders


@pytest.fixture(scope="session", autouse=True)
def _no_connection_is_left(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Async tests use the database in a thread of asgiref's, whose connection would outlive the database."""
    yield
    with django_db_blocker.unblock():
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> FakeProviders:
    fake = FakeProviders()
    monkeypatch.setattr(telephony_runtime, "Providers", lambda: fake)
    return fake


@pytest.fixture
async def runtime(providers: FakeProviders) -> AsyncIterator[Runtime]:
    """The runtime of the test's event loop; its calls are over when the test is."""
    current = telephony_runtime.current()
    yield current
    await current.stop()


class Browser:
    """A page that makes a test call. It gathers what it is sent."""

    def __init__(self, user: User | None, path: str) -> None:
        self._user = user
        self._path = path
        self.messages: list[dict[str, Any]] = []
        self.audio: list[bytes] = []
        self.close_code: int | None = None

    async def connect(self) -> None:
        headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
        if self._user is not None:
            client = AsyncClient()
            await client.aforce_login(self._user)
            headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
        self.socket = WebsocketCommunicator(application, self._path, headers=headers)
        connected, _ = await self.socket.connect(timeout=5)
        assert connected

    async def send(self, **message: Any) -> None:
        await self.socket.send_json_to(message)

    async def speak(self, frame: bytes) -> None:
        await self.socket.send_to(bytes_data=frame)

    async def next(self) -> dict[str, Any] | bytes:
        """What comes next; a closing socket is told as `{"type": "close", "code": ...}`."""
        output = await self.socket.receive_output(timeout=10)
        if output["type"] == "websocket.close":
            self.close_code = output.get("code", 1000)
            return {"type": "close", "code": self.close_code}
        if "bytes" in output:
            self.audio.append(output["bytes"])
            return bytes(output["bytes"])
        message: dict[str, Any] = json.loads(output["text"])
        self.messages.append(message)
        return message

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next JSON message that is `wanted`."""
        while True:
            message = await self.next()
            if isinstance(message, dict) and wanted(message):
                return message
            assert self.close_code is None, f"The socket was closed: {self.messages[-1:]}"

    async def message(self, kind: str) -> dict[str, Any]:
        return await self.until(lambda message: message["type"] == kind)

    async def event(self, kind: str) -> dict[str, Any]:
        found = await self.until(lambda message: message["type"] == "event" and message["event"]["type"] == kind)
        event: dict[str, Any] = found["event"]
        return event

    async def closed(self) -> int:
        """Read to the end; the code with which the socket closes."""
        while self.close_code is None:
            await self.next()
        return self.close_code

    async def vanish(self) -> None:
        """The connection is lost."""
        await self.socket.disconnect(code=1006, timeout=5)

    @property
    def events(self) -> list[str]:
        return [message["event"]["type"] for message in self.messages if message["type"] == "event"]

    @property
    def sequences(self) -> list[int]:
        return [message["sequence"] for message in self.messages if message["type"] == "event"]


def path_of(agent: Agent, **query: Any) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/ws/w/{agent.organization.slug}/agents/{agent.pk}/test-call/" + (f"?{asked}" if asked else "")


async def stored(call_id: str) -> Call:
    return await Call.objects.select_related("version").aget(pk=call_id)
