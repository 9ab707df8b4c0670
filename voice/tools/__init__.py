"""What an agent can do besides speaking: tools, and the actions on the call that they lead to."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from voice.providers.base import ToolSchema


class ToolError(Exception):
    """A tool could not do its work. The text is told to the model."""


# --- actions ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up when all is spoken."""

    detail: str = ""
    reason: str = ""
    """An `EndReason` value; empty means that the agent ended the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Give the caller to a person when all is spoken.

    `to` is a phone number in E.164 or a SIP URI. A warm transfer tells the person `brief` before the two are joined,
    and the caller comes back to the agent when nobody answers.
    """

    to: str
    label: str = ""
    warm: bool = False
    brief: str = ""


@dataclass(frozen=True, slots=True)
class HandOff:
    """Another agent of the team goes on with the call when all is spoken."""

    to: str
    message: str = ""
    """What the next agent is told, in words for a model."""
    greets: bool = True
    """It begins with its greeting; otherwise it goes on with the conversation."""


Action = EndCall | Transfer | HandOff


# --- tools --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPolicy:
    """How a tool is run. Times are seconds, sizes are characters."""

    timeout: float = 20.0
    background: bool = False
    """The conversation goes on while it runs; the model is told what it found when it is there."""
    speech: str = ""
    """Said before it runs, unless the model has already said something in this turn."""
    cancellable: bool = True
    """An interruption stops it. What must not be left half done goes on, and its result is told later."""
    result_limit: int = 8_000
    """A longer result is cut off for the model, with a note that it was."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool did: `text` is told to the model, `action` happens when all is spoken."""

    text: str
    action: Action | None = None
    variables: Mapping[str, object] = field(default_factory=dict)
    """Variables of the call that it sets."""
    say: str = ""
    """Said in these very words, before the action or whatever the model says next."""


class CallControl(Protocol):
    """What a tool, or a brain, can do to the call that it belongs to. Nothing here waits but `ask_client`."""

    @property
    def variables(self) -> MutableMapping[str, object]:
        """The call's variables. Set them with `set_variable`, so that it is an event."""

    def set_variable(self, name: str, value: object, by: str) -> None:
        """Give a variable a value; one that does not fit its type is refused, which is an event."""

    def send_digits(self, digits: str) -> None:
        """Send keypad tones (0-9 * # A-D; `w` waits half a second)."""

    def expect_keys(self, most: int | None) -> None:
        """From now on an entry on the caller's keypad is over after `most` keys; None is as the agent has it."""

    def set_language(self, language: str) -> None:
        """Listen and speak in another language from the next turn on. Raises ToolError if the agent cannot."""

    def set_voice(self, voice: str) -> None:
        """Speak with another voice of the same provider from the next reply on."""

    def pause_recording(self, reason: str) -> None:
        """Write silence until `resume_recording`: what is said now must not be stored."""

    def resume_recording(self) -> None: ...

    def tell_client(self, message: Mapping[str, Any]) -> bool:
        """Send a message to the caller's application. False if there is none that takes messages."""

    async def ask_client(self, name: str, arguments: Mapping[str, object], *, patience: float) -> str:
        """Have the caller's application do something, and give its answer. Raises ToolError."""

    def conversation_so_far(self) -> list[tuple[str, str]]:
        """("caller" or "agent", words heard), in order."""


class Tool(Protocol):
    """One tool of an agent. It is made for each call."""

    @property
    def schema(self) -> ToolSchema: ...

    @property
    def policy(self) -> ToolPolicy: ...

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        """Do it. The arguments fit the schema. Raises ToolError; may be cancelled."""


class InstantTool:
    """Base of tools that only act on the call."""

    policy: ClassVar[ToolPolicy] = ToolPolicy()
