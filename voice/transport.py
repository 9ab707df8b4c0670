"""The Transport protocol: how a call's audio leaves."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """The far end of a call, as the conversation sees it.

    A transport hands caller audio in by calling `Conversation.on_audio` and speaks through the methods
    below, none of which waits. Audio is 16 kHz mono PCM16; each frame is 20 ms (640 bytes), paced by the
    engine, at most `lead` seconds ahead of real time.
    """

    lead: float
    """Seconds of audio that the engine may send ahead, to fill the far end's buffer."""

    playout_delay: float
    """Seconds between sending a frame and the caller hearing it, as far as the transport knows."""

    def send_audio(self, frame: bytes) -> None:
        """Send one frame of the agent's audio."""

    def clear(self) -> None:
        """Drop all audio that was sent and not yet played."""

    async def hang_up(self, reason: str) -> None:
        """End the call at the far end, after what has been sent is played."""
