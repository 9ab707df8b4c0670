"""What every call has, whatever thinks and speaks in it: a clock, an end, timers, tasks, a recording, a far end."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

from voice import events
from voice.clock import CallClock
from voice.events import Event
from voice.faults import in_words
from voice.media.recording import Recorder
from voice.providers.base import ProviderError
from voice.spec import AgentSpec
from voice.transport import Transport
from voice.variables import Variables, render

log = logging.getLogger(__name__)

# A far end that does not go, a task that does not stop, a disk: at the end each is waited for no longer than this.
PARTING_SECONDS = 5.0


class EndReason(StrEnum):
    """Why a conversation was over."""

    AGENT = "agent_ended"
    CALLER = "caller_ended"
    TRANSFERRED = "transferred"
    VOICEMAIL = "voicemail"
    REJECTED = "rejected"
    INACTIVITY = "inactivity"
    MAX_DURATION = "max_duration"
    BUDGET = "budget_spent"
    NO_AUDIO = "no_audio"
    ERROR = "error"
    CONNECTION_LOST = "connection_lost"
    SHUTDOWN = "server_shutdown"


class Call(ABC):
    """Runs one call. Use it once: `await run()`, while the transport calls the `on_…` methods and, when its side is
    over, `end`. `sink` takes every event, in order, and must not wait; `before` are those that come first, of what was
    done before the call."""

    def __init__(
        self,
        *,
        call_id: str,
        spec: AgentSpec,
        transport: Transport,
        sink: Callable[[Event], None],
        recorder: Recorder | None = None,
        variables: Mapping[str, object] | None = None,
        before: Sequence[Event] = (),
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.clock = CallClock(self._loop)
        self._call_id = call_id
        self._spec = spec
        self._transport = transport
        self._sink = sink
        self._recorder = recorder
        self._before = before
        self._variables = Variables(
            {**(variables or {}), "system__call_id": call_id},
            declared=spec.variables,
            agent=spec.name,
            timezone=spec.timezone,
            started=self.clock.began,
            elapsed=self.clock.now,
        )
        self._broken = False
        """Something of ours has failed; nothing is done any more but to say so."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[tuple[EndReason, str]] = self._loop.create_future()
        self._heard_frames = self._checked_frames = self._missed = 0

    async def run(self) -> events.CallEnded:
        """Hold the conversation until it is over; its last event."""
        spec = self._spec.model_dump(mode="json")
        self._emit(
            events.CallStarted(
                at=self.clock.now(),
                call_id=self._call_id,
                agent=self._spec.name,
                spec=spec,
                variables=self._variables.facts(),
            )
        )
        for event in self._before:
            self._emit(event)
        self._set_timer("longest", self._spec.max_duration, self._time_is_up)
        self._watch_line()
        try:
            self._attempt(self._begin)
            reason, detail = await self._over
            await self._hang_up(reason)
        finally:
            await self._close()
        ended = events.CallEnded(at=self.clock.now(), reason=reason.value, detail=detail)
        self._tell(ended)
        return ended

    def end(self, reason: EndReason, detail: str = "") -> None:
        """End the call now. The first reason given counts."""
        if not self._over.done():
            self._over.set_result((reason, detail))
            self._stop()

    @abstractmethod
    def limit(self, seconds: float | None, *, grace: float = 0.0) -> None:
        """The call is paid for until `seconds` on its clock; None takes back what was said of that.

        The caller is told then, and may go on for `grace` more seconds before the agent says goodbye.
        """

    # --- what the transport tells

    def on_audio(self, frame: bytes) -> None:
        """Take 20 ms of the caller's audio (640 bytes)."""
        if self._over.done() or self._broken:
            return
        self._heard_frames += 1
        if self._recorder is not None:
            self._recorder.caller(frame, self.clock.now())
        self._attempt(self._listen, frame)

    @abstractmethod
    def on_text(self, text: str) -> None:
        """Take a turn that the caller has typed. It interrupts like speech does, and needs no deciding."""

    def on_digit(self, digit: str) -> None:
        """The caller pressed a key."""
        if not self._over.done():
            self._emit(events.DigitPressed(at=self.clock.now(), digit=digit))
            self._digit(digit)

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
    def _digit(self, digit: str) -> None:
        """The caller pressed a key."""

    @abstractmethod
    def _message(self, data: Mapping[str, Any]) -> None:
        """The caller's application sent a message."""

    @abstractmethod
    def _stop(self) -> None:
        """Fall silent: the call is over."""

    @abstractmethod
    def _time_is_up(self) -> None:
        """The call has lasted as long as it may."""

    @abstractmethod
    async def _let_go(self) -> None:
        """Let go of everything. The tasks are cancelled already."""

    def _worded(self, text: str) -> str:
        """A text of the agent with the values of the variables that it holds."""
        return render(text, self._variables)

    def _emit(self, event: Event) -> None:
        self._tell(event)

    def _tell(self, event: Event) -> None:
        """Hand an event to the sink. A sink that fails loses events, never the call."""
        try:
            self._sink(event)
        except Exception:
            log.exception("An event of call %s was lost: %s", self._call_id, event.type)

    async def _hang_up(self, reason: EndReason) -> None:
        # A far end that breaks while it goes is gone all the same.
        await self._part("hang up", self._transport.hang_up(reason.value))

    async def _close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._stop()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await self._part("stop its tasks", asyncio.wait(self._tasks))
        await self._part("let go of its providers", self._let_go())
        if self._recorder is not None:
            await self._part("close its recording", self._recorder.close(self.clock.now()))

    async def _part(self, what: str, work: Coroutine[Any, Any, object]) -> None:
        """Do something at the end of the call, which ends all the same if that fails or takes too long."""
        try:
            async with asyncio.timeout(PARTING_SECONDS):
                await work
        except Exception:
            log.exception("Call %s could not %s", self._call_id, what)

    # --- the line

    def _watch_line(self) -> None:
        """A line on which nothing arrives is one-way: it is noticed, and given up if something did arrive before."""
        self._set_timer("line", self._spec.patience.no_audio, self._check_line)

    def _check_line(self) -> None:
        arrived = self._heard_frames > self._checked_frames
        self._checked_frames = self._heard_frames
        self._missed = 0 if arrived else self._missed + 1
        waited = self._missed * self._spec.patience.no_audio
        if self._missed == 1 and (self._heard_frames or not self._transport.may_type):
            slow = events.ProviderSlow(at=self.clock.now(), turn=0, role="transport", provider="line", waited=waited)
            self._emit(slow)
        elif self._missed > 1 and self._heard_frames:
            self.end(EndReason.NO_AUDIO, f"No audio arrived for {waited:.0f} s.")
            return
        self._watch_line()

    def _lost(self, error: Exception) -> None:
        """The far end does not take audio any more."""
        self.end(EndReason.CONNECTION_LOST, f"The far end was lost: {error}")

    # --- when something of ours breaks

    def _attempt(self, work: Callable[..., None], *arguments: object) -> None:
        """Do a part of the call's work. If it raises, the call ends with a reason: it never just falls silent."""
        try:
            work(*arguments)
        except Exception as error:
            log.exception("Call %s broke", self._call_id)
            self._break(in_words("callwright", error))

    def _break(self, failure: ProviderError) -> None:
        """Something of ours has failed, so that the call cannot go on."""
        self.end(EndReason.ERROR, str(failure))

    # --- machinery

    def _set_timer(self, name: str, delay: float, callback: Callable[[], None]) -> None:
        self._stop_timer(name)
        self._timers[name] = self._loop.call_later(delay, self._attempt, callback)

    def _stop_timer(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str, *, spare: bool = False) -> asyncio.Task[None]:
        """Do something beside. It breaks the call if it fails, unless it is `spare`: what the call can do without."""
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(partial(self._done, spare=spare))
        return task

    def _done(self, task: asyncio.Task[None], *, spare: bool) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("Call %s: %s broke", self._call_id, task.get_name(), exc_info=error)
        if not spare:
            self._break(in_words("callwright", error))
