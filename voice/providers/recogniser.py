"""A vendor's protocol for recognition on one connection: what is said, and what the answers mean.

It has no tasks, timers or turns: `voice.providers.listening` adds them and makes an `Stt` of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from voice.providers.failures import Failures
from voice.providers.sockets import Message, ProviderSocket

# An answer that takes longer than this makes us ask whether the server is still there at all.
ANSWER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message of the server means. `text` is the words of one segment of the turn, as known by now.

    A `final` segment is fixed: the next message begins another one. Otherwise the next message replaces it.
    """

    text: str
    final: bool = False
    answers: int = 0
    """How many calls of `ask` this answers, in their order: with it, all words up to there have come."""
    covers: float | None = None
    """Up to where the fixed words reach, in seconds of the audio sent on this connection; up to the `ask` if None."""
    turn_ended: bool | None = None


class Recogniser(ABC):
    """A vendor's protocol on one connection; each connection gets a new one. Only `connect` may wait."""

    failures: Failures
    """The words for what goes wrong."""
    continuous = False
    """Whether the vendor must hear silence as well. If not, only speech is sent, which is cheaper."""
    answer_seconds = ANSWER_SECONDS
    """How long an `ask` may stay unanswered before we help ourselves with the words that are there."""
    keep_alive: Message | None = None
    """What is sent whenever nothing else was for `keep_alive_seconds`."""
    keep_alive_seconds = 4.0
    keep_alive_audio = 0.0
    """Seconds of audio in one `keep_alive`: they are billed."""
    goodbye: Message | None = None
    """What is said before the socket is closed."""

    @abstractmethod
    async def connect(self) -> ProviderSocket:
        """Open the socket and make it ready for audio. Raises ProviderError."""

    @abstractmethod
    def audio(self, pcm: bytes) -> Message:
        """A message with some of the audio, 16 kHz PCM16, at most half a second."""

    @abstractmethod
    def ask(self, *, over: bool) -> Message | None:
        """The message that makes the server give its words for all audio so far; None if it does so by itself.

        With `over` the turn has ended, and what was said in it must be kept out of the words that come after: either
        by a Heard that `answers`, before which all words are dropped, or by saying no more of it.
        """

    @abstractmethod
    def heard(self, message: dict[str, Any] | bytes) -> Heard | None:
        """What a message means; None for nothing. Raises ProviderError for a report of failure, which ends the
        connection. LookupError, TypeError, ValueError and AttributeError are taken for a garbled message."""
