"""The language models of an agent: the first one answers; the next ones when it fails, is too slow, or loses a race."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from voice import events
from voice.clock import CallClock
from voice.deadline import Deadline
from voice.faults import worded
from voice.health import Health
from voice.providers.base import (
    Finished,
    Llm,
    LlmSettings,
    Message,
    ProviderBusy,
    ProviderError,
    TextDelta,
    ToolRequest,
    ToolSchema,
)
from voice.spec import Model, Patience

Emit = Callable[[events.Event], None]
Words = TextDelta | ToolRequest

LOST = "lost_race"
# What a decision in JSON may take.
FORM_TOKENS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatModel:
    """A language model and how it is asked."""

    llm: Llm
    settings: LlmSettings

    @classmethod
    def of(cls, llm: Llm, model: Model) -> ChatModel:
        """`llm`, asked as an agent's spec says."""
        settings = LlmSettings(model=model.name, temperature=model.temperature, max_tokens=model.max_tokens)
        return cls(llm=llm, settings=settings)

    @property
    def name(self) -> str:
        return f"{self.llm.name} {self.settings.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a model is asked."""

    turn: int
    messages: Sequence[Message]
    tools: Sequence[ToolSchema]
    speculative: bool = False
    temperature: float | None = None
    """None leaves it to the model's settings."""
    form: Mapping[str, Any] | None = None
    """A JSON Schema that the answer has to fit: it is no words for the caller then, but a short decision."""

    def settings(self, model: ChatModel) -> LlmSettings:
        """How `model` is asked this."""
        settings = model.settings
        if self.temperature is not None:
            settings = replace(settings, temperature=self.temperature)
        if self.form is None:
            return settings
        hold = getattr(model.llm, "constrained", None)
        extra = {**settings.extra, **(hold(self.form) if hold is not None else {})}
        return replace(settings, temperature=0.0, max_tokens=FORM_TOKENS, extra=extra)


class ModelChain:
    """Asks the models of one call. Every request is told in events from its start to its end, however it ends."""

    def __init__(
        self,
        models: Sequence[ChatModel],
        *,
        patience: Patience,
        hedge_after: float | None,
        health: Health,
        clock: CallClock,
        emit: Emit,
    ) -> None:
        self._models = models
        self._patience = patience
        self._hedge_after = hedge_after
        self._health = health
        self._clock = clock
        self._emit = emit
        self._requests = 0

    @property
    def name(self) -> str:
        """Who answers first."""
        return self._models[0].llm.name

    async def prewarm(self, messages: Sequence[Message], tools: Sequence[ToolSchema]) -> None:
        """Have the first model read these messages, and the line to the one behind it open."""
        for model in self._models[:2]:
            with contextlib.suppress(ProviderError, TimeoutError), worded(model.llm.name):
                await model.llm.prewarm(messages, tools=tools, settings=model.settings)

    async def stream(self, question: Question) -> AsyncIterator[Words]:
        """The answer of the first model that begins one. Raises ProviderError; closing the iterator drops it."""
        attempt, chunk = await self._begin(question)
        # Who stands alone is waited for; the caller is told in between.
        gap = self._patience.words_gap if len(self._models) > 1 else self._patience.longest_answer
        try:
            while chunk is not None:
                yield chunk
                chunk = await attempt.next(gap)
        finally:
            await attempt.close()

    async def _begin(self, question: Question) -> tuple[_Attempt, Words | None]:
        """An attempt that has begun to answer, and its first chunk. Raises the last model's ProviderError."""
        order = self._health.ordered(self._models, lambda model: model.name)
        retried = False
        while True:
            model, behind = order[0], order[1:]
            try:
                if self._hedge_after is not None and behind:
                    begun = await self._race(question, model, behind[0])
                else:
                    begun = await self._ask(question, model, last=not behind)
            except ProviderError as error:
                if isinstance(error, ProviderBusy) and not behind:
                    raise
                if error.retryable and not retried and not isinstance(error, ProviderBusy | _TooSlow):
                    retried = True
                    self._tell(question, error, f"asking {model.llm.name} again")
                    continue
                self._health.failed(model.name)
                if not behind:
                    raise
                self._tell(question, error, f"asking {behind[0].llm.name}")
                order = behind
                continue
            self._health.worked(begun[0].model.name)
            return begun

    async def _ask(self, question: Question, model: ChatModel, *, last: bool) -> tuple[_Attempt, Words | None]:
        attempt = self._attempt(question, model)
        patience = self._patience.longest_answer if last else self._patience.first_words
        try:
            chunk = await attempt.next(patience)
            if chunk is None and not last:
                raise ProviderError(model.llm.name, "The model answered with nothing.")
            return attempt, chunk
        except asyncio.CancelledError as cancelled:
            await attempt.close(*cancelled.args)
            raise
        except ProviderError:
            await attempt.close()
            raise

    async def _race(self, question: Question, model: ChatModel, rival: ChatModel) -> tuple[_Attempt, Words | None]:
        """Ask the model, and after a while its rival too: whoever gives the first good token answers."""
        loop = asyncio.get_running_loop()
        first = loop.create_task(self._ask(question, model, last=False), name="model")
        racing = {first}
        try:
            done, _ = await asyncio.wait(racing, timeout=self._hedge_after)
            if not done:
                racing.add(loop.create_task(self._ask(question, rival, last=True), name="rival model"))
            failure: ProviderError | None = None
            while racing:
                done, racing = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    error = task.exception()
                    if error is None:
                        racing |= done - {task}
                        return task.result()
                    if not isinstance(error, ProviderError):
                        raise error
                    failure = error
            raise failure or ProviderError(model.llm.name, "Nobody answered.")
        finally:
            for task in racing:
                await self._lose(task)

    async def _lose(self, task: asyncio.Task[tuple[_Attempt, Words | None]]) -> None:
        """End an attempt that came second. It may have begun to answer in the same moment."""
        task.cancel(LOST)
        with contextlib.suppress(ProviderError, asyncio.CancelledError):
            attempt, _ = await task
            await attempt.close(LOST)

    def _attempt(self, question: Question, model: ChatModel) -> _Attempt:
        self._requests += 1
        return _Attempt(f"model-{question.turn}-{self._requests}", question, model, self._clock, self._emit)

    def _tell(self, question: Question, error: ProviderError, then: str) -> None:
        self._emit(
            events.ProviderFailed(
                at=self._clock.now(),
                turn=question.turn,
                role="llm",
                provider=error.provider,
                error=str(error),
                then=then,
            )
        )


class _TooSlow(ProviderError):
    """A model was waited for as long as a caller can be made to wait."""


class _Attempt:
    """One request to one model."""

    def __init__(self, request: str, question: Question, model: ChatModel, clock: CallClock, emit: Emit) -> None:
        self.model = model
        self._request = request
        self._turn = question.turn
        self._clock = clock
        self._emit = emit
        self._text = ""
        self._begun = False
        self._end: Finished | None = None
        self._closed = False
        self._deadline = Deadline()
        with worded(model.llm.name):
            self._chunks = model.llm.stream(question.messages, tools=question.tools, settings=question.settings(model))
        emit(
            events.ModelRequested(
                at=clock.now(),
                turn=question.turn,
                request=request,
                provider=model.llm.name,
                model=model.settings.model,
                messages=list(question.messages),
                tools=[tool.name for tool in question.tools],
                speculative=question.speculative,
            )
        )

    async def next(self, patience: float) -> Words | None:
        """The next chunk, None at the end. Raises ProviderError, also when none comes within `patience` seconds."""
        try:
            while True:
                with worded(self.model.llm.name):
                    chunk = await self._deadline.wait(anext(self._chunks, None), patience)
                if not isinstance(chunk, Finished):
                    break
                self._end = chunk
        except TimeoutError:
            self._end = Finished("too_slow")
            raise _TooSlow(self.model.llm.name, f"No answer came for {patience:.0f} s.", retryable=True) from None
        except ProviderError:
            self._end = Finished("error")
            raise
        if chunk is not None and not self._begun:
            self._begun = True
            self._emit(events.ModelFirstToken(at=self._clock.now(), turn=self._turn, request=self._request))
        if isinstance(chunk, TextDelta):
            self._text += chunk.text
        return chunk

    async def close(self, finish: str = "cancelled") -> None:
        """Stop the model; `finish` says why, unless it had come to an end of its own."""
        if self._closed:
            return
        self._closed = True
        self._deadline.close()
        end = self._end or Finished(finish)
        self._emit(
            events.ModelFinished(
                at=self._clock.now(),
                turn=self._turn,
                request=self._request,
                text=self._text,
                finish=end.reason,
                input_tokens=end.input_tokens,
                output_tokens=end.output_tokens,
                cached_tokens=end.cached_tokens,
            )
        )
        with contextlib.suppress(ProviderError), worded(self.model.llm.name):
            await self._chunks.aclose()  # type: ignore[attr-defined]
