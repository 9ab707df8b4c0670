"""The brain that is an agent's app, written with the Line SDK.

The app hears of the call what the engine knows: when the caller takes the turn, the words, the keys, and what of its
own words was really heard. Its answers, and what it says unasked, come back as frames of text while they are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice import events
from voice.brain import Ask, Brain, Brains, Output, Say, Seat
from voice.providers.duplex import Duplex
from voice.providers.line.deeds import Deeds
from voice.providers.line.exchanges import Exchanges
from voice.providers.line.session import CallRejected, LineApp, LineCall
from voice.providers.line.spoken import Spoken
from voice.providers.remote import End, Holding, Keys, RemoteBrain
from voice.tools import Action, EndCall, Transfer

_KEYS = frozenset("0123456789*#")
_TRACEBACK_CHARACTERS = 8_000


def line_brain(app: LineApp, call: LineCall) -> Brains:
    """Brains that are the agent at `app`, which is told of its calls what `call` says."""

    def make(seat: Seat) -> Brain:
        return LineBrain(seat, app, call)

    return make


class LineBrain(RemoteBrain):
    """One call's chat with an agent's app.

    A call that the agent's code rejects ends at once. An app that breaks has lost what it knew of the call: from then
    on every turn fails.
    """

    def __init__(self, seat: Seat, app: LineApp, call: LineCall) -> None:
        super().__init__(seat, app.name)
        self._app = app
        self._call = call
        self._call_id = seat.call_id
        self._deeds = Deeds(seat)
        self._chat = Duplex()
        self._exchanges = Exchanges()
        self._rejection: EndCall | None = None
        self._spoken: Spoken | None = None
        """The reply that is being heard, if it is the agent's."""
        self._callers_turn = False

    def notice(self, event: events.Event) -> None:
        super().notice(event)
        match event:
            case events.ClientMessage(data={"type": "custom", "metadata": dict(metadata)}):
                self._send("custom", metadata=metadata)
            case events.ClientMessage(data=data):
                self._send("custom", metadata=data)
            case events.AgentSpeechStarted() | events.AgentHeard() | events.AgentTurn() if self._spoken is not None:
                self._heard(event, self._spoken)

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        self._spoken = None
        if not whole:
            self._begin_turn()

    async def close(self) -> None:
        if self._holding is not None and not self._holding.done():
            await self._chat.flush()
        await super().close()

    # --- what the app is told

    def _send(self, kind: str, **fields: object) -> None:
        self._chat.send({"type": kind, **fields, "event_id": self._exchanges.next_id()})

    def _begin_turn(self) -> None:
        """The caller takes the turn: what the agent was about to say is not said."""
        if self._callers_turn:
            return
        self._callers_turn = True
        self._exchanges.turn_over()
        self._forget()
        self._send("user_state", value="speaking")

    def _ask(self, ask: Ask, keys: str) -> None:
        self._begin_turn()
        self._deeds.turn = ask.turn
        for key in keys:
            self._send("dtmf", button=key)
        if not self._keyed:
            self._send("message", content=ask.text)
        self._send("user_state", value="idle")
        self._callers_turn = False

    def _replies(self, text: str) -> None:
        if not text or self._spoken is None:
            self._spoken = Spoken()
        self._spoken.grow(text)

    def _heard(self, event: events.AgentSpeechStarted | events.AgentHeard | events.AgentTurn, spoken: Spoken) -> None:
        match event:
            case events.AgentSpeechStarted():
                self._send("agent_state", value="speaking")
            case events.AgentHeard(words=words):
                self._tell_heard(*(spoken.heard(word.text) for word in words))
            case events.AgentTurn(interrupted=interrupted):
                if interrupted:
                    self._begin_turn()
                else:
                    self._tell_heard(*spoken.rest())
                self._send("agent_state", value="idle")
                self._spoken = None

    def _tell_heard(self, *words: str) -> None:
        """Word by word, for white space in what was heard would mislead the agent's side."""
        for word in filter(None, words):
            self._send("agent_speech", content=word)

    # --- the app

    async def _open(self) -> Holding | None:
        try:
            session = await self._app.open(self._call_id, self._call)
        except CallRejected as rejection:
            self._rejection = EndCall(str(rejection), "rejected")
            return None
        if complaint := self._deeds.configure(session.config):
            self._note("config", complaint)
        return self._chat.hold(session.socket, self._take)

    def _may_open(self) -> bool:
        return super()._may_open() and self._rejection is None

    def _refusal(self) -> Output | None:
        return self._rejection

    def _is_end_of(self, ask: Ask, end: End) -> bool:
        return not ask.text or self._exchanges.is_answer(end.responding_to)

    # --- what the app sends

    def _take(self, frame: Mapping[str, Any]) -> None:
        to = str(frame.get("responding_to") or "")
        late = self._exchanges.is_late(to) or (not to and self._callers_turn)
        match frame:
            case {"type": "message", "content": str(text)}:
                if not late:
                    self._offer(Say(text, interruptible=frame.get("interruptible") is not False))
            case {"type": "response_end"}:
                if not late and self._expects_end:
                    self._offer(End(to))
            case {"type": "dtmf", "button": str(key)} if key in _KEYS:
                if not late:
                    self._offer(Keys(key))
            case {"type": "end_call"} | {"type": "transfer"} if (action := _action(frame)) is not None:
                if not late:
                    self._offer(*_unless_interrupted(frame), action)
            case {"type": "error"}:
                self._broken(str(frame.get("content") or ""))
            case _:
                if complaint := self._deeds.do(frame):
                    self._note("validation_error", complaint)
                    self._send("validation_error", error_message=complaint, error_type="invalid_message")

    def _broken(self, traceback: str) -> None:
        """The agent's code has raised an exception: its last line says what, and its developer wants all of it."""
        self._note("error", traceback[-_TRACEBACK_CHARACTERS:], level="error")
        lines = traceback.strip().splitlines() or ["it did not say why"]
        self._fail(self._app.failures.told(lines[-1]))


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
