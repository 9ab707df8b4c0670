"""Which run of which process holds a call, and whether that run is still alive.

A run is named `<host>-<hash>:<pid>:<start>`. The hash covers the machine's boot and the process namespace, so that a
process id is only ever looked up where it means the same process; the start time tells it from a later one with the
same id. Where that cannot be told (another machine, a container, no /proc) only the heartbeat says whether it is alive.
"""

from __future__ import annotations

import os
import secrets
import socket
from functools import cache
from hashlib import blake2b
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """The name of this run of this process, at most 60 characters."""
    return _name_of(os.getpid())  # a fork is another process


@cache
def _name_of(pid: int) -> str:
    # Without /proc a random name keeps runs apart.
    return f"{_place()}:{pid}:{_started(pid) or secrets.token_hex(5)}"


def is_dead(process: str) -> bool:
    """Is the run `process` known to be over? False also when that cannot be told from here."""
    place, _, rest = process.partition(":")
    pid, _, start = rest.partition(":")
    if process == this_process() or place != _place() or not pid.isdigit() or not _started(os.getpid()):
        return False
    return _started(int(pid)) != start


@cache
def _place() -> str:
    """This machine since it booted, and the process namespace in it."""
    host = socket.gethostname()
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        namespace = os.readlink(_PROC / "self/ns/pid")  # noqa: PTH115  (a pseudo link: its text is what counts)
    except OSError:
        boot = namespace = ""
    return f"{host[:24].replace(':', '-')}-{blake2b(f'{host} {boot} {namespace}'.encode(), digest_size=4).hexdigest()}"


def _started(pid: int) -> str:
    """When the process `pid` began, in clock ticks since boot; "" if it does not run (any more)."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, start = fields[0], fields[19]
    return "" if state in "ZX" else start
