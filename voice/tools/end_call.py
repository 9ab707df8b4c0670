"""The tool by which the agent hangs up."""

from __future__ import annotations

from collections.abc import Mapping

from voice.providers.base import ToolSchema
from voice.tools import Outcome


class EndCallTool:
    """Ends the call when all that the agent has said is heard."""

    schema = ToolSchema(
        name="end_call",
        description="Hang up. Use it once the caller has said goodbye or has all they wanted; say goodbye first.",
        parameters={
            "type": "object",
            "properties": {"reason": {"type": "string", "description": "Why the call is over, in a few words."}},
            "required": [],
        },
    )

    async def run(self, arguments: Mapping[str, object]) -> Outcome:
        return Outcome(str(arguments.get("reason") or "The conversation is over."), ends_call=True)
