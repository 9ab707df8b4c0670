"""Agents' apps on the real Line SDK, each in a process of its own, in an environment that is made once and kept."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.voice.providers.line.fake_claude import FakeClaude, serving_claude

SDK = "cartesia-line==0.2.19"
ENVIRONMENT = Path(__file__).resolve().parents[4] / "var" / "line-sdk"
AGENTS = Path(__file__).parent / "agents"
START_SECONDS = 150.0


@pytest.fixture(scope="session")
def sdk_python() -> Path:
    """Python with the SDK, which wants other versions of much that we use. It takes about 210 MB, once."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "installed"
    if not stamp.exists() or stamp.read_text() != SDK:
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
        try:
            subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", python, SDK], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"THE LINE SDK IS NOT TESTED: {SDK} could not be installed: {error}")
        stamp.write_text(SDK)
    return python


@pytest.fixture(scope="session")
def claude() -> Iterator[FakeClaude]:
    with serving_claude() as fake:
        yield fake


@pytest.fixture(scope="session")
def obeying(sdk_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(sdk_python, "obeying", tmp_path_factory.mktemp("obeying")) as url:
        yield url


@pytest.fixture(scope="session")
def chatting(sdk_python: Path, tmp_path_factory: pytest.TempPathFactory, claude: FakeClaude) -> Iterator[str]:
    with running(
        sdk_python,
        "chatting",
        tmp_path_factory.mktemp("chatting"),
        ANTHROPIC_API_KEY="none",
        ANTHROPIC_BASE_URL=claude.url,
        LITELLM_LOCAL_MODEL_COST_MAP="True",
    ) as url:
        yield url


@contextmanager
def running(python: Path, name: str, directory: Path, **environment: str) -> Iterator[str]:
    """An app that has come up, until the end; its address."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [python, AGENTS / f"{name}.py"],
            cwd=directory,
            env={**kept, "PORT": str(port), **environment},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(url, process, directory / "log")
            yield url
        finally:
            process.terminate()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    due = time.monotonic() + START_SECONDS
    while time.monotonic() < due:
        if process.poll() is not None:
            break
        try:
            httpx.get(f"{url}/status", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"The agent's app did not come up:\n{log.read_text()}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
