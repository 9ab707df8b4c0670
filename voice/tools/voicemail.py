"""The tool by which the agent leaves its message when a machine has answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice.providers.base import ToolSchema
from voice.tools import CallControl, EndCall, InstantTool, Outcome


class VoicemailTool(InstantTool):
    """Leaves a message and hangs up. With a fixed `message` it is that one; else the model writes it."""

    def __init__(self, message: str = "") -> None:
        self._message = message
        written: dict[str, Any] = {
            "message": {
                "type": "string",
                "minLength": 1,
                "description": "The message to leave, in one or two sentences.",
            }
        }
        self.schema = ToolSchema(
            name="leave_voicemail",
            description=(
                "Leave a message and hang up. Use it once you are sure that you have reached a voicemail or an "
                "answering machine, and say nothing else."
            ),
            parameters={
                "type": "object",
                "properties": {} if message else written,
                "required": [] if message else list(written),
            },
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        message = self._message or str(arguments["message"])
        return Outcome("The message is left.", EndCall("A message was left on a voicemail.", "voicemail"), say=message)
