"""A program that speaks Twilio's ConversationRelay: we are what Twilio is to it.

It is sent `setup`, `prompt`, `interrupt`, `dtmf` and `error`, and sends `text`, `end`, `sendDigits` and `language`. Its
`play` is not played: there is a note in the call's log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice import events
from voice.brain import Ask, Brain, Brains, Say, Seat
from voice.providers.base import ProviderError
from voice.providers.duplex import Duplex
from voice.providers.failures import Failures
from voice.providers.remote import End, Holding, Keys, RemoteBrain
from voice.providers.sockets import Connect, ProviderSocket, connect_anywhere
from voice.providers.webagent.call import WebCall
from voice.tools import EndCall, ToolError

_DIGITS = frozenset("0123456789*#ABCDw")


class RelayApp:
    """A program at the address of a WebSocket. `headers` come with the handshake; a shared secret can be among them."""

    def __init__(
        self,
        url: str,
        *,
        connect: Connect = connect_anywhere,
        headers: Mapping[str, str] | None = None,
        secret: str = "",
        name: str = "webagent",
    ) -> None:
        self.name = name
        self._url = url
        self._connect = connect
        self._headers = dict(headers or {})
        self._failures = Failures(name, url, secret)

    async def open(self) -> ProviderSocket:
        """Connect. Raises ProviderError."""
        return await ProviderSocket.open(self._url, self._headers, self._failures, what="agent", opener=self._connect)


def relay_brain(app: RelayApp, call: WebCall) -> Brains:
    """Brains that are the program at `app`."""

    def make(seat: Seat) -> Brain:
        return RelayBrain(seat, app, call)

    return make


class RelayBrain(RemoteBrain):
    """One call's session with a program.

    A session that was lost is opened again at the caller's next turn, with the same `sessionId`: a program that keeps
    its conversations by that goes on where it was.
    """

    def __init__(self, seat: Seat, app: RelayApp, call: WebCall) -> None:
        super().__init__(seat, app.name)
        self._app = app
        self._call = call
        self._call_id = seat.call_id
        self._language = seat.spec.language
        self._session = Duplex()
        self._heard = False
        """What is being heard is the program's."""
        self._interrupted = False
        """What comes until the next prompt, or the end of what was being said, is not wanted any more."""

    def notice(self, event: events.Event) -> None:
        super().notice(event)
        match event:
            case events.SettingChanged(name="language", value=language):
                self._language = language
            case events.AgentTurn(interrupted=True, text=text, started=started, ended=ended) if self._heard:
                self._interrupt(text, ended - started)

    def keep(self, turn: int, caller: str, agent: str, *, whole: bool) -> None:
        if not whole and self._heard:
            self._interrupt("", 0.0)
        self._heard = False

    # --- what the program is told

    def _ask(self, ask: Ask, keys: str) -> None:
        self._forget()
        self._interrupted = False
        for key in keys:
            self._session.send({"type": "dtmf", "digit": key})
        if not self._keyed:
            self._session.send({"type": "prompt", "voicePrompt": ask.text, "lang": self._language, "last": True})

    def _replies(self, text: str) -> None:
        self._heard = True

    def _interrupt(self, heard: str, lasted: float) -> None:
        self._heard = False
        self._interrupted = True
        self._forget()
        self._session.send(
            {"type": "interrupt", "utteranceUntilInterrupt": heard, "durationUntilInterruptMs": round(lasted * 1000)}
        )

    def _need_not_answer(self, ask: Ask) -> bool:
        return self._keyed

    # --- the program

    async def _open(self) -> Holding:
        socket = await self._app.open()
        self._session = Duplex()
        self._session.send(
            {
                "type": "setup",
                "sessionId": self._call_id,
                "accountSid": "",
                "parentCallSid": "",
                "callSid": self._call_id,
                "from": self._call.caller,
                "to": self._call.called,
                "forwardedFrom": "",
                "callType": "PSTN",
                "callerName": "",
                "direction": self._call.direction,
                "callStatus": "in-progress",
                "customParameters": {name: str(value) for name, value in self._call.metadata.items()},
            }
        )
        return self._session.hold(socket, self._take)

    def _may_open(self) -> bool:
        return self._holding is None or self._holding.done()

    def _fail(self, error: ProviderError) -> None:
        if self._expects_end:
            super()._fail(error)
        else:
            # Nobody waits for it: the caller need not hear of this, if all is well by the next turn.
            self._note("session", str(error))

    # --- what the program sends

    def _take(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"type": "text", "token": str(token)}:
                self._text(token, message)
            case {"type": "sendDigits", "digits": str(digits)} if digits and _DIGITS.issuperset(digits):
                self._offer(Keys(digits))
            case {"type": "language"}:
                self._speak(str(message.get("ttsLanguage") or message.get("transcriptionLanguage") or ""))
            case {"type": "end"}:
                self._end(message.get("handoffData"))
            case {"type": "play"}:
                self._note("play", f"Not played, for only words are spoken here: {message.get('source')}")
            case _:
                self._complain(f"Invalid message: {str(dict(message))[:200]}")

    def _text(self, token: str, message: Mapping[str, Any]) -> None:
        last = bool(message.get("last"))
        if self._interrupted:
            self._interrupted = not last
            return
        if token:
            self._offer(Say(token, interruptible=message.get("interruptible") is not False))
        if last and self._expects_end:
            self._offer(End())

    def _end(self, handoff: object) -> None:
        if handoff:
            self._control.set_variable("handoffData", handoff, self.name)
        self._offer(EndCall())

    def _speak(self, language: str) -> None:
        """Languages here are told apart without their regions."""
        try:
            self._control.set_language(language.partition("-")[0].lower())
        except ToolError as error:
            self._complain(str(error))

    def _complain(self, complaint: str) -> None:
        self._note("error", complaint)
        self._session.send({"type": "error", "description": complaint})
