"""Where a call's events go: into the database, to the person on the call, and to whoever watches it from elsewhere.

The call never waits. Events of all calls of a process are stored together every quarter of a second by one thread, in
their order; while the database is in trouble they wait in memory and are tried again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog
from channels.layers import get_channel_layer
from django.db import InterfaceError, OperationalError, close_old_connections

from telephony import services
from telephony.models import CallEvent
from voice import events
from voice.events import Event

FLUSH_SECONDS = 0.25
RETRY_SECONDS = 5.0
# What one transaction stores at most.
BATCH = 1000
# What waits in memory at most while the database is away; some tens of megabytes.
WAITING_LIMIT = 50_000
# How many of its last events a call keeps at hand: what a browser missed that was gone for a moment.
KEPT = 256
# The channel layer has this long to take them, and after a failure it is left alone for a while.
PUBLISH_SECONDS = 0.5
PUBLISH_AGAIN_SECONDS = 30.0

log = structlog.get_logger(__name__)

# One thread: events are stored in the order in which they happened.
_writer = ThreadPoolExecutor(1, thread_name_prefix="events")


class EventStore:
    """Stores the events of all calls of this process."""

    def __init__(self) -> None:
        self._waiting: deque[CallEvent] = deque()
        self._added = 0
        self._stored = 0
        self._dropped = 0
        self._publish_from = 0.0
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._drained: list[tuple[int, asyncio.Future[None]]] = []

    def add(self, call_id: str, sequence: int, data: dict[str, Any]) -> None:
        """Have an event stored soon."""
        if len(self._waiting) >= WAITING_LIMIT:
            if self._dropped % 1000 == 0:
                log.error("The database is away for too long: events are lost", call_id=call_id, lost=self._dropped + 1)
            self._dropped += 1
            return
        self._waiting.append(CallEvent.of(call_id, sequence, data))
        self._added += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="event store")

    async def drain(self) -> None:
        """Have everything so far stored at once. Returns when it is."""
        if self._stored < self._added:
            done = asyncio.get_running_loop().create_future()
            self._drained.append((self._added, done))
            self._hurry.set()
            await done

    async def _run(self) -> None:
        loop, delay = asyncio.get_running_loop(), FLUSH_SECONDS
        try:
            while self._waiting:
                await self._pause(delay)
                batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
                try:
                    await loop.run_in_executor(_writer, _store, batch)
                except (OperationalError, InterfaceError) as error:
                    delay = min(2 * delay, RETRY_SECONDS)
                    log.warning("Events could not be stored", error=str(error), waiting=len(self._waiting), retry=delay)
                    continue
                delay = FLUSH_SECONDS
                for _ in batch:
                    self._waiting.popleft()
                self._stored += len(batch)
                self._tell_drained()
                if loop.time() >= self._publish_from and not await _publish(batch):
                    self._publish_from = loop.time() + PUBLISH_AGAIN_SECONDS
        finally:
            self._task = None

    async def _pause(self, delay: float) -> None:
        """Wait for `delay` seconds, or until somebody is in a hurry and there is no trouble."""
        if delay > FLUSH_SECONDS:
            await asyncio.sleep(delay)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), delay)

    def _tell_drained(self) -> None:
        for target, done in self._drained:
            if target <= self._stored and not done.done():
                done.set_result(None)
        self._drained = [(target, done) for target, done in self._drained if not done.done()]
        if not self._drained:
            self._hurry.clear()


def _store(rows: list[CallEvent]) -> None:
    """In the writer's thread. Raises OperationalError or InterfaceError when it makes sense to try again."""
    close_old_connections()
    try:
        services.event_rows_create(rows=rows)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        _store_singly(rows)
    finally:
        close_old_connections()


def _store_singly(rows: list[CallEvent]) -> None:
    """One of the rows cannot be stored (its call is deleted, its text holds a NUL): it must not hold up the others."""
    for row in rows:
        try:
            services.event_rows_create(rows=[row])
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.error("An event cannot be stored", call_id=row.call_id, type=row.type, error=str(error))


async def _publish(rows: Sequence[CallEvent]) -> bool:
    """Tell those who watch a call of its new events; False if that failed. They can read what they missed."""
    layer = get_channel_layer()
    if layer is None:
        return True
    by_call: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        shown = {"sequence": row.sequence, **without_messages(row.encoded)}
        by_call.setdefault(row.call_id, []).append(shown)
    try:
        async with asyncio.timeout(PUBLISH_SECONDS):
            for call_id, found in by_call.items():
                await layer.group_send(group_of(call_id), {"type": "call.events", "call": call_id, "events": found})
    except Exception as error:
        log.warning("Events could not be published", error=str(error) or type(error).__name__)
        return False
    return True


def group_of(call_id: str) -> str:
    """The channel layer's group of those who watch a call."""
    return f"call.{call_id}"


def without_messages(data: dict[str, Any]) -> dict[str, Any]:
    """An encoded event as it is sent to browsers: the conversation with the model, and its prompt, stay behind."""
    if data["type"] not in (events.ModelRequested.type, events.CallStarted.type):
        return data
    return {name: value for name, value in data.items() if name not in ("messages", "spec")}


Listener = Callable[[int, Event, dict[str, Any]], None]


class EventSink:
    """Takes the events of one call, numbers them, keeps the last ones at hand and passes all on."""

    def __init__(self, call_id: str, store: EventStore) -> None:
        self.recent: deque[tuple[int, Event, dict[str, Any]]] = deque(maxlen=KEPT)
        self.listener: Listener | None = None
        """Told of each event at once."""
        self._call_id = call_id
        self._store = store
        self._next = 0

    def __call__(self, event: Event) -> None:
        sequence, data = self._next, events.encode(event)
        self._next += 1
        self.recent.append((sequence, event, data))
        self._store.add(self._call_id, sequence, data)
        if self.listener is not None:
            self.listener(sequence, event, data)
