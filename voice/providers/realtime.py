"""What the engine asks of a provider of speech-to-speech: one model that hears the caller and speaks to them.

A `Realtime` is made once and shared by all calls; `open` gives the session of one call. The provider decides when the
caller has finished, and answers by itself. What it says comes in replies, each of one or more items: pieces of speech
that its memory of the conversation consists of, and that are cut to what was heard when the caller interrupts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from voice.providers.base import ProviderError, ToolRequest, ToolSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class RealtimeSettings:
    """What a session is made with. `silence` is how long (seconds) the caller pauses after they have finished."""

    instructions: str
    language: str
    keyterms: Sequence[str] = ()
    voice: str = ""
    """Empty leaves it to the provider."""
    speed: float = 1.0
    tools: Sequence[ToolSchema] = ()
    silence: float = 0.5
    interruptible: bool = True
    """The caller's voice stops a reply; otherwise they are answered after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of a reply, audio and text together, and those of audio among them. None where not reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    cached_audio_tokens: int | None = None


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDone:
    """The end of a reply. `error` is set where it failed, with or without something said before."""

    finish: Literal["stop", "length", "tool_calls", "cancelled", "error"]
    requests: Sequence[ToolRequest] = ()
    usage: Usage = NO_USAGE
    error: ProviderError | None = None


class RealtimeListener(Protocol):
    """Who is told what happens in a session. Called on the event loop; must not wait."""

    def speech_started(self, ago: float) -> None:
        """The caller began to speak `ago` seconds ago. A reply that this interrupts says no more."""

    def speech_stopped(self, said: str, ago: float) -> None:
        """The caller's turn is over since `ago` seconds, and will be answered. `said` names it in what follows."""

    def understood(self, said: str, text: str, *, final: bool) -> None:
        """The words of a turn so far, or all of them. They may come when the answer is long being spoken."""

    def not_understood(self, said: str, error: ProviderError) -> None:
        """The words of a turn are not to be had. (The model has heard it all the same.)"""

    def began(self, reply: str) -> None:
        """A reply is being made: one that was asked for with `respond`, or the answer to the caller's turn."""

    def wrote(self, reply: str, item: str, text: str) -> None:
        """Some more of the words of an item: a token, with the space before it."""

    def spoke(self, reply: str, item: str, pcm: bytes) -> None:
        """Some more of the audio of an item: 16 kHz mono PCM16 of any length, mostly faster than real time."""

    def finished(self, reply: str, done: ReplyDone) -> None:
        """The reply is complete. Comes once for each that began, and for each asked for that never did."""

    def trouble(self, error: ProviderError) -> None:
        """Something went wrong, and the session goes on."""

    def lost(self, error: ProviderError) -> None:
        """The session is over for good. Nothing comes after this."""


class RealtimeSession(Protocol):
    """One call's session. Only `close` waits. What is asked before the connection stands is done when it does."""

    def feed(self, frame: bytes) -> None:
        """Take 20 ms of caller audio."""

    def discard(self) -> None:
        """Forget what the caller is saying: it is no turn."""

    def respond(self, *, say: str = "", aside: bool = False) -> str:
        """Have the model speak, as soon as no other reply is being made; the new reply's name.

        `say` is what it shall say, word for word and without using tools. With `aside` that leaves no trace in the
        model's memory, and does not wait for other replies.
        """

    def cancel(self) -> None:
        """Stop all replies that are being made or asked for. Nothing more is told of them but `finished`."""

    def add(self, text: str) -> None:
        """Put words of the caller, or about them, into the conversation. They are answered by the next reply."""

    def give_result(self, request: str, text: str) -> None:
        """What came of a tool request. It is used by the next reply."""

    def truncate(self, item: str, heard: float, text: str) -> None:
        """Of an item only its first `heard` seconds, which are `text`, have reached the caller."""

    def listen_in(self, language: str) -> None:
        """Write down the caller's words in another language from now on."""

    async def close(self) -> None:
        """Free everything. Nothing is told after this."""


class Realtime(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    def open(self, settings: RealtimeSettings, listener: RealtimeListener) -> RealtimeSession:
        """Begin the session of one call. It connects, and connects again, by itself."""
