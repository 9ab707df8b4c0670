"""The time limit that is set again and again."""

from __future__ import annotations

import asyncio

import pytest

from voice.clock import run_virtual
from voice.deadline import Deadline


def test_what_comes_in_time_is_given() -> None:
    async def run() -> list[str]:
        async with Deadline() as deadline:
            return [await deadline.wait(asyncio.sleep(0.9, word), 1.0) for word in ("one", "two", "three")]

    assert run_virtual(run()) == ["one", "two", "three"]


@pytest.mark.parametrize("before", [0.2, 3.0])
def test_what_does_not_come_in_time_is_given_up_then(before: float) -> None:
    async def run() -> float:
        async with Deadline() as deadline:
            await deadline.wait(asyncio.sleep(0.1), before)
            with pytest.raises(TimeoutError):
                await deadline.wait(asyncio.sleep(60), 1.0)
        return asyncio.get_running_loop().time()

    assert run_virtual(run()) == pytest.approx(1.1)


def test_time_that_is_not_waited_in_does_not_count() -> None:
    async def run() -> str:
        async with Deadline() as deadline:
            await deadline.wait(asyncio.sleep(0.1), 1.0)
            await asyncio.sleep(10)
            return await deadline.wait(asyncio.sleep(0.9, "late"), 1.0)

    assert run_virtual(run()) == "late"


def test_a_cancelled_wait_stays_cancelled() -> None:
    async def run() -> bool:
        async def waiting() -> None:
            async with Deadline() as deadline:
                await deadline.wait(asyncio.sleep(60), 30.0)

        task = asyncio.ensure_future(waiting())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert run_virtual(run())
