"""What an agent's code does besides speaking: it calls tools, takes notes, changes settings, tells the application."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from voice import events
from voice.brain import Seat
from voice.tools import ToolError

# How the SDK begins the result of a tool that has failed.
_FAILED = "error: "


class Deeds:
    """Does, and tells in events, what the frames of one call ask for. `turn` is the turn that is being answered."""

    def __init__(self, seat: Seat) -> None:
        self._clock = seat.clock
        self._emit = seat.emit
        self._control = seat.control
        self._called: dict[tuple[str, str], list[tuple[str, float]]] = {}
        """The tool calls without a result: their ids and when they began, by name and arguments."""
        self._calls = 0
        self.turn = 0

    def do(self, frame: Mapping[str, Any]) -> str:
        """Do what a frame asks for; what is wrong with it, or ""."""
        match frame:
            case {"type": "tool_call", "name": str(name)}:
                self._tool(name, frame)
            case {"type": "log_event", "event": str(name)}:
                self._note(name, _object(frame.get("metadata")))
            case {"type": "log_metric", "name": str(name)}:
                self._measured(name, frame.get("value"))
            case {"type": "custom", "metadata": dict(metadata)}:
                if not self._control.tell_client({"type": "custom", "metadata": metadata}):
                    return "The caller has no application that takes messages."
            case {"type": "config"}:
                return self.configure(frame)
            case _:
                return f"A message of the type {frame.get('type')!r} with such fields is not known here."
        return ""

    def configure(self, config: Mapping[str, Any]) -> str:
        """Change the call's language and voice; what is wrong with that, or ""."""
        tts, stt = _object(config.get("tts")), _object(config.get("stt"))
        language = config.get("language") or tts.get("language") or stt.get("language")
        if language:
            try:
                self._control.set_language(str(language))
            except ToolError as error:
                return str(error)
        if voice := tts.get("voice_id"):
            self._control.set_voice(str(voice))
        if tts.get("pronunciation_dict_id"):
            return "Pronunciations belong to the agent here: they cannot be changed in a call."
        return ""

    # --- frames

    def _tool(self, name: str, frame: Mapping[str, Any]) -> None:
        """A tool's call and its result are two frames, and nothing but name and arguments says which go together."""
        arguments, now = _object(frame.get("arguments")), self._clock.now()
        waiting = self._called.setdefault((name, json.dumps(arguments, sort_keys=True)), [])
        if frame.get("result") is None:
            self._calls += 1
            call = str(frame.get("id") or f"line-{self._calls}")
            waiting.append((call, now))
            self._emit(events.ToolCalled(at=now, turn=self.turn, tool_call=call, name=name, arguments=arguments))
            return
        result = str(frame["result"])
        failed = result.startswith(_FAILED)
        call, began = waiting.pop(0) if waiting else (str(frame.get("id") or ""), now)
        self._emit(
            events.ToolReturned(
                at=now,
                turn=self.turn,
                tool_call=call,
                name=name,
                result="" if failed else result,
                error=result.removeprefix(_FAILED) if failed else "",
                took=round(now - began, 4),
            )
        )

    def _note(self, name: str, metadata: dict[str, Any]) -> None:
        self._emit(
            events.AgentLogged(
                at=self._clock.now(),
                name=name,
                level=str(metadata.get("level") or "info"),
                text=str(metadata.get("message") or ""),
                data=_object(metadata.get("metadata")),
            )
        )

    def _measured(self, name: str, value: object) -> None:
        number = float(value) if isinstance(value, int | float) else None
        text = "" if number is not None else str(value)
        self._emit(events.AgentLogged(at=self._clock.now(), name=name, text=text, value=number))


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
