"""The virtual clock."""

from __future__ import annotations

import asyncio
import time

import pytest

from voice.clock import CallClock, run_virtual


def test_an_hour_passes_at_once() -> None:
    async def wait() -> float:
        clock = CallClock(asyncio.get_running_loop())
        await asyncio.sleep(3600)
        return clock.now()

    started = time.monotonic()
    assert run_virtual(wait()) == pytest.approx(3600)
    assert time.monotonic() - started < 60


def test_waiting_for_nothing_is_an_error_and_no_hang() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="wait forever"):
        run_virtual(wait())


def test_a_call_s_clock_starts_at_its_start() -> None:
    async def wait() -> float:
        await asyncio.sleep(5)
        clock = CallClock(asyncio.get_running_loop())
        await asyncio.sleep(2)
        return clock.now()

    assert run_virtual(wait()) == pytest.approx(2)
