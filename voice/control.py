"""What tools and brains can do to their call: the CallControl that a conversation hands them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from voice import events
from voice.clock import CallClock
from voice.media.dtmf import tones
from voice.media.recording import Recorder
from voice.tools import ToolError
from voice.transport import Transport
from voice.variables import Variables

Emit = Callable[[events.Event], None]


class Controls:
    """`voice.tools.CallControl` for one call. `listen_in` and `speak_with` change what the call is made with."""

    def __init__(
        self,
        *,
        transport: Transport,
        recorder: Recorder | None,
        clock: CallClock,
        emit: Emit,
        play: Callable[[bytes], None],
        listen_in: Callable[[str], None],
        speak_with: Callable[[str], None],
        expect_keys: Callable[[int | None], None],
        variables: Variables,
    ) -> None:
        self.variables = variables
        self._transport = transport
        self._recorder = recorder
        self._clock = clock
        self._emit = emit
        self._play = play
        self._listen_in = listen_in
        self._speak_with = speak_with
        self.expect_keys = expect_keys
        self._numbers = itertools.count(1)
        self._asked: dict[str, asyncio.Future[str]] = {}
        self._said: list[tuple[str, str]] = []

    def set_variable(self, name: str, value: object, by: str) -> None:
        try:
            self.variables[name] = value
        except ValueError as error:
            text = f"{by} could not set a variable. {error}"
            self._emit(events.AgentLogged(at=self._clock.now(), name="variable_refused", level="warning", text=text))
        else:
            self._emit(events.VariableSet(at=self._clock.now(), name=name, value=self.variables[name], by=by))

    def send_digits(self, digits: str) -> None:
        if not self._transport.send_digits(digits):
            self._play(tones(digits))
        self._emit(events.DigitsSent(at=self._clock.now(), digits=digits))

    def set_language(self, language: str) -> None:
        self._listen_in(language)
        self._emit(events.SettingChanged(at=self._clock.now(), name="language", value=language))

    def set_voice(self, voice: str) -> None:
        self._speak_with(voice)
        self._emit(events.SettingChanged(at=self._clock.now(), name="voice", value=voice))

    def pause_recording(self, reason: str) -> None:
        if self._recorder is not None and not self._recorder.paused:
            self._recorder.pause(self._clock.now())
            self._emit(events.RecordingPaused(at=self._clock.now(), reason=reason))

    def resume_recording(self) -> None:
        if self._recorder is not None and self._recorder.paused:
            self._recorder.resume(self._clock.now())
            self._emit(events.RecordingResumed(at=self._clock.now()))

    def tell_client(self, message: Mapping[str, Any]) -> bool:
        if not self._transport.send_message(message):
            return False
        self._emit(events.ClientTold(at=self._clock.now(), data=dict(message)))
        return True

    async def ask_client(self, name: str, arguments: Mapping[str, object], *, patience: float) -> str:
        number = f"client-{next(self._numbers)}"
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        question = {"type": "tool_call", "id": number, "name": name, "arguments": dict(arguments)}
        try:
            if not self.tell_client(question):
                raise ToolError("The caller's application does not take such requests.")
            return await asyncio.wait_for(answer, patience)
        except TimeoutError:
            raise ToolError("The caller's application did not answer in time.") from None
        finally:
            del self._asked[number]

    def answered(self, message: Mapping[str, Any]) -> bool:
        """Whether a message from the caller's application was the answer that a tool waits for."""
        if message.get("type") != "tool_result":
            return False
        waiting = self._asked.get(str(message.get("id")))
        if waiting is not None and not waiting.done():
            if message.get("is_error"):
                waiting.set_exception(ToolError(str(message.get("result") or "It did not work.")))
            else:
                waiting.set_result(str(message.get("result", "")))
        return True

    def noted(self, event: events.Event) -> None:
        """Keep who said what."""
        if isinstance(event, events.CallerTurn):
            self._said.append(("caller", event.text))
        elif isinstance(event, events.AgentTurn) and event.text:
            self._said.append(("agent", event.text))

    def conversation_so_far(self) -> list[tuple[str, str]]:
        return list(self._said)
