"""Sentences as vectors, for knowledge search."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voice.providers.local.client import Connection

DIMENSIONS = 384


class LocalEmbedder:
    """MiniLM through the model process."""

    name = "local-minilm"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row of 384 numbers, of length 1, for each text. Raises ProviderError."""
        rows = bytearray()
        async with contextlib.aclosing(self._connection.request("embed", texts=list(texts))) as events:  # type: ignore[type-var]
            async for _, row in events:
                rows += row
        return np.frombuffer(bytes(rows), "<f4").reshape(-1, DIMENSIONS)
