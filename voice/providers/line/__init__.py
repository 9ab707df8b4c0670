"""Agents written in code with the Line SDK: an app of one's own decides on the words, and the engine does the rest."""

from __future__ import annotations

import httpx

from voice.brain import Brain, Brains, Seat
from voice.providers.line.brain import LineBrain, line_brain
from voice.providers.line.session import LineApp, LineCall
from voice.providers.vendor import Account, CallFacts, Vendor
from voice.variables import render

__all__ = ["VENDOR", "LineApp", "LineBrain", "LineCall", "line_brain"]


class _App:
    """An app as an account knows it. A key is sent as a bearer token, for apps that stand behind such a door."""

    def __init__(self, account: Account) -> None:
        self.name = account.name or "line"
        self._client = account.client() if account.client else httpx.AsyncClient(trust_env=False)
        headers = {"Authorization": f"Bearer {account.api_key}"} if account.api_key else {}
        self._app = LineApp(
            account.base_url,
            client=self._client,
            connect=account.connect,
            headers=headers,
            secret=account.api_key,
            name=self.name,
        )

    def brains(self, call: CallFacts) -> Brains:
        def made(seat: Seat) -> Brain:
            told = LineCall(
                agent_id=call.agent_id,
                caller=call.caller or "unknown",
                called=call.called or "unknown",
                system_prompt=render(call.prompt, seat.control.variables) or None,
                metadata=call.metadata,
            )
            return line_brain(self._app, told)(seat)

        return made

    async def check(self) -> str:
        """Ask the app how it is. Raises ProviderError."""
        return f"The app answers: {await self._app.status()}."

    async def close(self) -> None:
        await self._client.aclose()


async def _check(account: Account) -> str:
    app = _App(account)
    try:
        return await app.check()
    finally:
        await app.close()


VENDOR = Vendor(
    id="line",
    label="Line SDK agent",
    base_url="",
    key_hint="yours, if the app stands behind a door that asks for a bearer token",
    models={"agent": ("line",)},
    check=_check,
    agent=lambda account, protocol: _App(account),
    needs_key=False,
)
