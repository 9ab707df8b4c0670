"""Secrets that an installation makes for itself."""

from __future__ import annotations

import itertools
import stat
import threading
from pathlib import Path

import pytest

from core.secrets import stored_secret


def test_it_is_made_once_and_read_ever_after(tmp_path: Path) -> None:
    path = tmp_path / "state" / "key"
    assert stored_secret(path, lambda: "first") == "first"
    assert stored_secret(path, lambda: "second") == "first"


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    stored_secret(tmp_path / "state" / "key", lambda: "secret")
    assert stat.S_IMODE((tmp_path / "state" / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_all_who_start_at_once_read_the_same_one(tmp_path: Path) -> None:
    count, together = itertools.count(), threading.Barrier(8)
    read: list[str] = []

    def start() -> None:
        def generate() -> str:
            # Everybody has found that there is none before anybody makes one.
            together.wait(5)
            return str(next(count))

        read.append(stored_secret(tmp_path / "key", generate))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(read) == 8
    assert len(set(read)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def generate() -> str:
        raise OSError("no randomness")

    with pytest.raises(OSError, match="no randomness"):
        stored_secret(tmp_path / "key", generate)
    assert list(tmp_path.iterdir()) == []
    assert stored_secret(tmp_path / "key", lambda: "made") == "made"
