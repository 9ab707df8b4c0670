"""What the engine asks of a provider of speech recognition, speech, language or text messages.

An adapter implements one or more of `Vad`, `Stt`, `EndOfTurn`, `Tts`, `Llm`, `Texting`. It is made once and shared by
all calls; what belongs to one call is in what its methods return. Every failure is raised as a `ProviderError`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class ProviderError(Exception):
    """A provider did not do its work. The text is for people; it names no secret."""

    def __init__(self, provider: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.provider = provider
        self.retryable = retryable


class ProviderBusy(ProviderError):
    """The provider's queue is full; the request was refused at once."""

    def __init__(self, provider: str, message: str) -> None:
        super().__init__(provider, message, retryable=True)


# --- voice activity -----------------------------------------------------------------------------


class VadStream(Protocol):
    """Voice activity of one call. The methods never wait."""

    def feed(self, frame: bytes) -> None:
        """Take 20 ms of caller audio."""

    def close(self) -> None:
        """Free everything. No callback comes after this."""


class Vad(Protocol):
    @property
    def name(self) -> str: ...

    def open(self, on_speech: Callable[[bool, int], None], *, start: float, stop: float) -> VadStream:
        """Watch one call.

        `on_speech(speaking, edge)` is called on the event loop when speech has lasted `start` seconds and when silence
        has lasted `stop` seconds; `edge` is the sample, counted from the first one fed, at which it began.
        """


# --- speech to text -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Transcript:
    """The caller's words of the whole turn so far: all speech since the last `commit`.

    A final one answers a `speech_stopped`; others are partial and may change. `took` is seconds from that
    call to this result, `audio_seconds` how much speech it covers. `turn_ended` is the provider's own opinion on
    whether the speaker has finished, where it has one.
    """

    text: str
    final: bool
    audio_seconds: float = 0.0
    took: float = 0.0
    turn_ended: bool | None = None


class SttStream(Protocol):
    """Recognition for one call. The methods never wait; results arrive by the callbacks given to `open`."""

    @property
    def billed_seconds(self) -> float:
        """Seconds of audio so far that the provider charges for."""

    def feed(self, frame: bytes) -> None:
        """Take 20 ms of caller audio, speech or not."""

    def speech_started(self) -> None:
        """Voice activity began, up to 0.3 s ago: keep that much audio. Comes again if the caller goes on."""

    def speech_stopped(self) -> None:
        """Voice activity ended: answer soon with one final transcript of the turn so far.

        A `speech_started` that comes before the answer withdraws the question; no final is then due.
        """

    def commit(self) -> None:
        """The turn is over: its words are taken, and what follows belongs to the next turn."""

    def close(self) -> None:
        """Free everything. No callback comes after this."""


class Stt(Protocol):
    @property
    def name(self) -> str: ...

    def open(
        self,
        *,
        language: str,
        keyterms: Sequence[str] = (),
        on_transcript: Callable[[Transcript], None],
        on_error: Callable[[ProviderError], None],
    ) -> SttStream:
        """Begin to listen to one call. `keyterms` are names and words to expect, where the provider takes such.

        `on_error` means that the words of this turn are lost; the stream recovers by itself for the next one.
        """


# --- end of turn --------------------------------------------------------------------------------


class EndOfTurn(Protocol):
    @property
    def name(self) -> str: ...

    async def predict(self, audio: bytes) -> float:
        """The probability (0 to 1) that the speaker of `audio` (16 kHz PCM16, up to 8 s, ending at a pause) is done."""


# --- text to speech -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WordTime:
    """A word of a piece of speech; `start` and `end` are seconds from the start of that piece."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Audio:
    """Some of a piece's audio: 16 kHz mono PCM16 of any length, and the word times known by now.

    Without either it is a sign of life: the provider is slow, and at work.
    """

    pcm: bytes
    words: Sequence[WordTime] = ()


class Tts(Protocol):
    """An adapter whose voices take IPA within the text says how in a `phonemes` of its own, which is one of
    `voice.text.pronunciation.Phonemes`. The others are given words only."""

    @property
    def name(self) -> str: ...

    def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        """Speak one piece of text (already in spoken form). Closing the iterator cancels the work."""


# --- language model -----------------------------------------------------------------------------

Message = dict[str, Any]
"""A chat message in the OpenAI shape: role, content, and tool_calls / tool_call_id where they apply."""


@dataclass(frozen=True, slots=True)
class ToolSchema:
    """A tool as a model sees it. `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A whole tool call asked for by the model. `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Ends a stream. Token counts are None where the provider reports none."""

    reason: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None


LlmChunk = TextDelta | ToolRequest | Finished


@dataclass(frozen=True, slots=True)
class LlmSettings:
    model: str
    temperature: float = 0.3
    max_tokens: int = 220
    extra: Mapping[str, Any] = field(default_factory=dict)


class Llm(Protocol):
    """An adapter whose models can be held to a JSON Schema says how in a `constrained` of its own: given the schema, it
    returns what goes into `LlmSettings.extra`. The others are only asked to keep to it."""

    @property
    def name(self) -> str: ...

    def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        """Answer a conversation. The last chunk is `Finished`. Closing the iterator cancels the work."""

    async def prewarm(self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings) -> None:
        """Make a later `stream` that begins with these messages quick. May do nothing; never raises for failure."""


# --- text messages ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """`to` is a number in E.164; `sender` is one too, or a pool of numbers as the vendor names it."""

    sender: str
    to: str
    text: str


class Texting(Protocol):
    @property
    def name(self) -> str: ...

    async def send(self, message: TextMessage) -> str:
        """Give a message to the carrier, once. Its id there: it is on its way then, and not yet delivered."""

    async def close(self) -> None: ...
