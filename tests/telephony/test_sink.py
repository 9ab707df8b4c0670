from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import IntegrityError, OperationalError

from telephony import services, sink
from telephony.models import Call, CallEvent
from telephony.runtime import in_thread
from telephony.sink import EventSink, EventStore
from tests.conftest import CallFactory
from voice import events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(call_factory: CallFactory) -> Call:
    return call_factory(state=Call.State.LIVE)


@pytest.fixture
async def store() -> AsyncIterator[EventStore]:
    made = EventStore()
    yield made
    async with asyncio.timeout(10):
        await made.drain()


class Database:
    """Stands before the database: counts what is stored together, and fails when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[int] = []
        self.failures: list[Exception] = []
        self._store = services.event_rows_create
        monkeypatch.setattr(services, "event_rows_create", self.event_rows_create)

    def event_rows_create(self, *, rows: list[CallEvent]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self._store(rows=rows)
        self.batches.append(len(rows))


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    return Database(monkeypatch)


def said(number: int, text: str = "Hello") -> events.CallerPartial:
    return events.CallerPartial(at=number / 10, turn=1, text=text)


async def stored(call: Call) -> list[int]:
    return [sequence async for sequence in call.events.order_by("id").values_list("sequence", flat=True)]


async def test_events_are_stored_together_and_in_order(call: Call, store: EventStore, database: Database) -> None:
    taker = EventSink(call.pk, store)
    for number in range(50):
        taker(said(number))
    assert await stored(call) == []
    await asyncio.sleep(sink.FLUSH_SECONDS + 0.3)
    assert await stored(call) == list(range(50))
    assert database.batches == [50]


async def test_an_event_is_stored_whole(call: Call, store: EventStore) -> None:
    happened = events.AgentHeard(at=1.5, turn=2, words=[events.Word("Olá", 1.0, 1.4)])
    EventSink(call.pk, store)(happened)
    await store.drain()
    row = await call.events.aget()
    assert (row.type, row.at, row.turn) == ("agent.heard", 1.5, 2)
    assert events.decode(row.encoded) == happened


async def test_the_last_events_need_not_wait(call: Call, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "FLUSH_SECONDS", 60.0)
    taker = EventSink(call.pk, store)
    taker(said(0))
    async with asyncio.timeout(5):
        await store.drain()
    assert await stored(call) == [0]


async def test_calls_share_a_transaction(
    call: Call, call_factory: CallFactory, store: EventStore, database: Database
) -> None:
    other = await in_thread(call_factory)
    one, two = EventSink(call.pk, store), EventSink(other.pk, store)
    for number in range(3):
        one(said(number))
        two(said(number))
    await store.drain()
    assert database.batches == [6]
    assert await stored(call) == await stored(other) == [0, 1, 2]


async def test_events_wait_for_a_database_in_trouble_and_keep_their_order(
    call: Call, store: EventStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "FLUSH_SECONDS", 0.02)
    database.failures = [OperationalError("database is locked"), OperationalError("gone")]
    taker = EventSink(call.pk, store)
    for number in range(10):
        taker(said(number))
        await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        await store.drain()
    assert database.failures == []
    assert await stored(call) == list(range(10))


async def test_a_batch_that_was_stored_after_all_is_not_stored_twice(
    call: Call, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_really, tries = services.event_rows_create, []

    def lost_answer(*, rows: list[CallEvent]) -> None:
        store_really(rows=rows)
        tries.append(len(rows))
        if len(tries) == 1:
            raise OperationalError("the connection was closed unexpectedly")

    monkeypatch.setattr(services, "event_rows_create", lost_answer)
    taker = EventSink(call.pk, store)
    for number in range(3):
        taker(said(number))
    async with asyncio.timeout(5):
        await store.drain()
    assert len(tries) == 2
    assert await stored(call) == [0, 1, 2]


async def test_a_call_deleted_meanwhile_holds_up_no_other(
    call: Call, call_factory: CallFactory, store: EventStore
) -> None:
    other = await in_thread(call_factory)
    one, two = EventSink(call.pk, store), EventSink(other.pk, store)
    for number in range(3):
        one(said(number))
        two(said(number))
    await other.adelete()
    async with asyncio.timeout(5):
        await store.drain()
    assert await stored(call) == [0, 1, 2]
    assert not await CallEvent.objects.filter(call_id=other.pk).aexists()


async def test_an_event_that_cannot_be_stored_holds_up_no_other(
    call: Call, store: EventStore, database: Database
) -> None:
    database.failures = [IntegrityError("in the batch"), IntegrityError("the first one alone")]
    taker = EventSink(call.pk, store)
    for number in range(3):
        taker(said(number))
    async with asyncio.timeout(5):
        await store.drain()
    assert await stored(call) == [1, 2]


async def test_memory_is_bounded_while_the_database_is_away(
    call: Call, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "WAITING_LIMIT", 5)
    taker = EventSink(call.pk, store)
    for number in range(9):
        taker(said(number))
    await store.drain()
    assert await stored(call) == [0, 1, 2, 3, 4]


async def test_watchers_are_told_without_what_the_model_was_sent(call: Call, store: EventStore) -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(sink.group_of(call.pk), channel)
    taker = EventSink(call.pk, store)
    taker(said(0))
    taker(
        events.ModelRequested(
            at=1.0, turn=1, request="r", provider="p", model="m", messages=[{"role": "system"}], tools=[]
        )
    )
    async with asyncio.timeout(5):
        told = await layer.receive(channel)
    assert (told["type"], told["call"]) == ("call.events", call.pk)
    assert [event["sequence"] for event in told["events"]] == [0, 1]
    assert told["events"][1]["model"] == "m"
    assert "messages" not in told["events"][1]
    assert "messages" in (await call.events.aget(sequence=1)).data


async def test_a_channel_layer_in_trouble_holds_up_nothing(
    call: Call, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Broken:
        async def group_send(self, group: str, message: dict[str, Any]) -> None:
            asked.append(group)
            raise ConnectionError("no Valkey")

    monkeypatch.setattr(sink, "get_channel_layer", Broken)
    taker = EventSink(call.pk, store)
    for number in range(2):
        taker(said(number))
        await store.drain()
    await asyncio.sleep(0)
    assert await stored(call) == [0, 1]
    assert len(asked) == 1


async def test_the_panel_is_told_at_once_and_in_order(call: Call, store: EventStore) -> None:
    taker, told = EventSink(call.pk, store), []
    taker.listener = lambda sequence, event, data: told.append((sequence, event, data["text"]))
    first, second = said(0, "Hel"), said(1, "Hello")
    taker(first)
    taker(second)
    assert told == [(0, first, "Hel"), (1, second, "Hello")]


async def test_only_the_last_events_are_kept_at_hand(
    call: Call, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    taker = EventSink(call.pk, store)
    for number in range(sink.KEPT + 10):
        taker(said(number))
    assert [sequence for sequence, _, _ in taker.recent] == list(range(10, sink.KEPT + 10))
