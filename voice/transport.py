"""The Transport protocol: how a call's audio leaves, and what else its far end can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class TransferFailed(Exception):
    """The far end could not be transferred, or nobody answered there. The text is for people."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call is given to: a phone number in E.164 or a SIP URI."""

    address: str
    label: str = ""


class Leg(Protocol):
    """A second party on the call, whom only the agent hears and is heard by until the two are joined.

    Audio is the engine's: 16 kHz mono PCM16 in frames of 20 ms.
    """

    def listen(self, on_audio: Callable[[bytes], None]) -> None:
        """Have the party's frames from now on."""

    def send_audio(self, frame: bytes) -> None: ...

    async def hang_up(self) -> None: ...


class Transport(Protocol):
    """The far end of a call, as the conversation sees it.

    A transport hands what comes in to the conversation (`on_audio`, `on_digit`, `on_message`, `on_mark`, `end`) and
    speaks through the methods below; those that are not `async` never wait. Audio is 16 kHz mono PCM16; each frame is
    20 ms (640 bytes), paced by the engine, at most `lead` seconds ahead of real time. Inherit from it: a far end that
    can do no more than audio has to say nothing about the rest.
    """

    lead: float
    """Seconds of audio that the engine may send ahead, to fill the far end's buffer."""

    playout_delay: float
    """Seconds between sending a frame and the caller hearing it, as far as the transport knows."""

    marks: bool = False
    """The far end tells what it has played: `mark` comes back by the conversation's `on_mark`."""

    digits: bool = True
    """The far end tells which keys are pressed. Otherwise tones are looked for in its audio."""

    may_type: bool = False
    """The caller may have no microphone, and type: that nothing has arrived yet is then no sign of trouble."""

    def send_audio(self, frame: bytes) -> None:
        """Send one frame of the agent's audio."""

    def clear(self) -> None:
        """Drop all audio that was sent and not yet played."""

    async def hang_up(self, reason: str) -> None:
        """End the call at the far end, after what has been sent is played."""

    def mark(self, number: int) -> None:
        """Ask to be told when all audio sent so far is played. Only with `marks`."""
        return

    def send_digits(self, digits: str) -> bool:
        """Send keypad tones out of band. False if the far end knows none: they then go into the audio."""
        return False

    def send_message(self, message: Mapping[str, Any]) -> bool:
        """Send a message to the caller's application. False if there is none."""
        return False

    async def transfer(self, to: Destination) -> None:
        """Give the caller to somebody else and leave. Raises TransferFailed: the caller is then still here."""
        raise TransferFailed("Calls of this kind cannot be transferred.")

    async def dial(self, to: Destination, *, patience: float) -> Leg:
        """Call a second party, and wait for them to answer. Raises TransferFailed."""
        raise TransferFailed("Calls of this kind cannot bring in a second party.")

    async def join(self, leg: Leg) -> None:
        """Connect the caller with the second party, and leave. Raises TransferFailed."""
        raise TransferFailed("Calls of this kind cannot be joined.")
