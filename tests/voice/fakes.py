"""A caller, providers and a far end whose every delay is known, for calls on the virtual clock.

A caller's speech is frames of ones, their silence frames of zeros: the fake voice activity detector tells them
apart, and the fake recogniser knows from the script which words were being said.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from voice.brain import llm_brain
from voice.call import Call
from voice.chain import ChatModel
from voice.clock import run_virtual
from voice.conversation import Conversation, EndReason, Services
from voice.events import AgentTurn, CallEnded, CallerTurn, Event
from voice.knowledge import Knowledge, Passage
from voice.media import FRAME_BYTES, FRAME_SECONDS, SAMPLE_RATE, SILENCE
from voice.media.pacer import Pacer
from voice.providers.base import (
    Audio,
    Finished,
    LlmChunk,
    LlmSettings,
    Message,
    ProviderBusy,
    ProviderError,
    TextDelta,
    ToolRequest,
    ToolSchema,
    Transcript,
)
from voice.spec import AgentSpec, Voice
from voice.speech import PhraseCache, VoiceService
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy
from voice.transport import Destination, TransferFailed, Transport
from voice.variables import Variables

SPEECH = b"\1\0" * (FRAME_BYTES // 2)
CHARACTERS_PER_SECOND = 15.0


# --- faults -------------------------------------------------------------------------------------

Kind = Literal["silent", "stalls", "cut", "refused", "busy", "hiccup", "garbage", "broken", "lost", "wordless"]
IN_THE_MIDDLE = ("stalls", "cut")


@dataclass(frozen=True)
class Fault:
    """What a provider does instead of its work, from `since` on.

    Before it has begun it is "silent" for ever, "refused" (a wrong key), "busy", has a "hiccup" that may pass, answers
    with "garbage", is "broken" (an exception that nobody expects), has "lost" a task of its own (a cancellation that
    nobody asked for), or comes to its end "wordless". In the middle of its work it "stalls" or is "cut" off.
    """

    kind: Kind
    since: float = 0.0

    @property
    def is_due(self) -> bool:
        return asyncio.get_running_loop().time() >= self.since

    def error(self, provider: str) -> BaseException:
        match self.kind:
            case "busy":
                return ProviderBusy(provider, "Too many requests.")
            case "hiccup" | "cut":
                return ProviderError(provider, f"It was {self.kind}.", retryable=True)
            case "broken":
                return LookupError("surprise")
            case "lost":
                return asyncio.CancelledError()
        return ProviderError(provider, f"It was {self.kind}.")

    async def strike(self, provider: str, *, begun: bool = False) -> bool:
        """Fail now, or give True if there is to be no word. Nothing happens before its time, or in another part."""
        if not self.is_due or begun != (self.kind in IN_THE_MIDDLE):
            return False
        if self.kind in ("silent", "stalls"):
            await asyncio.Event().wait()
        if self.kind != "wordless":
            raise self.error(provider)
        return True


NO_FAULT = Fault("silent", since=float("inf"))


# --- the caller ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Speaks:
    """Says `text` from `at` to `at + seconds`. No text is a cough; `failure` is what recognition says instead."""

    at: float
    text: str
    seconds: float = 1.0
    failure: str = ""

    def words_by(self, now: float) -> str:
        """The words said by `now`, evenly spread."""
        words = self.text.split()
        share = min(1.0, max(0.0, (now - self.at) / self.seconds))
        return " ".join(words[: round(share * len(words))])


@dataclass(frozen=True)
class Types:
    at: float
    text: str


@dataclass(frozen=True)
class Presses:
    """Presses keys, a fifth of a second apart."""

    at: float
    digits: str


@dataclass(frozen=True)
class Sends:
    """Their application sends a message."""

    at: float
    data: dict[str, Any]


@dataclass(frozen=True)
class FallsSilent:
    """Their line goes dead: no audio comes any more, not even silence."""

    at: float


@dataclass(frozen=True)
class HangsUp:
    at: float


@dataclass(frozen=True)
class Limits:
    """At a moment of the call the platform says how long it is paid for."""

    at: float
    seconds: float | None
    grace: float = 0.0


Step = Speaks | Types | Presses | Sends | FallsSilent | HangsUp | Limits


class Caller:
    """Plays the script into a conversation, a frame every 20 ms."""

    def __init__(self, script: Sequence[Step]) -> None:
        self.speeches = [step for step in script if isinstance(step, Speaks)]
        self.began: float | None = None
        self._rest = [step for step in script if not isinstance(step, Speaks)]
        self._dead_at = next((step.at for step in script if isinstance(step, FallsSilent)), float("inf"))

    async def run(self, call: Call) -> None:
        self.begin(call)
        for index in range(10**9):
            at = index * FRAME_SECONDS
            await asyncio.sleep(max(0.0, at + FRAME_SECONDS - call.clock.now()))
            self.sound(call, at)

    def begin(self, call: Call) -> None:
        """Do all that is no sound when it is time."""
        for step in self._rest:
            asyncio.get_running_loop().call_later(step.at, self._act, call, step)

    def sound(self, call: Call, at: float) -> None:
        """Make the 20 ms of sound that begin at `at`."""
        if at < self._dead_at:
            speaking = any(speech.at <= at < speech.at + speech.seconds for speech in self.speeches)
            call.on_audio(SPEECH if speaking else SILENCE)

    def _act(self, call: Call, step: Step) -> None:
        match step:
            case Types(text=text):
                call.on_text(text)
            case Presses(digits=digits):
                for place, digit in enumerate(digits):
                    asyncio.get_running_loop().call_later(0.2 * place, call.on_digit, digit)
            case Sends(data=data):
                call.on_message(data)
            case Limits(seconds=seconds, grace=grace):
                call.limit(seconds, grace=grace)
            case HangsUp():
                call.end(EndReason.CALLER)


@dataclass
class FarEnd(Transport):
    """A transport that counts what it is sent."""

    lead: float = 0.06
    playout_delay: float = 0.04
    frames: int = 0
    clears: list[float] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    hung_up: str = ""
    digits: bool = True
    breaks_at: float = float("inf")
    """From then on it raises, like a socket that is gone."""
    takes_messages: bool = False
    on_mark: Callable[[int], None] = lambda number: None
    """Tells the call that all before a mark was played."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    transferred: list[Destination] = field(default_factory=list)
    transfer_fails: str = ""
    may_type: bool = False

    def send_audio(self, frame: bytes) -> None:
        assert len(frame) == FRAME_BYTES
        if asyncio.get_running_loop().time() >= self.breaks_at:
            raise ConnectionError("gone")
        self.audio.append(frame)
        self.frames += 1
        self.sent_at.append(asyncio.get_running_loop().time())

    def clear(self) -> None:
        self.clears.append(asyncio.get_running_loop().time())

    async def hang_up(self, reason: str) -> None:
        self.hung_up = reason

    def send_message(self, message: Mapping[str, Any]) -> bool:
        self.messages.append(dict(message))
        return self.takes_messages

    async def transfer(self, to: Destination) -> None:
        await asyncio.sleep(0.5)
        if self.transfer_fails:
            raise TransferFailed(self.transfer_fails)
        self.transferred.append(to)


# --- listening ----------------------------------------------------------------------------------


class FakeVad:
    name = "fake-vad"

    def open(self, on_speech: Callable[[bool, int], None], *, start: float, stop: float) -> FakeVadStream:
        return FakeVadStream(on_speech, start, stop)


class FakeVadStream:
    def __init__(self, on_speech: Callable[[bool, int], None], start: float, stop: float) -> None:
        self._on_speech = on_speech
        self._lasts = {True: start, False: stop}
        self._speaking = False
        self._fed = 0
        self._edge: int | None = None

    def feed(self, frame: bytes) -> None:
        heard = frame != SILENCE
        if heard == self._speaking:
            self._edge = None
        elif self._edge is None:
            self._edge = self._fed
        self._fed += len(frame) // 2
        if self._edge is not None and self._fed - self._edge >= self._lasts[heard] * SAMPLE_RATE:
            self._speaking, edge, self._edge = heard, self._edge, None
            self._on_speech(heard, edge)

    def close(self) -> None:
        self._on_speech = lambda speaking, edge: None


class FakeStt:
    def __init__(
        self,
        caller: Caller,
        *,
        name: str = "fake-stt",
        delay: float = 0.06,
        fails: bool = True,
        fault: Fault = NO_FAULT,
    ) -> None:
        self.name = name
        self.fault = fault
        self.fails = fails
        self.caller = caller
        self.delay = delay
        self.open_streams = 0

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> FakeSttStream:
        self.open_streams += 1
        return FakeSttStream(self, on_transcript, on_error)


class FakeSttStream:
    billed_seconds = 0.0

    def __init__(
        self, stt: FakeStt, on_transcript: Callable[[Transcript], None], on_error: Callable[[ProviderError], None]
    ) -> None:
        self._stt = stt
        self._on_transcript = on_transcript
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        if stt.caller.began is None:
            stt.caller.began = self._loop.time()
        self._from = 0.0
        self._partial: asyncio.TimerHandle | None = None
        self._final: asyncio.TimerHandle | None = None

    @property
    def _now(self) -> float:
        return self._loop.time() - (self._stt.caller.began or 0.0)

    def feed(self, frame: bytes) -> None: ...

    def speech_started(self) -> None:
        self._cancel()
        self._partial = self._loop.call_later(0.3, self._say_partial)

    def speech_stopped(self) -> None:
        self._cancel()
        fault = self._stt.fault
        if fault.is_due and fault.kind == "broken":
            raise fault.error(self._stt.name)
        self._final = self._loop.call_later(self._stt.delay, self._say_final)

    def commit(self) -> None:
        self._cancel()
        self._from = self._now

    def close(self) -> None:
        self._cancel()
        self._stt.open_streams -= 1

    def _words(self) -> str:
        now = self._now
        said = [s.words_by(now) for s in self._stt.caller.speeches if s.at + s.seconds > self._from and s.at <= now]
        return " ".join(words for words in said if words)

    def _say_partial(self) -> None:
        fault = self._stt.fault
        if fault.is_due and fault.kind in ("silent", "cut"):
            self._tell(fault)
            return
        self._partial = self._loop.call_later(0.3, self._say_partial)
        self._on_transcript(Transcript(self._words(), final=False))

    def _say_final(self) -> None:
        now, fault = self._now, self._stt.fault
        if fault.is_due:
            self._tell(fault)
            return
        failing = [
            s
            for s in self._stt.caller.speeches
            if s.failure and self._stt.fails and self._from < s.at + s.seconds <= now
        ]
        if failing:
            self._on_error(ProviderError(self._stt.name, failing[0].failure))
        else:
            self._on_transcript(Transcript(self._words(), final=True, audio_seconds=1.0, took=self._stt.delay))

    def _tell(self, fault: Fault) -> None:
        """Fail as far as a recogniser can: by its callbacks."""
        if fault.kind == "wordless":
            self._on_transcript(Transcript("", final=True))
        elif fault.kind not in ("silent", "stalls"):
            error = fault.error(self._stt.name)
            assert isinstance(error, ProviderError)
            self._on_error(error)

    def _cancel(self) -> None:
        for timer in (self._partial, self._final):
            if timer is not None:
                timer.cancel()


class FakeEndOfTurn:
    """Says in turn what it was given, and the last of it from then on."""

    name = "fake-turn"

    def __init__(self, *probabilities: float, delay: float = 0.03, fault: Fault = NO_FAULT) -> None:
        self._probabilities = list(probabilities)
        self._delay = delay
        self._fault = fault

    async def predict(self, audio: bytes) -> float:
        await asyncio.sleep(self._delay)
        await self._fault.strike(self.name)
        return self._probabilities.pop(0) if len(self._probabilities) > 1 else self._probabilities[0]


# --- thinking and speaking ----------------------------------------------------------------------

Answer = str | ToolRequest | Exception | Sequence["str | ToolRequest | Exception"]


class FakeLlm:
    """Gives its answers in turn, a word a token; the last one again and again."""

    def __init__(
        self,
        *answers: Answer,
        name: str = "fake-llm",
        first: float = 0.2,
        token: float = 0.02,
        reading: float = 0.0,
        fault: Fault = NO_FAULT,
    ) -> None:
        self.name = name
        self.fault = fault
        self.reading = reading
        self.answers: list[Answer] = list(answers) or ["Yes, certainly."]
        self.first = first
        self.token = token
        self.asked: list[list[Message]] = []
        self.tools: list[list[ToolSchema]] = []
        self.warmed: list[list[Message]] = []
        self.read: list[list[Message]] = []
        self.streaming = 0

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        self.asked.append(list(messages))
        self.tools.append(list(tools))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        parts = [answer] if isinstance(answer, str | ToolRequest | Exception) else answer
        self.streaming += 1
        try:
            await asyncio.sleep(self.first)
            if await self.fault.strike(self.name):
                yield Finished("stop")
                return
            wants = False
            for part in parts:
                if isinstance(part, Exception):
                    raise part
                if isinstance(part, ToolRequest):
                    wants = True
                    yield part
                    continue
                for index, word in enumerate(part.split(" ")):
                    yield TextDelta(word if index == 0 else f" {word}")
                    await asyncio.sleep(self.token)
                    await self.fault.strike(self.name, begun=True)
            yield Finished("tool_calls" if wants else "stop", input_tokens=10, output_tokens=5)
        finally:
            self.streaming -= 1

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        self.warmed.append(list(messages))
        await asyncio.sleep(self.reading)
        self.read.append(list(messages))


class FakeTts:
    """Speaks 15 characters a second, made ten times as fast."""

    def __init__(
        self,
        name: str = "fake-tts",
        *,
        first: float = 0.1,
        failure: str = "",
        fails_after: int = 0,
        fault: Fault = NO_FAULT,
    ) -> None:
        self.name = name
        self.fault = fault
        self.first = first
        self.failure = failure
        self.fails_after = fails_after
        self.spoken: list[str] = []
        self.speaking = 0

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        self.spoken.append(text)
        self.speaking += 1
        try:
            await asyncio.sleep(self.first)
            if await self.fault.strike(self.name):
                return
            remaining, chunks = 2 * round(SAMPLE_RATE * len(text) / CHARACTERS_PER_SECOND), 0
            while remaining > 0:
                if self.failure and chunks >= self.fails_after:
                    raise ProviderError(self.name, self.failure)
                size = min(remaining, SAMPLE_RATE // 5)
                yield Audio(b"\2\0" * (size // 2))
                remaining, chunks = remaining - size, chunks + 1
                await asyncio.sleep(0.01)
                await self.fault.strike(self.name, begun=True)
        finally:
            self.speaking -= 1


class FakeTool:
    """A tool that takes a while."""

    def __init__(self, name: str = "look_up", *, result: str = "It is fine.", fault: Fault = NO_FAULT) -> None:
        self.schema = ToolSchema(name, "Looks something up.", {"type": "object"})
        self.policy = ToolPolicy(timeout=5.0)
        self.result = result
        self.fault = fault

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        await asyncio.sleep(0.1)
        wordless = await self.fault.strike(self.schema.name)
        return Outcome("" if wordless else self.result)


class FakeKnowledge:
    def __init__(self, *passages: Passage, fault: Fault = NO_FAULT) -> None:
        self.passages = passages
        self.fault = fault

    async def search(self, query: str, *, most: int = 3) -> Sequence[Passage]:
        wordless = await self.fault.strike("knowledge")
        return () if wordless else self.passages[:most]


class FakeControl:
    """A call that only takes down what is done to it."""

    def __init__(self) -> None:
        self.variables = Variables()
        self.done: list[tuple[str, object]] = []
        self.said: list[tuple[str, str]] = []
        self.client_answer: str | None = None

    def set_variable(self, name: str, value: object, by: str) -> None:
        self.variables[name] = value

    def send_digits(self, digits: str) -> None:
        self.done.append(("digits", digits))

    def expect_keys(self, most: int | None) -> None:
        self.done.append(("keys", most))

    def set_language(self, language: str) -> None:
        self.done.append(("language", language))

    def set_voice(self, voice: str) -> None:
        self.done.append(("voice", voice))

    def pause_recording(self, reason: str) -> None:
        self.done.append(("pause", reason))

    def resume_recording(self) -> None:
        self.done.append(("resume", ""))

    def tell_client(self, message: Mapping[str, Any]) -> bool:
        self.done.append(("client", dict(message)))
        return self.client_answer is not None

    async def ask_client(self, name: str, arguments: Mapping[str, object], *, patience: float) -> str:
        if self.client_answer is None:
            raise ToolError("The caller's application does not take such requests.")
        return self.client_answer

    def conversation_so_far(self) -> list[tuple[str, str]]:
        return self.said


# --- a call -------------------------------------------------------------------------------------


@dataclass
class Result:
    """A finished call."""

    events: list[Event]
    far_end: FarEnd
    llm: FakeLlm
    tts: FakeTts
    tasks_left: list[str]
    streams_left: int = 0
    """Of recognisers, models and voices."""

    def all(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def end(self) -> CallEnded:
        ended = self.events[-1]
        assert isinstance(ended, CallEnded)
        return ended

    @property
    def transcript(self) -> list[tuple[str, str]]:
        """Who said what, in the order in which it ended; what was cut off is behind a bar."""
        lines = []
        for event in self.events:
            if isinstance(event, CallerTurn):
                lines.append(("caller", event.text))
            elif isinstance(event, AgentTurn):
                lines.append(("agent", event.text + (f" | {event.unheard}" if event.unheard else "")))
        return lines


def agent(**changes: Any) -> AgentSpec:
    return AgentSpec(**{"name": "Ada", "prompt": "You are Ada.", "greeting": "Hello there.", **changes})


def _recognisers(caller: Caller, delay: float, fault: Fault, *, spare: bool) -> list[FakeStt]:
    """One that fails where it is told so, and perhaps one behind it that does not."""
    first = FakeStt(caller, delay=delay, fault=fault)
    return [first, FakeStt(caller, name="spare-stt", delay=delay, fails=False)] if spare else [first]


def chat_model(llm: FakeLlm) -> ChatModel:
    return ChatModel(llm=llm, settings=LlmSettings(model="m"))


async def play_out(call: Call, caller: Caller) -> list[str]:
    """Hold a call to its end; the names of the tasks that it leaves behind."""
    playing = asyncio.create_task(caller.run(call))
    await call.run()
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    await asyncio.sleep(0.1)
    return [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def hold_call(
    *script: Step,
    spec: AgentSpec | None = None,
    llm: FakeLlm | None = None,
    tts: FakeTts | None = None,
    spare_tts: FakeTts | None = None,
    spare_stt: bool = False,
    stt_fault: Fault = NO_FAULT,
    knowledge: Knowledge | None = None,
    change: Callable[[Services], Services] = lambda services: services,
    models: Sequence[FakeLlm] = (),
    stt_delay: float = 0.06,
    ends_at: float = 60.0,
    far_end: FarEnd | None = None,
    sink: Callable[[Event], None] | None = None,
    recorder: Any = None,
    variables: Mapping[str, object] | None = None,
    **services: Any,
) -> Result:
    """Run a whole call on the virtual clock. The caller hangs up at `ends_at` if nothing has ended it before."""
    llm, tts, far_end = llm or FakeLlm(), tts or FakeTts(), far_end or FarEnd()
    caller = Caller([*script, HangsUp(ends_at)])
    found: list[Event] = []

    async def run() -> Result:
        recognisers = _recognisers(caller, stt_delay, stt_fault, spare=spare_stt)
        shared: Mapping[str, Any] = {
            "stt": recognisers,
            "voices": [VoiceService(tts=one, voice=Voice()) for one in (tts, spare_tts) if one is not None],
            "brain": llm_brain([chat_model(one) for one in (llm, *models)], knowledge=knowledge),
            "vad": FakeVad(),
            "pacer": Pacer(),
            "phrases": PhraseCache(),
            **services,
        }
        call = Conversation(
            call_id="call_1",
            spec=spec or agent(),
            services=change(Services(**shared)),
            transport=far_end,
            sink=sink or found.append,
            recorder=recorder,
            variables=variables,
        )
        far_end.on_mark = call.on_mark
        left = await play_out(call, caller)
        open_streams = sum(stt.open_streams for stt in recognisers)
        open_streams += sum(one.streaming for one in (llm, *models))
        open_streams += sum(one.speaking for one in (tts, spare_tts) if one is not None)
        return Result(found, far_end, llm, tts, left, open_streams)

    return run_virtual(run())
