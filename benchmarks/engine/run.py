"""One measurement of one engine in this process. Prints its result as one line of JSON.

python -m benchmarks.engine.run --engine callwright --calls 100 --seconds 60 --barge-in
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import threading
from typing import Any

from benchmarks.engine import adapter, null_engine, scripts
from benchmarks.engine.driver import Driver, LagProbe
from benchmarks.engine.fakes import FLOOR
from benchmarks.engine.features import FEATURES
from benchmarks.engine.line import Heard, Line
from benchmarks.engine.measure import Cost, percentile, rss_mb

NULL_SECONDS = 4.0
CHURN_CALLS = 120
CHURN_AT_ONCE = 10
CHURN_SECONDS = 5.5
"""Long enough to be 0.8 s into the first reply: the caller hangs up on the agent."""

Result = dict[str, Any]


async def turns(engine: adapter.Adapter, calls: int, seconds: float, *, barge_in: bool, noisy: bool) -> Result:
    """Open `calls` calls, let each reach its rhythm, then measure for `seconds`."""
    driver_cost = await _driver_cost(calls)
    await engine.start()
    gc.collect()
    threads_before, memory_before = threading.active_count(), rss_mb()
    driver, heard = Driver(), Heard()
    lines = _lines(calls, heard, noisy=noisy)
    for line in lines:
        await engine.open(line)
        driver.add(line)
    result: Result = {"calls": calls, "version": engine.version}
    if seconds:
        await asyncio.sleep(scripts.TURN_SECONDS)
        result |= await _window(heard, calls, seconds, driver_cost)
        result["rss_mb_per_call"] = (rss_mb() - memory_before) / calls
        result["threads_per_call"] = (threading.active_count() - threads_before) / calls
    if barge_in:
        result |= await _barge_in(lines)
    await driver.stop()
    await asyncio.gather(*(engine.close(line) for line in lines))
    await engine.stop()
    return result


def _lines(calls: int, heard: Heard, *, noisy: bool = False) -> list[Line]:
    """So many lines, spread evenly over a cycle."""
    script = scripts.turns(noisy=noisy)
    return [Line(i, heard, lead=i * scripts.TURN_SECONDS / calls, script=script) for i in range(calls)]


async def _driver_cost(calls: int) -> float:
    """CPU seconds per second of driving so many calls of an engine that does nothing."""
    engine, driver, heard = null_engine.Adapter(), Driver(), Heard()
    for line in _lines(calls, heard):
        await engine.open(line)
        driver.add(line)
    probe, before = LagProbe(), Cost.now()
    await asyncio.sleep(NULL_SECONDS)
    cost = Cost.now() - before
    await probe.stop()
    await driver.stop()
    return cost.own / cost.at


async def _window(heard: Heard, calls: int, seconds: float, driver_cost: float) -> Result:
    probe = LagProbe()
    heard.open, before = True, Cost.now()
    await asyncio.sleep(seconds)
    heard.open, cost = False, Cost.now() - before
    await probe.stop()
    call_minutes = calls * cost.at / 60
    driver = driver_cost * cost.at
    return {
        "seconds": cost.at,
        "cpu_s_per_call_minute": (cost.own - driver) / call_minutes,
        "children_cpu_s_per_call_minute": cost.children / call_minutes,
        "driver_cpu_s_per_call_minute": driver / call_minutes,
        "process_cpu_percent": 100 * cost.own / cost.at,
        "others_cores": cost.others_cores,
        "loop_lag_p50_ms": _ms(percentile(probe.lags, 50)),
        "loop_lag_p99_ms": _ms(percentile(probe.lags, 99)),
        "jitter_p50_ms": _ms(percentile(heard.lateness, 50)),
        "jitter_p99_ms": _ms(percentile(heard.lateness, 99)),
        "added_p50_ms": _ms(percentile(heard.responses, 50), FLOOR),
        "added_p95_ms": _ms(percentile(heard.responses, 95), FLOOR),
        "turns": heard.asked,
        "missed": heard.missed,
        "completeness": heard.completeness,
    }


async def _barge_in(lines: list[Line]) -> Result:
    """Let every line go through a cycle, once or twice, in which the caller interrupts the reply."""
    heard = Heard(open=True)
    sentences = scripts.barge_ins()
    for line in lines:
        line.heard, line.next_script = heard, sentences[line.index % len(sentences)]
        if line.cycles == 0:  # all scripts begin alike
            line.script = line.next_script
    await asyncio.sleep(scripts.TURN_SECONDS + scripts.BARGE_IN_SECONDS)
    return {
        "barge_ins": len(heard.stops),
        "barge_ins_without_reply": heard.unanswered,
        "barge_in_p50_ms": _ms(percentile(heard.stops, 50)),
        "barge_in_p95_ms": _ms(percentile(heard.stops, 95)),
    }


async def churn(engine: adapter.Adapter) -> Result:
    """Let calls come and go, ten at a time, and see what stays behind."""
    await engine.start()
    driver, heard = Driver(), Heard(open=True)
    rounds: list[dict[str, float]] = []
    for _ in range(CHURN_CALLS // CHURN_AT_ONCE):
        lines = [Line(i, heard, lead=0.0, script=scripts.turns()) for i in range(CHURN_AT_ONCE)]
        for line in lines:
            await engine.open(line)
            driver.add(line)
        await asyncio.sleep(CHURN_SECONDS)
        for line in lines:
            driver.remove(line)
        await asyncio.gather(*(engine.close(line) for line in lines))
        lines.clear()
        await asyncio.sleep(0.3)
        gc.collect()
        rounds.append({"rss_mb": rss_mb(), "tasks": len(asyncio.all_tasks()), "threads": threading.active_count()})
    await driver.stop()
    await engine.stop()
    # The first rounds fill caches and pools that stay; growth is what comes after.
    settled = rounds[len(rounds) // 3 :]
    calls = (len(settled) - 1) * CHURN_AT_ONCE
    return {
        "calls": CHURN_CALLS,
        "version": engine.version,
        "answered": len(heard.responses),
        "growth_kb_per_call": 1000 * (settled[-1]["rss_mb"] - settled[0]["rss_mb"]) / calls,
        "tasks_left": settled[-1]["tasks"] - settled[0]["tasks"],
        "threads_left": settled[-1]["threads"] - settled[0]["threads"],
        "rounds": rounds,
    }


def _ms(seconds: float | None, minus: float = 0.0) -> float | None:
    return None if seconds is None else 1000 * (seconds - minus)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=sorted(adapter.MODULES), required=True)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the window; 0 for barge-in alone")
    parser.add_argument("--barge-in", action="store_true")
    parser.add_argument("--noisy", action="store_true", help="callers are never silent: noise at -44 dBFS")
    parser.add_argument("--smart-turn", action="store_true", help="with the end-of-turn model, where it is an option")
    parser.add_argument("--energy-vad", action="store_true", help="our engine with no model for voice activity")
    parser.add_argument("--feature", choices=sorted(FEATURES), help="our engine with one feature switched on")
    parser.add_argument("--churn", action="store_true", help="let 120 calls come and go instead")
    args = parser.parse_args()
    options = {name: value for name in ("smart_turn", "energy_vad", "feature") if (value := getattr(args, name))}
    engine = adapter.load(args.engine, **options)
    if args.churn:
        measurement = churn(engine)
    else:
        measurement = turns(engine, args.calls, args.seconds, barge_in=args.barge_in, noisy=args.noisy)
    result = asyncio.run(measurement)
    print(json.dumps({"engine": args.engine, **result}))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
