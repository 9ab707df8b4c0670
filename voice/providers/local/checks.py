"""Can this machine run the local language model? Each check gives one line with what mends it."""

from __future__ import annotations

import platform
from pathlib import Path

from voice.providers.local.models import qwen

# The weights, the slots' and the cache's keys and values, and working space.
LLM_MEGABYTES = 1_900 + qwen.CACHE_MB
_MEND = "Use a hosted or OpenAI-compatible model instead: make run LLM=none."


def llm_trouble(cpuinfo: Path = Path("/proc/cpuinfo"), meminfo: Path = Path("/proc/meminfo"), machine: str = "") -> str:
    """Why the language model cannot run here; empty if it can, as far as is known."""
    if (machine or platform.machine()).lower() in ("x86_64", "amd64") and not _has_avx2(cpuinfo):
        return f"The local language model needs a processor with AVX2. {_MEND}"
    free = available_megabytes(meminfo)
    if free is not None and free < LLM_MEGABYTES:
        return f"The local language model needs {LLM_MEGABYTES} MB of memory, {free} MB are free. {_MEND}"
    return ""


def _has_avx2(cpuinfo: Path) -> bool:
    try:
        flags = next((line for line in cpuinfo.read_text().splitlines() if line.startswith("flags")), None)
    except OSError:
        return True
    return flags is None or "avx2" in flags.split()


def available_megabytes(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Memory that can be had without swapping; None where the system does not say."""
    try:
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) // 1024
    except (OSError, ValueError):
        return None
    return None
