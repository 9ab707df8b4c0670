"""A program of one's own as an account knows it: an address, perhaps a secret, and one of three protocols."""

from __future__ import annotations

import httpx

from voice.brain import Brains
from voice.providers.api import Api
from voice.providers.base import ProviderError
from voice.providers.failures import Refused
from voice.providers.sockets import socket_url
from voice.providers.vendor import Account, CallFacts, Vendor
from voice.providers.webagent.call import WebCall
from voice.providers.webagent.chat import chat_brain, text_brain
from voice.providers.webagent.plain import TextLlm
from voice.providers.webagent.relay import RelayApp, relay_brain

CHAT, RELAY, PLAIN = "chat-completions", "conversation-relay", "plain-http"


class _App:
    def __init__(self, account: Account, protocol: str) -> None:
        self.name = account.name or "webagent"
        self._account = account
        self._protocol = protocol
        self._client = account.client() if account.client else httpx.AsyncClient(trust_env=False)
        self._headers = {"Authorization": f"Bearer {account.api_key}"} if account.api_key else {}

    def brains(self, call: CallFacts) -> Brains:
        url, key = self._account.base_url, self._account.api_key
        told = WebCall(caller=call.caller, called=call.called, direction=call.direction, metadata=call.metadata)
        if self._protocol == RELAY:
            url, connect = socket_url(url, ""), self._account.connect
            app = RelayApp(url, connect=connect, headers=self._headers, secret=key, name=self.name)
            return relay_brain(app, told)
        if self._protocol == PLAIN:
            llm = TextLlm(url, client=self._client, headers=self._headers, secret=key, name=self.name)
            return text_brain(llm, call=told)
        return chat_brain(url, key, client=self._client, call=told, name=self.name)

    async def close(self) -> None:
        await self._client.aclose()


async def _check(account: Account) -> str:
    """Whether anybody answers at the address. What it says to an empty question does not matter."""
    api = Api("The program", account.base_url, secret=account.api_key, client=account.client and account.client())
    try:
        async with api.open("GET", "", what="program"):
            return "The program answers."
    except Refused as refusal:
        if refusal.status in (400, 404, 405, 415, 422, 426):
            return "The program answers, and waits for a call."
        raise ProviderError("The program", str(refusal)) from refusal
    finally:
        await api.close()


VENDOR = Vendor(
    id="webagent",
    label="A program of yours",
    base_url="",
    key_hint="yours: it is sent as a bearer token with every request",
    models={"agent": (CHAT, RELAY, PLAIN)},
    check=_check,
    agent=_App,
    needs_key=False,
)
