"""Which model makes a workspace's vectors, and reaching it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from django.conf import settings

from builder.knowledge.models import KnowledgeSettings
from builder.models import ModelConnection
from builder.vendors import COMPATIBLE, Access
from core import http

if TYPE_CHECKING:
    from voice.providers.openai import OpenAiEmbedder

Floats = npt.NDArray[np.float32]

TOTAL_SECONDS = 60.0
LOCAL_KEY = "local:all-MiniLM-L6-v2"
VENDORS = ("openai", COMPATIBLE)
"""Those whose connections have OpenAI's `/embeddings`."""


class Embedder(Protocol):
    async def embed(self, texts: Sequence[str]) -> Floats:
        """One row of length 1 for each text. Raises ProviderError."""


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """The local model, or `name` by `access`. Vectors are comparable where their models' `key` is the same."""

    key: str = LOCAL_KEY
    label: str = "MiniLM on this machine"
    access: Access | None = None
    name: str = ""

    @property
    def batch(self) -> int:
        """How many texts one request carries. Few for the local model: a caller's question waits for no more."""
        return 8 if self.access is None else 64


LOCAL_MODEL = EmbeddingModel()


def hosted(connection: ModelConnection, name: str) -> EmbeddingModel:
    """The model `name` at a connection. At another address the same name may be another model, so it is in the key."""
    place = hashlib.sha256(connection.address.encode()).hexdigest()[:8]
    return EmbeddingModel(
        key=f"{connection.pk}:{place}:{name}",
        label=f"{name} at {connection.name}",
        access=Access.by(connection),
        name=name,
    )


@dataclass(frozen=True, slots=True)
class Models:
    """`chosen` is to make a workspace's vectors; `serving` made those that are searched now, None if it is gone."""

    chosen: EmbeddingModel
    serving: EmbeddingModel | None

    @property
    def both(self) -> list[EmbeddingModel]:
        """Those that new passages need a vector of, each once."""
        return list({model.key: model for model in (self.chosen, self.serving) if model}.values())


def models_of(organization_id: str) -> Models:
    """The workspace's embedding models. One query."""
    chosen = (
        KnowledgeSettings.objects.select_related("connection", "serving_connection")
        .filter(organization_id=organization_id)
        .first()
    )
    if chosen is None:
        return Models(LOCAL_MODEL, LOCAL_MODEL)
    return Models(
        _model(chosen.connection, chosen.model) or LOCAL_MODEL, _model(chosen.serving_connection, chosen.serving_model)
    )


def _model(connection: ModelConnection | None, name: str) -> EmbeddingModel | None:
    if not name:
        return LOCAL_MODEL
    return hosted(connection, name) if connection else None


@asynccontextmanager
async def opened(model: EmbeddingModel) -> AsyncIterator[Embedder]:
    """A connection to `model` for some requests, for tasks and views; calls share theirs (`builder.engine`)."""
    if model.access is None:
        from voice.providers.local.client import Connection
        from voice.providers.local.embed import LocalEmbedder

        connection = Connection(settings.MODELS_SOCKET)
        await connection.start()
        try:
            yield LocalEmbedder(connection)
        finally:
            await connection.close()
        return
    embedder = hosted_embedder(model, model.access)
    try:
        yield embedder
    finally:
        await embedder.close()


def hosted_embedder(model: EmbeddingModel, access: Access) -> OpenAiEmbedder:
    """An adapter to `model`, for the running event loop. Whoever asks for it closes it."""
    from voice.providers.openai import OpenAiEmbedder

    client = http.async_client(own_machine=True, total=TOTAL_SECONDS, max_bytes=50_000_000)
    return OpenAiEmbedder(access.base_url, access.api_key, model.name, client=client, name=access.name)


def text_of(*, document: str, heading: str, text: str) -> str:
    """What of a passage is made a vector: it means more with what it stands under."""
    above = heading if document in heading else " > ".join(filter(None, (document, heading)))
    return f"{above}\n{text}"
