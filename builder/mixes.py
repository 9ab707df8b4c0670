"""Mixes: recognition, language model and voice that go together, of what a workspace has connected.

Each ranks the services for a role, the best first, and takes the first one that can be had; where none can, our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from accounts.models import Organization
from builder import vendors
from builder.config import LOCAL, AgentConfig, HearingChoice, ModelChoice, VoiceChoice
from builder.measures.selectors import measured
from builder.models import ModelConnection

MixRole = Literal["stt", "llm", "tts"]
Ranks = Mapping[MixRole, Sequence[tuple[str, str]]]
"""By role, (vendor, model); a compatible service answers with whatever its connection names."""


@dataclass(frozen=True, slots=True)
class Mix:
    key: str
    label: str
    hint: str
    ranks: Ranks = field(default_factory=dict)
    by_time: bool = False
    """What calls have measured to be quickest goes before the ranks."""


_COMPATIBLE = (vendors.COMPATIBLE, "")
_LISTENS, _SPEAKS = ("openai", "gpt-4o-mini-transcribe"), ("openai", "tts-1")
MIXES = (
    Mix(
        "balanced",
        "Balanced",
        "Quick, clever and not dear",
        {
            "stt": [("deepgram", "nova-3"), ("cartesia", "ink-2"), ("elevenlabs", "scribe_v2_realtime"), _LISTENS],
            "llm": [
                ("openai", "gpt-5.4-mini"),
                ("anthropic", "claude-haiku-5-5"),
                ("google", "gemini-3.8-flash"),
                _COMPATIBLE,
            ],
            "tts": [("cartesia", "sonic-3.6"), ("elevenlabs", "eleven_flash_v2_5"), ("deepgram", "aura-2"), _SPEAKS],
        },
    ),
    Mix(
        "fastest",
        "Fastest",
        "The shortest wait for an answer",
        {
            "stt": [
                ("deepgram", "flux-general-en"),
                ("cartesia", "ink-2"),
                ("elevenlabs", "scribe_v2_realtime"),
                _LISTENS,
            ],
            "llm": [
                _COMPATIBLE,
                ("google", "gemini-3.5-flash-lite"),
                ("anthropic", "claude-haiku-5-5"),
                ("openai", "gpt-4.1-mini"),
            ],
            "tts": [("cartesia", "sonic-3.6"), ("elevenlabs", "eleven_flash_v2_5"), ("deepgram", "aura-2"), _SPEAKS],
        },
        by_time=True,
    ),
    Mix(
        "smartest",
        "Smartest",
        "The best answers, also when they take longer",
        {
            "stt": [("elevenlabs", "scribe_v2_realtime"), ("deepgram", "nova-3"), ("cartesia", "ink-2"), _LISTENS],
            "llm": [
                ("anthropic", "claude-sonnet-5-5"),
                ("openai", "gpt-4.1"),
                ("google", "gemini-3.6-flash"),
                _COMPATIBLE,
            ],
            "tts": [
                ("elevenlabs", "eleven_multilingual_v2"),
                ("cartesia", "sonic-3.6"),
                ("deepgram", "aura-2"),
                _SPEAKS,
            ],
        },
    ),
    Mix("offline", "Offline", "All on this machine: no key, no network, no cost"),
)
ROLES: Mapping[MixRole, str] = {"stt": "recognition", "llm": "a language model", "tts": "a voice"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A mix for an agent: what it makes of its config, what it would take that is not connected, and whether the agent
    has it now."""

    mix: Mix
    config: AgentConfig
    missing: tuple[str, ...]
    is_set: bool

    @property
    def lacks(self) -> str:
        """In words; "" where nothing is missing."""
        return f"Connect a vendor for {' and '.join(self.missing)} to have more of it." if self.missing else ""


def offers(organization: Organization, config: AgentConfig) -> list[Offer]:
    """All mixes, of what the workspace has connected."""
    connections = list(organization.model_connections.all())
    found = []
    for mix in MIXES:
        chosen = {role: _best(organization, mix, role, connections) for role in ROLES}
        made = _mixed(config, chosen)
        missing = tuple(words for role, words in ROLES.items() if mix.ranks and chosen[role] is None)
        # Where nothing is connected all are the one that needs nothing.
        stands = not mix.ranks or len(missing) < len(ROLES)
        found.append(Offer(mix, made, missing, stands and _services(made) == _services(config)))
    return found


def offer(organization: Organization, config: AgentConfig, key: str) -> Offer | None:
    return next((each for each in offers(organization, config) if each.mix.key == key), None)


Pick = tuple[ModelConnection, str]


def _best(organization: Organization, mix: Mix, role: MixRole, connections: Sequence[ModelConnection]) -> Pick | None:
    """The first service that can be had; None where none can."""
    picks = [
        (connection, model)
        for vendor, model in mix.ranks.get(role, ())
        for connection in connections
        if connection.vendor == vendor and _can(connection, role)
    ]
    if mix.by_time:
        waits = [measured(organization, role, pick[0].vendor, pick[1]).waited_ms for pick in picks]
        known = sorted((wait, place) for place, wait in enumerate(waits) if wait is not None)
        if known:
            return picks[known[0][1]]
    return picks[0] if picks else None


def _can(connection: ModelConnection, role: MixRole) -> bool:
    """A compatible service is asked for its language model alone: which voices it has, only its people know."""
    if connection.vendor == vendors.COMPATIBLE:
        return role == "llm" and bool(connection.default_model)
    return vendors.has_role(connection.vendor, role)


def _mixed(config: AgentConfig, chosen: Mapping[MixRole, Pick | None]) -> AgentConfig:
    """`config` with these services. A voice stays where it is one of the vendor's."""
    hearing, voice, model = config.hearing, config.voice, config.model
    if (stt := chosen["stt"]) is None:
        hearing = HearingChoice(fallbacks=hearing.fallbacks)
    else:
        hearing = hearing.model_copy(update={"connection": stt[0].pk, "model": stt[1]})
    if (tts := chosen["tts"]) is None:
        kept = voice.id if voice.connection == LOCAL else VoiceChoice().id
        voice = voice.model_copy(update={"connection": LOCAL, "model": "", "id": kept})
    else:
        kept = voice.id if voice.connection == tts[0].pk else ""
        voice = voice.model_copy(update={"connection": tts[0].pk, "model": tts[1], "id": kept})
    if (llm := chosen["llm"]) is None:
        model = model.model_copy(update={"connection": LOCAL, "name": ModelChoice().name})
    else:
        model = model.model_copy(update={"connection": llm[0].pk, "name": llm[1] or llm[0].default_model})
    return config.model_copy(update={"hearing": hearing, "voice": voice, "model": model})


def _services(config: AgentConfig) -> tuple[tuple[str, str], ...]:
    hearing, voice, model = config.hearing, config.voice, config.model
    return (hearing.connection, hearing.model), (voice.connection, voice.model), (model.connection, model.name)
