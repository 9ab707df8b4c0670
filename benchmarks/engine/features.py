"""What the features of a call cost by themselves: each is switched on alone, and measured against none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice.brain import llm_brain
from voice.chain import ChatModel
from voice.knowledge import Passage
from voice.services import Services
from voice.spec import AgentSpec, Ambient, Answering

FEATURES = {
    "room": "a sound behind the agent, also while nobody speaks",
    "tones": "keys looked for in the caller's audio",
    "screening": "who answers an outbound call",
    "honesty": "claims held against what tools did",
    "knowledge": "a search before each answer (of a knowledge base that takes no time)",
    "spare-ears": "a second recogniser standing by: the turn's audio is kept",
    "spare-voice": "a second voice standing by",
    "race": "two models asked at once, always",
}
"""The names that `--feature` takes, and what they mean."""


class _Knowledge:
    async def search(self, query: str, *, most: int = 3) -> Sequence[Passage]:
        return [Passage("We are open from nine to five.", "hours.md", 0.9)]


def spec_with(spec: AgentSpec, feature: str) -> AgentSpec:
    changes: dict[str, dict[str, object]] = {
        "room": {"ambient": Ambient(bed="office")},
        "screening": {"answering": Answering(detect=True)},
        "honesty": {"honesty": "correct"},
        "race": {"hedge_after": 0.0},
    }
    return spec.model_copy(update=changes.get(feature, {}))


def services_with(services: Services, feature: str, model: ChatModel) -> Services:
    """`services` with what the feature needs; `model` is the one that answers."""
    match feature:
        case "spare-ears":
            return replace(services, stt=[*services.stt, *services.stt])
        case "spare-voice":
            return replace(services, voices=[*services.voices, *services.voices])
        case "race":
            return replace(services, brain=llm_brain([model, model]))
        case "knowledge":
            return replace(services, brain=llm_brain([model], knowledge=_Knowledge()))
    return services
