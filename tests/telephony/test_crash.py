"""A server that is killed in the middle of a call, and started again."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import soundfile
from websockets.sync.client import connect
from websockets.typing import Origin

from voice.media import SILENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SERVER = "tests.telephony.fake_server"


@pytest.fixture
def environment(tmp_path: Path, migrated: Path) -> dict[str, str]:
    shutil.copy(migrated, tmp_path)
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings", "CALLWRIGHT_HOME": str(tmp_path), "DEBUG": "true"}
    return {**kept, **settings, "PYTHONWARNINGS": "default"}


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def start(environment: dict[str, str], port: int, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a server, and gives it when it answers."""
    started: list[subprocess.Popen[bytes]] = []

    def make() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "uvicorn", f"{SERVER}:application", "--port", str(port), "--lifespan", "on"]
        log = (tmp_path / "server.log").open("ab")
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        log.close()
        started.append(server)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200:
                    return server
            except httpx.TransportError:
                assert server.poll() is None, (tmp_path / "server.log").read_text()
                time.sleep(0.1)
        raise AssertionError((tmp_path / "server.log").read_text())

    yield make
    for server in started:
        server.kill()
        server.wait()


def test_a_call_survives_the_death_of_its_server(
    environment: dict[str, str], port: int, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    prepared = subprocess.run(
        [sys.executable, "-m", SERVER], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    facts = json.loads(prepared.stdout.splitlines()[-1])
    cookie = {"Cookie": f"sessionid={facts['session']}"}

    server = start()
    seen: list[dict[str, Any]] = []
    address = f"ws://127.0.0.1:{port}{facts['socket']}"
    with connect(address, origin=Origin(f"http://127.0.0.1:{port}"), additional_headers=cookie, proxy=None) as browser:

        def until(kind: str, turn: int | None = None) -> dict[str, Any]:
            """The next event of this kind, with the caller's frames going out meanwhile."""
            while True:
                got = browser.recv(timeout=20)
                if isinstance(got, bytes):
                    browser.send(SILENCE)
                    continue
                message = json.loads(got)
                seen.append(message)
                event = message.get("event", message)
                if event["type"] == kind and turn in (None, event.get("turn")):
                    found: dict[str, Any] = event
                    return found

        call = until("ready")["call"]
        until("agent.turn", 0)
        browser.send(json.dumps({"type": "text", "text": "Are you there?"}))
        told = until("agent.turn", 1)
        assert told["text"] == "Yes."
        browser.send(json.dumps({"type": "text", "text": "When are you open?"}))
        until("agent.heard", 2)
        for _ in range(3):
            heard = until("agent.heard", 2)
        time.sleep(1.5)
        server.kill()
        server.wait()

    start()
    url = f"http://127.0.0.1:{port}{call['url']}"
    with httpx.Client(headers={**cookie, "Accept": "text/html"}, trust_env=False) as reader:
        page = reader.get(url)
        assert page.status_code == 200
        for said in ("Are you there?", "Yes.", "When are you open?", "Nine", "Server died"):
            assert said in page.text

        stored = reader.get(f"{url}events.json").json()["events"]
        assert [event["sequence"] for event in stored] == list(range(len(stored)))
        sent = {event["sequence"]: event["event"] for event in seen if event["type"] == "event"}
        for event in stored:
            # What the browser saw is there; what the model was sent is there alone.
            if event["sequence"] in sent:
                assert {**sent[event["sequence"]], **event} == event
        assert max(event["at"] for event in stored[:-1]) >= heard["at"]
        assert (stored[-1]["type"], stored[-1]["reason"]) == ("call.ended", "process_lost")

        recording = reader.get(f"{url}recording/", headers={"Range": "bytes=0-"})
        assert recording.status_code == 206
    audio, rate = soundfile.read(io.BytesIO(recording.content), dtype="int16")
    seconds = len(audio) / rate
    assert (rate, audio.shape[1]) == (16_000, 2)
    # The answer that was being given is in it, to the last second before the kill.
    assert seconds >= heard["at"]
    assert audio[round(told["ended"] * 16_000) :, 1].any()
