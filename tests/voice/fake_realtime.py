"""A speech-to-speech model on the virtual clock: it hears the scripted caller, and answers by script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.voice.fakes import (
    CHARACTERS_PER_SECOND,
    Caller,
    FakeLlm,
    FakeTts,
    FakeVad,
    FarEnd,
    HangsUp,
    Result,
    Step,
    agent,
    play_out,
)
from voice.call import Call
from voice.calls import make_call
from voice.clock import run_virtual
from voice.events import Event
from voice.media import SAMPLE_RATE
from voice.media.pacer import Pacer
from voice.providers.base import ProviderError, ToolRequest
from voice.providers.realtime import RealtimeListener, RealtimeSettings, ReplyDone, Usage
from voice.services import RealtimeServices
from voice.spec import AgentSpec, Voice
from voice.speech import PhraseCache, VoiceService
from voice.tools import Tool

Said = str | ToolRequest | Exception
Answer = Said | Sequence[Said]
SPEECH_SECONDS = 0.1
SILENT = ""
"""An answer that never comes."""


class FakeRealtime:
    """Gives its answers in turn, the last one again and again. Audio is made ten times as fast as it is heard; the
    caller's words are written down `written_after` seconds after their turn."""

    name = "fake-realtime"
    model = "voice-1"

    def __init__(
        self,
        *answers: Answer,
        first: float = 0.3,
        written_after: float = 0.2,
        unwritten: str = "",
        verbatim: bool = True,
    ) -> None:
        self.answers: list[Answer] = list(answers) or ["Yes, certainly."]
        self.first = first
        self.written_after = written_after
        self.unwritten = unwritten
        """Why the caller's words are not written down."""
        self.verbatim = verbatim
        """It says what it is told to."""
        self.caller = Caller([])
        self.session: FakeSession | None = None
        self.settings: RealtimeSettings | None = None

    def open(self, settings: RealtimeSettings, listener: RealtimeListener) -> FakeSession:
        self.settings = settings
        self.session = FakeSession(self, settings, listener)
        return self.session

    def next(self) -> Sequence[Said]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [answer] if isinstance(answer, str | ToolRequest | Exception) else answer


class FakeSession:
    def __init__(self, model: FakeRealtime, settings: RealtimeSettings, listener: RealtimeListener) -> None:
        self._model = model
        self._listener = listener
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._vad = FakeVad().open(self._on_speech, start=SPEECH_SECONDS, stop=settings.silence)
        self._fed = 0
        self._since = 0.0
        self._names = 0
        self._making: dict[str, asyncio.Task[None]] = {}
        self._waiting: list[tuple[str, str]] = []
        self.memory: dict[str, str] = {}
        """What the model remembers: its own words by the item, the caller's typed ones and results by themselves."""
        self.truncated: dict[str, float] = {}
        self.frames = 0
        self.closed = False

    # --- commands

    def feed(self, frame: bytes) -> None:
        assert not self.closed
        self.frames += 1
        self._fed += len(frame) // 2
        self._vad.feed(frame)

    def discard(self) -> None:
        self._since = self._loop.time()

    def respond(self, *, say: str = "", aside: bool = False) -> str:
        name = self._name("reply")
        if aside or not self._making:
            self._make(name, say, aside)
        else:
            self._waiting.append((name, say))
        return name

    def cancel(self) -> None:
        self._waiting.clear()
        for name, task in list(self._making.items()):
            del self._making[name]
            task.cancel()
            self._loop.call_soon(self._listener.finished, name, ReplyDone(finish="cancelled"))

    def add(self, text: str) -> None:
        self.memory[self._name("typed")] = text

    def give_result(self, request: str, text: str) -> None:
        self.memory[request] = text

    def truncate(self, item: str, heard: float, text: str) -> None:
        self.truncated[item] = heard
        if text:
            self.memory[item] = text
        else:
            self.memory.pop(item, None)

    def listen_in(self, language: str) -> None:
        self.memory[self._name("language")] = language

    async def close(self) -> None:
        self.closed = True
        self.cancel()
        self._listener = _Nobody()
        self._vad.close()

    def lose(self, why: str) -> None:
        self._listener.lost(ProviderError(self._model.name, why))

    # --- the caller

    def _on_speech(self, speaking: bool, edge: int) -> None:
        ago = (self._fed - edge) / SAMPLE_RATE
        if speaking:
            if self._settings.interruptible:
                self.cancel()
            self._listener.speech_started(ago)
            return
        said = self._name("said")
        self._listener.speech_stopped(said, ago)
        now = self._loop.time()
        words = [
            speech.text for speech in self._model.caller.speeches if self._since < speech.at + speech.seconds <= now
        ]
        self._since = now
        self._loop.call_later(self._model.written_after, self._write, said, " ".join(words))
        if not self._making:
            self._make(self._name("auto"), "", False)
        else:
            self._waiting.append((self._name("auto"), ""))

    def _write(self, said: str, text: str) -> None:
        if self._model.unwritten:
            self._listener.not_understood(said, ProviderError(self._model.name, self._model.unwritten))
        else:
            self._listener.understood(said, text.split(" ")[0], final=False)
            self._listener.understood(said, text, final=True)

    # --- the model

    def _make(self, name: str, say: str, aside: bool) -> None:
        parts = [say] if say and self._model.verbatim else self._model.next()
        self._making[name] = self._loop.create_task(self._speak(name, parts, aside), name=name)

    async def _speak(self, name: str, parts: Sequence[Said], aside: bool) -> None:
        self._listener.began(name)
        await asyncio.sleep(self._model.first)
        requests: list[ToolRequest] = []
        error: ProviderError | None = None
        for number, part in enumerate(parts):
            if isinstance(part, ProviderError):
                error = part
            elif isinstance(part, ToolRequest):
                requests.append(part)
            elif part == SILENT:
                await asyncio.sleep(1e6)
            else:
                await self._say(name, f"{name}-{number}", str(part), aside)
        del self._making[name]
        finish: Any = "error" if error else "tool_calls" if requests else "stop"
        usage = Usage(
            input_tokens=100, output_tokens=50, cached_tokens=64, input_audio_tokens=80, output_audio_tokens=40
        )
        self._listener.finished(name, ReplyDone(finish=finish, requests=requests, usage=usage, error=error))
        if self._waiting and not self._making:
            waiting, say = self._waiting.pop(0)
            self._make(waiting, say, False)

    async def _say(self, name: str, item: str, text: str, aside: bool) -> None:
        """Words come a little before their sound, in tokens that may be half a word."""
        if not aside:
            self.memory[item] = text
        middle = len(text) // 2
        for piece in (text[:middle], text[middle:]):
            self._listener.wrote(name, item, piece)
            for start in range(0, round(100 * len(piece) / CHARACTERS_PER_SECOND), 20):
                length = min(20, round(100 * len(piece) / CHARACTERS_PER_SECOND) - start)
                self._listener.spoke(name, item, b"\2\0" * (SAMPLE_RATE * length // 100))
                await asyncio.sleep(0.02)

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}-{self._names}"


class _Nobody:
    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **options: None


@dataclass
class Held(Result):
    """A finished call with a speech-to-speech model."""

    session: FakeSession = field(kw_only=True)
    settings: RealtimeSettings = field(kw_only=True)


def hold_realtime(
    *script: Step,
    model: FakeRealtime | None = None,
    spec: AgentSpec | None = None,
    tts: FakeTts | None = None,
    tools: Sequence[Tool] = (),
    ends_at: float = 60.0,
    far_end: FarEnd | None = None,
    then: Callable[[FakeSession, Call], None] = lambda session, call: None,
) -> Held:
    """Run a whole call on the virtual clock. `then` is called at its start, to plan what goes wrong."""
    model, far_end = model or FakeRealtime(), far_end or FarEnd()
    caller = model.caller = Caller([*script, HangsUp(ends_at)])
    found: list[Event] = []

    async def run() -> Held:
        services = RealtimeServices(
            realtime=model,
            voices=[VoiceService(tts=tts, voice=Voice())] if tts is not None else [],
            pacer=Pacer(),
            phrases=PhraseCache(),
            tools=tools,
        )
        call = make_call(
            call_id="call_1", spec=spec or agent(), services=services, transport=far_end, sink=found.append
        )
        assert model.session is not None
        assert model.settings is not None
        then(model.session, call)
        left = await play_out(call, caller)
        return Held(found, far_end, FakeLlm(), tts or FakeTts(), left, session=model.session, settings=model.settings)

    return run_virtual(run())
