"""all-MiniLM-L6-v2: sentences as vectors. (Apache-2.0.)"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voice.providers.local import manifest
from voice.providers.local.models.runtime import Floats, session

DIMENSIONS = 384
MOST_TOKENS = 256
_LONGEST_WORD = 100
# Words, and every other sign by itself.
_PIECES = re.compile(r"[^\W_]+|[^\w\s]|_")


class MiniLm:
    def __init__(self, models: Path, *, threads: int = 1) -> None:
        vocabulary = json.loads((models / manifest.MINILM_TOKENS).read_text(encoding="utf-8"))["model"]["vocab"]
        self._tokenizer = WordPiece(vocabulary)
        self._session = session(models / manifest.MINILM, threads=threads)

    def embed(self, text: str) -> Floats:
        """A vector of length 1 with 384 dimensions. What is past about 200 words does not count."""
        ids = np.array([self._tokenizer.ids(text)], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        vector = np.asarray(self._session.run(None, inputs)[0], np.float32)[0].mean(axis=0)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


class WordPiece:
    """BERT's uncased tokenizer: each word is the longest known pieces, from left to right."""

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = vocabulary
        self._start, self._end, self._unknown = (vocabulary[name] for name in ("[CLS]", "[SEP]", "[UNK]"))

    def ids(self, text: str) -> list[int]:
        plain = unicodedata.normalize("NFD", text.lower())
        plain = "".join(c for c in plain if unicodedata.category(c) != "Mn")
        ids = [i for word in _PIECES.findall(plain) for i in self._word(word)]
        return [self._start, *ids[: MOST_TOKENS - 2], self._end]

    def _word(self, word: str) -> list[int]:
        pieces: list[int] = []
        begin = 0
        while begin < len(word) <= _LONGEST_WORD:
            for end in range(len(word), begin, -1):
                piece = self._vocabulary.get(("##" if begin else "") + word[begin:end])
                if piece is not None:
                    pieces.append(piece)
                    begin = end
                    break
            else:
                return [self._unknown]
        return pieces or [self._unknown]
