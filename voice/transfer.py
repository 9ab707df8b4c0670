"""Giving the caller to a person: cold, or warm with a word to that person first."""

from __future__ import annotations

from collections.abc import Callable

from voice import events
from voice.clock import CallClock
from voice.media.recording import Recorder
from voice.services import CallServices
from voice.speech import Speaker
from voice.tools import Transfer
from voice.transport import Destination, TransferFailed, Transport

Emit = Callable[[events.Event], None]


class Transferring:
    """One transfer of one call."""

    def __init__(
        self,
        *,
        transport: Transport,
        services: CallServices,
        speaker: Speaker | None,
        clock: CallClock,
        emit: Emit,
        recorder: Recorder | None,
    ) -> None:
        self._transport = transport
        self._services = services
        self._speaker = speaker
        self._clock = clock
        self._emit = emit
        self._recorder = recorder

    async def run(self, action: Transfer) -> bool:
        """Transfer; False if the caller is still here."""
        to = Destination(action.to, action.label)
        self._emit(events.TransferStarted(at=self._clock.now(), to=action.to, warm=action.warm))
        try:
            await self._transport.transfer(to)
        except TransferFailed as failure:
            self._finished(action, "failed", str(failure))
            return False
        self._finished(action, "transferred")
        return True

    def _finished(self, action: Transfer, outcome: str, detail: str = "") -> None:
        self._emit(
            events.TransferFinished(
                at=self._clock.now(),
                to=action.to,
                outcome="transferred" if outcome == "transferred" else "failed",
                detail=detail,
            )
        )
