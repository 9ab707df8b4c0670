"""The way to an agent's app: a chat is created over HTTP and held over a WebSocket.

There are two forms of the protocol. An app that answers with a `cartesia_version` is told of the call in a first frame,
`start`; an older one has written all of it into the address of its WebSocket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from voice.providers.api import Api
from voice.providers.base import ProviderError
from voice.providers.failures import Refused
from voice.providers.sockets import Connect, ProviderSocket, connect_anywhere, socket_url

# An app that has gone to sleep is waited for so long, in seconds.
WAKE_SECONDS = 15.0
_REJECTED = 403


class CallRejected(Exception):
    """The agent's own code does not want this call. The text is for people."""


@dataclass(frozen=True, kw_only=True)
class LineCall:
    """What an app is told of a call.

    An `introduction` of "" lets the caller speak first; None leaves it to the app, and so does a `system_prompt` of
    None. With `agent_token` the app may ask `api_base_url` for the agent's knowledge.
    """

    agent_id: str = ""
    caller: str = "unknown"
    called: str = "unknown"
    system_prompt: str | None = None
    introduction: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    agent_token: str = field(default="", repr=False)
    api_base_url: str = ""


@dataclass(frozen=True)
class Session:
    """A chat that is open. `config` is what the app wants of the call from its first word on."""

    socket: ProviderSocket
    config: Mapping[str, Any]


class LineApp:
    """An agent's app at an address. One object serves all its calls.

    Requests go through `client` and `connect`: where people type the address, these judge it first. Who made the client
    closes it. `headers` come with every request; a shared secret can be among them.
    """

    def __init__(
        self,
        base_url: str,
        *,
        client: httpx.AsyncClient,
        connect: Connect = connect_anywhere,
        headers: Mapping[str, str] | None = None,
        secret: str = "",
        name: str = "line",
    ) -> None:
        self.name = name
        self._headers = dict(headers or {})
        self._connect = connect
        self._api = Api(name, base_url, secret=secret, headers=self._headers, client=client)
        self.failures = self._api.failures

    async def status(self) -> str:
        """What the app says of itself. Raises ProviderError."""
        answer = await self._api.json("GET", "/status", what="agent")
        return str(answer.get("status", answer)) if isinstance(answer, dict) else str(answer)

    async def open(self, call_id: str, call: LineCall) -> Session:
        """Begin a chat. Raises CallRejected, and ProviderError for an app that is not there or breaks."""
        about = _about(call_id, call)
        answer = await self._create(about)
        address = answer.get("websocket_url")
        if not isinstance(address, str) or not address:
            raise self.failures.garbled(str(answer))
        url = address if address.startswith(("ws://", "wss://")) else socket_url(self._api.base_url, address)
        socket = await ProviderSocket.open(url, self._headers, self.failures, what="agent", opener=self._connect)
        if answer.get("cartesia_version"):
            metadata = answer.get("metadata")
            await _begin(socket, _start(about, metadata if isinstance(metadata, dict) else dict(call.metadata), call))
        config = answer.get("config")
        return Session(socket, config if isinstance(config, dict) else {})

    async def _create(self, about: dict[str, Any]) -> dict[str, Any]:
        try:
            # Apps of the SDK read the caller from `from_` here, and from `from` everywhere else.
            body = {**about, "from_": about["from"]}
            answer = await self._api.json("POST", "/chats", what="agent", patience=WAKE_SECONDS, json=body)
        except Refused as refusal:
            if refusal.status == _REJECTED:
                raise CallRejected("The agent's code rejected the call.") from refusal
            raise ProviderError(self.name, self._words(refusal), retryable=refusal.retryable) from refusal
        if not isinstance(answer, dict):
            raise self.failures.garbled(str(answer))
        return answer

    def _words(self, refusal: Refused) -> str:
        if refusal.status in (404, 405):
            return (
                f"No Line agent answers at {self._api.base_url}. Start it there, or correct the address: "
                f"it is right when {self._api.base_url}/status answers. ({refusal.status})"
            )
        if refusal.status == 401:
            return f"The agent's app at {self._api.base_url} wants a secret, or another one. (401)"
        return f"The agent's app did not take the call. {refusal}"


async def _begin(socket: ProviderSocket, start: Mapping[str, Any]) -> None:
    try:
        await socket.send(start)
    except BaseException:
        await socket.close()
        raise


def _about(call_id: str, call: LineCall) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "from": call.caller,
        "to": call.called,
        "agent_call_id": call_id,
        "agent": {
            "id": call.agent_id or None,
            "system_prompt": call.system_prompt,
            "introduction": call.introduction,
        },
        "metadata": dict(call.metadata),
    }


def _start(about: Mapping[str, Any], metadata: Mapping[str, Any], call: LineCall) -> dict[str, Any]:
    return {
        "type": "start",
        **about,
        "metadata": {"agent_id": call.agent_id, "template": "user_code", **metadata},
        "agent_token": call.agent_token or None,
        "api_base_url": call.api_base_url or None,
    }
