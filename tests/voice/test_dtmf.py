"""When the caller's keys are an entry."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voice.clock import run_virtual
from voice.dtmf import DtmfCollector, DtmfEntry

USUAL: dict[str, Any] = {"terminator": "#", "most": 32, "pause": 3.0}


def collect(keys: str, *, wait: float = 0.0, asked: bool = False, **settings: Any) -> list[tuple[DtmfEntry, float]]:
    """The entries, with their times, of a caller who presses a key every half second (`.` is none), then waits."""

    async def scenario() -> list[tuple[DtmfEntry, float]]:
        loop = asyncio.get_running_loop()
        entries: list[tuple[DtmfEntry, float]] = []
        collector = DtmfCollector(lambda entry: entries.append((entry, loop.time())), **{**USUAL, **settings})
        if asked:
            collector.expect()
        for key in keys:
            await asyncio.sleep(0.5)
            if key != ".":
                collector.press(key)
        await asyncio.sleep(wait)
        return entries

    return run_virtual(scenario())


def test_a_terminator_ends_an_entry_and_is_no_part_of_it() -> None:
    assert collect("1234#") == [(DtmfEntry("1234", "terminator"), 2.5)]


def test_the_longest_entry_needs_no_terminator() -> None:
    assert collect("1234", most=4) == [(DtmfEntry("1234", "length"), 2.0)]


def test_silence_after_a_key_ends_an_entry() -> None:
    assert collect("12", wait=10.0, pause=3.0) == [(DtmfEntry("12", "timeout"), 4.0)]


def test_each_key_gets_the_whole_time_for_the_next() -> None:
    assert collect("1....2....3#", pause=3.0) == [(DtmfEntry("123", "terminator"), 6.0)]


def test_a_caller_who_was_asked_and_presses_nothing_gives_an_empty_entry() -> None:
    assert collect("", asked=True, wait=20.0, first=8.0) == [(DtmfEntry("", "timeout"), 8.0)]


def test_nobody_waits_for_an_entry_that_was_not_asked_for() -> None:
    assert collect("", wait=60.0) == []


def test_a_terminator_that_comes_too_early_is_ignored() -> None:
    assert collect("1#23#", least=3) == [(DtmfEntry("123", "terminator"), 2.5)]
    assert collect("1#", least=3, wait=9.0, pause=3.0) == [(DtmfEntry("1", "timeout"), 4.0)]


def test_an_entry_may_be_a_terminator_alone() -> None:
    assert collect("#") == [(DtmfEntry("", "terminator"), 0.5)]


def test_the_terminator_can_be_chosen() -> None:
    assert collect("1#2*", terminator="*") == [(DtmfEntry("1#2", "terminator"), 2.0)]
    assert collect("12", terminator="", most=2) == [(DtmfEntry("12", "length"), 1.0)]


def test_one_entry_follows_another() -> None:
    assert [entry for entry, _ in collect("1#22#", wait=9.0)] == [
        DtmfEntry("1", "terminator"),
        DtmfEntry("22", "terminator"),
    ]


def test_an_entry_of_a_closed_collector_is_forgotten() -> None:
    async def scenario() -> list[DtmfEntry]:
        entries: list[DtmfEntry] = []
        collector = DtmfCollector(entries.append, **USUAL)
        collector.press("1")
        assert collector.digits == "1"
        collector.close()
        await asyncio.sleep(60.0)
        collector.press("2")
        collector.press("#")
        return entries

    assert run_virtual(scenario()) == [DtmfEntry("2", "terminator")]


def test_the_next_entry_can_be_expected_from_the_callback() -> None:
    async def scenario() -> list[DtmfEntry]:
        entries: list[DtmfEntry] = []

        def on_entry(entry: DtmfEntry) -> None:
            entries.append(entry)
            if len(entries) < 2:
                collector.expect()

        collector = DtmfCollector(on_entry, first=5.0, **USUAL)
        collector.press("7")
        collector.press("#")
        await asyncio.sleep(60.0)
        return entries

    assert run_virtual(scenario()) == [DtmfEntry("7", "terminator"), DtmfEntry("", "timeout")]


def test_lengths_that_exclude_each_other_are_refused() -> None:
    async def scenario() -> None:
        DtmfCollector(lambda entry: None, terminator="#", least=5, most=4, pause=3.0)

    with pytest.raises(ValueError, match="no such entry"):
        run_virtual(scenario())
