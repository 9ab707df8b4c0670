"""Voices that people have brought: files in one directory, named by the voice's id.

`ID.bin` holds the vectors of a Kokoro voice; `ID.onnx` and `ID.onnx.json` are a Piper voice.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from voice.providers.base import ProviderError

if TYPE_CHECKING:
    from voice.providers.local.models.piper import Piper

# A model of some 60 MB each.
LOADED = 3

_ID = re.compile(r"voice_[0-9a-z]{1,40}")


def is_brought(voice: str) -> bool:
    """Whether a voice's id is one of these, and not of ours."""
    return _ID.fullmatch(voice) is not None


class BroughtVoices:
    """The voices in `directory`. Those of Piper are loaded when they are first asked for, and the last few stay."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._pipers: OrderedDict[str, Piper] = OrderedDict()

    def vectors(self, voice: str) -> Path | None:
        """The file of a Kokoro voice; None where it is none."""
        return self._find(voice, ".bin")

    def piper(self, voice: str) -> Piper:
        """A Piper voice. Takes a moment at first. Raises ProviderError."""
        if voice not in self._pipers:
            self._pipers[voice] = self._load(voice)
        self._pipers.move_to_end(voice)
        while len(self._pipers) > LOADED:
            self._pipers.popitem(last=False)
        return self._pipers[voice]

    def _load(self, voice: str) -> Piper:
        from voice.providers.local.models.piper import Piper

        model, config = self._find(voice, ".onnx"), self._find(voice, ".onnx.json")
        if model is None or config is None:
            raise ProviderError("local", "The files of this voice are not on this machine any more.")
        return Piper(model, config)

    def _find(self, voice: str, suffix: str) -> Path | None:
        if self._directory is None or not is_brought(voice):
            return None
        path = self._directory / f"{voice}{suffix}"
        return path if path.is_file() else None
