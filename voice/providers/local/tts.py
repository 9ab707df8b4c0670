"""Voices for calls: Kokoro's, and Piper's where those are not there or a light one is wanted."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from voice.providers.base import Audio
from voice.providers.local.client import Connection
from voice.text.pronunciation import Phonemes

PIPER_VOICE = "joe"
PHONEMES: Phonemes = "inline"


class LocalTts:
    """Speech through the model process. With `light`, always in the light voice, whichever is asked for."""

    def __init__(self, connection: Connection, *, light: bool = False) -> None:
        self._connection = connection
        self._light = light
        self.phonemes = PHONEMES
        self.name = "local-piper" if light else "local-kokoro"

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        """Speak one piece of text. A long one comes in parts."""
        asked: dict[str, Any] = {
            "text": text,
            "voice": PIPER_VOICE if self._light else voice,
            "speed": speed,
            "language": language,
        }
        async with contextlib.aclosing(self._connection.request("tts", **asked)) as parts:  # type: ignore[type-var]
            async for _, pcm in parts:
                yield Audio(pcm)
