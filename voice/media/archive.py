"""A recording after its call: sealed by a hash, compressed, and drawn as an outline."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

Kind = Literal["flac", "opus"]

STRETCHES = 1600
_BLOCK = 1 << 18
_CHUNK_BYTES = 1 << 20
# libsndfile's names for them.
_FORMATS: dict[Kind, tuple[str, str]] = {"flac": ("FLAC", "PCM_16"), "opus": ("OGG", "OPUS")}


class ArchiveError(Exception):
    """A recording could not be read, or what was made of it is not what it was. It is left as it is."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a file is: its SHA-256 in hexadecimal, its length as audio, its size."""

    sha256: str
    seconds: float
    bytes: int


def seal(path: Path) -> Sealed:
    """The seal of an audio file. Raises ArchiveError when it is none, OSError when it is not there."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
        size = file.tell()
    with _opened(path) as audio:
        return Sealed(digest.hexdigest(), audio.frames / audio.samplerate, size)


def compress(path: Path, kind: Kind = "flac") -> Path:
    """Replace a WAV file by a compressed one beside it, whose path is returned.

    FLAC decodes to the very same samples, which is checked before the WAV goes; Opus keeps the length and little more
    than what a voice needs. A process that dies on the way leaves the WAV, or the whole of the new file, or both.
    Raises ArchiveError, and OSError where the disk does.
    """
    target = path.with_suffix(f".{kind}")
    partial = target.with_name(f".{target.name}.part")
    try:
        with _opened(path) as source:
            _encode(source, partial, kind)
        _verify(path, partial, exactly=kind == "flac")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _sync(target.parent)
    path.unlink()
    return target


def outline(path: Path, stretches: int = STRETCHES) -> bytes:
    """How loud a recording is over time, for drawing: int8, shape (channels, stretches, 2), lowest and highest sample.

    Full scale is 127. Raises ArchiveError, and OSError when it is not there.
    """
    with _opened(path) as audio:
        starts = np.arange(stretches) * audio.frames // stretches
        drawn = np.zeros((2, audio.channels, stretches), np.int16)
        at = 0
        for block in _blocks(audio):
            first, end = np.searchsorted(starts, at, "right") - 1, np.searchsorted(starts, at + len(block))
            places = np.maximum(starts[first:end] - at, 0)
            for extreme, so_far in zip((np.minimum, np.maximum), drawn[:, :, first:end], strict=True):
                extreme(so_far, extreme.reduceat(block, places, axis=0).T, out=so_far)
            at += len(block)
    return np.rint(np.stack(list(drawn), axis=-1) * (127 / 32768)).astype(np.int8).tobytes()


def _opened(path: Path) -> soundfile.SoundFile:
    if not path.is_file():
        raise FileNotFoundError(f"There is no recording {path}.")
    try:
        return soundfile.SoundFile(str(path))
    except soundfile.LibsndfileError as error:
        raise ArchiveError(f"{path.name} cannot be read: {error.error_string}") from None


def _encode(source: soundfile.SoundFile, partial: Path, kind: Kind) -> None:
    container, coding = _FORMATS[kind]
    try:
        with soundfile.SoundFile(
            str(partial), "w", source.samplerate, source.channels, format=container, subtype=coding
        ) as target:
            for block in _blocks(source):
                target.write(block)
    except soundfile.LibsndfileError as error:
        raise ArchiveError(f"{partial.name} cannot be written: {error.error_string}") from None
    _sync(partial)


def _verify(path: Path, partial: Path, *, exactly: bool) -> None:
    with _opened(path) as before, _opened(partial) as after:
        same = (before.frames, before.samplerate, before.channels) == (after.frames, after.samplerate, after.channels)
        if same and exactly:
            same = all(np.array_equal(*pair) for pair in zip(_blocks(before), _blocks(after), strict=True))
    if not same:
        raise ArchiveError(f"What was made of {path.name} is not what it was.")


def _blocks(file: soundfile.SoundFile) -> Iterator[npt.NDArray[np.int16]]:
    while len(block := file.read(_BLOCK, dtype="int16", always_2d=True)):
        yield block


def _sync(path: Path) -> None:
    """Have the disk hold what was written to a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
