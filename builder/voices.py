"""The voices that people choose from, with words that help them choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    id: str
    label: str
    description: str
    provider: str = "local"


@dataclass(frozen=True, slots=True)
class VoiceGroup:
    label: str
    voices: tuple[VoiceChoice, ...]


# The best of Kokoro's English voices; the ids are the names of its voice files.
GROUPS = (
    VoiceGroup(
        "American",
        (
            VoiceChoice("af_heart", "Heart", "Warm and natural; the best of all voices here"),
            VoiceChoice("af_bella", "Bella", "Lively and expressive"),
            VoiceChoice("af_nicole", "Nicole", "Soft, close to a whisper"),
            VoiceChoice("af_sarah", "Sarah", "Calm and even"),
            VoiceChoice("af_kore", "Kore", "Clear and businesslike"),
            VoiceChoice("af_aoede", "Aoede", "Bright and friendly"),
            VoiceChoice("af_nova", "Nova", "Young and quick"),
            VoiceChoice("am_michael", "Michael", "Steady, deep, trustworthy"),
            VoiceChoice("am_fenrir", "Fenrir", "Strong and direct"),
            VoiceChoice("am_puck", "Puck", "Cheerful and light"),
        ),
    ),
    VoiceGroup(
        "British",
        (
            VoiceChoice("bf_emma", "Emma", "Polite and clear"),
            VoiceChoice("bf_isabella", "Isabella", "Gentle and unhurried"),
            VoiceChoice("bm_george", "George", "Mature and composed"),
            VoiceChoice("bm_fable", "Fable", "Lively, a storyteller"),
        ),
    ),
    VoiceGroup(
        "Light",
        (VoiceChoice("joe", "Joe", "Costs the least processor time, so it suits many calls at once"),),
    ),
)

_BY_ID = {voice.id: voice for group in GROUPS for voice in group.voices}

CHOICES = [(group.label, [(voice.id, voice.label) for voice in group.voices]) for group in GROUPS]
"""As a form's select takes them."""


def voice(voice_id: str) -> VoiceChoice | None:
    return _BY_ID.get(voice_id)


def label(voice_id: str) -> str:
    """A voice's name for people; the id itself when it is no longer offered."""
    known = _BY_ID.get(voice_id)
    return known.label if known else voice_id
