"""The tool by which the agent hangs up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from voice.providers.base import ToolSchema
from voice.tools import CallControl, EndCall, InstantTool, Outcome


class EndCallTool(InstantTool):
    """Ends the call when all that the agent has said is heard."""

    schema: ClassVar[ToolSchema] = ToolSchema(
        name="end_call",
        description="Hang up. Use it once the caller has said goodbye or has all they wanted; say goodbye first.",
        parameters={
            "type": "object",
            "properties": {"reason": {"type": "string", "description": "Why the call is over, in a few words."}},
            "required": [],
        },
    )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        detail = str(arguments.get("reason") or "The conversation is over.")
        return Outcome(detail, EndCall(detail))
