"""Who answered an outbound call: a person, an answering machine, a menu. And when a machine takes a message.

`AnsweringRules` decides and does no I/O: it is told what was heard and when, and says at what time it wants to be asked
again. `AnsweringWatch` runs it on a call's clock. People say a word or two and wait; machines go on talking. What is
said tells more than how long it takes, but is known later, so words can correct a verdict.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from voice.clock import CallClock

# A greeting that is no longer than this, and then so much silence, is a person's.
PERSON_SPEECH_SECONDS = 2.5
PERSON_SILENCE_SECONDS = 0.5
# A longer one and then so much silence is a machine's; after so much silence a machine is taken to record.
MACHINE_SILENCE_SECONDS = 1.5
NO_SPEECH_SECONDS = 10.0
# With no verdict by then it is left at that, and a person is taken for a person.
LIMIT_SECONDS = 20.0


class Answered(StrEnum):
    """Who or what answered."""

    HUMAN = "human"
    VOICEMAIL = "machine_voicemail"
    IVR = "machine_ivr"
    """A menu, or a telephone that asks who is calling before it rings: talk to it, or press its keys."""
    UNAVAILABLE = "machine_unavailable"
    """An announcement that leads nowhere: the mailbox is full, the number is not in service."""
    UNCERTAIN = "uncertain"


Reason = Literal["short_greeting", "long_greeting", "words", "beep", "no_speech", "time_is_up", "picked_up"]

After = Literal["beep", "silence"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who answered, why we think so and when we did; `phrase` is the piece of what was said that told, if any did."""

    answered: Answered
    reason: Reason
    at: float
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class LeaveMessage:
    """The machine records from now on: say the message, from its beginning if it was begun before."""

    after: After
    at: float


Decision = Verdict | LeaveMessage

_MACHINES = (Answered.VOICEMAIL, Answered.IVR, Answered.UNAVAILABLE)

# What tells, the most telling first: a greeting that asks for a message may offer keys as well.
_PHRASES: tuple[tuple[Answered, str], ...] = (
    (
        Answered.UNAVAILABLE,
        r"(mail ?box|memory|voice ?mail)( (you|of) .{1,40}?)? (is|was) (currently )?full"
        r"|(mail ?box|voice ?mail)( that)? (has not|hasn't) (yet )?been set up"
        r"|(not|no longer) (in service|a working number)|(is|been) (disconnected|changed)"
        r"|cannot be completed|not (accepting|taking) (any )?(calls|messages)"
        r"|(try|call)( your call| us)? again (later|another time|at a later time)",
    ),
    (
        Answered.IVR,
        r"(record|say|state|tell me) your name and (the )?(reason|why)|(say|state) (your name|why) (and|before)"
        r"|(person|number) you('re| are) (calling|trying to reach) (is )?(using|uses) (a )?(call )?screening"
        r"|see if (this person|the person|someone|they) (is|are) available"
        r"|(press|dial|say|push) (\d|zero|one|two|three|four|five|six|seven|eight|nine|star|pound)\b"
        r" (to|if you want to) (leave|speak|connect|talk)",
    ),
    (
        Answered.VOICEMAIL,
        r"leave (me |us |him |her |them )?(a |your )?(short |brief |detailed |voice ?)?(message|name)"
        r"|(after|at|following|wait for) the (tone|beep|signal)|(record|recording) (a|your) message"
        r"|voice ?mail( ?box)?|you('ve| have) reached|(get|call) (right )?back to you|return your call"
        r"|(can't|cannot|can not|unable to|could not|couldn't) (come to|get to|take|answer) (the|your) (phone|call)"
        r"|(not|n't)( currently)? available|unavailable|(forwarded|answering machine)",
    ),
    (
        Answered.IVR,
        r"(press|dial|push) (\d|zero|one|two|three|four|five|six|seven|eight|nine|star|pound|any key)\b"
        r"|(main|following|our) (menu|options)|options have changed|your call (may|will) be (recorded|monitored)"
        r"|in a few words|your call is important|party's extension|(dial|enter|say) (the |your )?(party's )?extension",
    ),
    (
        Answered.HUMAN,
        r"(how|what) (can|may|could) i (help|do|direct)|who('s| is) (this|calling|speaking)|\bspeaking$"
        r"|this is (he|she)$|can you hear me|i('m| am) here|hold on|one (second|moment)|a (second|moment|minute)",
    ),
)
# Of these, what a person may say as well, about somebody else or about another time.
_PEOPLE_SAY = re.compile("available|later|another time|changed|can ?not|can't|take|back to you")
_PATTERNS = [(answered, re.compile(pattern)) for answered, pattern in _PHRASES]
_HELLO = re.compile(r"^(hello|hi|hey|yes|yeah|yep)\b[\s,.!?]*((hello|hi|hey|yes|who)\b.{0,20})?$")


def classify(text: str) -> tuple[Answered | None, str]:
    """Who says such a thing, and the words that tell; None and "" for words that anybody says. For English."""
    said = re.sub(r"[^\w' ]+", " ", text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    said = " ".join(said.split())
    for answered, pattern in _PATTERNS:
        if found := pattern.search(said):
            return answered, found[0]
    if found := _HELLO.match(said):
        return Answered.HUMAN, found[0]
    return None, ""


class AnsweringRules:
    """Decides from what is heard of the far end since it answered at `answered`. All times are on the call's clock.

    Each method gives the decisions that follow from what it was told, in order. A verdict can be corrected: by what is
    said within the first 20 s, by a beep where nothing was said since, and, after a machine's, by a person who picks
    up or by another machine behind it.
    """

    def __init__(self, answered: float) -> None:
        self.verdict: Verdict | None = None
        self._answered = answered
        self._speaking = False
        # The greeting's first stretch of speech; pauses that are shorter than a person's wait belong to it.
        self._began: float | None = None
        self._ended: float | None = None
        self._said = ""
        self._person_said = ""
        # Since the last decision, which says what the machine records after, if it does.
        self._spoke_again = False
        self._recording: After | None = None

    @property
    def deadline(self) -> float | None:
        """When to call `passed`, unless something is heard before. None when time changes nothing any more."""
        silent_since = None if self._speaking else self._ended
        if self.verdict is None:
            limit = self._answered + LIMIT_SECONDS
            if self._began is None:
                return self._answered + NO_SPEECH_SECONDS
            return limit if silent_since is None else min(limit, silent_since + self._patience)
        if self.verdict.answered is Answered.VOICEMAIL and self._recording is None and silent_since is not None:
            return silent_since + MACHINE_SILENCE_SECONDS
        return None

    @property
    def _patience(self) -> float:
        """How much silence after the speech so far is a verdict."""
        return PERSON_SILENCE_SECONDS if self._is_short or self._person_said else MACHINE_SILENCE_SECONDS

    @property
    def _is_short(self) -> bool:
        return self._began is not None and (self._ended or self._began) - self._began <= PERSON_SPEECH_SECONDS

    @property
    def _is_machine(self) -> bool:
        return self.verdict is not None and self.verdict.answered in _MACHINES

    def speech(self, speaking: bool, at: float) -> list[Decision]:
        """The far end began to make a sound like speech at `at`, or stopped."""
        self._speaking = speaking
        if speaking:
            self._began = at if self._began is None else self._began
            self._spoke_again = self.verdict is not None
        else:
            self._ended = at
        return []

    def words(self, text: str, final: bool, at: float) -> list[Decision]:
        """These words were recognised; until they are `final` the next ones replace them."""
        if self.verdict is not None and self._is_machine:
            return self._after_machine(self.verdict.answered, text, final, at)
        said = f"{self._said} {text}".strip()
        answered, phrase = classify(said)
        if final:
            self._said = said
        if answered is Answered.HUMAN:
            # It may go on ("How can I help? Press one..."): the pause is waited for.
            self._person_said = phrase
        elif answered is not None and self._may_tell(phrase, at):
            return self._decide(answered, "words", at, phrase)
        return []

    def _may_tell(self, phrase: str, at: float) -> bool:
        """Nothing is known, or words may still correct what is known, and they are not a person's own."""
        if self.verdict is None:
            return True
        return at <= self._answered + LIMIT_SECONDS and _PEOPLE_SAY.search(phrase) is None

    def beep(self, at: float) -> list[Decision]:
        """A beep was over at `at`."""
        if self._recording == "beep" and not self._spoke_again:
            return []  # the one that ends the recording
        decisions = []
        answering = self.verdict is not None and self.verdict.answered is Answered.HUMAN and self._spoke_again
        if not self._is_machine and not answering:
            decisions += self._decide(Answered.VOICEMAIL, "beep", at)
        if self.verdict is not None and self.verdict.answered is Answered.VOICEMAIL:
            decisions += self._leave("beep", at)
        return decisions

    def passed(self, now: float) -> list[Decision]:
        """Time has passed: what follows from nothing having been heard."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return []
        if self.verdict is not None:
            return self._leave("silence", now)
        if self._began is None:
            return self._decide(Answered.UNCERTAIN, "no_speech", now)
        if self._speaking or self._ended is None or now < self._ended + self._patience:
            return self._decide(Answered.UNCERTAIN, "time_is_up", now)
        if self._is_short:
            return self._decide(Answered.HUMAN, "short_greeting", now)
        if self._person_said:
            return self._decide(Answered.HUMAN, "words", now, self._person_said)
        return [*self._decide(Answered.VOICEMAIL, "long_greeting", now), *self.passed(now)]

    def _after_machine(self, machine: Answered, text: str, final: bool, at: float) -> list[Decision]:
        """A machine answered, and more is said: by it, by another one behind it, or by a person who picks up."""
        answered, phrase = classify(text)
        if machine is Answered.UNAVAILABLE:
            return []
        if answered is Answered.UNAVAILABLE:
            return self._decide(answered, "words", at, phrase)
        if machine is Answered.IVR:
            behind = answered is Answered.VOICEMAIL and _PEOPLE_SAY.search(phrase) is None
            return self._decide(Answered.VOICEMAIL, "words", at, phrase) if behind else []
        if answered in _MACHINES:
            # What we took for the greeting's end was a pause, if this was said since.
            if self._spoke_again:
                self._recording = None
            return []
        # Whoever interrupts our message is a person; before it, other words may be the greeting's next sentence.
        person = answered is Answered.HUMAN or (self._recording is not None and self._spoke_again)
        return self._decide(Answered.HUMAN, "picked_up", at, phrase or text) if final and person else []

    def _decide(self, answered: Answered, reason: Reason, at: float, phrase: str = "") -> list[Decision]:
        if self.verdict is not None and self.verdict.answered is answered:
            return []
        self.verdict, self._spoke_again, self._recording = Verdict(answered, reason, at, phrase), False, None
        return [self.verdict]

    def _leave(self, after: After, at: float) -> list[Decision]:
        self._recording, self._spoke_again = after, False
        return [LeaveMessage(after, at)]


class AnsweringWatch:
    """Watches a call from the moment it was answered, which is now, and calls back.

    `on_verdict` may be called again with a correction, and `on_leave_message` again when the machine turns out to
    record only now: say the message from the beginning then.
    """

    def __init__(
        self,
        *,
        on_verdict: Callable[[Verdict], None],
        on_leave_message: Callable[[LeaveMessage], None],
        clock: CallClock,
    ) -> None:
        self._on_verdict = on_verdict
        self._on_leave_message = on_leave_message
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._rules = AnsweringRules(clock.now())
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._told([])

    @property
    def verdict(self) -> Verdict | None:
        """The verdict as it stands."""
        return self._rules.verdict

    def speech(self, speaking: bool, at: float) -> None:
        """Voice activity: speech began or ended at `at`, which may lie a little back."""
        self._told(self._rules.speech(speaking, at))

    def words(self, text: str, final: bool) -> None:
        """The words of what is being said, as known by now; the next replace them until they are `final`."""
        self._told(self._rules.words(text, final, self._clock.now()))

    def beep(self, at: float) -> None:
        """A beep was over at `at`."""
        self._told(self._rules.beep(at))

    def close(self) -> None:
        """Stop watching; nothing is called any more."""
        self._closed = True
        self._stop_timer()

    def _told(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            if self._closed:
                return
            if isinstance(decision, Verdict):
                self._on_verdict(decision)
            else:
                self._on_leave_message(decision)
        self._stop_timer()
        deadline = self._rules.deadline
        if deadline is not None and not self._closed:
            self._timer = self._loop.call_later(max(0.0, deadline - self._clock.now()), self._passed)

    def _passed(self) -> None:
        self._timer = None
        # The clock may have been rounded down to just before the deadline.
        self._told(self._rules.passed(max(self._clock.now(), self._rules.deadline or 0.0)))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
