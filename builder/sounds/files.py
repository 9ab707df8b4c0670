"""The loops of background sounds: FLAC in CALLWRIGHT_HOME, named by the sound's id."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from django.conf import settings

from voice.media import SAMPLE_RATE
from voice.media.ambient import NAMES, Bed, bed, load_bed

MOST_BYTES = 30_000_000
"""What an uploaded file may have: two minutes of the best WAV are less."""
_ID = re.compile(r"bed_[0-9a-z]{1,36}")


class UnusableSound(ValueError):
    """The file cannot be a background sound; the text says why, to whoever uploaded it."""


def path_of(sound_id: str) -> Path:
    """Where the loop of a sound is. Raises ValueError for what is no id."""
    if not _ID.fullmatch(sound_id):
        raise ValueError("No id of a sound.")
    return Path(settings.SOUNDS_DIR) / f"{sound_id}.flac"


def store(sound_id: str, parts: Iterable[bytes]) -> float:
    """Make a loop of an uploaded audio file and keep it; its seconds. Raises UnusableSound.

    What was uploaded is not kept: calls read only what was written here.
    """
    path = path_of(sound_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".upload") as upload:
        size = 0
        for part in parts:
            size += len(part)
            if size > MOST_BYTES:
                raise UnusableSound(f"It is larger than {MOST_BYTES // 1_000_000} MB.")
            upload.write(part)
        upload.flush()
        try:
            made = load_bed(Path(upload.name))
        except ValueError as error:
            raise UnusableSound(str(error)) from error
    unfinished = path.with_suffix(".part")
    soundfile.write(unfinished, made.samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    unfinished.replace(path)
    return len(made.samples) / SAMPLE_RATE


def remove(sound_id: str) -> None:
    """Calls in progress keep it: they have it in memory."""
    path_of(sound_id).unlink(missing_ok=True)
    _loaded.cache_clear()


@lru_cache(maxsize=16)
def _loaded(path: Path) -> Bed:
    samples, _ = soundfile.read(path, dtype="int16")
    return Bed(path.stem, np.asarray(samples, np.int16))


def loop(name: str) -> Bed:
    """The background sound of a name: one of ours, or one that was uploaded. Raises KeyError.

    Takes a moment at first: not on an event loop that carries calls.
    """
    if name in NAMES:
        return bed(name)
    try:
        return _loaded(path_of(name))
    except (ValueError, soundfile.LibsndfileError) as error:
        raise KeyError(name) from error


async def find_bed(name: str) -> Bed:
    """`loop`, for calls."""
    return await asyncio.to_thread(loop, name)
