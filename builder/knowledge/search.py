"""The search: by words (BM25) and by meaning (vectors), each of which finds what the other misses, ranked as one.

Passages score by their reciprocal ranks, as in G. Cormack, C. Clarke, S. Büttcher: Reciprocal Rank Fusion outperforms
Condorcet and individual Rank Learning (2009). Callers mostly ask in words of their own, so a rank by words counts as
much as the passage's words account for the question: a name or a number decides, a common word hardly matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from asgiref.sync import async_to_sync

from accounts.models import Organization
from builder.knowledge import bm25
from builder.knowledge.embedding import EmbeddingModel, Floats, models_of, opened
from builder.knowledge.index import INDEXES, similarities
from builder.knowledge.models import Chunk, KnowledgeFolder
from voice.knowledge import Passage
from voice.providers.base import ProviderError

CANDIDATES = 50
"""How many of each kind are ranked as one."""
RANK_CONSTANT = 10
LEAST_SIMILARITY = 0.15
LEAST_SHARE = 0.3
"""Where nothing is closer than this in meaning, nor accounts for so much of the words, it was no question to the
documents ("Yes, please."): nothing is found."""
RELATIVE_SIMILARITY = 0.6
"""What is less than so close as the closest passage is not found by its meaning."""
LONGEST_QUERY = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that fits. Ranks count from 1; None where it was not found that way.

    `share` is how much of the question its words account for, `similarity` the cosine of its meaning to the question's.
    """

    chunk: Chunk
    score: float
    """Of both ranks: at most 0.18."""
    word_rank: int | None
    share: float
    meaning_rank: int | None
    similarity: float

    @property
    def source(self) -> str:
        """Where it stands, for whoever reads what was cited."""
        document = self.chunk.document
        page = f"page {self.chunk.page}" if self.chunk.page else ""
        heading = "" if self.chunk.heading == document.name else self.chunk.heading
        return ", ".join(filter(None, (document.name, heading, page)))

    @property
    def passage(self) -> Passage:
        return Passage(self.chunk.text, self.source, round(self.score, 4))


@dataclass(frozen=True, slots=True)
class Results:
    """`problem` says why the search was by words alone, if it was."""

    found: list[Found]
    problem: str = ""

    @property
    def passages(self) -> list[Passage]:
        return [one.passage for one in self.found]


def search(organization: Organization, folders: Sequence[str] | None, query: str, *, most: int = 3) -> Results:
    """The `most` passages of some folders of the workspace (None: of all) that fit best, best first.

    Blocks, for the embedding model and the database, and not to be called on an event loop. Where the model cannot be
    reached the search is by words alone.
    """
    query = query[:LONGEST_QUERY]
    vector, problem = None, ""
    model = models_of(organization.pk).serving
    if model is None:
        problem = "The connection of the embedding model was deleted."
    elif query.strip():
        try:
            vector = async_to_sync(vector_of)(query, model)
        except ProviderError as error:
            problem = str(error)
    return Results(rank(organization.pk, folders, query, vector, model=model.key if model else "", most=most), problem)


async def vector_of(query: str, model: EmbeddingModel) -> Floats:
    """The question as a vector. Raises ProviderError."""
    async with opened(model) as embedder:
        vector: Floats = (await embedder.embed([query]))[0]
        return vector


def rank(
    organization_id: str,
    folders: Sequence[str] | None,
    query: str,
    vector: Floats | None,
    *,
    model: str,
    most: int,
    patient: bool = True,
) -> list[Found]:
    """`search` for a question whose `vector` by the embedding model `model` is known, or None to go by words alone.

    Unless `patient`, a folder that has just changed is searched as it was before. Blocks for the database.
    """
    known = KnowledgeFolder.objects.filter(organization_id=organization_id)
    if folders is not None:
        known = known.filter(pk__in=folders)
    revisions = known.order_by("pk").values_list("pk", "revision")
    indexes = [INDEXES.get(folder, model, revision, patient=patient) for folder, revision in revisions]
    if not indexes or not query.strip():
        return []
    words = bm25.shares(query, [index.words for index in indexes])
    meanings = similarities(indexes, vector)
    places = fuse(words, meanings, most=most)
    ids = np.concatenate([index.ids for index in indexes])
    chunks = Chunk.objects.select_related("document").in_bulk([int(ids[place.place]) for place in places])
    return [
        Found(chunk, place.score, place.word_rank, place.share, place.meaning_rank, place.similarity)
        for place in places
        if (chunk := chunks.get(int(ids[place.place]))) is not None  # deleted since the index was built
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """A passage by its place, with what `Found` has of it."""

    place: int
    score: float
    word_rank: int | None
    share: float
    meaning_rank: int | None
    similarity: float


def fuse(shares: Floats, similarities: Floats, *, most: int) -> list[Place]:
    """The places of the `most` best passages, best first: by how much of the question each accounts for in its words,
    and how similar each is in its meaning (all 0 where that is not known)."""
    closest = float(similarities.max(initial=0.0))
    if 0 < closest < LEAST_SIMILARITY and float(shares.max(initial=0.0)) < LEAST_SHARE:
        return []
    by_words = _ranks(shares, above=0.0)
    by_meaning = _ranks(similarities, above=RELATIVE_SIMILARITY * closest)
    scores = {
        place: (min(1.0, float(shares[place])) ** 2 / (RANK_CONSTANT + by_words[place]) if place in by_words else 0.0)
        + (1 / (RANK_CONSTANT + by_meaning[place]) if place in by_meaning else 0.0)
        for place in by_words | by_meaning
    }
    best = sorted(scores, key=lambda place: (-scores[place], -float(similarities[place]), place))[:most]
    return [
        Place(
            place,
            scores[place],
            by_words.get(place),
            float(shares[place]),
            by_meaning.get(place),
            float(similarities[place]),
        )
        for place in best
    ]


def _ranks(scores: Floats, *, above: float) -> dict[int, int]:
    """The rank of each of the best places, of those that score more than `above`."""
    if len(scores) > CANDIDATES:
        best: Any = np.argpartition(-scores, CANDIDATES)[:CANDIDATES]
    else:
        best = np.arange(len(scores))
    ordered = sorted((int(place) for place in best if scores[place] > above), key=lambda place: (-scores[place], place))
    return {place: rank for rank, place in enumerate(ordered, start=1)}
