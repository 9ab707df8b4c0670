"""Recognition by servers that take recordings only: at each pause they are sent what was said."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Callable, Sequence
from typing import Any

from voice.media import SAMPLE_RATE, seconds
from voice.providers.api import Api
from voice.providers.base import ProviderError, Transcript

# The engine waits six seconds for words.
ANSWER_SECONDS = 5.5
_SECOND = 2 * SAMPLE_RATE
# Voice activity is known a little late, and the first sounds of a word are soft.
PRE_ROLL = 3 * _SECOND // 10
# So much of the silence after speech is kept; more of it makes models dream.
TRAIL = 3 * _SECOND // 10
# Speech longer than this is not sent again when the caller goes on after a pause: its words are kept.
LONG = 10 * _SECOND


class UploadStream:
    """Recognition for one call. It gives no partial transcripts: each would be paid for."""

    def __init__(
        self,
        api: Api,
        form: dict[str, str],
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> None:
        self.billed_seconds = 0.0
        self._api = api
        self._form = form
        self._on_transcript = on_transcript
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._recent = bytearray()
        self._kept: list[str] = []
        self._kept_bytes = 0
        self._audio = bytearray()
        self._text: str | None = None
        """The words of `_audio`, while they cover all of it."""
        self._speaking = False
        self._silent = 0
        self._question: asyncio.Task[None] | None = None

    def feed(self, frame: bytes) -> None:
        self._recent += frame
        if len(self._recent) > 2 * PRE_ROLL:
            del self._recent[:-PRE_ROLL]
        if self._speaking:
            self._audio += frame
        elif self._audio:
            self._silent += len(frame)
            if self._silent <= TRAIL:
                self._audio += frame

    def speech_started(self) -> None:
        self._withdraw()
        if self._text is not None and len(self._audio) > LONG:
            self._keep(self._text)
        if not self._audio:
            self._audio += self._recent[-PRE_ROLL:]
        elif self._silent > TRAIL:
            # Of the silence that was left out, the pre-roll belongs to the new speech.
            self._audio += self._recent[-min(PRE_ROLL, self._silent - TRAIL) :]
        self._text = None
        self._speaking, self._silent = True, 0

    def speech_stopped(self) -> None:
        self._withdraw()
        self._speaking, self._silent = False, 0
        self._question = self._loop.create_task(self._ask(), name="final transcript")

    def commit(self) -> None:
        self._withdraw()
        self._kept, self._kept_bytes = [], 0
        self._audio, self._text, self._silent = bytearray(), None, 0

    def close(self) -> None:
        self._speaking = False
        self.commit()

    def _keep(self, text: str) -> None:
        self._kept.append(text)
        self._kept_bytes += len(self._audio)
        self._audio = bytearray()

    async def _ask(self) -> None:
        began = self._loop.time()
        audio = bytes(self._audio)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                text = await self._recognise(audio)
        except TimeoutError as error:
            self._answered(self._api.failures.of_transport(error))
        except ProviderError as error:
            self._answered(error)
        else:
            self._text = text
            self._answered(
                Transcript(
                    text=" ".join(filter(None, (*self._kept, text))),
                    final=True,
                    audio_seconds=round(seconds(self._kept_bytes + len(audio)), 3),
                    took=self._loop.time() - began,
                )
            )

    async def _recognise(self, audio: bytes) -> str:
        self.billed_seconds += seconds(len(audio))
        answer = await self._api.json(
            "POST",
            "/audio/transcriptions",
            what=f"model {self._form['model']}",
            data=self._form,
            files={"file": ("turn.wav", wav(audio), "audio/wav")},
        )
        return self._words(answer)

    def _words(self, answer: Any) -> str:
        if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
            raise self._api.failures.garbled(str(answer))
        return str(answer["text"]).strip()

    def _answered(self, answer: Transcript | ProviderError) -> None:
        self._question = None
        if isinstance(answer, ProviderError):
            self._on_error(answer)
        else:
            self._on_transcript(answer)

    def _withdraw(self) -> None:
        if self._question is not None:
            self._question.cancel()
            self._question = None


def form_of(model: str, language: str, keyterms: Sequence[str]) -> dict[str, str]:
    """The fields that go with each recording."""
    form = {"model": model, "response_format": "json"}
    if language:
        form["language"] = language
    if keyterms:
        form["prompt"] = ", ".join(keyterms)
    return form


def wav(pcm: bytes) -> bytes:
    """Engine audio as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(pcm)
    return file.getvalue()
