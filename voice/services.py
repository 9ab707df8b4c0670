"""What calls are made with, beside their AgentSpec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voice.brain import Brains
from voice.health import Health
from voice.media.pacer import Pacer
from voice.providers.base import EndOfTurn, Stt, Tts, Vad
from voice.spec import AgentSpec, Voice
from voice.speech import PhraseCache, VoiceService
from voice.tools import Tool

__all__ = ["Member", "Services", "VoiceService"]


@dataclass(frozen=True, kw_only=True)
class Member:
    """An agent of the team, to whom a call can be handed."""

    spec: AgentSpec
    services: Services


@dataclass(frozen=True, kw_only=True)
class Services:
    """The providers of an agent. Of each chain the first one works; the next ones take over when it fails."""

    stt: Sequence[Stt]
    voices: Sequence[VoiceService]
    brain: Brains
    vad: Vad
    pacer: Pacer
    phrases: PhraseCache
    end_of_turn: EndOfTurn | None = None
    health: Health = field(default_factory=Health)
    tools: Sequence[Tool] = ()
    """Besides those that the spec asks for."""
    team: Mapping[str, Member] = field(default_factory=dict)


def voice_chain(tts: Sequence[Tts], voice: Voice) -> list[VoiceService]:
    """The same voice by several providers, for those that know it by the same id."""
    return [VoiceService(tts=one, voice=voice) for one in tts]
