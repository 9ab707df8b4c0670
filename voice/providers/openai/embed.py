"""Texts as vectors by OpenAI's embedding models, and by servers that have the same address for them."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import numpy as np
import numpy.typing as npt

from voice.providers.api import Api

PATIENCE_SECONDS = 30.0


class OpenAiEmbedder:
    """Vectors by one model of a server; `base_url` is what comes before `/embeddings`.

    One object serves everybody, over connections that are kept; `close` closes them. Where people type the address,
    hand it a `client` that refuses private ones.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        *,
        client: httpx.AsyncClient | None = None,
        name: str = "openai",
    ) -> None:
        self.name = name
        self._model = model
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._api = Api(name, base_url, secret=api_key, headers=headers, client=client)

    async def close(self) -> None:
        await self._api.close()

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One row for each text, of length 1 and as many numbers as the model has. Raises ProviderError."""
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        what = f"embedding model {self._model}"
        answer = await self._api.json("POST", "/embeddings", what=what, patience=PATIENCE_SECONDS, json=body)
        try:
            found = sorted(answer["data"], key=lambda entry: int(entry["index"]))
            rows = np.array([entry["embedding"] for entry in found], np.float32)
            fits = (
                rows.ndim == 2 and rows.shape[0] == len(texts) and rows.shape[1] > 0 and bool(np.isfinite(rows).all())
            )
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            raise self._api.failures.garbled(str(answer))
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)
