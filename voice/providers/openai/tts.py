"""Speech by OpenAI's voices, and by servers that have the same address for it: Kokoro-FastAPI, Speaches and others."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx

from voice.media import SAMPLE_RATE
from voice.media.pcm import PcmResampler
from voice.providers.api import Api
from voice.providers.base import Audio

FIRST_SECONDS = 8.0
# The rate of OpenAI's PCM, and of everybody's who does not say otherwise.
PCM_RATE = 24_000
_SLOWEST, _FASTEST = 0.25, 4.0
_OTHER_FORMATS = (b"RIFF", b"ID3", b"OggS", b"fLaC")


class OpenAiTts:
    """Speech by one model of a server; `base_url` is what comes before `/audio/speech`.

    One object serves all calls, over connections that are kept; `close` closes them. Where people type the address,
    hand it a `client` that refuses private ones. The server gives no times of words.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        model: str,
        *,
        client: httpx.AsyncClient | None = None,
        name: str = "openai",
    ) -> None:
        self.name = name
        self._model = model
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._api = Api(name, base_url, secret=api_key, headers=headers, client=client)

    async def close(self) -> None:
        await self._api.close()

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        """Speak one piece of text, in the language that it is written in. Closing the iterator closes the connection,
        which stops the model. Raises ProviderError."""
        body = {
            "model": self._model,
            "input": text,
            "voice": {"id": voice} if voice.startswith("voice_") else voice,
            "response_format": "pcm",
            "speed": min(max(speed, _SLOWEST), _FASTEST),
        }
        what = f"model {self._model} with the voice {voice}"
        async with self._api.open("POST", "/audio/speech", what=what, patience=FIRST_SECONDS, json=body) as response:
            resampler = PcmResampler(self._rate(response), SAMPLE_RATE)
            heard = False
            async with aclosing(self._api.audio(response)) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    if not heard and piece.startswith(_OTHER_FORMATS):
                        raise self._api.failures.garbled(repr(piece[:4]))
                    heard = True
                    if pcm := resampler.process(piece):
                        yield Audio(pcm)
        if not heard:
            raise self._api.failures.nothing()
        if rest := resampler.finish():
            yield Audio(rest)

    def _rate(self, response: httpx.Response) -> int:
        """The sample rate of the audio to come. Raises ProviderError if it is no audio."""
        kind = response.headers.get("Content-Type", "").lower()
        if kind.startswith(("text/", "application/json")):
            raise self._api.failures.garbled(kind)
        named = re.search(r"rate=(\d{4,6})\b", kind)
        return int(named[1]) if named else PCM_RATE
