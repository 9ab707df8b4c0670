"""What a process costs, read from the kernel (Linux)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """CPU seconds used up to a moment: by this process, by its children, by the whole machine."""

    at: float
    own: float
    children: float
    machine: float

    @classmethod
    def now(cls) -> Cost:
        return cls(time.monotonic(), time.process_time(), _children_cpu(), _machine_cpu())

    def __sub__(self, earlier: Cost) -> Cost:
        return Cost(
            self.at - earlier.at,
            self.own - earlier.own,
            self.children - earlier.children,
            self.machine - earlier.machine,
        )

    @property
    def others_cores(self) -> float:
        """Cores that other programs were using, in a difference of two. Near 0 on a quiet machine."""
        return max(0.0, self.machine - self.own - self.children) / self.at


def rss_mb() -> float:
    """Resident memory of this process, without its children, in MB (10^6 bytes)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 1e6


def percentile(values: Sequence[float], p: float) -> float | None:
    """The p-th percentile, or None of nothing."""
    return float(np.percentile(values, p)) if len(values) else None


def _children_cpu() -> float:
    return sum(_process_cpu(pid) for pid in _descendants(os.getpid()))


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # the thread has just ended
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _process_cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # the process has just ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def _machine_cpu() -> float:
    fields = [int(f) for f in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / _TICK
