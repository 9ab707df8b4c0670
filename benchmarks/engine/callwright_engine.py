"""Our engine as calls run it: voice activity from Silero, every call recorded, every event encoded."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.engine import fakes
from benchmarks.engine.energy_vad import EnergyVad
from benchmarks.engine.features import services_with, spec_with
from benchmarks.engine.line import Line
from benchmarks.engine.resampling import Resampler
from benchmarks.speech import prompt
from voice.brain import llm_brain
from voice.chain import ChatModel
from voice.conversation import Conversation, EndReason, Services
from voice.events import CallEnded, Event, encode
from voice.media.pacer import Pacer
from voice.media.recording import Recorder
from voice.providers.base import (
    Audio,
    Finished,
    LlmChunk,
    LlmSettings,
    Message,
    ProviderError,
    TextDelta,
    ToolSchema,
    Transcript,
    Vad,
)
from voice.providers.local import manifest
from voice.providers.local.fetch import DEFAULT_MODELS
from voice.providers.local.turn import ProcessPoolEndOfTurn
from voice.providers.local.vad import SileroVad
from voice.services import voice_chain
from voice.spec import AgentSpec, Inactivity
from voice.speech import PhraseCache
from voice.transport import Transport

MODELS = Path(os.environ.get("MODELS_DIR") or DEFAULT_MODELS).expanduser()
EVENTS_PER_BATCH = 50

# No greeting: the caller speaks first. Lines that wait for their place in the cycle are not asked if they are there.
SPEC = AgentSpec(name="Benchmark", prompt="You are a helpful agent.", inactivity=Inactivity(check_in_after=60.0))


class _Transport(Transport):
    lead = 0.0
    playout_delay = 0.0

    def __init__(self, line: Line, *, digits: bool) -> None:
        self._line = line
        self.digits = digits

    def send_audio(self, frame: bytes) -> None:
        self._line.play(frame)

    def clear(self) -> None: ...

    async def hang_up(self, reason: str) -> None: ...


class _SttStream:
    """Gives the line's words when they are due and the engine has asked for them."""

    billed_seconds = 0.0

    def __init__(self, line: Line, on_transcript: Callable[[Transcript], None]) -> None:
        line.recognised = self._recognised
        self._on_transcript = on_transcript
        self._words = ""
        self._asked = False

    def feed(self, frame: bytes) -> None: ...

    def speech_started(self) -> None:
        self._asked = False

    def speech_stopped(self) -> None:
        self._asked = True
        self._answer()

    def commit(self) -> None:
        self._words = ""

    def close(self) -> None: ...

    def _recognised(self, text: str) -> None:
        self._words = text
        self._answer()

    def _answer(self) -> None:
        if self._asked and self._words:
            self._asked = False
            self._on_transcript(Transcript(self._words, final=True))


class _Stt:
    name = "fake"

    def __init__(self, line: Line) -> None:
        self._line = line

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> _SttStream:
        return _SttStream(self._line, on_transcript)


class _Llm:
    name = "fake"

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        async for token in fakes.tokens():
            yield TextDelta(token)
        yield Finished("stop")

    async def prewarm(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> None: ...


class _Tts:
    name = "fake"

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        resampler = Resampler()
        async for audio in fakes.speech(text):
            yield Audio(resampler.push(audio))


class _Sink:
    """Encodes events and hands them on in batches, to nobody."""

    def __init__(self) -> None:
        self._batch: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        self._batch.append(encode(event))
        if len(self._batch) >= EVENTS_PER_BATCH:
            self._batch = []


class Adapter:
    version = "-"

    def __init__(self, *, smart_turn: bool = False, energy_vad: bool = False, feature: str = "") -> None:
        self._feature = feature
        self._smart_turn = smart_turn
        self._energy_vad = energy_vad
        self._calls: dict[Line, tuple[Conversation, asyncio.Task[CallEnded]]] = {}
        self._opened = 0

    async def start(self) -> None:
        self._recordings = Path(tempfile.mkdtemp(prefix="callwright-bench-"))
        self._pacer = Pacer()
        self._phrases = PhraseCache()
        self._llm, self._tts = _Llm(), _Tts()
        self._vad: SileroVad | EnergyVad = EnergyVad() if self._energy_vad else SileroVad(MODELS / manifest.SILERO)
        await _warm(self._vad)
        self._end_of_turn: ProcessPoolEndOfTurn | None = None
        if self._smart_turn:
            self._end_of_turn = ProcessPoolEndOfTurn(MODELS)
            await self._end_of_turn.start()

    async def open(self, line: Line) -> None:
        self._opened += 1
        model = ChatModel.of(self._llm, SPEC.model)
        services = Services(
            stt=[_Stt(line)],
            voices=voice_chain([self._tts], SPEC.voice),
            brain=llm_brain([model]),
            vad=self._vad,
            end_of_turn=self._end_of_turn,
            pacer=self._pacer,
            phrases=self._phrases,
        )
        conversation = Conversation(
            call_id=f"call-{self._opened}",
            spec=spec_with(SPEC, self._feature),
            services=services_with(services, self._feature, model),
            transport=_Transport(line, digits=self._feature != "tones"),
            sink=_Sink(),
            recorder=Recorder(self._recordings / f"{self._opened}.wav"),
        )
        line.deliver = conversation.on_audio
        self._calls[line] = conversation, asyncio.create_task(conversation.run())

    async def close(self, line: Line) -> None:
        conversation, running = self._calls.pop(line)
        conversation.end(EndReason.CALLER)
        await running

    async def stop(self) -> None:
        self._vad.close()
        if self._end_of_turn is not None:
            self._end_of_turn.close()
        shutil.rmtree(self._recordings)


async def _warm(vad: Vad) -> None:
    """Have the model loaded and used once."""
    stream = vad.open(lambda speaking, edge: None, start=0.1, stop=0.1)
    for frame in prompt(0.2):
        stream.feed(frame)
    await asyncio.sleep(0.2)
    stream.close()
