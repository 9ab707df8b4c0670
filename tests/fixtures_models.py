"""The real models, for tests marked `models`: one model process for the whole session."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from voice.providers.local import LocalModels, manifest, status
from voice.providers.local.fetch import DEFAULT_MODELS, Fetcher
from voice.providers.local.status import Board

START_SECONDS = 120.0


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Where the weights are. Fails, and does not skip, where they are not."""
    fetcher = Fetcher(DEFAULT_MODELS, Board())
    missing = [weights.path for name in manifest.COMPONENTS for weights in fetcher.missing(name)]
    if missing:
        pytest.fail(f"{len(missing)} files of the models are missing, {missing[0]} for one: run make models.")
    return DEFAULT_MODELS


@pytest.fixture(scope="session")
def models_socket(models_dir: Path) -> Iterator[Path]:
    """The socket of a model process that has everything loaded."""
    # Not pytest's own directory: a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="callwright-") as folder:
        socket = Path(folder) / "models.sock"
        command = [sys.executable, "-m", "voice.providers.local.server", "--socket", str(socket)]
        with subprocess.Popen([*command, "--models", str(models_dir)], stderr=subprocess.DEVNULL) as process:
            try:
                _wait(socket, process)
                yield socket
            finally:
                process.terminate()


def _wait(socket: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (now := status(socket)).can_talk_locally or not now.is_ready("tts") or not now.is_ready("embed"):
        failed = [f"{c.label}: {c.message}" for c in now.components if c.state == "failed"]
        if failed or process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The model process did not come up. {' '.join(failed)}")
        time.sleep(0.2)


@pytest.fixture
async def models(models_socket: Path, models_dir: Path) -> AsyncIterator[LocalModels]:
    """A connection to the real models."""
    local = LocalModels(models_socket, models_dir)
    await local.start()
    yield local
    await local.close()
