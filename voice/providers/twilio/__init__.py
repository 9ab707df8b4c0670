"""Twilio: sends text messages (https://www.twilio.com/docs/messaging/api/message-resource)."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

from voice.providers.api import Api
from voice.providers.base import TextMessage
from voice.providers.vendor import Account, Vendor

__all__ = ["VENDOR", "TwilioTexting"]

SERVICE = r"MG[0-9a-fA-F]{32}"
"""A messaging service, which chooses among its numbers."""


class TwilioTexting:
    """The key is the account's auth token, or an API key as "SK…:secret"."""

    def __init__(self, account: Account) -> None:
        self.name = account.name or "twilio"
        user, _, password = account.api_key.rpartition(":")
        proof = base64.b64encode(f"{user or account.number}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {proof}"}
        self._path = f"/2010-04-01/Accounts/{quote(account.number, safe='')}/Messages.json"
        client = account.client() if account.client else None
        self._api = Api(self.name, account.base_url, secret=password, headers=headers, client=client)

    async def send(self, message: TextMessage) -> str:
        sender = "MessagingServiceSid" if re.fullmatch(SERVICE, message.sender) else "From"
        form = {"To": message.to, sender: message.sender, "Body": message.text}
        async with self._api.open("POST", self._path, what="text message", repeatable=False, data=form) as response:
            answer = await self._api.parsed(response)
        if not isinstance(answer, dict) or not isinstance(answer.get("sid"), str):
            raise self._api.failures.garbled(str(answer))
        return str(answer["sid"])

    async def check(self) -> str:
        """Ask for the last message, which costs nothing and which every kind of key may do."""
        await self._api.json("GET", self._path, what="account", params={"PageSize": 1})
        return "The account answers: text messages can be sent from its numbers."

    async def close(self) -> None:
        await self._api.close()


async def _check(account: Account) -> str:
    texting = TwilioTexting(account)
    try:
        return await texting.check()
    finally:
        await texting.close()


VENDOR = Vendor(
    id="twilio",
    label="Twilio",
    base_url="https://api.twilio.com",
    key_hint="console.twilio.com (the auth token, or an API key written as SK…:secret)",
    account_hint="Account SID, on the first page of console.twilio.com",
    models={},
    check=_check,
    sms=lambda account, model: TwilioTexting(account),
    pools=SERVICE,
)
