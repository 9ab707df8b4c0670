"""Playout: an utterance's audio on its way to the caller, frame by frame, and the words that were really heard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from voice import events
from voice.clock import CallClock
from voice.events import Word
from voice.media import FRAME_BYTES, FRAME_SECONDS, SAMPLE_RATE, seconds
from voice.media.ambient import AmbientMixer
from voice.media.pacer import Pacer
from voice.media.recording import Recorder
from voice.providers.base import WordTime
from voice.transport import Transport

Emit = Callable[[events.Event], None]

# A word counts as heard when this much of it was: half a word is understood, or asked about.
HEARD_SHARE = 0.6
# How often the words heard are told, so that a reply is a handful of events and not one a word.
HEARD_EVERY = 0.4
# A far end that tells what it has played is asked so often: every fifth of a second.
MARK_BYTES = 10 * FRAME_BYTES
# Sent audio that is kept, to go back to where a false interruption stopped the agent.
REWIND_BYTES = 2 * SAMPLE_RATE


@dataclass(slots=True)
class _Placed:
    """A word and where it lies in its utterance, in bytes of audio."""

    text: str
    start: int
    end: int
    at: float = -1.0
    """When its first sound is heard; negative until it is sent."""


class Utterance:
    """What the agent says in one turn: audio that grows while it is spoken, with its words.

    Positions are bytes from the utterance's start. Audio long sent is forgotten.
    """

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.words: list[_Placed] = []
        self.complete = False
        self.sent = 0
        self._audio = bytearray()
        self._forgotten = 0

    @property
    def total(self) -> int:
        return self._forgotten + len(self._audio)

    @property
    def ready(self) -> bool:
        """A frame can be taken."""
        waiting = self.total - self.sent
        return waiting >= FRAME_BYTES or (self.complete and waiting > 0)

    @property
    def said(self) -> str:
        """The words of which at least the first sound was sent."""
        return " ".join(word.text for word in self.words if word.at >= 0)

    def append(self, pcm: bytes) -> None:
        self._audio += pcm

    def place(self, words: Sequence[WordTime], base: int) -> None:
        """Set the words from byte `base` on. Words of that piece that were sent already stay as they are."""
        sent = next((i for i, word in enumerate(self.words) if word.start >= base and word.at < 0), len(self.words))
        first = next((i for i, word in enumerate(self.words) if word.start >= base), len(self.words))
        self.words[sent:] = [
            _Placed(word.text, base + _bytes(word.start), base + _bytes(word.end)) for word in words[sent - first :]
        ]

    def take(self) -> bytes:
        """The next frame; the last one is filled up with silence; empty if there is none yet."""
        if not self.ready:
            return b""
        place = self.sent - self._forgotten
        frame = bytes(self._audio[place : place + FRAME_BYTES])
        if len(frame) < FRAME_BYTES:
            self._audio += bytes(FRAME_BYTES - len(frame))
            frame = frame.ljust(FRAME_BYTES, b"\0")
        self.sent += FRAME_BYTES
        surplus = self.sent - self._forgotten - REWIND_BYTES
        if surplus > REWIND_BYTES:
            del self._audio[:surplus]
            self._forgotten += surplus
        return frame

    def rewind(self, to: int) -> None:
        """Send again from byte `to`, or from as far back as is kept."""
        self.sent = min(self.sent, max(to, self._forgotten))
        for word in self.words:
            if word.start >= self.sent:
                word.at = -1.0


def _bytes(time: float) -> int:
    return 2 * round(time * SAMPLE_RATE)


class Playout:
    """Sends one utterance at a time, a frame every 20 ms, and knows which of its words were heard.

    `gated` holds the audio back (the reply is speculative or a possible interruption is being judged).
    """

    def __init__(
        self,
        *,
        transport: Transport,
        pacer: Pacer,
        clock: CallClock,
        emit: Emit,
        recorder: Recorder | None,
        on_done: Callable[[Utterance], None],
        on_starved: Callable[[], None] = lambda: None,
        on_lost: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self._transport = transport
        self._pacer = pacer
        self._clock = clock
        self._emit = emit
        self._recorder = recorder
        self._on_done = on_done
        self._on_starved = on_starved
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._utterance: Utterance | None = None
        self._gated = False
        self._begun = False
        self._running = False
        self._started = 0.0
        self._heard_until = 0.0
        self._next_word = 0
        self._told = 0
        self._told_at = 0.0
        self._ending: asyncio.TimerHandle | None = None
        self._marks: dict[int, float] = {}
        self._mark = 0
        # How much later than assumed the far end plays, by its marks.
        self._late = 0.0
        self._room: AmbientMixer | None = None
        self._room_recorded = True
        self._aside: deque[bytes] = deque()

    @property
    def audible(self) -> bool:
        """The caller hears the agent, or would if the gate were open: its first frame has left."""
        return self._begun

    @property
    def waiting(self) -> bool:
        """There is an utterance of which nothing was sent yet."""
        return self._utterance is not None and not self._begun

    @property
    def silent(self) -> bool:
        """Nothing is being sent, though there may be more to come."""
        return not self._running

    @property
    def room(self) -> AmbientMixer | None:
        """What is heard behind the agent, and while nothing is said."""
        return self._room

    def fill(self, room: AmbientMixer | None, *, recorded: bool = True) -> None:
        """Let `room` be heard from now on, also while nothing is said; None is silence."""
        self._room, self._room_recorded = room, recorded
        if room is not None:
            self._send_ahead()
            self._pacer.add(self)
        elif not self._running:
            self._rest()

    def aside(self, pcm: bytes) -> None:
        """Let a short sound be heard while nothing is said. It is no utterance, and gives way to one."""
        if not self._running:
            frames = (pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES))
            self._aside = deque(frame.ljust(FRAME_BYTES, b"\0") for frame in frames)
            self._pacer.add(self)

    def close(self) -> None:
        """Send nothing any more."""
        self._room = None
        self._aside.clear()
        self._rest()

    @property
    def position(self) -> int:
        """How many bytes of the utterance the caller has heard by now."""
        if self._utterance is None or not self._begun:
            return 0
        ahead = 0.0 if self._gated else max(0.0, self._heard_until + self._late - self._clock.now())
        return max(0, self._utterance.sent - _bytes(ahead))

    def open(self, utterance: Utterance, *, gated: bool) -> None:
        """Begin an utterance. There must be none going on."""
        if self._utterance is not None:
            raise RuntimeError("One utterance at a time.")
        self._utterance, self._gated, self._begun = utterance, gated, False
        self._next_word = self._told = 0

    def more(self) -> None:
        """The utterance has grown or is complete: send, if nothing holds it back."""
        utterance = self._utterance
        if utterance is None or self._gated or self._running:
            return
        if utterance.ready:
            self._run(utterance)
        elif utterance.complete:
            self._drained(utterance)

    def hold(self) -> None:
        """Close the gate. If the caller is hearing the agent it stops at once, and can go on with `release`."""
        if self._utterance is None or self._gated:
            return
        self._gated = True
        if self._begun:
            self._silence(self._utterance)
            self._utterance.rewind(self._heard_bytes(self._utterance))
            self._next_word = next(
                (i for i, word in enumerate(self._utterance.words) if word.at < 0), len(self._utterance.words)
            )

    def release(self) -> None:
        """Open the gate: go on from the first word that was not heard."""
        self._gated = False
        self.more()

    def stop(self) -> tuple[str, str]:
        """End the utterance now; what was heard of its text, and what was not. Emits `AgentTurn` if it was audible."""
        utterance = self._utterance
        if utterance is None:
            return "", ""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if self._begun and not self._gated:
            self._silence(utterance)
        heard, unheard = self._split(utterance)
        if self._begun:
            self._close(utterance, heard, unheard)
        self._utterance, self._begun = None, False
        return _text(heard), _text(unheard)

    def played(self, mark: int) -> None:
        """The far end has played all that was sent before this mark: how late it is tells how late the rest will be."""
        assumed = self._marks.pop(mark, None)
        if assumed is not None:
            self._late = self._clock.now() - assumed

    def tick(self) -> None:
        try:
            self._go_on()
        except Exception as error:  # nobody ticks us any more, so the call must know
            self._on_lost(error)
            raise

    def _go_on(self) -> None:
        utterance = self._utterance
        if not self._running:
            self._send_room()
        elif utterance is None or not self._send(utterance):
            self._rest()
            self._send_room()
            if utterance is not None and utterance.complete:
                self._drained(utterance)
            elif utterance is not None:
                self._on_starved()

    # --- sending

    def _run(self, utterance: Utterance) -> None:
        """Send what fills the far end's buffer at once, and from then on a frame a tick."""
        if not self._begun:
            self._begun = True
            delay = self._transport.playout_delay
            self._started = self._clock.now() + delay
            self._emit(
                events.AgentSpeechStarted(at=self._clock.now(), turn=utterance.turn, playout_delay=round(delay, 4))
            )
        self._aside.clear()
        if self._room is None:
            for _ in range(self._ahead):
                self._send(utterance)
        self._running = True
        self._pacer.add(self)

    @property
    def _ahead(self) -> int:
        """How many frames are sent at once, to fill the far end's buffer."""
        return 1 + round(self._transport.lead / FRAME_SECONDS)

    def _rest(self) -> None:
        self._running = False
        if self._room is None and not self._aside:
            self._pacer.remove(self)

    def _send_ahead(self) -> None:
        for _ in range(self._ahead):
            self._send_room()

    def _send_room(self) -> None:
        if self._aside:
            frame = self._aside.popleft()
            self._transmit(frame if self._room is None else self._room.mix(frame, speaking=True))
            if not self._aside:
                self._rest()
        elif self._room is not None:
            self._transmit(self._room.mix(None, speaking=False), recorded=self._room_recorded)

    def _send(self, utterance: Utterance) -> bool:
        frame = utterance.take()
        if not frame:
            return False
        heard_at = self._transmit(frame if self._room is None else self._room.mix(frame, speaking=True))
        if heard_at is None:
            return False
        if self._transport.marks and utterance.sent % MARK_BYTES == 0:
            self._mark += 1
            self._marks[self._mark] = self._heard_until
            self._ask_for_mark(self._mark)
        words = utterance.words
        while self._next_word < len(words) and words[self._next_word].start < utterance.sent:
            words[self._next_word].at = heard_at
            self._next_word += 1
        if self._told < self._next_word and self._clock.now() - self._told_at >= HEARD_EVERY:
            self._tell(utterance, self._heard(utterance))
        return True

    def _transmit(self, frame: bytes, *, recorded: bool = True) -> float | None:
        """Send one frame; when the caller hears it. None: the far end is lost."""
        try:
            self._transport.send_audio(frame)
        except Exception as error:
            self._on_lost(error)
            return None
        # Frames sent ahead are heard one after the other all the same.
        heard_at = max(self._clock.now() + self._transport.playout_delay, self._heard_until)
        self._heard_until = heard_at + FRAME_SECONDS
        if self._recorder is not None and recorded:
            self._recorder.agent(frame, heard_at)
        return heard_at

    def _ask_for_mark(self, number: int) -> None:
        try:
            self._transport.mark(number)
        except Exception as error:
            self._on_lost(error)

    def _drained(self, utterance: Utterance) -> None:
        """All is sent; the utterance ends when the last of it is heard."""
        if self._ending is None:
            self._ending = self._loop.call_later(
                max(0.0, self._heard_until + self._late - self._clock.now()), self._end, utterance
            )

    def _end(self, utterance: Utterance) -> None:
        self._ending = None
        if self._begun:
            self._close(utterance, utterance.words, [])
        self._utterance, self._begun = None, False
        self._on_done(utterance)

    def _silence(self, utterance: Utterance) -> None:
        try:
            self._transport.clear()
        except Exception as error:
            self._on_lost(error)
        self._marks.clear()
        self._rest()
        self._heard_until = self._clock.now()
        if self._recorder is not None:
            self._recorder.cut_agent(self._clock.now())
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        self._send_ahead()

    # --- hearing

    def _heard_bytes(self, utterance: Utterance) -> int:
        """Where to go on after a pause: the start of the first word that was not heard."""
        heard = self._heard(utterance)
        if heard < len(utterance.words):
            return utterance.words[heard].start
        return utterance.sent

    def _heard(self, utterance: Utterance) -> int:
        """How many of the words were heard by now."""
        now, count = self._clock.now() - self._late, self._told
        while count < self._next_word:
            word = utterance.words[count]
            if word.at < 0 or word.at + HEARD_SHARE * seconds(word.end - word.start) > now:
                break
            count += 1
        return count

    def _split(self, utterance: Utterance) -> tuple[Sequence[_Placed], Sequence[_Placed]]:
        heard = self._heard(utterance)
        return utterance.words[:heard], utterance.words[heard:]

    def _tell(self, utterance: Utterance, count: int) -> None:
        words = utterance.words[self._told : count]
        if words:
            self._told, self._told_at = count, self._clock.now()
            heard = [Word(w.text, round(w.at, 3), round(w.at + seconds(w.end - w.start), 3)) for w in words]
            self._emit(events.AgentHeard(at=self._clock.now(), turn=utterance.turn, words=heard))

    def _close(self, utterance: Utterance, heard: Sequence[_Placed], unheard: Sequence[_Placed]) -> None:
        self._tell(utterance, len(heard))
        self._emit(
            events.AgentTurn(
                at=self._clock.now(),
                turn=utterance.turn,
                text=_text(heard),
                started=self._started,
                ended=self._clock.now(),
                interrupted=bool(unheard) or not utterance.complete,
                unheard=_text(unheard),
            )
        )


def _text(words: Sequence[_Placed]) -> str:
    return " ".join(word.text for word in words)
