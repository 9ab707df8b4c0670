"""What every call has, whatever thinks and speaks in it: a clock, an end, timers, tasks, a recording, a far end."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from enum import StrEnum
from typing import Any, Literal

from voice import events
from voice.clock import CallClock
from voice.dtmf import DtmfCollector, DtmfEntry
from voice.events import Event
from voice.media.recording import Recorder
from voice.providers.base import ProviderError
from voice.spec import AgentSpec
from voice.tools import Transfer
from voice.transfer import Transferring
from voice.transport import Transport

log = logging.getLogger(__name__)

# So many failed turns in a row end the call.
FAILURES = 2

Source = Literal["speech", "typed", "keypad"]


class EndReason(StrEnum):
    """Why a conversation was over."""

    AGENT = "agent_ended"
    CALLER = "caller_ended"
    TRANSFERRED = "transferred"
    VOICEMAIL = "voicemail"
    REJECTED = "rejected"
    INACTIVITY = "inactivity"
    MAX_DURATION = "max_duration"
    NO_AUDIO = "no_audio"
    ERROR = "error"
    CONNECTION_LOST = "connection_lost"
    SHUTDOWN = "server_shutdown"


class Call(ABC):
    """Runs one call. Use it once: `await run()`, while the transport calls the `on_…` methods and, when its side is
    over, `end`. `sink` takes every event, in order, and must not wait."""

    def __init__(
        self,
        *,
        call_id: str,
        spec: AgentSpec,
        transport: Transport,
        sink: Callable[[Event], None],
        recorder: Recorder | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.clock = CallClock(self._loop)
        self._call_id = call_id
        self._spec = spec
        self._transport = transport
        self._sink = sink
        self._recorder = recorder
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[tuple[EndReason, str]] = self._loop.create_future()
        self._heard_frames = self._checked_frames = self._missed = 0
        self._keypad = DtmfCollector(
            self._keyed, terminator=spec.digits.terminator, most=spec.digits.most, pause=spec.digits.pause
        )
        self._turn = 0
        self._away = False
        """The caller is with somebody else."""
        self._failures = 0
        self._check_ins = 0
        self._silent_since = 0.0

    async def run(self) -> events.CallEnded:
        """Hold the conversation until it is over; its last event."""
        self._emit(events.CallStarted(at=self.clock.now(), call_id=self._call_id, agent=self._spec.name))
        self._set_timer("longest", self._spec.max_duration, self._time_is_up)
        self._watch_line()
        try:
            self._begin()
            reason, detail = await self._over
            await self._hang_up(reason)
        finally:
            await self._close()
        ended = events.CallEnded(at=self.clock.now(), reason=reason.value, detail=detail)
        self._sink(ended)
        return ended

    def end(self, reason: EndReason, detail: str = "") -> None:
        """End the call now. The first reason given counts."""
        if not self._over.done():
            self._stop()
            self._over.set_result((reason, detail))

    # --- what the transport tells

    def on_audio(self, frame: bytes) -> None:
        """Take 20 ms of the caller's audio (640 bytes)."""
        if self._over.done():
            return
        self._heard_frames += 1
        if self._recorder is not None:
            self._recorder.caller(frame, self.clock.now())
        self._listen(frame)

    def on_text(self, text: str) -> None:
        """Take a turn that the caller has typed. It interrupts like speech does, and needs no deciding."""
        self._take(text.strip(), "typed")

    def on_digit(self, digit: str) -> None:
        """The caller pressed a key."""
        if not self._over.done():
            self._emit(events.DigitPressed(at=self.clock.now(), digit=digit))
            self._stop_timer("silence")
            self._hush()
            self._keypad.press(digit)

    def on_message(self, data: Mapping[str, Any]) -> None:
        """The caller's application sent a message."""
        if not self._over.done():
            self._message(data)

    @abstractmethod
    def on_mark(self, number: int) -> None:
        """The far end has played all that was sent before mark `number`."""

    # --- what the kinds of call do

    @abstractmethod
    def _begin(self) -> None:
        """The far end is there: say the first words."""

    @abstractmethod
    def _listen(self, frame: bytes) -> None:
        """Take 20 ms of the caller's audio."""

    @abstractmethod
    def _take(self, text: str, source: Source) -> None:
        """A turn that came otherwise than by speech."""

    @abstractmethod
    def _hush(self) -> None:
        """The caller presses keys: be silent until the entry is whole, if the agent may be interrupted."""

    @abstractmethod
    def _say(self, text: str, after: Callable[[], None] | None = None, *, final: bool = False) -> None:
        """Say fixed words. `final` ones are the last of the call, whatever the caller says meanwhile."""

    @abstractmethod
    def _interrupt(self) -> None:
        """The caller takes the turn: what was heard of the agent's words is all that was said."""

    @abstractmethod
    def _discard(self) -> None:
        """Forget what the caller was saying: it was no turn, or was taken otherwise."""

    @abstractmethod
    def _idle(self) -> None:
        """Nobody speaks and nothing is to be answered."""

    @abstractmethod
    def _transferring(self) -> Transferring:
        """What gives the caller to somebody else."""

    @abstractmethod
    def _message(self, data: Mapping[str, Any]) -> None:
        """The caller's application sent a message."""

    @abstractmethod
    def _stop(self) -> None:
        """Fall silent: the call is over."""

    @abstractmethod
    async def _let_go(self) -> None:
        """Let go of everything. The tasks are cancelled already."""

    def _emit(self, event: Event) -> None:
        self._sink(event)

    async def _hang_up(self, reason: EndReason) -> None:
        try:
            await self._transport.hang_up(reason.value)
        except Exception:  # a far end that breaks while it goes is gone all the same
            log.exception("The far end of call %s could not be hung up", self._call_id)

    async def _close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._keypad.close()
        self._stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._let_go()
        if self._recorder is not None:
            await self._recorder.close(self.clock.now())

    # --- the line

    def _watch_line(self) -> None:
        """A line on which nothing arrives is one-way: it is noticed, and given up if something did arrive before.
        (A caller without a microphone types.)"""
        self._set_timer("line", self._spec.patience.no_audio, self._check_line)

    def _check_line(self) -> None:
        arrived = self._heard_frames > self._checked_frames
        self._checked_frames = self._heard_frames
        self._missed = 0 if arrived else self._missed + 1
        waited = self._missed * self._spec.patience.no_audio
        if self._missed == 1:
            slow = events.ProviderSlow(at=self.clock.now(), turn=0, role="transport", provider="line", waited=waited)
            self._emit(slow)
        elif self._missed > 1 and self._heard_frames:
            self.end(EndReason.NO_AUDIO, f"No audio arrived for {waited:.0f} s.")
            return
        self._watch_line()

    def _lost(self, error: Exception) -> None:
        """The far end does not take audio any more."""
        self.end(EndReason.CONNECTION_LOST, f"The far end was lost: {error}")

    # --- silence and time

    def _watch_silence(self) -> None:
        self._silent_since = self.clock.now()
        self._set_timer("silence", self._spec.inactivity.check_in_after, self._silence)

    def _silence(self) -> None:
        inactivity = self._spec.inactivity
        last = self._check_ins >= inactivity.check_ins
        self._check_ins += 1
        self._emit(
            events.InactivityNoticed(
                at=self.clock.now(),
                step="farewell" if last else "check_in",
                silent_for=round(self.clock.now() - self._silent_since, 3),
            )
        )
        if last:
            self._say(inactivity.farewell_text, after=lambda: self.end(EndReason.INACTIVITY))
        else:
            self._say(inactivity.check_in_text, after=self._watch_silence)

    def _time_is_up(self) -> None:
        self._interrupt()
        self._discard()
        self._say(self._spec.phrases.time_is_up, after=lambda: self.end(EndReason.MAX_DURATION), final=True)

    # --- keys and transfers

    def _keyed(self, entry: DtmfEntry) -> None:
        self._take(f"[keyed in: {entry.digits}]", "keypad")

    async def _transfer(self, action: Transfer) -> None:
        """Give the caller to somebody else; they come back to the agent if that fails."""
        self._away = True
        self._discard()
        if await self._transferring().run(action):
            self.end(EndReason.TRANSFERRED, f"Transferred to {action.label or action.to}.")
            return
        self._away = False
        if not self._over.done():
            self._say(self._spec.phrases.no_transfer)

    # --- trouble

    def _trouble(self, role: str, error: ProviderError) -> None:
        """Say that something is wrong; when it keeps on being so, say goodbye."""
        self._failures += 1
        if self._failures < FAILURES:
            self._report(role, error, "asking the caller to say it again")
            self._say(self._spec.phrases.trouble, after=self._idle)
        else:
            self._report(role, error, "ending the call")
            self._say(self._spec.phrases.giving_up, after=lambda: self.end(EndReason.ERROR, str(error)), final=True)

    def _report(self, role: str, error: ProviderError, then: str) -> None:
        self._emit(
            events.ProviderFailed(
                at=self.clock.now(),
                turn=self._turn,
                role=role,
                provider=error.provider,
                error=str(error),
                then=then,
            )
        )

    # --- machinery

    def _set_timer(self, name: str, delay: float, callback: Callable[[], None]) -> None:
        self._stop_timer(name)
        self._timers[name] = self._loop.call_later(delay, callback)

    def _stop_timer(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
