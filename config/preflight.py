"""What `manage.py serve` makes sure of before it starts anything. Each failure is one line that says what to do."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import shutil
import socket
import time
from pathlib import Path
from typing import NoReturn

LEAST_DISK = 200_000_000
"""Bytes for the database, the queue and the first recordings. What models need is checked where they are fetched."""
LLM_MEMORY = 2_300_000_000
"""Bytes: 1.9 GB that the local language model takes once warm, and some room for everybody else."""
LOCK_WAIT = 15.0


def fail(message: str) -> NoReturn:
    raise SystemExit(f"callwright: {message}")


def instance_lock(home: Path, address: str) -> int:
    """Take `home` for this process; the file descriptor that holds it. Waits for a killed server's children to end."""
    path = home / "serve.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + LOCK_WAIT
        while not _try_lock(descriptor):
            holder = _holder(path)
            if time.monotonic() > deadline or _is_alive(holder["pid"]):
                fail(
                    f"Already running at {holder['address']} (process {holder['pid']}) on the state in {home}. "
                    "Stop it first, or start another beside it: make run PORT=8001 CALLWRIGHT_HOME=~/callwright-2"
                )
            time.sleep(0.1)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "address": address}).encode(), 0)
    except OSError as error:
        fail(f"Cannot write to {home}: {error.strerror}. Set CALLWRIGHT_HOME to a folder you own.")
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> dict[str, object]:
    """Who has the lock. For a moment it may be somebody who has not said so yet."""
    try:
        return {"pid": 0, "address": "an address unknown", **json.loads(path.read_bytes())}
    except ValueError:
        return {"pid": 0, "address": "an address unknown"}


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens on the address, so that it is ours from now on; who connects early waits for the server.

    It says that its protocol is TCP: asyncio sets TCP_NODELAY on no other, without which every frame of audio waits for
    the next one (20 ms, as measured).
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, OverflowError, UnicodeError):
        fail(
            f"HOST is {host!r}, which this machine cannot find. Use 127.0.0.1, or 0.0.0.0 to be reached from elsewhere."
        )
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(512)
    except OSError as error:
        sock.close()
        free = 8001 if port < 1024 or port >= 65535 else port + 1
        match error:
            case PermissionError():
                fail(f"Port {port} is for the system's own services. Take one above 1023: make run PORT={free}")
            case _ if error.errno == errno.EADDRINUSE:
                fail(f"Port {port} is in use by another program. Stop it, or take another port: make run PORT={free}")
        fail(f"Cannot listen on {host}:{port}: {error.strerror}. HOST must be an address of this machine.")
    return sock


def disk(home: Path) -> None:
    free = shutil.disk_usage(home).free
    if free < LEAST_DISK:
        need = LEAST_DISK // 1_000_000
        fail(
            f"{free // 1_000_000} MB are free on the disk of {home}, {need} MB are needed. "
            "Make room, or move the state: make run CALLWRIGHT_HOME=/elsewhere"
        )


def why_no_llm() -> str:
    """Why this machine cannot run the local language model, and what to do; empty when it can."""
    if not has_avx2():
        return (
            "This processor has no AVX2, which the local language model needs, so it stays off (LLM=none). "
            "Agents can use a hosted model: add one under Connections."
        )
    free = free_memory()
    if free is not None and free < LLM_MEMORY:
        return (
            f"{free / 1e9:.1f} GB of memory are free and the local language model needs {LLM_MEMORY / 1e9:.1f} GB, so "
            "it stays off (LLM=none). Free some and start again, or add a hosted model under Connections."
        )
    return ""


def has_avx2(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Can the processor run the local language model's kernels? True where it cannot be told."""
    if platform.machine().lower() not in ("x86_64", "amd64") or not cpuinfo.exists():
        return True
    flags = next((line for line in cpuinfo.read_text().splitlines() if line.startswith("flags")), "avx2")
    return "avx2" in flags.split()


def free_memory(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that programs may still take, within the limit of our container too. None where it cannot be told."""
    if not meminfo.exists():
        return None
    free = int(_field(meminfo, "MemAvailable:")) * 1024
    try:
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        cache = int(_field(cgroup / "memory.stat", "inactive_file"))  # given back when somebody needs it
    except (OSError, ValueError):  # no such control group, or its limit is "max"
        return free
    return min(free, limit - used + cache)


def _field(file: Path, name: str) -> str:
    """The value in the line of `file` that starts with `name`; "0" when there is none."""
    return next((line.split()[1] for line in file.read_text().splitlines() if line.startswith(name)), "0")
