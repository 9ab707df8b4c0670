from __future__ import annotations

import asyncio
import threading

import pytest

from voice.providers.base import ProviderBusy
from voice.providers.local.lanes import Lane


@pytest.fixture
def gate():
    """Keeps work from ending until it is set."""
    gate = threading.Event()
    yield gate
    gate.set()


async def begun(lane: Lane, gate: threading.Event, *, priority: int = 0) -> asyncio.Task:
    """Work that is running until the gate opens."""
    running = threading.Event()

    def work(unwanted: threading.Event) -> None:
        running.set()
        gate.wait(5)

    task = asyncio.create_task(lane.run(work, priority=priority))
    await asyncio.to_thread(running.wait, 5)
    return task


async def test_more_than_the_limit_is_refused_at_once(gate):
    lane = Lane("tests", workers=1, limit=1)
    task = await begun(lane, gate)
    waiting = asyncio.create_task(lane.run(lambda _: "second"))
    await asyncio.sleep(0)
    with pytest.raises(ProviderBusy, match="1 requests wait for tests"):
        await lane.run(lambda _: "third")
    gate.set()
    await task
    assert await waiting == "second"
    assert await lane.run(lambda _: "fourth") == "fourth"


async def test_urgent_work_goes_first(gate):
    lane = Lane("tests", workers=1, limit=5)
    task = await begun(lane, gate)
    order: list[str] = []
    later = asyncio.create_task(lane.run(lambda _: order.append("later"), priority=1))
    await asyncio.sleep(0)
    sooner = asyncio.create_task(lane.run(lambda _: order.append("sooner"), priority=0))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(task, later, sooner)
    assert order == ["sooner", "later"]


async def test_a_worker_is_kept_for_urgent_work(gate):
    lane = Lane("tests", workers=2, limit=5, spare=1)
    task = await begun(lane, gate, priority=1)
    second = asyncio.create_task(lane.run(lambda _: None, priority=1))
    await asyncio.sleep(0.02)
    assert not second.done()
    assert await lane.run(lambda _: "urgent", priority=0) == "urgent"
    gate.set()
    await asyncio.gather(task, second)


async def test_work_that_is_withdrawn_while_it_waits_is_dropped(gate):
    lane = Lane("tests", workers=1, limit=5)
    task = await begun(lane, gate)
    ran: list[str] = []
    withdrawn = asyncio.create_task(lane.run(lambda _: ran.append("withdrawn")))
    await asyncio.sleep(0)
    withdrawn.cancel()
    gate.set()
    await task
    await lane.run(lambda _: ran.append("next"))
    assert ran == ["next"]


async def test_work_that_is_withdrawn_while_it_runs_is_told_and_keeps_its_place(gate):
    lane = Lane("tests", workers=1, limit=5)
    told = threading.Event()
    running = threading.Event()

    def work(unwanted: threading.Event) -> None:
        running.set()
        if unwanted.wait(5):
            told.set()
        gate.wait(5)

    task = asyncio.create_task(lane.run(work))
    await asyncio.to_thread(running.wait, 5)
    task.cancel()
    assert await asyncio.to_thread(told.wait, 5)
    after = asyncio.create_task(lane.run(lambda _: "after"))
    await asyncio.sleep(0.02)
    assert not after.done()
    gate.set()
    assert await after == "after"
    assert lane.load == 0


async def test_a_failure_reaches_who_asked_and_frees_the_place():
    lane = Lane("tests", workers=1, limit=1)

    def fail(unwanted: threading.Event) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await lane.run(fail)
    assert await lane.run(lambda _: 1) == 1
