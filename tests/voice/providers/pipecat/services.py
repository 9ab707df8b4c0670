"""Services of our own, made with Pipecat's classes: they show at once what the bridge makes of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterimTranscriptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.services.llm_service import FunctionCallFromLLM, LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService, STTService
from pipecat.services.tts_service import TTSService


@dataclass
class VoiceSettings(TTSSettings):
    speed: float = 1.0


class Speaker(TTSService):  # type: ignore[misc, unused-ignore]
    """Speaks 0.2 s of each word at 24 kHz, and tells when each begins. Text with "stuck" in it never ends."""

    Settings = VoiceSettings
    made: ClassVar[list[Speaker]] = []
    asked: ClassVar[asyncio.Event]

    def __init__(self, *, tell_words: bool = True, **kwargs: Any) -> None:
        settings = VoiceSettings(model=None, voice="default", language="en")
        if given := kwargs.pop("settings", None):
            settings.apply_update(given)
        super().__init__(
            settings=settings,
            sample_rate=24000,
            push_start_frame=True,
            push_stop_frames=True,
            push_text_frames=not tell_words,
            **kwargs,
        )
        self.said: list[tuple[str, Any, Any, float]] = []
        self.interrupted: list[str] = []
        self.stopped = False
        self._tell_words = tell_words
        Speaker.made.append(self)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        now = self.settings
        Speaker.asked.set()
        self.said.append((text, now.voice, now.language, now.speed))
        if "broken" in text:
            yield ErrorFrame("The voice is hoarse.")
            return
        for number, word in enumerate(text.split()):
            if self._tell_words:
                await self.add_word_timestamps([(word, 0.2 * number)], context_id)
            yield TTSAudioRawFrame(b"\1\0" * 4800, 24000, 1, context_id=context_id)
            if word == "stuck":
                await asyncio.sleep(60)

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        self.interrupted.append(context_id)

    async def cleanup(self) -> None:
        await super().cleanup()
        self.stopped = True


class Talker(Speaker):
    """Speaks without telling words, and says itself when it has finished."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(tell_words=False, **kwargs)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        async for frame in super().run_tts(text, context_id):
            yield frame
        yield TTSStoppedFrame(context_id=context_id)


class Slow(Speaker):
    """Never gets ready."""

    starting: ClassVar[asyncio.Event]

    async def setup(self, setup: Any) -> None:
        await super().setup(setup)
        Slow.starting.set()
        await asyncio.sleep(60)


class Moody(Speaker):
    """Cannot be made."""

    def __init__(self, *, api_key: str, **kwargs: Any) -> None:
        raise ValueError(f"{api_key} displeases me")


@dataclass
class EarSettings(STTSettings):
    keyterm: list[str] | None = None


class Ear(STTService):  # type: ignore[misc, unused-ignore]
    """Says what a test lets it say."""

    Settings = EarSettings
    made: ClassVar[list[Ear]] = []

    def __init__(self, *, ends_turns: bool = False, **kwargs: Any) -> None:
        settings = EarSettings(model=None, language=None)
        if given := kwargs.pop("settings", None):
            settings.apply_update(given)
        super().__init__(settings=settings, ttfs_p99_latency=0.3, **kwargs)
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.audio = 0
        Ear.made.append(self)

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        self.audio += len(audio)
        yield None

    async def process_frame(self, frame: Frame, direction: Any) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame | VADUserStoppedSpeakingFrame):
            self.heard.put_nowait("started" if isinstance(frame, VADUserStartedSpeakingFrame) else "stopped")

    async def guess(self, text: str) -> None:
        await self.push_frame(InterimTranscriptionFrame(text, "", ""))

    async def understand(self, text: str, *, finalized: bool = False) -> None:
        await self.push_frame(TranscriptionFrame(text, "", "", finalized=finalized))

    async def propose_end(self) -> None:
        await self.push_frame(ProposedUserStoppedSpeakingFrame())


class Segments(SegmentedSTTService):  # type: ignore[misc, unused-ignore]
    """Understands the length of each segment of speech."""

    Settings = STTSettings

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(ttfs_p99_latency=1.0, trailing_silence_secs=0.0, **kwargs)

    def can_generate_metrics(self) -> bool:
        return True

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        yield TranscriptionFrame(f"{(len(audio) - 44) / 32000:.1f} seconds", "", "")


class Thinker(LLMService):  # type: ignore[misc, unused-ignore]
    """Repeats the last message; "tools" makes it call two, "stuck" makes it wait."""

    Settings = LLMSettings
    made: ClassVar[list[Thinker]] = []

    def __init__(self, **kwargs: Any) -> None:
        settings = LLMSettings(**{one.name: None for one in fields(LLMSettings) if one.name != "extra"})
        if given := kwargs.pop("settings", None):
            settings.apply_update(given)
        super().__init__(settings=settings, **kwargs)
        self.contexts: list[Any] = []
        self.cancelled = False
        Thinker.made.append(self)

    async def process_frame(self, frame: Frame, direction: Any) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            await self._answer(frame.context)
        else:
            await self.push_frame(frame, direction)

    async def _answer(self, context: Any) -> None:
        self.contexts.append(context)
        text = context.get_messages()[-1]["content"]
        await self.push_frame(LLMFullResponseStartFrame())
        for word in text.split():
            await self._push_llm_text(f"{word} ")
        if "tools" in text:
            await self.run_function_calls(
                [
                    FunctionCallFromLLM(
                        function_name="look_up",
                        tool_call_id=f"call_{number}",
                        arguments={"what": number},
                        context=context,
                    )
                    for number in (1, 2)
                ]
            )
        if "stuck" in text:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        await self.push_frame(LLMFullResponseEndFrame())
