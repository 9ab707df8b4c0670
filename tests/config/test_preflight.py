from __future__ import annotations

import asyncio
import fcntl
import json
import os
import platform
import shutil
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from config import preflight


def message_of(caught: pytest.ExceptionInfo[SystemExit]) -> str:
    message = str(caught.value)
    assert message.startswith("callwright: ")
    assert "\n" not in message
    return message


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_a_free_port_is_ours_from_then_on() -> None:
    port = free_port()
    with preflight.listener("127.0.0.1", port):
        with socket.create_connection(("127.0.0.1", port), 1):
            pass
        with pytest.raises(SystemExit) as caught:
            preflight.listener("127.0.0.1", port)
    assert f"Port {port} is in use by another program" in message_of(caught)
    assert f"make run PORT={port + 1}" in message_of(caught)


async def test_frames_of_audio_do_not_wait_for_each_other() -> None:
    """asyncio turns Nagle's algorithm off only for sockets that say that they are TCP."""
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    port = free_port()
    async with await asyncio.start_server(look, sock=preflight.listener("127.0.0.1", port)):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(accepted, 5)
        writer.close()


@pytest.mark.parametrize(
    ("host", "said"),
    [("a..b", "which this machine cannot find"), ("192.0.2.7", "HOST must be an address of this machine")],
)
def test_a_host_that_is_not_ours_is_refused(host: str, said: str) -> None:
    with pytest.raises(SystemExit) as caught:
        preflight.listener(host, free_port())
    assert said in message_of(caught)


def test_the_system_s_own_ports_ask_for_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "socket", type("Socket", (socket.socket,), {"bind": bind}))
    with pytest.raises(SystemExit) as caught:
        preflight.listener("127.0.0.1", 80)
    assert "make run PORT=8001" in message_of(caught)


def test_a_second_server_on_the_same_state_is_told_of_the_first(tmp_path: Path) -> None:
    lock = preflight.instance_lock(tmp_path, "http://127.0.0.1:8000")
    try:
        with pytest.raises(SystemExit) as caught:
            preflight.instance_lock(tmp_path, "http://127.0.0.1:8001")
    finally:
        os.close(lock)
    assert f"Already running at http://127.0.0.1:8000 (process {os.getpid()})" in message_of(caught)


def test_a_server_waits_for_the_children_of_one_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "serve.lock"
    path.write_text(json.dumps({"pid": 2**22 + 1, "address": "http://127.0.0.1:8000"}))  # beyond the largest process id
    with path.open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        threading.Timer(0.3, fcntl.flock, [guard, fcntl.LOCK_UN]).start()
        lock = preflight.instance_lock(tmp_path, "http://127.0.0.1:8001")
        os.close(lock)
    assert json.loads(path.read_text()) == {"pid": os.getpid(), "address": "http://127.0.0.1:8001"}


def test_a_home_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as caught:
        preflight.instance_lock(tmp_path / "file", "http://127.0.0.1:8000")
    assert "Set CALLWRIGHT_HOME to a folder you own." in message_of(caught)


def test_a_full_disk_is_refused_and_a_roomy_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=35_000_000))
    with pytest.raises(SystemExit) as caught:
        preflight.disk(tmp_path)
    assert "35 MB are free" in message_of(caught)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000_000))
    preflight.disk(tmp_path)


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "flags\t\t: fpu sse4_2 avx avx2 bmi2", True),
        ("x86_64", "flags\t\t: fpu sse4_2 avx bmi2", False),
        ("aarch64", "Features\t: fp asimd", True),
    ],
)
def test_avx2_is_read_from_the_processor_s_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, flags: str, expected: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{flags}\n")
    assert preflight.has_avx2(tmp_path / "cpuinfo") is expected


@pytest.mark.parametrize(("limit", "expected"), [("max", 4_096_000_000), ("3000000000", 2_300_000_000)])
def test_free_memory_respects_the_limit_of_a_container(tmp_path: Path, limit: str, expected: int) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  8000000 kB\nMemAvailable:  4000000 kB\n")
    (tmp_path / "memory.max").write_text(limit)
    (tmp_path / "memory.current").write_text("1000000000")
    (tmp_path / "memory.stat").write_text("anon 600000000\nfile 400000000\ninactive_file 300000000\n")
    assert preflight.free_memory(tmp_path / "meminfo", tmp_path) == expected


def test_the_local_language_model_is_left_out_with_a_reason_and_a_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "has_avx2", lambda: True)
    monkeypatch.setattr(preflight, "free_memory", lambda: 8_000_000_000)
    assert preflight.why_no_llm() == ""
    monkeypatch.setattr(preflight, "free_memory", lambda: 1_400_000_000)
    assert preflight.why_no_llm().startswith("1.4 GB of memory are free")
    monkeypatch.setattr(preflight, "has_avx2", lambda: False)
    assert "no AVX2" in preflight.why_no_llm()
    assert "hosted model" in preflight.why_no_llm()
