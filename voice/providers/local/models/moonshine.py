"""Moonshine tiny: English speech to text, one segment at a time. (MIT, Moonshine AI.)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    def transcribe(
        self, pcm: bytes, *, draft: Sequence[int] = (), stop: Callable[[], bool] = lambda: False
    ) -> tuple[str, list[int]]:
        """The words of `pcm` (16 kHz PCM16), and the tokens that spell them. Gives up, with what it has, once `stop()`
        is true.

        `draft` is what was heard of the same speech when there was less of it: as far as the model agrees with it, it
        is read in one step and not written token by token. The words are the same with and without.
        """
        audio = floats(pcm)[None]
        if audio.shape[1] < LEAST_SAMPLES:
            return "", []
        mask = np.ones(audio.shape, np.int64)
        hidden = self._encoder.run(None, {"input_values": audio, "attention_mask": mask})[0]
        most = int(audio.shape[1] / RATE * TOKENS_PER_SECOND) + 8
        empty = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)
        past: dict[str, Any] = dict.fromkeys(self._past, empty)
        ids: list[int] = []
        step = [START, *draft[: most - 1]]
        while len(ids) < most and not stop():
            outputs = self._decoder.run(
                None,
                {
                    "input_ids": np.array([step], np.int64),
                    "encoder_hidden_states": hidden,
                    # The decoder strides this mask itself: it is the one of the audio, not of the frames.
                    "encoder_attention_mask": mask,
                    "use_cache_branch": np.array([bool(ids)]),
                    **past,
                },
            )
            agreed, token = _agreed(step[1:], outputs[0][0].argmax(axis=1).tolist())
            made = dict(zip(self._past, outputs[1:], strict=True))
            for name, value in made.items():
                if ".decoder." in name:
                    past[name] = value[:, :, : len(ids) + len(agreed) + 1]
                elif not ids:
                    past[name] = value
            ids += agreed
            if token == END:
                break
            ids.append(token)
            step = [token]
        return self._text(ids), ids

    def _text(self, ids: list[int]) -> str:
        joined = b"".join(self._tokens[i] for i in ids)
        return joined.decode("utf-8", "replace").replace("\u2581", " ").strip()


def _agreed(draft: list[int], predicted: list[int]) -> tuple[list[int], int]:
    """So much of the draft as the model would have written as well, and what it writes after that."""
    agreed = next((n for n, token in enumerate(draft) if token != predicted[n]), len(draft))
    return draft[:agreed], predicted[agreed]


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
