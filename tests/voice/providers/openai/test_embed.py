"""Vectors by OpenAI's protocol: what is asked, what is made of the answer, and what goes wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.voice.providers.fake_http import Exchange, serving
from voice.providers.base import ProviderError
from voice.providers.openai import OpenAiEmbedder


async def embedded(url: str, *texts: str) -> Any:
    embedder = OpenAiEmbedder(url, "sk-secret", "text-embedding-3-small")
    try:
        return await embedder.embed(texts)
    finally:
        await embedder.close()


def entry(index: int, *numbers: float) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": list(numbers)}


async def test_texts_are_asked_at_once_and_come_back_in_their_order_with_length_one() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(200, {"object": "list", "data": [entry(1, 0, 5, 0), entry(0, 3, 0, 4)]})

    async with serving(answer) as server:
        rows = await embedded(server.url, "one", "two")
    assert np.allclose(rows, np.array([[0.6, 0, 0.8], [0, 1, 0]]))
    assert rows.dtype == np.float32
    (request,) = server.requests
    assert request.path.endswith("/embeddings")
    assert request.headers["authorization"] == "Bearer sk-secret"
    assert request.body == {"model": "text-embedding-3-small", "input": ["one", "two"], "encoding_format": "float"}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": "x"},
        {"data": [entry(0, 1.0)]},
        {"data": [entry(0, 1.0), entry(1, 1.0, 2.0)]},
        {"data": [entry(0), entry(1)]},
        {"data": [entry(0, float("nan")), entry(1, 1.0)]},
        [],
    ],
)
async def test_an_answer_that_makes_no_sense_is_a_failure(answer: Any) -> None:
    async def give(exchange: Exchange) -> None:
        await exchange.answer(200, answer)

    async with serving(give) as server:
        with pytest.raises(ProviderError):
            await embedded(server.url, "one", "two")


async def test_a_refusal_says_what_to_do_and_never_the_key() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(401, {"error": {"message": "Incorrect API key sk-secret"}})

    async with serving(refuse) as server:
        with pytest.raises(ProviderError, match="key is wrong") as caught:
            await embedded(server.url, "one")
    assert "sk-secret" not in str(caught.value)
