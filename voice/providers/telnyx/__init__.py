"""Telnyx: sends text messages (https://developers.telnyx.com/api-reference/messages/send-a-message)."""

from __future__ import annotations

import re

from voice.providers.api import Api
from voice.providers.base import TextMessage
from voice.providers.vendor import Account, Vendor

__all__ = ["VENDOR", "TelnyxTexting"]

PROFILE = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""A messaging profile, which chooses among its numbers."""


class TelnyxTexting:
    def __init__(self, account: Account) -> None:
        self.name = account.name or "telnyx"
        client = account.client() if account.client else None
        headers = {"Authorization": f"Bearer {account.api_key}"}
        self._api = Api(self.name, account.base_url, secret=account.api_key, headers=headers, client=client)

    async def send(self, message: TextMessage) -> str:
        sender = "messaging_profile_id" if re.fullmatch(PROFILE, message.sender) else "from"
        body = {sender: message.sender, "to": message.to, "text": message.text}
        async with self._api.open("POST", "/v2/messages", what="text message", repeatable=False, json=body) as response:
            answer = await self._api.parsed(response)
        try:
            return str(answer["data"]["id"])
        except (LookupError, TypeError):
            raise self._api.failures.garbled(str(answer)) from None

    async def check(self) -> str:
        """Ask for the messaging profiles, which costs nothing: without one, no number of the account can send."""
        answer = await self._api.json("GET", "/v2/messaging_profiles", what="account", params={"page[size]": 1})
        if isinstance(answer, dict) and not answer.get("data"):
            return "The key works. The account has no messaging profile yet: make one, and give it your numbers."
        return "The key works: text messages can be sent from the numbers of a messaging profile."

    async def close(self) -> None:
        await self._api.close()


async def _check(account: Account) -> str:
    texting = TelnyxTexting(account)
    try:
        return await texting.check()
    finally:
        await texting.close()


VENDOR = Vendor(
    id="telnyx",
    label="Telnyx",
    base_url="https://api.telnyx.com",
    key_hint="portal.telnyx.com, under API Keys",
    models={},
    check=_check,
    sms=lambda account, model: TelnyxTexting(account),
    pools=PROFILE,
)
