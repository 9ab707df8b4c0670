"""The child processes of `manage.py serve`: kept running while it runs, and ended with it.

Each child leads a process group of its own, so that the Ctrl-C of a terminal reaches `serve` alone and what a child has
started ends with it. `config.guard` ends them all when this process dies before it could.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config import guard

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
STEADY = 60.0
"""A child that has run for so many seconds is started again without a grudge."""


@dataclass(frozen=True)
class Program:
    """What to run. `name` is what messages call it ("worker"); `env` is added to our own environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Starts programs, starts them again when they die, and stops them. Use as a context manager.

    `say` gets the one-line messages for the terminal. `keep_open` are file descriptors that stay open until the last
    child is gone, also when this process is killed: a lock held on one is held for as long.
    """

    def __init__(self, say: Callable[[str], None], *, cwd: Path, keep_open: Sequence[int] = ()) -> None:
        self._say = say
        self._cwd = cwd
        self._children: dict[str, _Child] = {}
        self._guard_lock = threading.Lock()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=keep_open,
            start_new_session=True,
        )

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._guard.stdin:
            self._guard.stdin.close()
        self._guard.wait()

    def start(self, program: Program) -> None:
        self._children[program.name] = _Child(program, self._cwd, self._say, self._tell_guard)

    def pids(self) -> dict[str, int]:
        """The process ids of the children that run now, by name."""
        return {name: pid for name, child in self._children.items() if (pid := child.pid())}

    def stop(self, *names: str, grace: float = guard.GRACE) -> None:
        """Stop the named children, or all: ask, wait `grace` seconds for all of them together, kill what is left."""
        children = [self._children.pop(name) for name in names or list(self._children) if name in self._children]
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + grace
        for child in children:
            child.join(max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """Let nobody finish what they do, for whoever presses Ctrl-C twice. May be called in a signal handler."""
        for child in list(self._children.values()):
            child.kill()

    def _tell_guard(self, sign: str, group: int) -> None:
        with self._guard_lock:
            if self._guard.stdin is None:
                return
            try:
                self._guard.stdin.write(f"{sign}{group}\n")
                self._guard.stdin.flush()
            except OSError:
                pass  # somebody killed the guard; the children still end when we end in good order


class _Child:
    """One program: a thread that starts it, waits for it, and starts it again until told to stop."""

    def __init__(
        self, program: Program, cwd: Path, say: Callable[[str], None], tell_guard: Callable[[str, int], None]
    ) -> None:
        self._program = program
        self._cwd = cwd
        self._say = say
        self._tell_guard = tell_guard
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # a process is started or told to stop, never both
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=f"supervise {program.name}", daemon=True)
        self._thread.start()

    def pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.returncode is None else None

    def ask_to_stop(self) -> None:
        with self._lock:
            self._stopping.set()
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def join(self, timeout: float) -> None:
        """Wait until the program has ended; after `timeout` seconds, kill it."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.kill()
            self._thread.join()

    def _signal(self, number: int) -> None:
        if pid := self.pid():
            guard.send(pid, number)

    def _run(self) -> None:
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            started = time.monotonic()
            why = self._run_once()
            if self._stopping.is_set():
                return
            delay = FIRST_DELAY if time.monotonic() - started > STEADY else delay
            self._say(f"The {self._program.name} stopped ({why}). Starting it again in {delay:g} s.")
            self._stopping.wait(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    def _run_once(self) -> str:
        """Run the program to its end; why it ended."""
        with self._lock:
            if self._stopping.is_set():
                return "told to"
            try:
                self._process = process = subprocess.Popen(
                    self._program.argv,
                    cwd=self._cwd,
                    env={**os.environ, **self._program.env},
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                return f"it could not be run: {error.strerror}"
            self._tell_guard("+", process.pid)
        code = process.wait()
        guard.send(process.pid, signal.SIGKILL)  # what it has left behind in its group
        self._tell_guard("-", process.pid)
        return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
