"""Deepgram: Nova and Flux listen, Aura speaks. Spoken to directly: its library retries in its own way."""

from __future__ import annotations

from voice.providers.deepgram.account import check, list_voices
from voice.providers.deepgram.stt import deepgram_stt
from voice.providers.deepgram.tts import VOICES, DeepgramTts
from voice.providers.vendor import Vendor

__all__ = ["VENDOR", "DeepgramTts", "deepgram_stt"]

VENDOR = Vendor(
    id="deepgram",
    label="Deepgram",
    base_url="https://api.deepgram.com",
    key_hint="console.deepgram.com, under API keys",
    models={"stt": ("nova-3", "flux-general-en", "flux-general-multi", "nova-2-phonecall"), "tts": ("aura-2",)},
    check=check,
    stt=deepgram_stt,
    detects=True,
    tts=DeepgramTts,
    voices=VOICES,
    list_voices=list_voices,
)
