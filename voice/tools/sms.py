"""The tool that sends a text message."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voice.providers.base import ProviderError, Texting, TextMessage, ToolSchema
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy
from voice.tools.addresses import phone_number
from voice.variables import render

LONGEST = 1_600
"""Letters that carriers take in one message."""


class SmsTool:
    """Sends a text message from `sender`: a number, or a pool of them that fits the regular expression `pools`.

    Texts may hold `{{variables}}` of the call. Without `recipient`, or without `text`, the model writes it.
    """

    def __init__(
        self,
        *,
        name: str,
        description: str,
        texting: Texting,
        sender: str,
        pools: str = "",
        recipient: str = "",
        text: str = "",
        policy: ToolPolicy,
    ) -> None:
        self.policy = policy
        self._texting = texting
        self._sender = sender
        self._pools = pools
        self._fixed = {name: value for name, value in (("recipient", recipient), ("text", text)) if value}
        asked = {name: schema for name, schema in _ASKED.items() if name not in self._fixed}
        self.schema = ToolSchema(
            name=name,
            description=description,
            parameters={"type": "object", "properties": asked, "required": list(asked)},
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        fixed = {name: render(value, call.variables) for name, value in self._fixed.items()}
        told = {**arguments, **fixed}
        message = TextMessage(
            sender=self._from(render(self._sender, call.variables).strip()),
            to=_number(str(told["recipient"]), "send to"),
            text=str(told["text"]).strip(),
        )
        if not message.text:
            raise ToolError("The text message says nothing.")
        if len(message.text) > LONGEST:
            raise ToolError(f"The text message is longer than {LONGEST} letters.")
        try:
            found = await self._texting.send(message)
        except ProviderError as error:
            raise ToolError(f"The text message failed: {error}") from error
        return Outcome(f"The text message to {message.to} is on its way ({found}).")

    def _from(self, sender: str) -> str:
        if self._pools and re.fullmatch(self._pools, sender):
            return sender
        return _number(sender, "send from")


_ASKED: Mapping[str, Mapping[str, object]] = {
    "recipient": {"type": "string", "description": "The number to send it to, with its country code: +14155550100"},
    "text": {"type": "string", "maxLength": LONGEST, "description": "What it says, in few words"},
}


def _number(text: str, what: str) -> str:
    if not text.strip():
        raise ToolError(f"There is no number to {what}.")
    try:
        return phone_number(text)
    except ValueError as error:
        raise ToolError(f"There is no number to {what}: {error}") from None
