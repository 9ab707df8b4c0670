"""Runs a Pipecat service without Pipecat's pipeline. The only module that imports Pipecat.

A service is a frame processor. In direct mode it has no queue and no task of its own: a frame that is given to it is
processed there and then, and what it pushes arrives at the tap that stands for all of its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any

from loguru import logger
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.clocks.base_clock import BaseClock
from pipecat.frames import frames
from pipecat.metrics.metrics import LLMUsageMetricsData, STTUsageMetricsData
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor, FrameProcessorSetup
from pipecat.services.llm_service import LLMService
from pipecat.services.stt_service import SegmentedSTTService, STTService
from pipecat.services.tts_service import TTSService
from pipecat.utils.asyncio.task_manager import TaskManager
from pipecat.utils.errors import ErrorCategory

from voice.media import SAMPLE_RATE
from voice.providers.base import ProviderError

__all__ = [
    "FunctionSchema",
    "Hosted",
    "LLMContext",
    "LLMService",
    "LLMUsageMetricsData",
    "STTService",
    "STTUsageMetricsData",
    "SegmentedSTTService",
    "TTSService",
    "frames",
]

# What Pipecat speaks at by itself. Some vendors know no other rate, and their classes would still call it ours.
SPEECH_RATE = 24_000
# A service that gives nothing for so long has failed; its vendor's own library may wait much longer.
PATIENCE_SECONDS = 15.0
STOP_SECONDS = 3.0

_ADVICE = {
    ErrorCategory.AUTHENTICATION: "The API key is wrong or missing. Put the right one into this connection. ",
    ErrorCategory.AUTHORIZATION: "The API key is not allowed to do this. Check what it may do. ",
    ErrorCategory.INVALID_REQUEST: "The service refused the request. Check its model, its voice and its settings. ",
    ErrorCategory.RATE_LIMIT: "The service accepts no more requests for now. Wait a little, or raise its limit. ",
    ErrorCategory.QUOTA: "The account's credit is used up. Add some with the vendor. ",
    ErrorCategory.CONNECTIVITY: "The service was not reached. Try again. ",
}


class _Clock(BaseClock):  # type: ignore[misc, unused-ignore]
    """Stands still, in nanoseconds. Pipecat times words from what it shows when their audio begins."""

    def __init__(self) -> None:
        self.now = 0

    def get_time(self) -> int:
        return self.now

    def start(self) -> None:
        """It needs no start."""


class _Done(frames.DataFrame):  # type: ignore[misc, name-defined, unused-ignore]
    """Follows work through a service: when it comes out, all that came of the work has come out before."""


class _Tap(FrameProcessor):  # type: ignore[misc, unused-ignore]
    """The neighbour of a service on both sides."""

    def __init__(self, take: Callable[[Any], None]) -> None:
        super().__init__(enable_direct_mode=True)
        self._take = take

    async def queue_frame(self, frame: Any, direction: Any = FrameDirection.DOWNSTREAM, callback: Any = None) -> None:
        # What is broadcast comes twice. Errors only travel upstream.
        if direction == FrameDirection.DOWNSTREAM or isinstance(frame, frames.ErrorFrame):
            self._take(frame)


class Hosted:
    """One service, which is used by one call at a time. `take` gets each frame that it pushes. No failure that is told
    carries `secret`."""

    def __init__(self, service: Any, provider: str, secret: str = "") -> None:
        self.service = service
        self.take: Callable[[Any], None] = _ignore
        self._provider = provider
        self._secret = secret
        self._clock = _Clock()
        self._last_word = 0
        self._has_failed = False
        if isinstance(service, LLMService):
            service.run_function_calls = self._asked_to_call
        tap = _Tap(self._taken)
        tap.link(service)
        service.link(tap)

    @property
    def is_sound(self) -> bool:
        """Whether it may be used again."""
        return bool(self.service.is_usable) and not self._has_failed

    async def start(self) -> None:
        """Let the service connect. Raises ProviderError."""
        errors: list[Any] = []
        self.take = lambda frame: errors.append(frame) if isinstance(frame, frames.ErrorFrame) else None
        started = False
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._set_up()
            if errors:
                raise self.failure(errors[0])
            started = True
        except TimeoutError as error:
            raise self._silent() from error
        finally:
            self.take = _ignore
            if not started:
                await self.stop()

    async def give(self, frame: Any) -> None:
        """Let the service process a frame. Returns when it has."""
        await self.service.queue_frame(frame)

    async def work(self, given: Sequence[Any]) -> AsyncIterator[Any]:
        """All that the service pushes for these frames. Closing the iterator interrupts it. Raises ProviderError."""
        pushed: asyncio.Queue[Any] = asyncio.Queue()
        self.take = pushed.put_nowait
        # Words are timed from here, or from the last word before if that is later.
        self._clock.now = self._last_word
        giving = asyncio.get_running_loop().create_task(self._give_all(given))
        done = False
        try:
            while not done:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    frame = await pushed.get()
                if isinstance(frame, frames.ErrorFrame):
                    raise self.failure(frame)
                done = isinstance(frame, _Done)
                if not done:
                    yield frame
        except TimeoutError as error:
            self._has_failed = True
            raise self._silent() from error
        except ProviderError:
            self._has_failed = True
            raise
        finally:
            self.take = _ignore
            if not done:
                await self._interrupt(giving)

    def since_start(self, pts: int) -> float:
        """The seconds of a word's time stamp from the start of the work's audio."""
        return max(0.0, (pts - self._clock.now) / 1e9)

    def failure(self, frame: Any) -> ProviderError:
        """What an error frame tells, in words."""
        said = " ".join(str(frame.error).split())[:300]
        if self._secret:
            said = said.replace(self._secret, "[the key]")
        permanent = frame.category is not None and frame.category.is_permanent
        text = f"{_ADVICE.get(frame.category, 'The service failed. ')}({said})"
        return ProviderError(self._provider, text, retryable=not permanent)

    async def stop(self) -> None:
        """Disconnect and free everything. Never raises for failure."""
        self.take = _ignore
        with suppress(Exception):
            async with asyncio.timeout(STOP_SECONDS):
                await self.give(frames.CancelFrame())
        with suppress(Exception):
            async with asyncio.timeout(STOP_SECONDS):
                await self.service.cleanup()
                await self._close_client()

    async def _set_up(self) -> None:
        """Connect. Raises ProviderError."""
        setup = FrameProcessorSetup(
            clock=self._clock,
            task_manager=TaskManager(),
            # Services reach through it for what an application has put there.
            pipeline_worker=SimpleNamespace(app_resources=None),
            audio_in_sample_rate=SAMPLE_RATE,
            audio_out_sample_rate=SPEECH_RATE,
            enable_usage_metrics=True,
        )
        try:
            await self.service.setup(setup)
        except TimeoutError:
            raise
        except Exception as error:
            said = str(error).replace(self._secret, "[the key]") if self._secret else str(error)
            text = f"{type(self.service).__name__} did not start: {said}"
            raise ProviderError(self._provider, text, retryable=True) from error
        await self.give(frames.StartFrame())

    def _silent(self) -> ProviderError:
        text = "The service went silent for too long. Try again, or choose a faster one."
        return ProviderError(self._provider, text, retryable=True)

    async def _close_client(self) -> None:
        """Pipecat leaves the client of a vendor's library, and its connections, to the garbage collector."""
        closing = getattr(getattr(self.service, "_client", None), "close", None)
        if closing is not None and isawaitable(closed := closing()):
            await closed

    async def _give_all(self, given: Sequence[Any]) -> None:
        for frame in (*given, _Done()):
            await self.give(frame)

    async def _interrupt(self, giving: asyncio.Task[None]) -> None:
        giving.cancel()
        await asyncio.wait({giving})
        with suppress(Exception):
            await self.give(frames.InterruptionFrame())

    async def _asked_to_call(self, function_calls: Sequence[Any]) -> None:
        """In place of the service's own way to run tools: they are the engine's to run."""
        self.take(frames.FunctionCallsStartedFrame(function_calls=function_calls))

    def _taken(self, frame: Any) -> None:
        if frame.pts:
            self._last_word = max(self._last_word, frame.pts)
        self.take(frame)


def _ignore(_: object) -> None:
    """Nobody wants it."""


def _log_as_we_do() -> None:
    """Pipecat's log is loguru's, which writes to the terminal unless told otherwise."""
    ours = logging.getLogger("pipecat")
    logger.remove()
    logger.add(lambda message: ours.log(message.record["level"].no, "%s", message.record["message"]), level="WARNING")


_log_as_we_do()
