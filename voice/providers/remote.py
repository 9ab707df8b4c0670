"""Brains at the other end of a socket: somebody else's program answers the turns, and may speak unasked."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from voice import events
from voice.brain import Ask, Output, Say, Seat, Silence
from voice.providers.base import ProviderError

# An agent that has said something and is then silent for so long has finished: not all say so, and others may only be
# waiting for something that they do in the background. What they say later is said unasked.
QUIET_SECONDS = 2.5
# Words are not held back for those that may follow when these have kept waiting for so long.
PAUSE_SECONDS = 0.3
_STOPS = tuple(".!?\u2026\u3002\uff01\uff1f")

Holding = Coroutine[Any, Any, None]
"""Exchanges messages until the agent ends the conversation. Raises ProviderError for a socket that is lost."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys to press."""

    digits: str


@dataclass(frozen=True, slots=True)
class End:
    """The agent has no more to say to what the frame with this id has told it."""

    responding_to: str = ""


Answer = Output | Keys | End


class RemoteBrain(ABC):
    """What such brains share: opening the socket, failures, and the way of what the agent sends into replies.

    An agent that was not reached is tried again at the caller's next turn. One that is lost fails the reply that is
    being made, or one of its own: a caller is told.
    """

    def __init__(self, seat: Seat, name: str) -> None:
        self.name = name
        self._control = seat.control
        self._clock = seat.clock
        self._emit = seat.emit
        self._floor: Callable[[], None] = lambda: None
        self._answers: asyncio.Queue[Answer | None] = asyncio.Queue()
        self._failure: ProviderError | None = None
        self._opening: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None
        self._replying: object = None
        self._keys = ""
        """What the caller has pressed since their last turn."""
        self._keyed = False
        """The caller's turn was pressed, not spoken."""

    async def start(self, floor: Callable[[], None]) -> None:
        self._floor = floor
        await self._reach()
        if self._holding is None:
            floor()

    def notice(self, event: events.Event) -> None:
        match event:
            case events.DigitPressed(digit=digit):
                self._keys += digit
            case events.CallerTurn(source=source):
                self._keyed = source == "keypad"

    def hearing(self, text: str) -> None:
        return  # the agent answers whole turns

    async def reply(self, ask: Ask) -> AsyncIterator[Output]:
        # Whatever the agent does may have an effect: it is not asked for what may never have been said.
        await ask.certain.wait()
        if ask.text:
            await self._reach()
        if (refusal := self._refusal()) is not None:
            yield refusal
            return
        answered = not ask.text
        if ask.text:
            keys, self._keys = self._keys, ""
            self._ask(ask, keys)
            answered = self._need_not_answer(ask)
        replying = self._replying = object()
        try:
            async with aclosing(self._outputs(ask, answered)) as outputs:  # type: ignore[type-var]
                async for output in outputs:
                    yield output
        finally:
            if self._replying is replying:
                self._replying = None

    async def close(self) -> None:
        running = [task for task in (self._opening, self._holding) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    # --- what a protocol does

    @abstractmethod
    async def _open(self) -> Holding | None:
        """Connect. None if there will be no conversation. Raises ProviderError."""

    @abstractmethod
    def _ask(self, ask: Ask, keys: str) -> None:
        """Tell the agent of the caller's turn, and of the keys that were pressed until then. Of a turn that is nothing
        but keys (`_keyed`) the text only says which."""

    def _refusal(self) -> Output | None:
        """What comes instead of all replies."""
        return None

    def _need_not_answer(self, ask: Ask) -> bool:
        """Whether silence is an answer, too."""
        return False

    def _may_open(self) -> bool:
        """Whether a conversation that is not open may be opened (again)."""
        return self._holding is None

    def _is_end_of(self, ask: Ask, end: End) -> bool:
        """Whether `end` ends the answer to `ask`."""
        return True

    def _replies(self, text: str) -> None:
        """The agent's words go into a reply; "" begins one."""
        return

    # --- for a protocol

    def _offer(self, *answers: Answer | None) -> None:
        """Have something for the reply that is being made, or for one of its own."""
        for answer in answers:
            self._answers.put_nowait(answer)
        if self._replying is None:
            self._floor()

    def _forget(self) -> None:
        """What the agent was about to say is not said."""
        while not self._answers.empty():
            self._answers.get_nowait()

    @property
    def _expects_end(self) -> bool:
        return self._replying is not None or not self._answers.empty()

    def _fail(self, error: ProviderError) -> None:
        """The agent is gone. What it has said before then is said."""
        if self._failure is None:
            self._failure = error
            self._offer(None)

    def _note(self, name: str, text: str, *, level: str = "warning") -> None:
        """For the agent's developer."""
        self._emit(events.AgentLogged(at=self._clock.now(), name=name, level=level, text=text))

    # --- machinery

    async def _reach(self) -> None:
        """Open the conversation, unless it is open."""
        if self._opening is None or (self._opening.done() and self._may_open()):
            self._opening = asyncio.get_running_loop().create_task(self._opened(), name=f"{self.name} opening")
        await asyncio.shield(self._opening)

    async def _opened(self) -> None:
        self._failure = None
        self._forget()
        try:
            holding = await self._open()
        except ProviderError as error:
            self._failure = error
            return
        if holding is not None:
            self._holding = asyncio.get_running_loop().create_task(self._hold(holding), name=f"{self.name} reader")

    async def _hold(self, holding: Holding) -> None:
        try:
            await holding
            self._fail(ProviderError(self.name, "The agent ended the conversation in the middle of the call."))
        except ProviderError as error:
            self._fail(error)

    async def _outputs(self, ask: Ask, answered: bool) -> AsyncIterator[Output]:
        """What the agent sends, until it has finished. Once it has `answered` it is not waited for for long."""
        self._replies("")
        settled = True
        while True:
            patience = QUIET_SECONDS if answered else None
            match answer := await self._next(patience if settled else PAUSE_SECONDS):
                case None if settled:
                    break
                case None:
                    settled = True
                    yield Say("", pause=True)
                case End():
                    if self._is_end_of(ask, answer):
                        break
                case Keys(digits=digits):
                    answered = True
                    self._control.send_digits(digits)
                case Say(text=text):
                    if text.strip():
                        answered = True
                        settled = not text.rstrip().endswith(_STOPS)
                    self._replies(text)
                    yield answer
                case _:
                    yield answer
        yield Silence()

    async def _next(self, patience: float | None) -> Answer | None:
        """What the agent sends next; None when it is silent for `patience` seconds. Raises ProviderError."""
        if self._failure is not None and self._answers.empty():
            raise self._failure
        try:
            async with asyncio.timeout(patience):
                answer = await self._answers.get()
        except TimeoutError:
            return None
        if answer is None and self._failure is not None:
            raise self._failure
        return answer
