"""Deepgram's voices: one request a piece of text, whose audio is streamed. Closing the stream ends the request."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing

from voice.media import SAMPLE_RATE
from voice.providers.base import Audio
from voice.providers.deepgram import account as deepgram
from voice.providers.samples import WholeSamples
from voice.providers.vendor import Account, VoiceChoice
from voice.text.pronunciation import Phonemes

FIRST_SECONDS = 6.0
SPEEDS = 0.7, 1.5
# Only Aura-2 takes the sound of a word within the text.
_PHONEMES = re.compile(r'\\\{"word": "([^"]*)", "pronounce": "[^"]*"\\\}')

VOICES = (
    VoiceChoice(id="aura-2-thalia-en", label="Thalia", gender="female"),
    VoiceChoice(id="aura-2-andromeda-en", label="Andromeda", gender="female"),
    VoiceChoice(id="aura-2-helena-en", label="Helena", gender="female"),
    VoiceChoice(id="aura-2-apollo-en", label="Apollo", gender="male"),
    VoiceChoice(id="aura-2-arcas-en", label="Arcas", gender="male"),
    VoiceChoice(id="aura-2-aries-en", label="Aries", gender="male"),
)


class DeepgramTts:
    """Speech in one of Deepgram's voices. A voice is a model there; a bare name is completed with `model`."""

    def __init__(self, account: Account, model: str) -> None:
        self.name = deepgram.name(account)
        self.phonemes: Phonemes = "deepgram"
        self._api = deepgram.api(account)
        self._model = model

    async def close(self) -> None:
        await self._api.close()

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        """Speak one piece of text. Deepgram tells no word times. Raises ProviderError."""
        voice = voice or VOICES[0].id
        model = voice if "-" in voice else f"{self._model}-{voice}-{language.partition('-')[0]}"
        query = {"model": model, "encoding": "linear16", "sample_rate": SAMPLE_RATE, "container": "none"}
        if not model.startswith("aura-2-"):
            text = _PHONEMES.sub(r"\1", text)
        slowest, fastest = SPEEDS
        if speed != 1:
            query["speed"] = min(fastest, max(slowest, speed))
        samples = WholeSamples()
        async with self._api.open(
            "POST", "/v1/speak", what=f"voice named {voice}", patience=FIRST_SECONDS, params=query, json={"text": text}
        ) as response:
            if response.headers.get("Content-Type", "").startswith(("text/", "application/json")):
                raise self._api.failures.garbled(response.headers["Content-Type"])
            async with aclosing(self._api.audio(response)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    if pcm := samples.take(piece):
                        yield Audio(pcm)
        if not samples.any:
            raise self._api.failures.nothing()
