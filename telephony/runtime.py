"""The calls of this process: how they begin, how they are watched over, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import structlog
from django.db import DatabaseError, close_old_connections

from accounts.models import User
from billing.limits.leases import Cover, leases_renew
from builder.models import Agent
from builder.personal import personalised
from core import lifespan
from core.errors import ApiError, ErrorCode
from telephony import services
from telephony.browser import BrowserTransport, Outbox
from telephony.live import CallFacts, LiveCall
from telephony.process import this_process
from telephony.providers import Providers
from telephony.recordings import recording_path
from telephony.services import Admitted
from telephony.sink import EventSink, EventStore
from voice import events
from voice.call import EndReason
from voice.calls import make_call
from voice.media.recording import Recorder

# At shutdown calls have so long to say that they end, and then so long to be written down all the same.
ENDING_SECONDS = 3.0
CUTTING_SECONDS = 1.0
# How long the end of a call waits for its last events to be stored.
STORING_SECONDS = 5.0
FINISH_TRIES = 5

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger(__name__)


# Heartbeats do not wait behind calls that begin and end: those may wait long for the database.
_heart = ThreadPoolExecutor(1, thread_name_prefix="heartbeat")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call what uses the database, off the event loop. Its thread keeps no connection."""
    return await asyncio.to_thread(lambda: _connected(function, *args, **kwargs))


def _connected(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()


class Runtime:
    """What the calls of a process share. It belongs to one event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.process = this_process()
        self.calls: dict[str, LiveCall] = {}
        self.store = EventStore()
        self.providers = Providers()
        self._beating: asyncio.Task[None] | None = None
        self._stopping = False

    # --- a call

    async def start_call(self, *, agent: Agent, user: User, outbox: Outbox) -> LiveCall:
        """Begin a test call of `agent` by `user`, who is at the far end of `outbox`. Raises ApiError when refused."""
        if self._stopping:
            raise ApiError(ErrorCode.CONFLICT, "The server is stopping", "Try again when it runs again.")
        admitted = await in_thread(
            services.call_start,
            agent=agent,
            actor=user,
            process=self.process,
            require_ready=self.providers.require_ready,
        )
        try:
            live = await self._live(admitted)
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"
            await self._finish(admitted.call.pk, events.CallEnded(at=0.0, reason=EndReason.ERROR, detail=detail), 0.0)
            raise
        self.calls[live.facts.id] = live
        self._limit(live, admitted.cover)
        live.attach(outbox)
        live.task = asyncio.create_task(self._run(live), name=f"call {live.facts.id}")
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat(), name="heartbeat")
        return live

    async def _live(self, admitted: Admitted) -> LiveCall:
        call = admitted.call
        known = _known(admitted)
        compiled, variables, asked = await personalised(admitted.compiled, known)
        transport, sink = BrowserTransport(), EventSink(call.pk, self.store)
        spec = compiled.spec
        recorder = Recorder(recording_path(call.pk)) if spec.recording.enabled else None
        conversation = make_call(
            call_id=call.pk,
            spec=spec,
            services=self.providers.services(compiled),
            transport=transport,
            sink=sink,
            recorder=recorder,
            variables={**known, **variables},
            before=asked,
        )
        return LiveCall(
            facts=CallFacts.of(call), conversation=conversation, transport=transport, sink=sink, recorder=recorder
        )

    def _limit(self, live: LiveCall, cover: Cover) -> None:
        """Tell a call until when it is paid for."""
        live.conversation.limit(cover.seconds, grace=float(cover.grace))

    async def _run(self, live: LiveCall) -> None:
        """Hold the conversation, and write its end down however it comes."""
        call_id, clock = live.facts.id, live.conversation.clock
        try:
            with structlog.contextvars.bound_contextvars(call_id=call_id):
                ended = await live.conversation.run()
        except asyncio.CancelledError:
            ended = events.CallEnded(at=clock.now(), reason=EndReason.SHUTDOWN, detail="The server was stopped.")
            live.sink(ended)
        except Exception as error:
            log.exception("A conversation broke", call_id=call_id)
            detail = f"{type(error).__name__}: {error}"
            ended = events.CallEnded(at=clock.now(), reason=EndReason.ERROR, detail=detail)
            live.sink(ended)
        await self._finish(call_id, ended, await in_thread(_recorded, live.recorder))
        live.close(ended.reason, ended.detail)
        self.calls.pop(call_id, None)

    async def _finish(self, call_id: str, ended: events.CallEnded, recorded: float) -> None:
        """Store the end of a call. Where the database does not let us, recovery does it later."""
        try:
            async with asyncio.timeout(STORING_SECONDS):
                await self.store.drain()
        except TimeoutError:
            log.warning("The end of a call was not stored in time", call_id=call_id)
        for attempt in range(1, FINISH_TRIES + 1):
            try:
                await in_thread(
                    services.call_finish,
                    call_id=call_id,
                    reason=str(ended.reason),
                    detail=ended.detail,
                    duration=ended.at,
                    recording_seconds=recorded,
                )
                return
            except DatabaseError as error:
                log.warning("A call could not be finished", call_id=call_id, error=str(error), attempt=attempt)
                await asyncio.sleep(0.2 * 2**attempt)

    # --- all of them

    async def _beat(self) -> None:
        """Say every few seconds that the calls are alive; end those that were taken for dead."""
        try:
            while self.calls:
                await asyncio.sleep(services.HEARTBEAT_SECONDS)
                if not self.calls:
                    return
                try:
                    gone, covers = await self.loop.run_in_executor(_heart, _connected, _beaten, list(self.calls))
                except DatabaseError as error:
                    log.warning("The heartbeat of calls was not stored", error=str(error))
                    continue
                for call_id, cover in covers.items():
                    if (live := self.calls.get(call_id)) is not None:
                        self._limit(live, cover)
                for call_id in gone:
                    if (live := self.calls.get(call_id)) is not None:
                        live.conversation.end(EndReason.ERROR, "The call was finished from elsewhere.")
        finally:
            self._beating = None

    async def stop(self) -> None:
        """End every call, and see to it that each is stored."""
        self._stopping = True
        for live in list(self.calls.values()):
            live.conversation.end(EndReason.SHUTDOWN, "The server was stopped.")
        tasks = {live.task for live in self.calls.values() if live.task is not None}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=ENDING_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=CUTTING_SECONDS)
        if self._beating is not None:
            self._beating.cancel()
        try:
            async with asyncio.timeout(CUTTING_SECONDS):
                await self.store.drain()
        except TimeoutError:
            log.error("The last events of calls were not stored")


def _beaten(call_ids: list[str]) -> tuple[list[str], dict[str, Cover]]:
    """The calls that are live no more, and until when others are paid for."""
    return services.calls_beat(call_ids=call_ids), leases_renew(call_ids=call_ids)


def _known(admitted: Admitted) -> dict[str, object]:
    """The variables that a test call begins with."""
    call = admitted.call
    return {
        **admitted.compiled.test_values,
        "system__call_id": call.pk,
        "system__agent_id": call.agent_id,
        "system__agent_name": admitted.compiled.spec.name,
        "system__channel": call.channel,
        "system__call_direction": "inbound",
    }


def _recorded(recorder: Recorder | None) -> float:
    """Seconds in the recording's file; of one whose disk failed, what it took before. 0 where nothing is recorded."""
    if recorder is None:
        return 0.0
    if not recorder.failed:
        return recorder.duration
    try:
        return Recorder.recover(recorder.path)
    except OSError:
        return 0.0


_runtime: Runtime | None = None


def current() -> Runtime:
    """The runtime of the running event loop."""
    global _runtime
    if _runtime is None or _runtime.loop is not asyncio.get_running_loop():
        _runtime = Runtime()
    return _runtime


async def start() -> None:
    """Begin to load what calls need, and finish the calls that the last run of this server left behind."""
    global _runtime
    _runtime = Runtime()
    try:
        recovered = await in_thread(services.calls_recover)
    except DatabaseError:
        log.exception("Lost calls could not be recovered")  # a worker tries again soon
    else:
        if recovered:
            log.info("Lost calls were finished", calls=len(recovered))


async def stop() -> None:
    """End the calls. From now on there are no new ones."""
    await current().stop()


lifespan.on_startup(start)
lifespan.on_shutdown(stop)
