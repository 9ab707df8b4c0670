from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable

import pytest

from voice.clock import run_virtual
from voice.media.pacer import SLOT_SECONDS, SLOTS, Pacer


class Member:
    """Notes when it is ticked, and does something then if told to."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.ticks: list[float] = []
        self.then = then

    def tick(self) -> None:
        self.ticks.append(asyncio.get_running_loop().time())
        self.then()


def gaps(times: list[float]) -> list[float]:
    return [round(later - earlier, 6) for earlier, later in itertools.pairwise(times)]


def test_a_member_is_ticked_every_20_ms():
    async def scenario() -> list[float]:
        pacer, member = Pacer(), Member()
        pacer.add(member)
        await asyncio.sleep(1.001)
        pacer.remove(member)
        return member.ticks

    ticks = run_virtual(scenario())
    assert len(ticks) == 50
    assert ticks[0] == pytest.approx(0.02)
    assert set(gaps(ticks)) == {0.02}


def test_the_first_tick_comes_no_later_than_a_frame_after_joining_and_no_earlier_than_a_slot_before():
    async def scenario(joins_after: float) -> float:
        pacer, first, second = Pacer(), Member(), Member()
        pacer.add(first)
        await asyncio.sleep(joins_after)
        joined = asyncio.get_running_loop().time()
        pacer.add(second)
        await asyncio.sleep(0.05)
        return second.ticks[0] - joined

    for milliseconds in range(0, 40, 3):
        wait = run_virtual(scenario(milliseconds / 1000))
        assert 0.02 - SLOT_SECONDS - 1e-6 <= wait <= 0.02 + 1e-6


def test_members_that_join_at_different_moments_are_ticked_in_different_slots():
    async def scenario() -> list[list[float]]:
        pacer = Pacer()
        members = [Member() for _ in range(SLOTS)]
        for member in members:
            pacer.add(member)
            await asyncio.sleep(SLOT_SECONDS + 0.001)
        await asyncio.sleep(0.1)
        return [member.ticks for member in members]

    slots = {round(ticks[0] / SLOT_SECONDS, 2) % SLOTS for ticks in run_virtual(scenario())}
    assert len(slots) == SLOTS


def test_it_keeps_real_time_after_the_loop_was_busy():
    async def scenario() -> tuple[int, float]:
        pacer, member = Pacer(), Member()
        started = asyncio.get_running_loop().time()
        pacer.add(member)
        await asyncio.sleep(0.05)
        time.sleep(0.2)  # noqa: ASYNC251 (what must never happen, happens)
        await asyncio.sleep(0.05)
        return len(member.ticks), asyncio.get_running_loop().time() - started

    ticks, elapsed = asyncio.run(scenario())
    assert abs(ticks - int(elapsed / 0.02)) <= 1


def test_a_member_that_is_removed_is_not_ticked_again():
    async def scenario() -> tuple[int, int]:
        pacer = Pacer()
        leaving, staying = Member(), Member()
        leaving.then = lambda: pacer.remove(leaving)
        pacer.add(leaving)
        pacer.add(staying)
        await asyncio.sleep(0.101)
        return len(leaving.ticks), len(staying.ticks)

    assert run_virtual(scenario()) == (1, 5)


def test_a_member_that_is_removed_by_another_in_the_same_slot_is_not_ticked():
    async def scenario() -> tuple[int, int]:
        pacer = Pacer()
        victim = Member()
        culprit = Member(then=lambda: pacer.remove(victim))
        pacer.add(culprit)
        pacer.add(victim)
        await asyncio.sleep(0.05)
        return len(culprit.ticks), len(victim.ticks)

    assert run_virtual(scenario()) == (2, 0)


def test_adding_a_member_twice_ticks_it_once_a_frame():
    async def scenario() -> int:
        pacer, member = Pacer(), Member()
        pacer.add(member)
        pacer.add(member)
        await asyncio.sleep(0.101)
        return len(member.ticks)

    assert run_virtual(scenario()) == 5


def test_it_rests_without_members_and_starts_again():
    async def scenario() -> tuple[int, int, float]:
        pacer, member = Pacer(), Member()
        pacer.add(member)
        await asyncio.sleep(0.05)
        pacer.remove(member)
        await asyncio.sleep(0.05)
        tasks = len(asyncio.all_tasks())
        ticks = len(member.ticks)
        again = asyncio.get_running_loop().time()
        pacer.add(member)
        await asyncio.sleep(0.021)
        return tasks, ticks, member.ticks[-1] - again

    tasks, ticks, wait = run_virtual(scenario())
    assert tasks == 1  # the scenario itself
    assert ticks == 2
    assert wait == pytest.approx(0.02)


def test_a_member_that_leaves_and_comes_back_is_ticked_once_a_frame():
    async def scenario() -> list[float]:
        pacer, member = Pacer(), Member()
        pacer.add(member)
        await asyncio.sleep(0.012)
        pacer.remove(member)
        pacer.add(member)
        await asyncio.sleep(0.0581)
        return member.ticks

    assert run_virtual(scenario()) == pytest.approx([0.03, 0.05, 0.07])


def test_a_member_that_breaks_is_dropped_and_the_others_go_on(caplog: pytest.LogCaptureFixture):
    def broken() -> None:
        raise RuntimeError("no more sockets")

    async def scenario() -> tuple[int, int]:
        pacer, bad, good = Pacer(), Member(broken), Member()
        pacer.add(bad)
        pacer.add(good)
        await asyncio.sleep(0.101)
        return len(bad.ticks), len(good.ticks)

    with caplog.at_level(logging.ERROR):
        assert run_virtual(scenario()) == (1, 5)
    assert "no more sockets" in caplog.text
