"""The tools that every agent can be given: they act on the call, and need no service outside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from voice.providers.base import ToolSchema
from voice.spec import AgentSpec, HandOffTarget, TransferTarget
from voice.tools import CallControl, HandOff, InstantTool, Outcome, Tool, ToolError, Transfer
from voice.tools.end_call import EndCallTool
from voice.variables import render


def tools_of(spec: AgentSpec) -> list[Tool]:
    """The tools that `spec` asks for."""
    tools: list[Tool] = []
    if spec.can_end_call:
        tools.append(EndCallTool())
    if spec.transfers:
        tools.append(TransferTool(spec.transfers))
    if spec.handoffs:
        tools.append(HandOffTool(spec.handoffs))
    if spec.can_send_digits:
        tools.append(SendDigitsTool())
    if spec.languages.voices:
        tools.append(SwitchLanguageTool([spec.language, *spec.languages.voices]))
    return tools


class TransferTool(InstantTool):
    """Gives the caller to one of the people that the agent knows of."""

    def __init__(self, targets: Sequence[TransferTarget]) -> None:
        self._targets = {target.name: target for target in targets}
        self.schema = ToolSchema(
            name="transfer_call",
            description="Transfer the caller to a person. Tell the caller first. " + _choices(targets),
            parameters=_object(
                to={"type": "string", "enum": list(self._targets), "description": "Who takes the call."},
                brief={"type": "string", "description": "What that person should know, in one or two sentences."},
                required=["to"],
            ),
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        target = self._targets[str(arguments["to"])]
        to = render(target.to, call.variables).strip()
        if not to:
            raise ToolError(f"Nobody knows yet how {target.name} is reached.")
        action = Transfer(to=to, label=target.name, warm=target.warm, brief=str(arguments.get("brief") or ""))
        return Outcome(f"Transferring to {target.name}.", action)


class HandOffTool(InstantTool):
    """Lets another agent of the team go on."""

    def __init__(self, targets: Sequence[HandOffTarget]) -> None:
        self._targets = {target.name: target for target in targets}
        self.schema = ToolSchema(
            name="hand_off",
            description="Let another agent go on with this call. " + _choices(targets),
            parameters=_object(
                to={"type": "string", "enum": [target.name for target in targets], "description": "Which agent."},
                message={"type": "string", "description": "What that agent should know about the caller's wish."},
                required=["to"],
            ),
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        target = self._targets[str(arguments["to"])]
        action = HandOff(target.to or target.name, str(arguments.get("message") or ""), target.greets)
        return Outcome(f"{target.name} goes on.", action, say=render(target.say, call.variables))


class SendDigitsTool(InstantTool):
    """Presses keys, to get through the menus of other phone systems."""

    schema: ClassVar[ToolSchema] = ToolSchema(
        name="send_digits",
        description="Press keys on the phone, for menus of other phone systems.",
        parameters={
            "type": "object",
            "properties": {
                "digits": {
                    "type": "string",
                    "pattern": r"^[0-9*#A-Dw]{1,32}$",
                    "description": "The keys, such as 1 or 4711#. A w waits half a second.",
                }
            },
            "required": ["digits"],
        },
    )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        digits = str(arguments["digits"])
        call.send_digits(digits)
        return Outcome(f"Pressed {digits}. Listen to what comes.")


class SwitchLanguageTool(InstantTool):
    """Goes on in another language."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.schema = ToolSchema(
            name="switch_language",
            description="Go on in the caller's language. Use it once the caller speaks or asks for another one.",
            parameters=_object(
                language={"type": "string", "enum": list(languages), "description": "ISO 639-1 code."},
                required=["language"],
            ),
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        language = str(arguments["language"])
        call.set_language(language)
        return Outcome(f"From now on speak in the language {language}.")


def _choices(targets: Sequence[TransferTarget] | Sequence[HandOffTarget]) -> str:
    return " ".join(f"{target.name}: {target.when}" if target.when else f"{target.name}." for target in targets)


def _object(*, required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required}
