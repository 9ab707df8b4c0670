"""Looking at processes from outside."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path


def wait_for(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come to be in {seconds} s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Does the process run? A zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_of(home: Path) -> dict[int, str]:
    """The command lines of all processes whose CALLWRIGHT_HOME is `home`, by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                # Valkey writes its title over its environment, but the title names its socket.
                ours = f"CALLWRIGHT_HOME={home}\0".encode() in (entry / "environ").read_bytes()
                if ours or f"{home}/" in command:
                    found[int(entry.name)] = command
    return {pid: command for pid, command in found.items() if is_alive(pid)}
