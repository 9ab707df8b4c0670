#!/usr/bin/env python3
"""Make `.venv` what the lock file says, then become `.venv/bin/python ARGS...`.

    bootstrap.py manage.py serve        # the packages that the application needs
    bootstrap.py --dev -m pytest        # and those that its tests and checks need

Standard library only: it runs before anything is installed. It does nothing when the stamp in `.venv` names the lock
file's hash.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed-lock"
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
# What each lock file takes on the disk, unpacked, with room for the download.
MEGABYTES = {RUN_LOCK: 700, DEV_LOCK: 1200}
NO_VENV = "The virtual environment could not be made, for the reason above."
NO_PACKAGE = (
    "A package could not be had, for the reason above. Check the network and that it has a wheel for your platform."
)


def main() -> None:
    command = sys.argv[1:]
    dev = command[:1] == ["--dev"]
    if sys.version_info < (3, 11):
        fail(f"Python 3.11 or newer is needed, this is {python_version()}. Name one: make PYTHON=python3.11 ...")
    ensure_installed(DEV_LOCK if dev else RUN_LOCK)
    if command[dev:]:
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), *command[dev:]])


def ensure_installed(lock: Path) -> None:
    """Install `lock` unless it is installed. A `.venv` that holds the dev packages keeps them."""
    stamp = STAMP.read_text() if STAMP.exists() and PYTHON.exists() else ""
    if stamp in (stamp_of(lock), stamp_of(DEV_LOCK)):
        return
    if stamp.startswith(DEV_LOCK.name):
        lock = DEV_LOCK
    check_disk(MEGABYTES[lock])
    STAMP.unlink(missing_ok=True)
    if not is_usable():
        create_venv()
    install(lock)
    STAMP.write_text(stamp_of(lock))


def stamp_of(lock: Path) -> str:
    return f"{lock.name} {hashlib.sha256(lock.read_bytes()).hexdigest()} {python_version()}"


def python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def check_disk(megabytes: int) -> None:
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < megabytes:
        fail(f"{free} MB are free on the disk of {ROOT}, the packages need {megabytes} MB. Make room, then try again.")


def is_usable() -> bool:
    """Is `.venv` a whole environment of this Python?"""
    return PYTHON.exists() and (VENV / "lib" / f"python{python_version()}" / "site-packages" / "pip").is_dir()


def create_venv() -> None:
    """Make `.venv` with pip in it (the model fetcher uses pip), and with uv when there is none on the PATH."""
    say(f"Making .venv with Python {python_version()}.")
    if uv := shutil.which("uv"):
        run([uv, "venv", "--quiet", "--seed", "--clear", "--python", sys.executable, str(VENV)], NO_VENV)
        return
    try:
        import ensurepip  # noqa: F401  (Debian ships it apart, in python3-venv)
    except ImportError:
        fail("This Python has no venv module. Install it (Debian: apt-get install python3-venv), or install uv.")
    run([sys.executable, "-m", "venv", "--clear", str(VENV)], NO_VENV)
    if subprocess.call([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"]) != 0:
        say("uv could not be had; going on with pip, which is slower.")


def install(lock: Path) -> None:
    """Install exactly what `lock` names, from wheels: nothing is compiled here."""
    say(f"Installing the packages of {lock.name}.")
    uv = shutil.which("uv") or shutil.which("uv", path=str(VENV / "bin"))
    if uv:
        command = [uv, "pip", "sync", "--python", str(PYTHON), "--require-hashes", "--no-build", str(lock)]
    else:
        options = ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
        command = [str(PYTHON), "-m", "pip", "install", "--quiet", *options, "-r", str(lock)]
    run(command, NO_PACKAGE)


def run(command: list[str], failure: str) -> None:
    if subprocess.call(command) != 0:
        fail(failure)


def say(message: str) -> None:
    print(f"callwright: {message}", file=sys.stderr, flush=True)


def fail(message: str) -> NoReturn:
    say(message)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        fail(f"{error.strerror or error}: {error.filename or ROOT}.")
