"""What a speech-to-speech model says: its audio, the words in it, where to cut it, and what is heard after what."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from voice.media import seconds
from voice.playout import Playout, Utterance
from voice.providers.base import ToolRequest
from voice.speech import CHARACTERS_PER_SECOND, timings
from voice.tools import Action


@dataclass(eq=False, slots=True)
class Part:
    """One item of a model's speech. `start` is its place in the utterance in bytes, negative until it has one."""

    reply: str
    item: str
    remembered: bool
    """The model remembers it: it is cut to what was heard."""
    text: str = ""
    start: int = -1
    length: int = 0
    whole: bool = False
    waiting: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Cut:
    """How much of an item was heard: its first `heard` seconds, which are `text`."""

    item: str
    heard: float
    text: str


@dataclass(eq=False, slots=True, kw_only=True)
class Answer:
    """One thing that the agent says: the model's own words, or the fixed words `text`."""

    turn: int
    asked_at: float
    text: str = ""
    after: Callable[[], None] | None = None
    """What happens when all of it is heard."""
    final: bool = False
    """Nothing interrupts it: the call ends after it."""
    answers: bool = False
    """The caller waits for it."""
    action: Action | None = None
    """What the model wants to happen after it."""
    failed: bool = False
    """It broke off."""
    retried: bool = False
    rounds: int = 0
    """How often its tools have run."""
    requests: Sequence[ToolRequest] = ()
    """The tools that are running for it."""
    tools: asyncio.Task[None] | None = None
    utterance: Utterance = field(init=False)
    parts: list[Part] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.utterance = Utterance(self.turn)

    @property
    def spoken(self) -> bool:
        """The model has said something of its own in it."""
        return any(part.remembered and (part.length or part.waiting) for part in self.parts)

    @property
    def begun(self) -> bool:
        """There is something to be heard."""
        return self.utterance.total > 0

    @property
    def halfway(self) -> bool:
        """An item has begun to be heard, and its audio is still coming."""
        return any(part.start >= 0 and not part.whole for part in self.parts)

    def wrote(self, reply: str, item: str, text: str, *, remembered: bool) -> None:
        """Some more of an item's words."""
        part = self._part(reply, item, remembered)
        part.text += text
        self._place(part)

    def spoke(self, reply: str, item: str, pcm: bytes, *, remembered: bool) -> None:
        """Some more of an item's audio."""
        self._part(reply, item, remembered).waiting += pcm
        self._pour()

    def end(self, reply: str) -> None:
        """A reply is complete: its items are whole."""
        for part in self.parts:
            if part.reply == reply and not part.whole:
                part.whole = True
                self._place(part)
        self._pour()

    def cuts(self, position: int, heard: int) -> Iterator[Cut]:
        """What of each remembered item was heard, where it was not all: the caller has heard the utterance up to byte
        `position`, and its first `heard` words."""
        for part in self.parts:
            reached = 0 if part.start < 0 else max(0, position - part.start)
            if part.remembered and (reached < part.length or part.waiting or not part.whole):
                words = self.utterance.words[:heard] if part.start >= 0 else []
                text = " ".join(w.text for w in words if part.start <= w.start < part.start + part.length)
                yield Cut(part.item, seconds(min(reached, part.length)), text)

    def _part(self, reply: str, item: str, remembered: bool) -> Part:
        for part in self.parts:
            if part.item == item:
                return part
        for part in self.parts:
            # A reply's items come one after the other.
            if part.reply == reply and not part.whole:
                part.whole = True
                self._place(part)
        self.parts.append(Part(reply, item, remembered))
        return self.parts[-1]

    def _pour(self) -> None:
        """Let the audio into the utterance, one item after the other, however they come."""
        for part in self.parts:
            if part.waiting:
                if part.start < 0:
                    part.start = self.utterance.total
                self.utterance.append(bytes(part.waiting))
                part.length += len(part.waiting)
                part.waiting.clear()
                self._place(part)
            if not part.whole:
                return

    def _place(self, part: Part) -> None:
        """Say where an item's words lie. Until it is whole this is a guess, and its last word may go on."""
        if part.start < 0 or any(later.start >= 0 for later in self.parts[self.parts.index(part) + 1 :]):
            return
        if part.whole:
            words = timings(part.text, seconds(part.length))
        else:
            text = part.text[: len(part.text) - len(part.text.split(" ")[-1])]
            words = timings(text, len(text) / CHARACTERS_PER_SECOND)
        self.utterance.place(words, part.start)


class Answers:
    """The answers of a call, one of which is being played out. `opened` is told when the next one is."""

    def __init__(self, playout: Playout, opened: Callable[[Answer], None]) -> None:
        self._playout = playout
        self._opened = opened
        self._queue: deque[Answer] = deque()

    def __iter__(self) -> Iterator[Answer]:
        return iter(self._queue)

    def __bool__(self) -> bool:
        return bool(self._queue)

    @property
    def current(self) -> Answer | None:
        return self._queue[0] if self._queue else None

    def add(self, answer: Answer) -> None:
        """Play it out when those before it are heard."""
        self._queue.append(answer)
        if len(self._queue) == 1:
            self.next()

    def next(self) -> None:
        """Begin with the first of those that wait."""
        answer = self._queue[0]
        self._playout.open(answer.utterance, gated=False)
        self._opened(answer)
        self._playout.more()

    def grown(self, answer: Answer) -> None:
        """There is more of it to be heard."""
        if answer is self.current:
            self._playout.more()

    def complete(self, answer: Answer) -> None:
        """There will be no more of it."""
        answer.utterance.complete = True
        self.grown(answer)

    def heard(self, utterance: Utterance) -> Answer | None:
        """All of this was played out: the answer that it was, which is done with."""
        if self._queue and self._queue[0].utterance is utterance:
            return self._queue.popleft()
        return None

    def drop(self) -> list[Cut]:
        """Fall silent; what was heard of the items that were not heard whole."""
        position = self._playout.position
        words = len(self._playout.stop()[0].split())
        cuts: list[Cut] = []
        for answer in self._queue:
            if answer.tools is not None:
                answer.tools.cancel()
            cuts += answer.cuts(position, words)
            # Of those behind the first nothing was heard.
            position = words = 0
        self._queue.clear()
        return cuts
