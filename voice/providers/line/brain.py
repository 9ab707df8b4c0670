"""The brain that is an agent's app, written with the Line SDK.

The app hears of the call what the engine knows: when the caller takes the turn, the words, the keys, and what of its
own words was really heard. Its answers, and what it says unasked, come back as frames of text while they are made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from voice import events
from voice.brain import Ask, Brain, Brains, Output, Say, Seat, Silence
from voice.providers.base import ProviderError
from voice.providers.line.chat import Chat
from voice.providers.line.deeds import Deeds
from voice.providers.line.session import CallRejected, LineApp, LineCall, Session
from voice.providers.line.spoken import Spoken
from voice.tools import Action, EndCall, Transfer

# An agent that has said something and is then silent for so long has finished: old apps do not say so, and others may
# only be waiting for a tool that runs in the background.
QUIET_SECONDS = 2.5
_KEYS = frozenset("0123456789*#")
_TRACEBACK_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class _Key:
    """A key to press."""

    digit: str


@dataclass(frozen=True, slots=True)
class _End:
    """The agent has no more to say to the frame with this id."""

    responding_to: str


def line_brain(app: LineApp, call: LineCall) -> Brains:
    """Brains that are the agent at `app`, which is told of its calls what `call` says."""

    def make(seat: Seat) -> Brain:
        return LineBrain(seat, app, call)

    return make


class LineBrain:
    """One call's chat with an agent's app.

    A call that the agent's code rejects ends at once. An app that was not reached is tried once more at the caller's
    first turn. An app that breaks has lost what it knew of the call: from then on every turn fails.
    """

    def __init__(self, seat: Seat, app: LineApp, call: LineCall) -> None:
        self.name = app.name
        self._app = app
        self._call = call
        self._call_id = seat.call_id
        self._control = seat.control
        self._deeds = Deeds(seat)
        self._chat = Chat()
        self._answers: asyncio.Queue[Output | _Key | _End | None] = asyncio.Queue()
        self._floor: Callable[[], None] = lambda: None
        self._opening: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None
        self._failure: ProviderError | None = None
        self._rejection = ""
        self._replying: object = None
        self._spoken: Spoken | None = None
        """The reply that is being heard, if it is the agent's."""
        self._callers_turn = False
        self._keyed = False

    async def start(self, floor: Callable[[], None]) -> None:
        self._floor = floor
        await self._reach()
        if self._failure is not None or self._rejection:
            floor()

    def notice(self, event: events.Event) -> None:
        match event:
            case events.DigitPressed(digit=digit):
                self._begin_turn()
                self._chat.send("dtmf", button=digit)
            case events.CallerTurn(source=source):
                self._keyed = source == "keypad"
            case events.ClientMessage(data={"type": "custom", "metadata": dict(metadata)}):
                self._chat.send("custom", metadata=metadata)
            case events.ClientMessage(data=data):
                self._chat.send("custom", metadata=data)
            case events.AgentSpeechStarted() | events.AgentHeard() | events.AgentTurn() if self._spoken is not None:
                self._heard(event, self._spoken)

    def hearing(self, text: str) -> None:
        """Nothing: the agent answers whole turns."""

    async def reply(self, ask: Ask) -> AsyncIterator[Output]:
        # Whatever an agent's code does may have an effect: it is not asked for what may never have been said.
        await ask.certain.wait()
        if ask.text:
            await self._reach()
        if self._rejection:
            yield EndCall(self._rejection, "rejected")
            return
        if ask.text:
            self._ask(ask)
        replying = self._replying = object()
        spoken = self._spoken = Spoken()
        answered = not ask.text
        try:
            while (answer := await self._next(QUIET_SECONDS if answered else None)) is not None:
                match answer:
                    case _End(responding_to=to):
                        if not ask.text or self._chat.exchanges.is_answer(to):
                            break
                    case _Key(digit=digit):
                        answered = True
                        self._control.send_digits(digit)
                    case Say(text=text):
                        answered = answered or bool(text.strip())
                        spoken.grow(text)
                        yield answer
                    case _:
                        yield answer
            yield Silence()
        finally:
            if self._replying is replying:
                self._replying = None

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        self._spoken = None
        if not whole:
            self._begin_turn()

    async def close(self) -> None:
        if self._holding is not None and not self._holding.done():
            await self._chat.flush()
        running = [task for task in (self._opening, self._holding) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    # --- the caller's turn

    def _begin_turn(self) -> None:
        """The caller takes the turn: what the agent was about to say is not said."""
        if self._callers_turn:
            return
        self._callers_turn = True
        self._chat.exchanges.turn_over()
        while not self._answers.empty():
            self._answers.get_nowait()
        self._chat.send("user_state", value="speaking")

    def _ask(self, ask: Ask) -> None:
        self._begin_turn()
        self._deeds.turn = ask.turn
        if not self._keyed:
            # What was keyed in has been told key by key.
            self._chat.send("message", content=ask.text)
        self._chat.send("user_state", value="idle")
        self._callers_turn = False

    def _heard(self, event: events.AgentSpeechStarted | events.AgentHeard | events.AgentTurn, spoken: Spoken) -> None:
        match event:
            case events.AgentSpeechStarted():
                self._chat.send("agent_state", value="speaking")
            case events.AgentHeard(words=words):
                self._tell_heard(*(spoken.heard(word.text) for word in words))
            case events.AgentTurn(interrupted=interrupted):
                if interrupted:
                    self._begin_turn()
                else:
                    self._tell_heard(*spoken.rest())
                self._chat.send("agent_state", value="idle")
                self._spoken = None

    def _tell_heard(self, *words: str) -> None:
        """Word by word, for white space in what was heard would mislead the agent's side."""
        for word in filter(None, words):
            self._chat.send("agent_speech", content=word)

    # --- the app

    async def _reach(self) -> None:
        """Open the chat, unless it is open or was."""
        if self._holding is None and not self._rejection:
            if self._opening is None or self._opening.done():
                self._opening = asyncio.get_running_loop().create_task(self._open(), name="line chat")
            await asyncio.shield(self._opening)

    async def _open(self) -> None:
        try:
            session = await self._app.open(self._call_id, self._call)
        except CallRejected as rejection:
            self._rejection = str(rejection)
        except ProviderError as error:
            self._failure = error
        else:
            self._failure = None
            if complaint := self._deeds.configure(session.config):
                self._deeds.complain(complaint)
            self._holding = asyncio.get_running_loop().create_task(self._hold(session), name="line reader")

    async def _hold(self, session: Session) -> None:
        try:
            await self._chat.hold(session, self._take)
            self._fail(ProviderError(self.name, "The agent's app ended the chat in the middle of the call."))
        except ProviderError as error:
            self._fail(error)

    def _fail(self, error: ProviderError) -> None:
        """The agent is gone. What it has said before then is said."""
        if self._failure is None:
            self._failure = error
            self._offer(None)

    # --- what the agent sends

    def _take(self, frame: Mapping[str, Any]) -> None:
        to = str(frame.get("responding_to") or "")
        late = self._chat.exchanges.is_late(to) or (not to and self._callers_turn)
        match frame:
            case {"type": "message", "content": str(text)}:
                if not late:
                    self._offer(Say(text, interruptible=frame.get("interruptible") is not False))
            case {"type": "response_end"}:
                if not late and (self._replying is not None or not self._answers.empty()):
                    self._offer(_End(to))
            case {"type": "dtmf", "button": str(key)} if key in _KEYS:
                if not late:
                    self._offer(_Key(key))
            case {"type": "end_call"} | {"type": "transfer"} if (action := _action(frame)) is not None:
                if not late:
                    self._offer(*_unless_interrupted(frame), action)
            case {"type": "error"}:
                self._broken(str(frame.get("content") or ""))
            case _:
                if complaint := self._deeds.do(frame):
                    self._deeds.complain(complaint)
                    self._chat.send("validation_error", error_message=complaint, error_type="invalid_message")

    def _broken(self, traceback: str) -> None:
        """The agent's code has raised an exception: its last line says what, and its developer wants all of it."""
        self._deeds.note("error", traceback[-_TRACEBACK_CHARACTERS:], level="error")
        lines = traceback.strip().splitlines() or ["it did not say why"]
        self._fail(self._app.failures.told(lines[-1]))

    def _offer(self, *answers: Output | _Key | _End | None) -> None:
        """Have something for the reply that is being made, or for one of its own."""
        for answer in answers:
            self._answers.put_nowait(answer)
        if self._replying is None:
            self._floor()

    async def _next(self, patience: float | None) -> Output | _Key | _End | None:
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


def _action(frame: Mapping[str, Any]) -> Action | None:
    """What a frame wants to happen to the call; None if it does not say."""
    match frame:
        case {"type": "end_call"}:
            reason = str(frame.get("reason") or "agent_ended")
            if reason == "voicemail_detected":
                return EndCall("The agent found a voicemail box.", "voicemail")
            return EndCall("" if reason == "agent_ended" else reason)
        case {"transfer_destination": {"value": str(to)}} | {"target_phone_number": str(to)} if to:
            return Transfer(to=to)
    return None


def _unless_interrupted(frame: Mapping[str, Any]) -> list[Say]:
    """What makes a reply hold against interruptions where what it leads to must happen."""
    return [Say("", interruptible=False)] if frame.get("interruptible") is False else []
