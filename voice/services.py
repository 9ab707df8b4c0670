"""What calls are made with, beside their AgentSpec: one kind of services for each kind of call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from voice.brain import Brains
from voice.health import Health
from voice.media.ambient import Bed, prepared
from voice.media.pacer import Pacer
from voice.providers.base import EndOfTurn, Stt, Tts, Vad
from voice.providers.realtime import Realtime
from voice.spec import AgentSpec, Voice
from voice.speech import PhraseCache, VoiceService
from voice.tools import Tool

__all__ = ["CallServices", "Member", "RealtimeServices", "Services", "VoiceService"]


@dataclass(frozen=True, kw_only=True)
class Member:
    """An agent of the team, to whom a call can be handed."""

    spec: AgentSpec
    services: Services


@dataclass(frozen=True, kw_only=True)
class CallServices:
    """What every kind of call needs. Of each chain of providers the first one works; the next ones take over when it
    fails."""

    voices: Sequence[VoiceService]
    pacer: Pacer
    phrases: PhraseCache
    health: Health = field(default_factory=Health)
    tools: Sequence[Tool] = ()
    """Besides those that the spec asks for."""
    find_bed: Callable[[str], Awaitable[Bed]] = prepared
    """The background sound of a name. Raises KeyError where there is none."""


@dataclass(frozen=True, kw_only=True)
class Services(CallServices):
    """The providers of an agent whose call is recognised, answered and spoken by one of each."""

    stt: Sequence[Stt]
    brain: Brains
    vad: Vad
    end_of_turn: EndOfTurn | None = None
    team: Mapping[str, Member] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RealtimeServices(CallServices):
    """The providers of an agent that one model hears and speaks for."""

    realtime: Realtime
    voice: str = ""
    """The model's voice; empty leaves it to the provider."""
    voices: Sequence[VoiceService] = ()
    """They say the fixed words when the model cannot."""


def voice_chain(tts: Sequence[Tts], voice: Voice) -> list[VoiceService]:
    """The same voice by several providers, for those that know it by the same id."""
    return [VoiceService(tts=one, voice=voice) for one in tts]
