"""What the measurements say, for people and, in one JSON object, for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Result = dict[str, Any]

KEYS = (
    "calls",
    "cpu_s_per_call_minute",
    "rss_mb_per_call",
    "loop_lag_p99_ms",
    "jitter_p99_ms",
    "added_p50_ms",
    "added_p95_ms",
    "barge_in_p95_ms",
)
"""What the summary holds of each engine."""

# Heading, keys of the result, decimals.
_COLUMNS = (
    ("calls", ("calls",), 0),
    ("CPU-s/call-min", ("cpu_s_per_call_minute",), 3),
    ("children", ("children_cpu_s_per_call_minute",), 3),
    ("MB/call", ("rss_mb_per_call",), 2),
    ("threads/call", ("threads_per_call",), 2),
    ("loop lag p50/p99 ms", ("loop_lag_p50_ms", "loop_lag_p99_ms"), 1),
    ("jitter p50/p99 ms", ("jitter_p50_ms", "jitter_p99_ms"), 1),
    ("added p50/p95 ms", ("added_p50_ms", "added_p95_ms"), 0),
    ("barge-in p50/p95 ms", ("barge_in_p50_ms", "barge_in_p95_ms"), 0),
    ("complete", ("completeness",), 2),
    ("missed", ("missed",), 0),
    ("others' cores", ("others_cores",), 2),
)


@dataclass
class Row:
    """One line of the table: what was measured, and whether the engine kept up."""

    name: str
    result: Result
    sustained: bool = True


def table(rows: Sequence[Row]) -> str:
    """All measurements as a Markdown table."""
    heading = ["engine", *(title for title, _, _ in _COLUMNS)]
    body = [
        [
            f"{row.name} {row.result.get('version', '')}".removesuffix(" -").strip()
            + ("" if row.sustained else " (breaks)"),
            *("/".join(_number(row.result.get(key), decimals) for key in keys) for _, keys, decimals in _COLUMNS),
        ]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in (heading, *body)) for i in range(len(heading))]
    lines = [heading, ["-" * width for width in widths], *body]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def cost(rows: Sequence[Row]) -> str:
    """What the end-of-turn model and the voice activity model cost, as differences of rows."""
    by_name = {row.name: row.result for row in rows}
    plain, lines = by_name["callwright"], []
    if bare := by_name.get("callwright, no model"):
        model = plain["cpu_s_per_call_minute"] - bare["cpu_s_per_call_minute"]
        lines.append(f"Voice activity (Silero): {model:.3f} CPU-s per call-minute of the engine's.")
    if smart := by_name.get("callwright, smart-turn"):
        own = smart["cpu_s_per_call_minute"] - plain["cpu_s_per_call_minute"]
        lines.append(
            f"End of turn (smart-turn): {smart['children_cpu_s_per_call_minute']:.3f} CPU-s per call-minute in its own "
            f"processes, {own:+.3f} in the engine's."
        )
    return "\n".join(lines)


def ratios(engine: Result, peers: Mapping[str, Result]) -> str:
    return "\n".join(
        f"{name} takes {ratio:.1f} times the CPU per call-minute, at the {peers[name]['calls']} calls that it sustains."
        for name, ratio in _cpu_ratio(engine, peers).items()
    )


def summary(engine: Result, peers: Mapping[str, Result]) -> Result:
    """The last line: the figures that are promised, and nothing else."""
    return {
        "engine": _figures(engine),
        "peers": {name: _figures(result) for name, result in peers.items()},
        "cpu_ratio": {name: round(ratio, 2) for name, ratio in _cpu_ratio(engine, peers).items()},
    }


def _cpu_ratio(engine: Result, peers: Mapping[str, Result]) -> dict[str, float]:
    return {name: result["cpu_s_per_call_minute"] / engine["cpu_s_per_call_minute"] for name, result in peers.items()}


def _figures(result: Result) -> Result:
    return {key: None if result[key] is None else round(result[key], 3) for key in KEYS}


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
