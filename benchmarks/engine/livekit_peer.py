"""LiveKit Agents without a LiveKit server: an AgentSession for each call, with audio input and output in memory.

Runs in the virtual environment that `benchmarks.engine.peers` makes. README.md lists what differs from the defaults.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, inference, llm, stt, tts, utils
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities

from benchmarks.engine import fakes
from benchmarks.engine.line import Line
from benchmarks.speech import FRAME_BYTES, FRAME_SECONDS, SAMPLE_RATE

VAD_SECONDS = 0.2


class _Input(AudioInput):
    """Caller audio from the line."""

    def __init__(self, line: Line) -> None:
        super().__init__(label="line")
        self._frames = utils.aio.Chan[rtc.AudioFrame]()
        line.deliver = self._deliver

    def _deliver(self, audio: bytes) -> None:
        self._frames.send_nowait(rtc.AudioFrame(audio, SAMPLE_RATE, 1, FRAME_BYTES // 2))

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.__anext__()


class _Output(AudioOutput):
    """Plays to the line in real time, 20 ms at each timer."""

    def __init__(self, line: Line) -> None:
        super().__init__(label="line", capabilities=AudioOutputCapabilities(pause=False), sample_rate=SAMPLE_RATE)
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._audio = bytearray()
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._flushed = False
        self._played = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self._audio += frame.data.tobytes()
        self._flushed = False
        if self._timer is None:
            self._due = self._loop.time()
            self._tick()

    def flush(self) -> None:
        super().flush()
        self._flushed = True
        if self._timer is None:
            self._finish(interrupted=False)

    def clear_buffer(self) -> None:
        self._audio.clear()
        self._finish(interrupted=True)

    def _tick(self) -> None:
        self._timer = None
        if len(self._audio) >= FRAME_BYTES or (self._flushed and self._audio):
            self._line.play(bytes(self._audio[:FRAME_BYTES]))
            del self._audio[:FRAME_BYTES]
            if not self._played:
                self.on_playback_started(created_at=self._loop.time())
            self._played += FRAME_SECONDS
            self._due += FRAME_SECONDS
            self._timer = self._loop.call_at(self._due, self._tick)
        elif self._flushed:
            self._finish(interrupted=False)

    def _finish(self, *, interrupted: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        played, self._played = self._played, 0.0
        if played:
            self.on_playback_finished(playback_position=played, interrupted=interrupted)


class _Stt(stt.STT):
    def __init__(self, line: Line) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self._line = line

    async def _recognize_impl(self, *args: Any, **options: Any) -> stt.SpeechEvent:
        raise NotImplementedError("the session streams")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return _SttStream(stt=self, conn_options=conn_options, line=self._line)


class _SttStream(stt.RecognizeStream):
    def __init__(self, *, stt: _Stt, conn_options: APIConnectOptions, line: Line) -> None:
        super().__init__(stt=stt, conn_options=conn_options)
        line.recognised = self._recognised

    async def _run(self) -> None:
        async for _ in self._input_ch:
            pass

    def _recognised(self, text: str) -> None:
        words = stt.SpeechData(language=LanguageCode("en"), text=text)
        self._event_ch.send_nowait(stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[words]))


class _Llm(llm.LLM):
    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        **options: Any,
    ) -> llm.LLMStream:
        return _LlmStream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _LlmStream(llm.LLMStream):
    async def _run(self) -> None:
        async for token in fakes.tokens():
            delta = llm.ChoiceDelta(role="assistant", content=token)
            self._event_ch.send_nowait(llm.ChatChunk(id="fake", delta=delta))


class _Tts(tts.TTS):
    def __init__(self) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=fakes.TTS_RATE, num_channels=1)

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _TtsStream(tts=self, input_text=text, conn_options=conn_options)


class _TtsStream(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(request_id="fake", sample_rate=fakes.TTS_RATE, num_channels=1, mime_type="audio/pcm")
        async for audio in fakes.speech(self.input_text):
            output_emitter.push(audio)
        output_emitter.flush()


class Adapter:
    version = importlib.metadata.version("livekit-agents")

    def __init__(self) -> None:
        self._sessions: dict[Line, AgentSession[None]] = {}

    async def start(self) -> None:
        logging.getLogger().setLevel(logging.ERROR)
        self._vad = inference.VAD(min_speech_duration=VAD_SECONDS, min_silence_duration=VAD_SECONDS)

    async def open(self, line: Line) -> None:
        session: AgentSession[None] = AgentSession(
            stt=_Stt(line),
            vad=self._vad,
            llm=_Llm(),
            tts=_Tts(),
            turn_handling={
                "turn_detection": "vad",
                "endpointing": {"min_delay": 0.0},
                "interruption": {
                    "mode": "vad", "min_duration": VAD_SECONDS, "resume_false_interruption": False,
                },
            },
            aec_warmup_duration=None,
            user_away_timeout=None,
            session_close_transcript_timeout=0.0,
        )  # fmt: skip
        session.input.audio = _Input(line)
        session.output.audio = _Output(line)
        self._sessions[line] = session
        await session.start(Agent(instructions="You are a helpful agent."), record=False)

    async def close(self, line: Line) -> None:
        await self._sessions.pop(line).aclose()

    async def stop(self) -> None: ...
