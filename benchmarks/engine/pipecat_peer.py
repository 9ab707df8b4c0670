"""Pipecat as its documentation sets it up: one pipeline and one runner for each call, Silero VAD, metrics and RTVI on.

Runs in the virtual environment that `benchmarks.engine.peers` makes. README.md lists what differs from the defaults.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import sys
from collections.abc import AsyncGenerator
from typing import Any

from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    OutputAudioRawFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection, FrameProcessorSetup
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

from benchmarks.engine import fakes
from benchmarks.engine.line import Line
from benchmarks.speech import SAMPLE_RATE

VAD_SECONDS = 0.2


class _Input(BaseInputTransport):
    """Caller audio straight from the line, with no socket and no serializer between."""

    def __init__(self, line: Line, params: TransportParams) -> None:
        super().__init__(params)
        self._line = line

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)
        self._line.deliver = self._deliver

    def _deliver(self, audio: bytes) -> None:
        # What push_audio_frame does, without a task for each frame.
        self._audio_in_queue.put_nowait(InputAudioRawFrame(audio, SAMPLE_RATE, 1))


class _Output(BaseOutputTransport):
    """Paces audio as the framework's own WebSocket transport does, and plays it to the line."""

    def __init__(self, line: Line, params: TransportParams) -> None:
        super().__init__(params)
        self._line = line
        self._chunk_seconds = 0.0
        self._due = 0.0

    async def setup(self, setup: FrameProcessorSetup) -> None:
        await super().setup(setup)
        self._chunk_seconds = self.audio_chunk_size / self.sample_rate / 2

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame):
            self._due = 0.0

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        self._line.play(frame.audio)
        now = asyncio.get_running_loop().time()
        wait = max(0.0, self._due - now)
        await asyncio.sleep(wait)
        self._due = self._due + self._chunk_seconds if wait else now + self._chunk_seconds
        return True


class _Stt(STTService):
    def __init__(self, line: Line) -> None:
        super().__init__(
            ttfs_p99_latency=fakes.STT_FINAL, settings=STTSettings(model=None, language=None), audio_passthrough=True
        )
        line.recognised = self._recognised

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        yield None

    def _recognised(self, text: str) -> None:
        frame = TranscriptionFrame(text, "caller", time_now_iso8601(), finalized=True)
        self.create_task(self.push_frame(frame))


class _Llm(LLMService):
    def __init__(self) -> None:
        blank = dict.fromkeys(
            (
                "model", "system_instruction", "temperature", "max_tokens", "top_p", "top_k", "frequency_penalty",
                "presence_penalty", "seed", "filter_incomplete_user_turns", "user_turn_completion_config",
            )
        )  # fmt: skip
        super().__init__(settings=LLMSettings(**blank, use_provider_thinking_default=False))

    def can_generate_metrics(self) -> bool:
        return True

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        try:
            await self.push_frame(LLMFullResponseStartFrame())
            await self.start_processing_metrics()
            await self.start_ttfb_metrics()
            async for token in fakes.tokens():
                await self.stop_ttfb_metrics()
                await self._push_llm_text(token)
        finally:
            await self.stop_processing_metrics()
            await self.push_frame(LLMFullResponseEndFrame())


class _Tts(TTSService):
    def __init__(self) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            sample_rate=fakes.TTS_RATE,
            settings=TTSSettings(model=None, voice=None, language=None),
        )

    def can_generate_metrics(self) -> bool:
        return True

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        await self.start_tts_usage_metrics(text)
        async for audio in fakes.speech(text):
            await self.stop_ttfb_metrics()
            yield TTSAudioRawFrame(audio, fakes.TTS_RATE, 1, context_id=context_id)


class _Call:
    def __init__(self, line: Line, *, smart_turn: bool) -> None:
        params = TransportParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_in_sample_rate=SAMPLE_RATE,
            audio_out_sample_rate=SAMPLE_RATE,
        )
        strategies = UserTurnStrategies(
            stop=None if smart_turn else [SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.0)]
        )
        context = LLMContext([{"role": "system", "content": "You are a helpful agent."}])
        vad = SileroVADAnalyzer(params=VADParams(start_secs=VAD_SECONDS, stop_secs=VAD_SECONDS))
        user, assistant = LLMContextAggregatorPair(
            context, user_params=LLMUserAggregatorParams(user_turn_strategies=strategies, vad_analyzer=vad)
        )
        pipeline = Pipeline([_Input(line, params), _Stt(line), user, _Llm(), _Tts(), _Output(line, params), assistant])
        self._worker = PipelineWorker(
            pipeline, params=PipelineParams(enable_metrics=True, enable_usage_metrics=True), idle_timeout_secs=None
        )
        self._runner = WorkerRunner(handle_sigint=False)
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        started = asyncio.Event()

        async def on_started(worker: Any, frame: Any) -> None:
            started.set()

        self._worker.add_event_handler("on_pipeline_started", on_started)
        await self._runner.add_workers(self._worker)
        self._running = asyncio.create_task(self._runner.run())
        await started.wait()

    async def close(self) -> None:
        await self._worker.cancel()
        if self._running is not None:
            await self._running


class Adapter:
    version = importlib.metadata.version("pipecat-ai")

    def __init__(self, *, smart_turn: bool = False) -> None:
        self._smart_turn = smart_turn
        self._calls: dict[Line, _Call] = {}

    async def start(self) -> None:
        logger.remove()
        logger.add(sys.stderr, level="ERROR")
        logging.getLogger().setLevel(logging.ERROR)

    async def open(self, line: Line) -> None:
        call = self._calls[line] = _Call(line, smart_turn=self._smart_turn)
        await call.start()

    async def close(self, line: Line) -> None:
        await self._calls.pop(line).close()

    async def stop(self) -> None: ...
