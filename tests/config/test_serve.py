"""`manage.py serve` itself, with all of its children: real processes, the real models."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.config.processes import processes_of, wait_for

ROOT = Path(__file__).resolve().parents[2]
CHILDREN = ("config/guard.py", "valkey-server", "celery --quiet", "voice.providers.local.server")
FORGOTTEN = ("DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "SITE_URL", "HOST")

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
pytestmark = [pytest.mark.slow, needs_proc]


@dataclass
class Serve:
    home: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def healthy(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as response:
                return bool(response.read() == b"ok\n")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def child(self, part: str) -> int:
        """The process id of the child whose command line has `part` in it; 0 when there is none."""
        return min((pid for pid, command in processes_of(self.home).items() if part in command), default=0)

    def wait_until_whole(self) -> None:
        wait_for(self.healthy, "the first page", 30)
        wait_for(lambda: all(self.child(part) for part in CHILDREN), "every child", 30)


def environment_of(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    return {**kept, "CALLWRIGHT_HOME": str(home), "LLM": "none"}


@contextlib.contextmanager
def serve(home: Path, *arguments: str, **variables: str) -> Iterator[Serve]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home.with_suffix(".log")
    environment = {**environment_of(home), "PORT": str(port), **variables}
    command = [sys.executable, "manage.py", "serve", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield Serve(home, int(environment["PORT"]), process, log)
    finally:
        process.kill()
        process.wait()
        wait_for(lambda: not processes_of(home), "the end of every process", 30)


@pytest.fixture
def home(tmp_path: Path, migrated: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated, home)
    return home


@pytest.mark.models
@pytest.mark.parametrize(
    ("server", "number"), [("uvicorn", signal.SIGTERM), ("uvicorn", signal.SIGHUP), ("daphne", signal.SIGINT)]
)
def test_it_answers_and_a_signal_ends_it_with_all_its_children(home: Path, server: str, number: signal.Signals) -> None:
    with serve(home, "--server", server) as running:
        running.wait_until_whole()
        running.process.send_signal(number)
        assert running.process.wait(25) == 0
        assert processes_of(home) == {}
        said = running.log.read_text()
        assert f"Callwright is at http://127.0.0.1:{running.port}" in said
        assert f"create your account: http://127.0.0.1:{running.port}" in said
        assert str(home) in said
        assert "Traceback" not in said


@pytest.mark.models
def test_kill_9_leaves_no_child_and_the_next_start_works(home: Path) -> None:
    with serve(home) as running:
        running.wait_until_whole()
        running.process.kill()
        running.process.wait()
        with serve(home) as after:
            after.wait_until_whole()
            assert sum("manage.py serve" in command for command in processes_of(home).values()) == 1
            assert sum("valkey-server" in command for command in processes_of(home).values()) == 1


@pytest.mark.models
def test_a_child_that_is_killed_comes_back(home: Path) -> None:
    with serve(home) as running:
        running.wait_until_whole()
        parts = ("valkey-server", "voice.providers.local.server")
        first = [running.child(part) for part in parts]
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: all(running.child(part) not in (0, *first) for part in parts), "others in their place")
        said = running.log.read_text()
        assert "callwright: The queue stopped (killed by SIGKILL). Starting it again in 1 s." in said
        assert "callwright: The model process stopped (killed by SIGKILL). Starting it again in 1 s." in said
        assert running.healthy()


@pytest.mark.models
def test_bound_to_the_network_it_shows_a_link_with_the_set_up_token(home: Path) -> None:
    with serve(home, HOST="0.0.0.0") as running:
        running.wait_until_whole()
        token = (home / "setup_token").read_text()
        assert f":{running.port}/setup/?token={token}\n" in running.log.read_text()


@pytest.mark.models
def test_a_second_one_on_the_same_state_is_refused_and_the_first_goes_on(home: Path) -> None:
    with serve(home) as first:
        wait_for(first.healthy, "the first page", 30)
        environment = {**environment_of(home), "PORT": str(first.port)}
        command = [sys.executable, "manage.py", "serve"]
        second = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert second.stderr.startswith(
            f"callwright: Already running at http://127.0.0.1:{first.port} (process {first.process.pid})"
        )
        assert first.healthy()


def test_a_port_in_use_is_one_line(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serve(home, PORT=str(port)) as refused:
            assert refused.process.wait(30) == 1
            assert refused.log.read_text() == (
                f"callwright: Port {port} is in use by another program. "
                f"Stop it, or take another port: make run PORT={port + 1}\n"
            )
            assert processes_of(home) == {}


def test_bad_configuration_is_refused_before_anything_starts(home: Path) -> None:
    with serve(home, SITE_URL="agents.example.org") as refused:
        assert refused.process.wait(30) == 1
        assert "Write scheme and host only: https://agents.example.org" in refused.log.read_text()
        assert processes_of(home) == {}
