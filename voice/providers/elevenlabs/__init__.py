"""ElevenLabs: Scribe listens, and their voices speak. Spoken to directly: their library hides what we must cancel."""

from __future__ import annotations

from voice.providers.elevenlabs.account import check, list_voices
from voice.providers.elevenlabs.stt import elevenlabs_stt
from voice.providers.elevenlabs.tts import VOICES, ElevenLabsTts
from voice.providers.vendor import Vendor

__all__ = ["VENDOR", "ElevenLabsTts", "elevenlabs_stt"]

VENDOR = Vendor(
    id="elevenlabs",
    label="ElevenLabs",
    base_url="https://api.elevenlabs.io",
    key_hint="elevenlabs.io, under Developers, API keys",
    models={
        "stt": ("scribe_v2_realtime",),
        "tts": ("eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_multilingual_v2", "eleven_v3"),
    },
    check=check,
    stt=elevenlabs_stt,
    detects=True,
    tts=ElevenLabsTts,
    voices=VOICES,
    list_voices=list_voices,
)
