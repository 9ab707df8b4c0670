"""A reply in the making: the brain's words become clauses, the clauses become speech, both at the same time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from voice import events
from voice.brain import Ask, Brain, Say, Silence
from voice.clock import CallClock
from voice.deadline import Deadline
from voice.faults import worded
from voice.playout import Utterance
from voice.providers.base import ProviderBusy, ProviderError
from voice.speech import Speaker
from voice.text import Clauses
from voice.tools import Action, EndCall

Emit = Callable[[events.Event], None]

# A brain that gives nothing for so long has failed; tools of its own may take a while.
SILENT_SECONDS = 60.0
# A brain that has begun and not brought a piece to speak after so long is a slow writer: its first piece is cut short.
SLOW_WRITING_SECONDS = 0.2
# A provider whose queue is full is asked again, so often and for so long.
BUSY_RETRY_SECONDS = 0.5
BUSY_SECONDS = 8.0


@dataclass(eq=False, slots=True)
class Reply:
    """One thing that the agent says: an answer to `caller`'s words, the fixed words `text`, or, with neither, what the
    brain has to say by itself."""

    turn: int
    caller: str = ""
    text: str = ""
    pcm: bytes = b""
    """Sound that is made already, instead of words."""
    certain: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the caller is known to have finished."""
    after: Callable[[], None] | None = None
    """What happens when all of it is heard."""
    refused: str = ""
    """The topic of the caller's words, if it is one that is refused."""
    final: bool = False
    """Nothing interrupts it: the call ends after it."""
    asked_at: float = 0.0
    failed: bool = False
    """It broke off: its provider gave up half way."""
    bridges: list[str] = field(default_factory=list)
    """The phrases that bridged the wait, and are no part of the answer."""
    hesitation: int = 0
    """Bytes of its sound that are no answer: what was said while thinking."""
    slow: int = 0
    """How often the caller was told that it takes a while."""
    clauses: int = 0
    """How many pieces the brain has given to be spoken."""
    utterance: Utterance = field(init=False)
    queue: asyncio.Queue[str | None] = field(init=False, default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None
    interruptible: bool = True
    action: Action | None = None
    """What the brain wants to happen after it."""

    def __post_init__(self) -> None:
        self.utterance = Utterance(self.turn)

    def own_words(self, heard: str) -> str:
        """What the brain said of what was heard: the bridges are none of its words, nor one that was cut off. (A small
        model that reads them in its history begins to say them.)"""
        for phrase in self.bridges:
            heard = " ".join(heard.replace(phrase, " ", 1).split())
        for phrase in self.bridges:
            words = phrase.split()
            begun = (" ".join(words[:count]) for count in range(len(words) - 1, 0, -1))
            heard = next((heard.removesuffix(part).rstrip() for part in begun if heard.endswith(part)), heard)
        return heard


class ReplyFailed(Exception):
    """A reply could not be made or spoken; `role` says by what: "llm" or "tts"."""

    def __init__(self, role: str, error: ProviderError) -> None:
        super().__init__(str(error))
        self.role = role
        self.error = error


class Replier:
    """Makes the replies of one call. `clean` makes what is spoken of a piece of the brain's text; `joins` says where a
    text must not be cut."""

    def __init__(
        self,
        *,
        brain: Brain,
        goodbye: Callable[[], str],
        speaker: Speaker,
        clock: CallClock,
        emit: Emit,
        grown: Callable[[], None],
        clean: Callable[[Reply, str], str],
        joins: Callable[[str, int], bool | None],
    ) -> None:
        self._clean = clean
        self._joins = joins
        self._brain = brain
        self._goodbye = goodbye
        self._speaker = speaker
        self._clock = clock
        self._emit = emit
        self._grown = grown

    def change(self, brain: Brain, speaker: Speaker) -> None:
        """Another agent makes the replies from now on."""
        self._brain, self._speaker = brain, speaker

    async def run(self, reply: Reply) -> None:
        """Fill the reply's utterance until it is complete. Raises ReplyFailed; what was spoken before then stays."""
        try:
            if reply.pcm:
                reply.utterance.append(reply.pcm)
            elif reply.text:
                await self._say(reply, reply.text, fixed=True)
            else:
                await self._answer(reply)
        finally:
            reply.utterance.complete = True
        self._grown()

    async def _answer(self, reply: Reply) -> None:
        writing = asyncio.get_running_loop().create_task(self._write(reply), name="brain")
        try:
            while (clause := await reply.queue.get()) is not None:
                await self._say(reply, clause)
        except BaseException:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError, ReplyFailed):
                await writing
            raise
        await writing

    async def _say(self, reply: Reply, text: str, *, fixed: bool = False) -> None:
        try:
            await self._speaker.say(text, reply.utterance, self._grown, fixed=fixed)
        except ProviderError as error:
            raise ReplyFailed("tts", error) from error

    async def _write(self, reply: Reply) -> None:
        """Queue the brain's clauses as they come, and None at the end."""
        try:
            while True:
                try:
                    return await self._ask(reply)
                except ProviderBusy as error:
                    waited = self._clock.now() - reply.asked_at
                    if reply.clauses or waited > BUSY_SECONDS:
                        raise
                    self._emit(
                        events.ProviderSlow(
                            at=self._clock.now(), turn=reply.turn, role="llm", provider=error.provider, waited=waited
                        )
                    )
                    await asyncio.sleep(BUSY_RETRY_SECONDS)
        except ProviderError as error:
            raise ReplyFailed("llm", error) from error
        finally:
            reply.queue.put_nowait(None)

    async def _ask(self, reply: Reply) -> None:
        clauses = Clauses(self._joins)
        meant, begun = False, None
        outputs = self._brain.reply(Ask(reply.turn, reply.caller, reply.certain))
        try:
            async with contextlib.aclosing(outputs) as said, Deadline() as deadline:  # type: ignore[type-var]
                while True:
                    with worded(self._brain.name):
                        output = await deadline.wait(anext(said, None), SILENT_SECONDS)
                    if output is None:
                        break
                    if isinstance(output, Silence):
                        meant = True
                        break
                    if not isinstance(output, Say):
                        reply.action = output
                        break
                    reply.interruptible = reply.interruptible and output.interruptible
                    begun = begun or self._clock.now()
                    clauses.hurried = self._clock.now() - begun > SLOW_WRITING_SECONDS
                    self._queue(reply, clauses.push(output.text))
                    if output.pause:
                        self._queue(reply, clauses.flush())
        except TimeoutError:
            raise ProviderError(self._brain.name, f"No answer came for {SILENT_SECONDS:.0f} s.") from None
        self._queue(reply, clauses.flush())
        if not reply.clauses and reply.action is None and reply.caller and not meant:
            raise ProviderError(self._brain.name, "The model answered with nothing.")
        if not reply.clauses and isinstance(reply.action, EndCall):
            # Nobody is hung up on without a word.
            self._queue(reply, [self._goodbye()])

    def _queue(self, reply: Reply, clauses: list[str]) -> None:
        for clause in [self._clean(reply, clause) for clause in clauses]:
            if not any(map(str.isalnum, clause)):
                continue
            reply.clauses += 1
            reply.queue.put_nowait(clause)
