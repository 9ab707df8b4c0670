"""A call that is going on in this process: its conversation, and the browser that comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.urls import reverse

from core.errors import ApiError, ErrorCode
from telephony.browser import BrowserTransport, Outbox
from telephony.models import Call
from telephony.sink import EventSink, without_messages
from voice import events
from voice.call import Call as VoiceCall
from voice.call import EndReason
from voice.events import Event
from voice.latency import turn_latencies
from voice.media import FRAME_SECONDS, SILENCE
from voice.media.recording import Recorder

RESUME_SECONDS = 15.0
"""How long a call waits for a browser that lost its socket."""

NORMAL_CLOSURE = 1000
ELSEWHERE = 4409


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What a browser is told about its call."""

    id: str
    url: str
    agent_name: str
    version: str

    @classmethod
    def of(cls, call: Call) -> Self:
        """What `call`, with its related objects, says."""
        url = reverse("call", args=[call.organization.slug, call.pk])
        return cls(id=call.pk, url=url, agent_name=call.agent.name, version=call.version.label)

    def ready(self, *, resumed: bool) -> dict[str, Any]:
        """The first message on a socket."""
        shown = {"id": self.id, "url": self.url, "agent": self.agent_name, "version": self.version}
        return {"type": "ready", "call": {**shown, "resumed": resumed}}

    def ended(self, reason: str, detail: str) -> dict[str, Any]:
        """The last one."""
        return {"type": "ended", "reason": reason, "detail": detail, "url": self.url}


class LiveCall:
    """One call of this process. All of it happens on the event loop."""

    def __init__(
        self,
        *,
        facts: CallFacts,
        conversation: VoiceCall,
        transport: BrowserTransport,
        sink: EventSink,
        recorder: Recorder | None,
    ) -> None:
        self.facts = facts
        self.conversation = conversation
        self.transport = transport
        self.sink = sink
        self.recorder = recorder
        self.task: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        sink.listener = self._happened

    # --- the browser

    def attach(
        self, outbox: Outbox, missed: Sequence[tuple[int, dict[str, Any]]] = (), *, after: int | None = None
    ) -> None:
        """Talk to this socket from now on. One that comes back first gets what it has `missed` since event `after`."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if (before := self.transport.outbox) is not None:
            moved = ApiError(ErrorCode.CONFLICT, "Continued elsewhere", "This call goes on in another tab or window.")
            before.message({"type": "error", "error": moved.as_dict("")})
            before.close(ELSEWHERE)
        outbox.message(self.facts.ready(resumed=after is not None))
        if after is not None:
            for after, data in missed:
                outbox.message(event_message(after, data))
            # What is not stored yet is at hand.
            for sequence, _, data in self.sink.recent:
                if sequence > after:
                    outbox.message(event_message(sequence, data))
        self.transport.outbox = outbox

    def detach(self, outbox: Outbox) -> None:
        """This socket is gone. The call goes on for a while without one."""
        if self.transport.outbox is outbox:
            self.transport.outbox = None
            self._waiting = asyncio.get_running_loop().create_task(self._wait(), name="lost browser")

    async def _wait(self) -> None:
        """Be silent in the caller's place, so that a word cut off by the loss comes to its end. Then end the call."""
        for _ in range(round(RESUME_SECONDS / FRAME_SECONDS)):
            self.conversation.on_audio(SILENCE)
            await asyncio.sleep(FRAME_SECONDS)
        self.conversation.end(
            EndReason.CONNECTION_LOST, f"The browser was gone and did not come back within {RESUME_SECONDS:.0f} s."
        )

    def close(self, reason: str, detail: str) -> None:
        """The call is over and stored: say so, and let go of the socket."""
        self.sink.listener = None
        if self._waiting is not None:
            self._waiting.cancel()
        if (outbox := self.transport.outbox) is not None:
            self.transport.outbox = None
            outbox.message(self.facts.ended(reason, detail))
            outbox.close(NORMAL_CLOSURE)

    # --- events

    def _happened(self, sequence: int, event: Event, data: dict[str, Any]) -> None:
        if self.transport.outbox is None:
            return
        self.transport.message(event_message(sequence, data))
        # Of a speech-to-speech model the caller's words may be known only after it has begun to speak.
        match event:
            case events.AgentSpeechStarted(turn=turn) | events.CallerTurn(turn=turn):
                if (latency := self._latency(turn)) is not None:
                    self.transport.message(latency)

    def _latency(self, turn: int) -> dict[str, Any] | None:
        found = turn_latencies(event for _, event, _ in self.sink.recent).get(turn)
        if found is None:
            return None
        spans = [{"name": s.name, "start": s.start, "end": s.end, "detail": s.detail} for s in found.spans]
        parts = {name: getattr(found, name) for name in ("total", "end_of_turn", "stt", "llm", "tts", "playout")}
        return {"type": "latency", "turn": turn, **parts, "spans": spans}


def event_message(sequence: int, data: dict[str, Any]) -> dict[str, Any]:
    """An encoded event as a browser gets it."""
    return {"type": "event", "sequence": sequence, "event": without_messages(data)}
