"""Moonshine tiny: English speech to text, one segment at a time. (MIT, Moonshine AI.)"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from voice.providers.local import manifest
from voice.providers.local.models.runtime import floats, session

RATE = 16_000
LAYERS, HEADS, HEAD_SIZE = 6, 8, 36
START, END = 1, 2
# English speech has fewer than so many tokens a second; a model that goes on is repeating itself.
TOKENS_PER_SECOND = 6.5
# The encoder wants some audio to stride over.
LEAST_SAMPLES = 1600


class Moonshine:
    """Give it speech of 0.3 to 25 s: it hallucinates on silence and loses its way in longer pieces."""

    def __init__(self, models: Path, *, threads: int = 1) -> None:
        self._encoder = session(models / manifest.MOONSHINE_ENCODER, threads=threads)
        self._decoder = session(models / manifest.MOONSHINE_DECODER, threads=threads)
        self._past = [o.name.replace("present", "past_key_values") for o in self._decoder.get_outputs()[1:]]
        self._tokens = read_tokens((models / manifest.MOONSHINE_TOKENS).read_bytes())

    def transcribe(self, pcm: bytes, *, stop: Callable[[], bool] = lambda: False) -> str:
        """The words of `pcm` (16 kHz PCM16). Gives up, with what it has, once `stop()` is true."""
        audio = floats(pcm)[None]
        if audio.shape[1] < LEAST_SAMPLES:
            return ""
        mask = np.ones(audio.shape, np.int64)
        hidden = self._encoder.run(None, {"input_values": audio, "attention_mask": mask})[0]
        empty = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)
        past: dict[str, Any] = dict.fromkeys(self._past, empty)
        ids: list[int] = []
        token = START
        for step in range(int(audio.shape[1] / RATE * TOKENS_PER_SECOND) + 8):
            if stop():
                break
            outputs = self._decoder.run(
                None,
                {
                    "input_ids": np.array([[token]], np.int64),
                    "encoder_hidden_states": hidden,
                    # The decoder strides this mask itself: it is the one of the audio, not of the frames.
                    "encoder_attention_mask": mask,
                    "use_cache_branch": np.array([step > 0]),
                    **past,
                },
            )
            token = int(outputs[0][0, -1].argmax())
            if token == END:
                break
            ids.append(token)
            made = zip(self._past, outputs[1:], strict=True)
            past |= {name: value for name, value in made if step == 0 or ".decoder." in name}
        return self._text(ids)

    def _text(self, ids: list[int]) -> str:
        joined = b"".join(self._tokens[i] for i in ids)
        return joined.decode("utf-8", "replace").replace("\u2581", " ").strip()


def read_tokens(data: bytes) -> list[bytes]:
    """The tokenizer's file: each token with its length before it, in one byte or two."""
    tokens, place = [], 0
    while place < len(data):
        length = data[place]
        place += 1
        if length >= 128:
            length += (data[place] - 1) * 128
            place += 1
        tokens.append(data[place : place + length])
        place += length
    return tokens
