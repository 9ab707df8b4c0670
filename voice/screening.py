"""An outbound call while it is not known who answered it: the agent waits until somebody, or a machine, is there."""

from __future__ import annotations

from collections.abc import Callable

from voice import events
from voice.answering import Answered, AnsweringWatch, LeaveMessage, Verdict
from voice.clock import CallClock
from voice.media import SAMPLE_RATE
from voice.media.beep import BeepDetector

Emit = Callable[[events.Event], None]


class Screening:
    """Listens from the moment of the answer, and calls back: `on_person` (or nobody can tell), `on_menu` (talk to it),
    `on_record` (a machine records from now on; again if it begins only now), `on_nobody` (it leads nowhere)."""

    def __init__(
        self,
        *,
        clock: CallClock,
        emit: Emit,
        on_person: Callable[[], None],
        on_menu: Callable[[], None],
        on_record: Callable[[], None],
        on_nobody: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._emit = emit
        self._on_person = on_person
        self._on_menu = on_menu
        self._on_record = on_record
        self._on_nobody = on_nobody
        self._beeps = BeepDetector()
        self._fed = 0
        self.waiting = True
        """The agent has nobody to talk to yet."""
        self._watch = AnsweringWatch(on_verdict=self._judged, on_leave_message=self._record, clock=clock)

    def hear(self, frame: bytes) -> None:
        """Take 20 ms of the far end's audio."""
        self._fed += len(frame) // 2
        if (beep := self._beeps.feed(frame)) is not None:
            self._watch.beep(self._clock.now() - (self._fed - beep.edge) / SAMPLE_RATE)

    def notice(self, event: events.Event) -> None:
        """Take what the turn taker finds out."""
        if isinstance(event, events.CallerSpeechStarted):
            self._watch.speech(True, event.onset)
        elif isinstance(event, events.CallerSpeechStopped):
            self._watch.speech(False, event.offset)
        elif isinstance(event, events.CallerPartial):
            self._watch.words(event.text, False)
        elif isinstance(event, events.CallerSegment):
            self._watch.words(event.text, True)

    def close(self) -> None:
        self._watch.close()

    def _judged(self, verdict: Verdict) -> None:
        reason = f"{verdict.reason}: {verdict.phrase}" if verdict.phrase else verdict.reason
        self._emit(events.MachineJudged(at=self._clock.now(), verdict=verdict.answered.value, reason=reason))
        was_waiting, self.waiting = self.waiting, verdict.answered == Answered.VOICEMAIL
        match verdict.answered:
            case Answered.HUMAN | Answered.UNCERTAIN if was_waiting:
                self._on_person()
            case Answered.IVR:
                self._on_menu()
            case Answered.UNAVAILABLE:
                self._on_nobody(verdict.phrase)

    def _record(self, leave: LeaveMessage) -> None:
        self._on_record()
