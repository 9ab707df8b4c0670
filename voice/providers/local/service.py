"""The operations of the model process: a request in, chunks out."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voice.media import SAMPLE_RATE
from voice.media.resample import Resampler
from voice.providers.base import Finished, ProviderError
from voice.providers.local import manifest
from voice.providers.local.brought import BroughtVoices, is_brought
from voice.providers.local.desk import Desk
from voice.providers.local.host import Host
from voice.providers.local.lanes import Lane
from voice.providers.local.models.runtime import Floats, pcm16
from voice.providers.local.protocol import Header

if TYPE_CHECKING:
    from voice.providers.local.models.piper import Piper

Chunk = tuple[Header, bytes]
Operation = Callable[[Header, bytes], AsyncIterator[Chunk]]

Speech = Iterator[tuple[Floats, bool]]

PIPER_VOICE = "joe"
# A piece of text longer than this is spoken in parts, so that its first sound does not wait for its last word.
PART_CHARACTERS = 110
# A voice that has to wait, for other callers or for a slow processor, says so often.
SIGN_SECONDS = 1.0
_NOTHING: tuple[Floats, bool] = (np.zeros(0, np.float32), True)
_BREAKS = (r"[.!?]\s", r"[,;:]\s", r"\s")


class Service:
    """Runs requests on the models. Two cores are enough: each model has one worker, and speech goes before text."""

    def __init__(self, host: Host, voices: Path | None = None) -> None:
        """`voices` is the directory of those that people have brought."""
        self._host = host
        self._brought = BroughtVoices(voices)
        # A partial transcript (priority 1) never takes the last worker: a final one starts at once.
        self._hearing = Lane("speech recognition", workers=2, limit=8, spare=1)
        self._judging = Lane("the end of turns", workers=1, limit=16)
        self._speaking = Lane("the natural voices", workers=1, limit=8)
        self._reading = Lane("the spare voice", workers=1, limit=16)
        self._embedding = Lane("knowledge search", workers=1, limit=32)
        self._thinking = Lane("the language model", workers=2, limit=6, spare=1)
        self._desk = Desk(self._thinking)
        self._operations: dict[str, Operation] = {
            "stt": self._stt,
            "turn": self._turn,
            "tts": self._tts,
            "embed": self._embed,
            "llm": self._llm,
            "warm": self._warm,
        }

    def run(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        """The chunks that answer a request. Raises ProviderError, at once or while they are made."""
        operation = self._operations.get(str(request.get("op")))
        if operation is None:
            raise ProviderError("local", f"The model process knows no operation {request.get('op')!r}.")
        return operation(request, payload)

    async def _stt(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        model = self._host.get("stt")

        def work(unwanted: threading.Event) -> Header:
            text, tokens = model.transcribe(payload, draft=request.get("draft", ()), stop=unwanted.is_set)
            return {"text": text, "tokens": tokens}

        yield await self._hearing.run(work, priority=0 if request.get("final") else 1), b""

    async def _turn(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        model = self._host.get("turn")
        yield {"probability": await self._judging.run(lambda _: float(model.predict(payload)))}, b""

    async def _tts(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        voice, speed = str(request["voice"]), float(request["speed"])
        lane, speak, rate = await self._voice(voice, speed, str(request.get("language", "en")))
        # The first sound of one caller's sentence goes before the later ones of another's.
        priority = 0
        for part in parts(str(request["text"])):
            speech, resampler, last = speak(part), Resampler(rate, SAMPLE_RATE), False

            def work(unwanted: threading.Event, speech: Speech = speech) -> tuple[Floats, bool]:
                return _NOTHING if unwanted.is_set() else next(speech, _NOTHING)

            while not last:
                async for sign in _alive(making := asyncio.ensure_future(lane.run(work, priority=priority))):
                    yield sign
                samples, last = making.result()
                samples = resampler.process(samples)
                priority = 1
                yield {}, pcm16(np.concatenate((samples, resampler.finish())) if last else samples)

    async def _voice(self, voice: str, speed: float, language: str) -> tuple[Lane, Callable[[str], Speech], int]:
        """Where and how to speak in `voice`. Piper speaks for the natural voices while they are not there."""
        file = self._brought.vectors(voice)
        if is_brought(voice) and file is None:
            brought: Piper = await self._reading.run(lambda _: self._brought.piper(voice))
            return self._reading, lambda text: brought.speak(text, speed=speed), brought.rate
        if voice != PIPER_VOICE:
            if file is None and voice not in manifest.VOICES:
                raise ProviderError("local", f"There is no local voice named {voice!r}.")
            try:
                if voice in manifest.VOICES and voice not in manifest.ENGLISH:
                    self._host.get("voices")
                kokoro = self._host.get("tts")
            except ProviderError:
                if not (self._host.has("piper") and language.startswith("en")):
                    raise
            else:
                how = {"voice": voice, "speed": speed, "language": language, "file": file}
                return self._speaking, lambda text: kokoro.speak(text, **how), kokoro.rate
        piper = self._host.get("piper")
        if not language.startswith("en"):
            raise ProviderError("local", "The light voice of this machine speaks English only.")
        return self._reading, lambda text: piper.speak(text, speed=speed), piper.rate

    async def _embed(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        model = self._host.get("embed")
        for text in request["texts"]:

            def work(unwanted: threading.Event, text: str = text) -> bytes:
                vector: bytes = model.embed(text).astype("<f4").tobytes()
                return vector

            yield {}, await self._embedding.run(work)

    async def _llm(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        answer = self._desk.answer(
            self._host.get("llm"),
            request["messages"],
            temperature=float(request["temperature"]),
            max_tokens=int(request["max_tokens"]),
            extra=dict(request.get("extra") or {}),
        )
        try:
            async for piece in answer:
                yield (asdict(piece) if isinstance(piece, Finished) else {"text": piece}), b""
        finally:
            await answer.aclose()  # type: ignore[attr-defined]

    async def _warm(self, request: Header, payload: bytes) -> AsyncIterator[Chunk]:
        await self._desk.warm(self._host.get("llm"), request["messages"])
        yield {}, b""


async def _alive(work: asyncio.Future[Any]) -> AsyncIterator[Chunk]:
    """Empty chunks while `work` goes on: whoever waits learns that it is slow, and not dead."""
    try:
        while not (await asyncio.wait({work}, timeout=SIGN_SECONDS))[0]:
            yield {}, b""
    finally:
        work.cancel()


def parts(text: str, most: int = PART_CHARACTERS) -> list[str]:
    """`text` in parts of at most `most` characters, cut after a sentence, else after a clause, else after a word."""
    text = text.strip()
    result = []
    while len(text) > most:
        cut = next((ends[-1] for ends in (_ends(pattern, text, most) for pattern in _BREAKS) if ends), most)
        result.append(text[:cut].strip())
        text = text[cut:].strip()
    return [*result, text] if text else result


def _ends(pattern: str, text: str, most: int) -> list[int]:
    """Where `pattern` ends in the text's first `most` characters, but not so early that the part would be a scrap."""
    return [match.end() for match in re.finditer(pattern, text[: most + 1]) if match.end() > most // 4]
