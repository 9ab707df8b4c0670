"""The tools by which a program acts on the call, under the names that Vapi has made common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from voice.providers.base import ToolSchema
from voice.tools import CallControl, EndCall, InstantTool, Outcome, ToolError, Transfer

_ADDRESS = re.compile(r"\+[1-9]\d{4,14}|sips?:\S+")


class EndCallTool(InstantTool):
    """Hangs up when all is spoken."""

    schema: ClassVar[ToolSchema] = ToolSchema(
        name="endCall", description="Hang up.", parameters={"type": "object", "properties": {}}
    )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        return Outcome("The call is over.", EndCall())


class TransferCallTool(InstantTool):
    """Gives the caller to whomever the program names: a number, a SIP URI, or an object with one of these."""

    schema: ClassVar[ToolSchema] = ToolSchema(
        name="transferCall",
        description="Transfer the caller.",
        parameters={
            "type": "object",
            "properties": {"destination": {"description": "A phone number in E.164, or a SIP URI."}},
            "required": ["destination"],
        },
    )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        to = arguments["destination"]
        if isinstance(to, dict):
            to = to.get("number") or to.get("sipUri")
        if not isinstance(to, str) or not _ADDRESS.fullmatch(to):
            raise ToolError(f"{to!r} is neither a phone number in E.164 nor a SIP URI.")
        return Outcome(f"Transferring to {to}.", Transfer(to=to))
