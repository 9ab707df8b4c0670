"""A whole installation, as `make run` starts it, in a directory of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from voice.media import FRAME_BYTES
from voice.providers.base import ProviderError, Transcript
from voice.providers.local import LocalModels, ModelsStatus, status

ROOT = Path(__file__).resolve().parents[2]
MODELS = Path("~/.cache/callwright/models").expanduser()
READY_SECONDS = 240.0
STOP_SECONDS = 20.0


@dataclass
class Installation:
    """A running one. `home` holds all of its state."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path
    environment: dict[str, str]

    @property
    def models_socket(self) -> Path:
        return self.home / "models.sock"

    def models(self) -> ModelsStatus:
        return status(self.models_socket)

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Wait until `condition` holds; fails with the log when it does not in time or the server has gone."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come.\n{self.log.read_text()[-6000:]}")
            time.sleep(0.2)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def run(self, module: str, *arguments: str) -> str:
        """What a module of ours writes, run beside the server in its environment."""
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def transcribe(self, pcm: bytes) -> str:
        """What the local recogniser hears in 16 kHz mono PCM16. Long audio is cut into pieces."""
        piece = 20 * 32_000
        with ThreadPoolExecutor(1) as thread:  # Playwright keeps a loop of its own in this one
            texts = [
                thread.submit(asyncio.run, _transcribe(self.models_socket, pcm[i : i + piece])).result()
                for i in range(0, len(pcm), piece)
            ]
        return " ".join(texts)


@contextlib.contextmanager
def installation(home: Path | None = None, **settings: str) -> Iterator[Installation]:
    """Start one on a free port, with `settings` in its environment; stop it at the end."""
    home = home or Path(tempfile.mkdtemp(prefix="callwright-e2e-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL")}
    environment = {**kept, "CALLWRIGHT_HOME": str(home), "PORT": str(port), "HOST": "127.0.0.1", **settings}
    log = home / "serve.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    running = Installation(f"http://127.0.0.1:{port}", home, process, log, environment)
    try:
        running.wait("The first page", running.answers)
        yield running
    finally:
        if process.poll() is None:
            running.stop()


async def _transcribe(socket_path: Path, pcm: bytes) -> str:
    models = LocalModels(socket_path, MODELS)
    await models.start()
    done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def heard(transcript: Transcript) -> None:
        if transcript.final and not done.done():
            done.set_result(transcript.text)

    def failed(error: ProviderError) -> None:
        if not done.done():
            done.set_exception(error)

    stream = models.stt.open(language="en", on_transcript=heard, on_error=failed)
    try:
        stream.speech_started()
        for i in range(0, len(pcm), FRAME_BYTES):
            stream.feed(pcm[i : i + FRAME_BYTES].ljust(FRAME_BYTES, b"\0"))
        stream.speech_stopped()
        return await asyncio.wait_for(done, 60)
    finally:
        stream.close()
        await models.close()
