"""Measure the engine with fake providers, beside Pipecat and LiveKit Agents if asked to.

    make bench-engine ARGS="--peers"

Each measurement is a process of its own (`benchmarks.engine.run`), one after the other. README.md tells what is
measured. The last line printed is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.engine.callwright_engine import MODELS
from benchmarks.engine.features import FEATURES
from benchmarks.engine.peers import ENVIRONMENTS, PEERS, ROOT, CannotInstall, Peer, install
from benchmarks.engine.report import Row, cost, ratios, summary, table
from voice.providers.local.fetch import Fetcher, fetch_all
from voice.providers.local.progress import Printer
from voice.providers.local.status import Board

Result = dict[str, Any]

# What a process may take on top of its measurement before it counts as broken down.
PATIENCE_SECONDS = 150.0
# An engine sustains so many calls if its loop, its answers and its audio keep up.
LAG_LIMIT_MS = 50.0
ADDED_LIMIT_MS = 500.0
COMPLETENESS_LIMIT = 0.9


class Failed(Exception):
    """A measurement gave no result."""


def main() -> None:
    args = _arguments()
    board = Board()
    board.listen(Printer(sys.stderr).show)
    if not fetch_all(Fetcher(MODELS, board), board, ["vad", "turn"]):
        sys.exit(1)
    try:
        engine, rows = _measure_engine(args)
        peers = dict(_measure_peers(args, rows)) if args.peers else {}
    except (Failed, CannotInstall) as error:
        sys.exit(f"bench-engine: {error}")
    print(table(rows))
    print(cost(rows))
    print(ratios(engine, peers))
    print(json.dumps(summary(engine, peers)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench-engine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", action="store_true", help="measure Pipecat and LiveKit Agents too")
    parser.add_argument("--features", action="store_true", help="measure what each feature costs by itself too")
    parser.add_argument("--calls", type=int, default=100, help="calls at once of our engine (default 100)")
    parser.add_argument("--seconds", type=float, help="length of each window (default 60, with --quick 12)")
    parser.add_argument("--quick", action="store_true", help="short windows, and only what the last line needs")
    args = parser.parse_args()
    args.seconds = args.seconds or (12.0 if args.quick else 60.0)
    return args


def _measure_engine(args: argparse.Namespace) -> tuple[Result, list[Row]]:
    size = ["--engine", "callwright", "--calls", str(args.calls)]
    window = ["--seconds", str(args.seconds)]
    engine = _run(sys.executable, [*size, *window])
    engine |= _run(sys.executable, [*size, "--seconds", "0", "--barge-in"])
    rows = [Row("callwright", engine)]
    if not args.quick:
        rows.append(Row("callwright, noisy lines", _run(sys.executable, [*size, *window, "--noisy"])))
        rows.append(Row("callwright, no model", _run(sys.executable, [*size, *window, "--energy-vad"])))
        rows.append(Row("callwright, smart-turn", _run(sys.executable, [*size, *window, "--smart-turn"])))
        if args.features:
            for feature in FEATURES:
                row = Row(f"callwright, {feature}", _run(sys.executable, [*size, *window, "--feature", feature]))
                rows.append(row)
        _print_churn(_run(sys.executable, ["--engine", "callwright", "--churn"]))
    return engine, rows


def _measure_peers(args: argparse.Namespace, rows: list[Row]) -> Iterator[tuple[str, Result]]:
    """Each peer at the largest number of calls that it sustains; every attempt becomes a row."""
    for peer in PEERS:
        install(peer)
        best = None
        for calls in peer.calls[1:3] if args.quick else peer.calls:
            row = _attempt(peer, calls, args.seconds)
            rows.append(row)
            if not row.sustained:
                break
            best = row
        if best is None:
            raise Failed(f"{peer.name} did not sustain {peer.calls[0]} calls on this machine.")
        size = ["--engine", peer.name, "--calls", str(best.result["calls"])]
        best.result |= _run(peer.python, [*size, "--seconds", "0", "--barge-in"])
        yield peer.name, best.result


def _attempt(peer: Peer, calls: int, seconds: float) -> Row:
    """Measure a peer with so many calls. One that does not come to an end has not sustained them."""
    try:
        result = _run(peer.python, ["--engine", peer.name, "--calls", str(calls), "--seconds", str(seconds)])
    except Failed as error:
        print(f"bench-engine: {error}", file=sys.stderr)
        return Row(peer.name, {"calls": calls}, sustained=False)
    return Row(peer.name, result, sustained=_is_sustained(result))


def _is_sustained(result: Result) -> bool:
    return (
        result["missed"] == 0
        and result["loop_lag_p99_ms"] <= LAG_LIMIT_MS
        and result["added_p95_ms"] is not None
        and result["added_p95_ms"] <= ADDED_LIMIT_MS
        and result["completeness"] >= COMPLETENESS_LIMIT
    )


def _run(python: str | Path, arguments: list[str]) -> Result:
    """One measurement, in a process of its own, with its noise in a log. Raises Failed."""
    print(f"bench-engine: {' '.join(arguments)}", end=" ", file=sys.stderr, flush=True)
    began = time.monotonic()
    window = float(arguments[arguments.index("--seconds") + 1]) if "--seconds" in arguments else 0.0
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    log = ENVIRONMENTS / f"{arguments[1]}.log"
    with log.open("w") as noise:
        process = subprocess.Popen(
            [str(python), "-m", "benchmarks.engine.run", *arguments],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=noise, text=True,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=window + PATIENCE_SECONDS)
        except BaseException as error:
            process.kill()
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Failed(f"{arguments[1]} did not come to an end; see {log}.") from None
            raise
    print(f"({time.monotonic() - began:.0f} s)", file=sys.stderr)
    if process.returncode != 0 or not output.strip():
        raise Failed(f"{arguments[1]} broke; see {log}.")
    result: Result = json.loads(output.strip().rpartition("\n")[2])
    return result


def _print_churn(churn: Result) -> None:
    print(
        f"{churn['calls']} calls came and went, ten at a time: {churn['growth_kb_per_call']:.1f} KB growth per call, "
        f"{churn['tasks_left']} tasks and {churn['threads_left']} threads left behind, "
        f"{churn['answered']} of {churn['calls']} answered."
    )


if __name__ == "__main__":
    main()
