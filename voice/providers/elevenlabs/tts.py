"""ElevenLabs' voices: one request a piece of text, whose audio and character times are streamed.

Closing the stream ends the request.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from voice.media import SAMPLE_RATE
from voice.providers.base import Audio, WordTime
from voice.providers.elevenlabs import account as elevenlabs
from voice.providers.samples import WholeSamples
from voice.providers.vendor import Account, VoiceChoice
from voice.text.pronunciation import Phonemes

FIRST_SECONDS = 6.0
SPEEDS = 0.7, 1.2
# The others leave SSML's phoneme element out, and the word with it.
PHONEME_MODELS = ("eleven_flash_v2", "eleven_turbo_v2", "eleven_monolingual_v1")

VOICES = (
    VoiceChoice(id="EXAVITQu4vr4xnSDxMaL", label="Sarah", gender="female"),
    VoiceChoice(id="cgSgspJ2msm6clMCkdW9", label="Jessica", gender="female"),
    VoiceChoice(id="XrExE9yKIg1WjnnlVkGX", label="Matilda", gender="female"),
    VoiceChoice(id="JBFqnCBsd6RMkjVDRZzb", label="George", gender="male"),
    VoiceChoice(id="TX3LPaxmHKxFdv7VOQHJ", label="Liam", gender="male"),
    VoiceChoice(id="nPczCjzI2devNBz1zQrb", label="Brian", gender="male"),
)


class ElevenLabsTts:
    """Speech in the voices of an account, with the times of the words."""

    def __init__(self, account: Account, model: str) -> None:
        self.name = elevenlabs.name(account)
        self._api = elevenlabs.api(account)
        self._model = model
        self.phonemes: Phonemes = "ssml" if model in PHONEME_MODELS else ""

    async def close(self) -> None:
        await self._api.close()

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        """Speak one piece of text. The times of all words come when the last of them is made: before, nobody can tell
        which of the text's words they are. Raises ProviderError."""
        voice = voice or VOICES[0].id
        body: dict[str, Any] = {"text": text, "model_id": self._model}
        if speed != 1:
            slowest, fastest = SPEEDS
            body["voice_settings"] = {"speed": min(fastest, max(slowest, speed))}
        if self._model.endswith("_v2_5") or self._model.startswith("eleven_v3"):
            # The others refuse a language: they hear it from the text.
            body["language_code"] = language.partition("-")[0]
        samples, times = WholeSamples(), _Characters()
        async with (
            self._api.open(
                "POST",
                f"/v1/text-to-speech/{quote(voice, safe='')}/stream/with-timestamps",
                what=f"voice {voice} with the model {self._model}",
                patience=FIRST_SECONDS,
                params={"output_format": f"pcm_{SAMPLE_RATE}"},
                json=body,
            ) as response,
            aclosing(self._api.lines(response)) as lines,  # type: ignore[type-var]
        ):
            async for line in lines:
                if line and (pcm := samples.take(self._piece(line, times))):
                    yield Audio(pcm)
        if not samples.any:
            raise self._api.failures.nothing()
        if words := list(times.words()):
            yield Audio(b"", words)

    def _piece(self, line: str, times: _Characters) -> bytes:
        """The audio of one line of the answer. Its times are added to `times`. Raises ProviderError."""
        part = self._api.object(line)
        try:
            times.add(part.get("alignment"))
            return b64decode(part.get("audio_base64") or b"", validate=True)
        except (LookupError, TypeError, ValueError):
            raise self._api.failures.garbled(line) from None


class _Characters:
    """The characters spoken so far, with their times in seconds from the start of the piece."""

    def __init__(self) -> None:
        self._known: list[tuple[str, float, float]] = []

    def add(self, alignment: dict[str, Any] | None) -> None:
        """Take in a part of the alignment. Raises LookupError, TypeError or ValueError if it is none."""
        if not alignment:
            return
        starts, ends = alignment["character_start_times_seconds"], alignment["character_end_times_seconds"]
        for character, start, end in zip(alignment["characters"], starts, ends, strict=True):
            self._known.append((str(character), float(start), float(end)))

    def words(self) -> Iterator[WordTime]:
        word, begin, until = "", 0.0, 0.0
        for character, start, end in (*self._known, (" ", 0.0, 0.0)):
            if character.isspace():
                if word:
                    yield WordTime(word, begin, until)
                word = ""
            else:
                begin = begin if word else start
                word, until = word + character, end
