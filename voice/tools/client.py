"""A tool that the caller's application runs: it shows something, fills a form, reads what is on the screen."""

from __future__ import annotations

from collections.abc import Mapping

from voice.providers.base import ToolSchema
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy


class ClientTool:
    """Sends the request to the application at the far end, and waits for its answer if one is expected."""

    def __init__(self, schema: ToolSchema, *, policy: ToolPolicy, expects_response: bool = True) -> None:
        self.schema = schema
        self.policy = policy
        self._expects_response = expects_response

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        name = self.schema.name
        if self._expects_response:
            answer = await call.ask_client(name, arguments, patience=self.policy.timeout)
            return Outcome(answer or "Done.")
        if not call.tell_client({"type": "tool_call", "name": name, "arguments": dict(arguments)}):
            raise ToolError("The caller's application does not take such requests.")
        return Outcome("Sent to the caller's application.")
