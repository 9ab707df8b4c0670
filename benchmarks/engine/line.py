"""The far end of one call: it plays the caller's part in real time and notes what it hears, and when."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.engine.fakes import CALLER_WORDS, REPLY_SECONDS, STT_FINAL
from benchmarks.engine.scripts import Script
from benchmarks.speech import FRAME_SECONDS, SAMPLE_RATE, SILENCE

SPEAKING_SECONDS = 0.2
"""An agent that was heard so recently is speaking."""


@dataclass
class Heard:
    """What all lines heard while the window was open. Times are in seconds."""

    open: bool = False
    responses: array[float] = field(default_factory=lambda: array("f"))
    lateness: array[float] = field(default_factory=lambda: array("f"))
    stops: array[float] = field(default_factory=lambda: array("f"))
    unanswered: int = 0
    """Barge-ins at which there was nothing to interrupt: the reply had not come."""
    asked: int = 0
    missed: int = 0
    speech: float = 0.0

    @property
    def completeness(self) -> float:
        """How much of the speech that replies should have had was heard. About 1 in the turns scenario."""
        return self.speech / (self.asked * REPLY_SECONDS) if self.asked else 0.0


class Line:
    """One call. The adapter sets the callables and calls `play`; the driver calls `step` every 20 ms.

    `deliver` takes a frame of caller audio. `recognised` takes the caller's words when the fake recogniser
    is due to give them.
    """

    def __init__(self, index: int, heard: Heard, lead: float, script: Script) -> None:
        self.index = index
        self.heard = heard
        self.script = self.next_script = script
        self.deliver: Callable[[bytes], None] = lambda frame: None
        self.recognised: Callable[[str], None] = lambda text: None
        self.cycles = 0
        self._loop = asyncio.get_running_loop()
        self._lead = round(lead / FRAME_SECONDS)
        self._position = 0
        self._waiting_since: float | None = None
        self._barged_at: float | None = None
        self._last_audio = 0.0
        self._due: float | None = None

    def step(self, ideal: float) -> None:
        """Hand over the frame that was due at `ideal`."""
        if self._lead:
            self._lead -= 1
            self.deliver(SILENCE)
        else:
            self._step(ideal)

    def _step(self, ideal: float) -> None:
        script, position = self.script, self._position
        if position in script.onsets:
            self._speech_begins(ideal - FRAME_SECONDS, barge_in=position in script.barge_ins)
        self.deliver(script.frames[position])
        if position in script.ends:
            self._speech_ends(ideal)
        self._position += 1
        if self._position == len(script.frames):
            self._position = 0
            self.cycles += 1
            self.script = self.next_script

    def _speech_begins(self, onset: float, *, barge_in: bool) -> None:
        if self._waiting_since is not None and self.heard.open:
            self.heard.missed += 1
        self._waiting_since = self._barged_at = self._due = None
        if barge_in:
            if self._is_speaking():
                self._barged_at = onset
            elif self.heard.open:
                self.heard.unanswered += 1

    def _speech_ends(self, ended: float) -> None:
        if self._barged_at is not None and self.heard.open:
            self.heard.stops.append(max(0.0, self._last_audio - self._barged_at))
        self._barged_at = None
        if self._is_speaking():
            # An agent that talks over the caller has not answered them, whatever it says.
            self.heard.missed += self.heard.open
        else:
            self._waiting_since = ended
        if self.heard.open:
            self.heard.asked += 1
        self._loop.call_at(ended + STT_FINAL, self._recognised)

    def _is_speaking(self) -> bool:
        return self._loop.time() - self._last_audio < SPEAKING_SECONDS

    def _recognised(self) -> None:
        self.recognised(CALLER_WORDS)

    def play(self, audio: bytes) -> None:
        """Hear agent audio (16 kHz PCM16, any length); silence counts for nothing."""
        if not audio.strip(b"\0"):
            return
        now = self._loop.time()
        if self._waiting_since is not None:
            if self.heard.open:
                self.heard.responses.append(now - self._waiting_since)
            self._waiting_since = self._due = None
        if self._due is None:  # the first of a reply: what follows is due from here on
            self._due = now
        elif self.heard.open:
            self.heard.lateness.append(max(0.0, now - self._due))
        seconds = len(audio) / (2 * SAMPLE_RATE)
        self._due += seconds
        self._last_audio = now
        if self.heard.open:
            self.heard.speech += seconds
