from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from config import supervisor
from config.supervisor import Program, Supervisor
from tests.config.processes import is_alive, wait_for

ROOT = Path(__file__).resolve().parents[2]
# Writes its own process id and that of a child of its own, then waits.
FAMILY = "sleep 100 & echo $$ $! > {file}.new && mv {file}.new {file}; wait"


def shell(name: str, script: str) -> Program:
    return Program(name, ["/bin/sh", "-c", script])


def pids_in(file: Path) -> list[int]:
    wait_for(file.exists, "the file with process ids")
    return [int(word) for word in file.read_text().split()]


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(supervisor, "LONGEST_DELAY", 0.04)


def test_a_child_that_dies_is_started_again_ever_more_slowly_and_it_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(said.append, cwd=tmp_path) as children:
        children.start(shell("worker", "echo run >> runs; exit 3"))
        wait_for(lambda: len(said) >= 4, "four messages")
    assert said[:4] == [
        f"The worker stopped (exit code 3). Starting it again in {s} s." for s in (0.01, 0.02, 0.04, 0.04)
    ]
    assert len((tmp_path / "runs").read_text().splitlines()) >= 4


def test_a_child_that_ran_well_for_long_is_started_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STEADY", 0.0)
    said: list[str] = []
    with Supervisor(said.append, cwd=tmp_path) as children:
        children.start(shell("worker", "kill -9 $$"))
        wait_for(lambda: len(said) >= 3, "three messages")
    assert set(said[:3]) == {"The worker stopped (killed by SIGKILL). Starting it again in 0.01 s."}


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(said.append, cwd=tmp_path) as children:
        children.start(Program("queue", ["/nonexistent/valkey"]))
        wait_for(lambda: said, "a message")
    assert said[0].startswith("The queue stopped (it could not be run: No such file or directory).")


def test_stopping_ends_a_child_with_all_that_it_has_started(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(said.append, cwd=tmp_path) as children:
        children.start(shell("worker", FAMILY.format(file="pids")))
        family = pids_in(tmp_path / "pids")
        assert children.pids() == {"worker": family[0]}
        children.stop("worker")
        # What was killed with it takes a moment to be gone.
        wait_for(lambda: not any(is_alive(pid) for pid in family), "The end of the family", 5.0)
        assert children.pids() == {}
    assert said == []


def test_a_child_that_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    with Supervisor(lambda _: None, cwd=tmp_path) as children:
        children.start(
            shell("worker", "trap '' TERM; echo $$ > pid.new && mv pid.new pid; while :; do sleep 0.05; done")
        )
        [pid] = pids_in(tmp_path / "pid")
        children.stop(grace=0.3)
        assert not is_alive(pid)


def test_stopping_in_the_pause_before_the_next_start_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 100.0)
    said: list[str] = []
    with Supervisor(said.append, cwd=tmp_path) as children:
        children.start(shell("worker", "echo run >> runs"))
        wait_for(lambda: said, "a message")
    assert (tmp_path / "runs").read_text() == "run\n"
    assert not [thread for thread in threading.enumerate() if thread.name == "supervise worker"]


def test_children_get_the_variables_of_their_program(tmp_path: Path) -> None:
    with Supervisor(lambda _: None, cwd=tmp_path) as children:
        children.start(
            Program("worker", ["/bin/sh", "-c", "echo $LLM > llm.new && mv llm.new llm; sleep 100"], {"LLM": "none"})
        )
        wait_for((tmp_path / "llm").exists, "the file")
    assert (tmp_path / "llm").read_text() == "none\n"


def test_killing_the_supervisor_ends_its_children_and_only_then_frees_its_lock(tmp_path: Path) -> None:
    script = f"""
import fcntl, os, pathlib, time
from config.supervisor import Program, Supervisor
lock = os.open("lock", os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
children = Supervisor(print, cwd=pathlib.Path.cwd(), keep_open=[lock])
children.start(Program("worker", ["/bin/sh", "-c", {FAMILY.format(file="pids")!r}]))
time.sleep(100)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    family = pids_in(tmp_path / "pids")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits until the guard has done its work
    assert [pid for pid in family if is_alive(pid)] == []
