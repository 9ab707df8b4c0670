"""The files of voices that were uploaded: in CALLWRIGHT_HOME, named by the voice's id, as the process of the models
finds them (`voice.providers.local.brought`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

KOKORO_BYTES = range(256 * 4, 4_000_000)
PIPER_BYTES = range(100_000, 200_000_000)
CONFIG_BYTES = 1_000_000
_ROW = 256 * 4
"""A Kokoro voice has 256 numbers of 4 bytes for each length of a text."""
_SUFFIXES = (".bin", ".onnx", ".onnx.json")


class UnusableVoice(ValueError):
    """The files are no voice that can speak here; the text says why, to whoever uploaded them."""


def store_kokoro(voice_id: str, parts: Iterable[bytes]) -> int:
    """Keep the vectors of a Kokoro voice; their bytes. Raises UnusableVoice."""
    size = _write(_path(voice_id, ".bin"), parts, KOKORO_BYTES)
    if size % _ROW:
        remove(voice_id)
        raise UnusableVoice(
            "A Kokoro voice is rows of 256 numbers, 4 bytes each. The file is cut off, or another kind."
        )
    return size


def store_piper(voice_id: str, model: Iterable[bytes], config: bytes) -> int:
    """Keep the model of a Piper voice and its JSON file; their bytes. Raises UnusableVoice."""
    read_config(config)
    size = _write(_path(voice_id, ".onnx"), model, PIPER_BYTES)
    return size + _write(_path(voice_id, ".onnx.json"), [config], range(2, CONFIG_BYTES))


def read_config(config: bytes) -> dict[str, Any]:
    """The JSON file of a Piper voice. Raises UnusableVoice."""
    try:
        read = json.loads(config)
    except (ValueError, RecursionError):
        raise UnusableVoice("The JSON file cannot be read as JSON.") from None
    if not isinstance(read, dict) or not isinstance(read.get("phoneme_id_map"), dict):
        raise UnusableVoice("The JSON file is not the one of a Piper voice: it has no phoneme_id_map.")
    return read


def language_of(config: dict[str, Any]) -> str:
    """What a Piper voice speaks, as its file says: "es"."""
    language, espeak = config.get("language"), config.get("espeak")
    code = language.get("code") if isinstance(language, dict) else None
    code = code or (espeak.get("voice") if isinstance(espeak, dict) else None) or "en"
    return str(code).replace("_", "-")[:20]


def remove(voice_id: str) -> None:
    for suffix in _SUFFIXES:
        with suppress(OSError):
            _path(voice_id, suffix).unlink(missing_ok=True)


def _path(voice_id: str, suffix: str) -> Path:
    return Path(settings.VOICES_DIR) / f"{voice_id}{suffix}"


def _write(path: Path, parts: Iterable[bytes], sizes: range) -> int:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    size = 0
    with path.open("wb") as file:
        for part in parts:
            size += len(part)
            if size >= sizes.stop:
                break
            file.write(part)
    if size not in sizes:
        path.unlink()
        wrong = "too small" if size < sizes.start else "too large"
        raise UnusableVoice(f"{path.suffix[1:].upper()} file: {size:,} bytes is {wrong} for a voice of this kind.")
    return size
