"""The model process's protocol, with operations that need no model."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from voice.providers.base import ProviderBusy, ProviderError
from voice.providers.local import client
from voice.providers.local.client import Connection
from voice.providers.local.protocol import Header, encode
from voice.providers.local.server import Server, listen
from voice.providers.local.service import Chunk
from voice.providers.local.status import Board


class Echo:
    """Answers `echo` with what was sent, `count` without end, and fails as it is told."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def run(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        match request["op"]:
            case "echo":
                yield {"text": request["text"]}, payload
            case "tts":
                yield {}, b"ab"
                yield {}, request["text"].encode()
            case "count":
                try:
                    number = 0
                    while True:
                        number += 1
                        yield {"number": number}, b""
                        await asyncio.sleep(0)
                finally:
                    self.closed.set()
            case "busy":
                raise ProviderBusy("local", "The queue is full.")
            case "bug":
                raise RuntimeError("a bug")
            case other:
                raise ProviderError("local", f"There is no {other}.")


async def test_requests_and_their_answers_carry_text_and_bytes(serving):
    async with serving(Echo()) as connection:
        header, payload = await connection.one("echo", b"\x00\x01", text="hällo")
    assert (header["text"], payload) == ("hällo", b"\x00\x01")


async def test_many_requests_are_answered_at_a_time(serving):
    async with serving(Echo()) as connection:
        counting = connection.request("count")
        await anext(counting)
        answers = await asyncio.gather(*(connection.one("echo", text=str(n)) for n in range(20)))
        await counting.aclose()
    assert [header["text"] for header, _ in answers] == [str(n) for n in range(20)]


async def test_closing_an_answer_withdraws_the_request(serving):
    echo = Echo()
    async with serving(echo) as connection:
        counting = connection.request("count")
        await anext(counting)
        await counting.aclose()
        await asyncio.wait_for(echo.closed.wait(), 5)


async def test_a_client_that_goes_withdraws_all_its_requests(serving, socket_path):
    echo = Echo()
    async with serving(echo):
        other = Connection(socket_path)
        await other.start()
        await anext(other.request("count"))
        await other.close()
        await asyncio.wait_for(echo.closed.wait(), 5)


async def test_a_full_queue_is_told_as_busy(serving):
    async with serving(Echo()) as connection:
        with pytest.raises(ProviderBusy, match="The queue is full"):
            await connection.one("busy")


async def test_a_failure_is_told_and_the_connection_lives_on(serving, caplog):
    async with serving(Echo()) as connection:
        with pytest.raises(ProviderError, match="There is no such"):
            await connection.one("such")
        with pytest.raises(ProviderError, match="The local model failed: a bug"):
            await connection.one("bug")
        assert (await connection.one("echo", text="still here"))[0]["text"] == "still here"
    assert "model_failed" in caplog.text


async def test_the_status_is_told_at_once_and_upon_changes(serving, board):
    board.set("vad", state="ready")
    async with serving(Echo()) as connection:
        assert connection.status.is_ready("vad")
        assert not connection.status.can_talk
        for name in ("turn", "stt", "piper"):
            board.set(name, state="ready")
        async with asyncio.timeout(5):
            while not connection.status.can_talk:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not connection.status.can_talk_locally


async def test_status_changes_are_told_at_most_four_times_a_second(serving, board, monkeypatch):
    told = []
    tell = Server._tell

    def counted(server: Server) -> None:
        told.append(1)
        tell(server)

    monkeypatch.setattr(Server, "_tell", counted)
    async with serving(Echo()) as connection:
        for done in range(200):
            board.set("llm", state="downloading", done=done)
            await asyncio.sleep(0.002)
        async with asyncio.timeout(5):
            while connection.status.get("llm").done != 199:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert len(told) < 8


async def test_a_lost_server_fails_its_requests_and_is_found_again(socket_path):
    board, echo = Board(), Echo()
    first, second = Server(board, echo), Server(board, echo)
    await first.start(listen(socket_path))
    connection = Connection(socket_path)
    await connection.start()
    counting = connection.request("count")
    await anext(counting)
    first.close()
    with pytest.raises(ProviderError, match="cannot be reached"):
        async for _ in counting:
            pass
    await second.start(listen(socket_path))
    async with asyncio.timeout(5):
        while not connection.status.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (await connection.one("echo", text="again"))[0]["text"] == "again"
    await connection.close()
    second.close()


async def test_without_a_server_requests_fail_at_once(socket_path):
    connection = Connection(socket_path)
    await connection.start()
    assert not connection.status.connected
    with pytest.raises(ProviderError, match="cannot be reached"):
        await connection.one("echo", text="nobody")
    await connection.close()


async def test_a_client_that_speaks_otherwise_is_dropped(serving, socket_path):
    async with serving(Echo()):
        reader, writer = await asyncio.open_unix_connection(str(socket_path))
        writer.write(b"\xff" * 64)
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()


async def test_the_blocking_helpers_need_no_loop(serving, socket_path, board):
    board.set("stt", state="ready")
    async with serving(Echo()):
        assert (await asyncio.to_thread(client.status, socket_path)).is_ready("stt")
        assert await asyncio.to_thread(client.speak, socket_path, "cd") == b"abcd"


def test_the_blocking_status_of_no_server_is_unreachable(socket_path):
    assert not client.status(socket_path).connected
    with pytest.raises(ProviderError, match="cannot be reached"):
        client.speak(socket_path, "hello")


def test_a_message_is_framed_by_two_lengths():
    assert encode({"id": 1}, b"xyz") == b"\0\0\0\x08\0\0\0\x03" + b'{"id":1}' + b"xyz"


# --- the process itself


@pytest.fixture
def process(socket_path, tmp_path):
    """A model process that has nothing to fetch from: `pip` is not on this interpreter's path."""
    command = [sys.executable, "-m", "voice.providers.local.server", "--socket", str(socket_path)]
    command += ["--models", str(tmp_path / "models"), "--llm", "none"]
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PATH": ""}
    environment["GLIBC_TUNABLES"] = "glibc.malloc.perturb=0"
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:
        yield running
        if running.poll() is None:
            running.kill()


async def _status(socket_path, condition):
    async with asyncio.timeout(30):
        while not condition(status := client.status(socket_path)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return status


@pytest.mark.slow
async def test_the_process_serves_though_nothing_can_be_fetched(process, socket_path):
    status = await _status(socket_path, lambda s: s.connected and s.get("tts").state == "failed")
    assert status.get("llm").state == "off"
    assert "npm is not installed" in status.get("tts").message
    assert not status.can_talk


@pytest.mark.slow
async def test_a_second_process_on_the_same_socket_is_refused(process, socket_path):
    await _status(socket_path, lambda s: s.connected)
    command = [sys.executable, "-m", "voice.providers.local.server", "--socket", str(socket_path), "--llm", "none"]
    run = functools.partial(subprocess.run, capture_output=True, text=True, timeout=30, check=False)
    second = await asyncio.to_thread(run, command)
    assert second.returncode == 1
    assert "already served" in second.stderr


@pytest.mark.slow
async def test_sigterm_ends_the_process_and_removes_its_socket(process, socket_path):
    await _status(socket_path, lambda s: s.connected)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert not socket_path.exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has large pages for malloc.")
async def test_the_process_takes_large_pages_and_keeps_other_settings(process, socket_path):
    await _status(socket_path, lambda s: s.connected)
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()  # noqa: ASYNC240
    # The C library puts a zero in the place of each colon as it reads them.
    assert b"GLIBC_TUNABLES=glibc.malloc.perturb=0:glibc.malloc.hugetlb=1" in environment.replace(
        b"\0glibc.", b":glibc."
    )


@pytest.mark.slow
async def test_the_process_ends_with_its_parent(socket_path, tmp_path):
    starter = (
        "import subprocess, sys, time; "
        "subprocess.Popen([sys.executable, '-m', 'voice.providers.local.server', *sys.argv[1:]]); time.sleep(60)"
    )
    options = ["--socket", str(socket_path), "--models", str(tmp_path / "models"), "--llm", "none"]
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PATH": ""}
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", starter, *options], env=environment, stderr=subprocess.DEVNULL
    ) as parent:
        await _status(socket_path, lambda s: s.connected)
        parent.kill()
    await _status(socket_path, lambda s: not s.connected)
    async with asyncio.timeout(10):
        while socket_path.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
