"""A call that an agent holds, whatever it thinks and speaks with: how it opens, and what happens besides the turns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from voice import events
from voice.call import Call, EndReason
from voice.control import Controls
from voice.dtmf import DtmfCollector, DtmfEntry
from voice.events import Event
from voice.media.ambient import AmbientMixer
from voice.media.dtmf import ToneDetector
from voice.media.noise import NoiseSuppressor
from voice.media.recording import Recorder
from voice.playout import Playout, Utterance
from voice.providers.base import ProviderError
from voice.screening import Screening
from voice.services import CallServices
from voice.spec import AgentSpec
from voice.speech import Speaker
from voice.text.pronunciation import Lexicon
from voice.tools import Transfer
from voice.transfer import Transferring
from voice.transport import Transport

# So many failed turns in a row end the call.
FAILURES = 2
# The caller is told so often that the answer still takes a while.
STILL_SLOW_SECONDS = 6.0

Source = Literal["speech", "typed", "keypad"]


class AgentCall(Call):
    """A call with one agent at this end."""

    _speaker: Speaker | None
    """Who says fixed words, if it is not the model itself."""

    def __init__(
        self,
        *,
        call_id: str,
        spec: AgentSpec,
        services: CallServices,
        transport: Transport,
        sink: Callable[[Event], None],
        recorder: Recorder | None,
        variables: Mapping[str, object] | None,
        before: Sequence[Event],
    ) -> None:
        super().__init__(
            call_id=call_id,
            spec=spec,
            transport=transport,
            sink=sink,
            recorder=recorder,
            variables=variables,
            before=before,
        )
        self._services = services
        self._controls = Controls(
            transport=transport,
            recorder=recorder,
            clock=self.clock,
            emit=self._emit,
            play=self._play_tones,
            listen_in=self._listen_in,
            speak_with=self._speak_with,
            expect_keys=lambda most: self._keypad.expect_at_most(most),
            variables=self._variables,
        )
        self._playout = Playout(
            transport=transport,
            pacer=services.pacer,
            clock=self.clock,
            emit=self._emit,
            recorder=recorder,
            on_done=lambda utterance: self._attempt(self._spoken, utterance),
            on_starved=lambda: self._attempt(self._starved),
            on_lost=self._lost,
        )
        self._keypad = DtmfCollector(
            lambda entry: self._attempt(self._keyed, entry),
            terminator=spec.digits.terminator,
            most=spec.digits.most,
            pause=spec.digits.pause,
        )
        self._tones = None if transport.digits else ToneDetector()
        noise = spec.noise_suppression
        self._quieter = None if noise == "off" else NoiseSuppressor(noise)
        self._screening: Screening | None = None
        self._turn = 0
        self._away = False
        """The caller is with somebody else."""
        self._failures = 0
        self._check_ins = 0
        self._silent_since = 0.0
        self._limit: tuple[float | None, float] = None, 0.0
        """Until when the call is paid for, and how long it may go on after that."""
        self._notice = ""
        """To be said as soon as nobody speaks."""

    def on_text(self, text: str) -> None:
        self._take(text.strip(), "typed")

    def on_mark(self, number: int) -> None:
        self._playout.played(number)

    # --- what the kinds of agent do

    @abstractmethod
    async def _get_ready(self) -> None:
        """Do what can be done while the call connects."""

    @abstractmethod
    def _hear(self, frame: bytes) -> None:
        """Take 20 ms of the caller's audio, who speaks to the agent."""

    @abstractmethod
    def _answer_written(self, text: str, source: Source) -> None:
        """Answer a turn that came otherwise than by speech."""

    @abstractmethod
    def _say(self, text: str, after: Callable[[], None] | None = None, *, final: bool = False) -> None:
        """Say fixed words, with what their variables hold; where there are none, it goes on with `after` at once.
        `final` ones are the last of the call, whatever the caller says meanwhile."""

    @property
    @abstractmethod
    def _ending(self) -> bool:
        """The agent says its last words."""

    @abstractmethod
    def _spoken(self, utterance: Utterance) -> None:
        """All of an utterance was heard."""

    @abstractmethod
    def _starved(self) -> None:
        """The agent has fallen silent in the middle of an utterance."""

    @abstractmethod
    def _hush(self) -> None:
        """The caller presses keys: be silent until the entry is whole, if the agent may be interrupted."""

    @abstractmethod
    def _interrupt(self) -> None:
        """The caller takes the turn: what was heard of the agent's words is all that was said."""

    @abstractmethod
    def _discard(self) -> None:
        """Forget what the caller was saying: it was no turn, or was taken otherwise."""

    @abstractmethod
    def _idle(self) -> None:
        """Nobody speaks and nothing is to be answered."""

    @abstractmethod
    def _take_floor(self) -> None:
        """The agent has something to say by itself, as soon as nobody speaks."""

    @abstractmethod
    def _play_tones(self, pcm: bytes) -> None:
        """Tones for the far end, behind what is being said."""

    @abstractmethod
    def _listen_in(self, language: str) -> None:
        """Go on in another language. Raises ToolError."""

    @abstractmethod
    def _speak_with(self, voice: str) -> None:
        """Speak with another voice from the next words on. Raises ToolError."""

    # --- how it opens and closes

    def _begin(self) -> None:
        if self._spec.ambient.bed:
            self._spawn(self._fill_the_room(), "ambient sound", spare=True)
        if self._spec.refusal is not None:
            self._say(self._spec.refusal, after=lambda: self.end(EndReason.REJECTED), final=True)
        elif self._spec.answering.detect:
            self._screen()
        else:
            self._open()
        self._spawn(self._get_ready(), "prepare", spare=True)

    def _screen(self) -> None:
        """Find out who has answered before anything is said."""
        self._screening = Screening(
            clock=self.clock,
            emit=self._emit,
            on_person=self._answered,
            on_menu=self._idle,
            on_record=self._leave_message,
            on_nobody=lambda why: self.end(EndReason.VOICEMAIL, f"Nobody can be reached there: {why}"),
        )

    def _answered(self) -> None:
        """A person is there, perhaps in the middle of what a machine was being told."""
        self._interrupt()
        self._open()

    def _leave_message(self) -> None:
        """A machine records: say the message from its beginning, and hang up."""
        self._interrupt()
        self._discard()
        if message := self._spec.answering.message:
            self._say(message, after=lambda: self.end(EndReason.VOICEMAIL, "A message was left."), final=True)
        else:
            self.end(EndReason.VOICEMAIL, "A machine answered.")

    def _open(self) -> None:
        """Say the first words."""
        if announcement := self._spec.recording.announcement:
            self._say(announcement, after=self._greet)
        else:
            self._greet()

    def _greet(self) -> None:
        if self._recorder is not None:
            self._recorder.start(self.clock)
        disclosure = self._spec.disclosure
        match self._spec.first_speaker:
            case "greeting":
                words = [self._spec.greeting, disclosure.text]
                self._say(" ".join(filter(None, words if disclosure.when == "after_greeting" else reversed(words))))
            case "model":
                self._say(disclosure.text, after=self._take_floor)
            case "caller":
                self._say(disclosure.text)

    async def _fill_the_room(self) -> None:
        """Let the caller hear where the agent sits, from now on."""
        ambient = self._spec.ambient
        self._playout.fill(AmbientMixer(await self._services.find_bed(ambient.bed), ambient.volume, ambient.duck))

    async def _let_go(self) -> None:
        self._keypad.close()
        self._playout.close()
        if self._screening is not None:
            self._screening.close()

    def _make_speaker(self, spec: AgentSpec, services: CallServices) -> Speaker:
        return Speaker(
            voices=services.voices,
            phrases=services.phrases,
            language=spec.language,
            languages=spec.languages.voices,
            clock=self.clock,
            emit=self._emit,
            patience=spec.patience,
            health=services.health,
            lexicon=Lexicon(spec.pronunciations),
        )

    def _emit(self, event: Event) -> None:
        self._tell(event)
        if self._screening is not None:
            self._screening.notice(event)
        self._controls.noted(event)

    @property
    def _screens(self) -> bool:
        """It is not known yet who answered, so nobody is answered."""
        return self._screening is not None and self._screening.waiting

    # --- what comes in

    def _listen(self, frame: bytes) -> None:
        if self._away:
            return
        self._hear(frame if self._quieter is None else self._quieter.process(frame))
        if self._tones is not None:
            for digit in self._tones.feed(frame):
                self.on_digit(digit)
        if self._screening is not None:
            self._screening.hear(frame)

    def _take(self, text: str, source: Source) -> None:
        """A turn that came otherwise than by speech."""
        if self._over.done() or self._away or self._ending or not text:
            return
        self._discard()
        self._interrupt()
        self._answer_written(text, source)

    def _digit(self, digit: str) -> None:
        self._stop_timer("silence")
        self._hush()
        self._keypad.press(digit)

    def _keyed(self, entry: DtmfEntry) -> None:
        self._take(f"[keyed in: {entry.digits}]", "keypad")

    def _message(self, data: Mapping[str, Any]) -> None:
        if not self._controls.answered(data):
            self._emit(events.ClientMessage(at=self.clock.now(), data=dict(data)))

    # --- silence and time

    def _watch_silence(self) -> None:
        if notice := self._notice:
            self._notice = ""
            self._say(notice, after=self._idle)
            return
        self._silent_since = self.clock.now()
        self._set_timer("silence", self._spec.inactivity.check_in_after, self._silence)

    def _silence(self) -> None:
        inactivity = self._spec.inactivity
        last = self._check_ins >= inactivity.check_ins
        self._check_ins += 1
        self._emit(
            events.InactivityNoticed(
                at=self.clock.now(),
                step="farewell" if last else "check_in",
                silent_for=round(self.clock.now() - self._silent_since, 3),
            )
        )
        if last:
            self._say(inactivity.farewell_text, after=lambda: self.end(EndReason.INACTIVITY))
        else:
            self._say(inactivity.check_in_text, after=self._watch_silence)

    def _time_is_up(self) -> None:
        self._say_last(self._spec.phrases.time_is_up, EndReason.MAX_DURATION)

    def _say_last(self, text: str, reason: EndReason) -> None:
        """These words end the call, whatever the caller says."""
        self._interrupt()
        self._discard()
        self._say(text, after=lambda: self.end(reason), final=True)

    # --- money

    def limit(self, seconds: float | None, *, grace: float = 0.0) -> None:
        if self._over.done() or (seconds, grace) == self._limit:
            return
        self._limit = seconds, grace
        self._stop_timer("budget")
        self._notice = ""
        if seconds is not None:
            left = max(0.0, seconds - self.clock.now())
            self._set_timer("budget", left, self._warn if grace > 0.0 else self._budget_is_spent)

    def _warn(self) -> None:
        """Say at the next pause that the call has to come to its end."""
        seconds, grace = self._limit
        end = (seconds or 0.0) + grace
        self._emit(events.BudgetSpent(at=self.clock.now(), step="warning", until=round(end, 3)))
        self._set_timer("budget", max(0.0, end - self.clock.now()), self._budget_is_spent)
        self._notice = self._spec.phrases.budget_warning
        self._idle()

    def _budget_is_spent(self) -> None:
        if self._ending:
            return
        self._emit(events.BudgetSpent(at=self.clock.now(), step="farewell", until=round(self.clock.now(), 3)))
        self._say_last(self._spec.phrases.budget_spent, EndReason.BUDGET)

    # --- transfers

    async def _transfer(self, action: Transfer) -> None:
        """Give the caller to somebody else; they come back to the agent if that fails."""
        self._away = True
        self._discard()
        transferring = Transferring(
            transport=self._transport,
            playout=self._playout,
            services=self._services,
            speaker=self._speaker,
            clock=self.clock,
            emit=self._emit,
            turn=self._turn,
        )
        if await transferring.run(action):
            self.end(EndReason.TRANSFERRED, f"Transferred to {action.label or action.to}.")
            return
        self._away = False
        if not self._over.done():
            self._say(self._spec.phrases.no_transfer)

    # --- trouble

    def _trouble(self, role: str, error: ProviderError) -> None:
        """Say that something is wrong; when it keeps on being so, say goodbye."""
        self._failures += 1
        if self._failures < FAILURES:
            self._report(role, error, "asking the caller to say it again")
            self._say(self._spec.phrases.trouble, after=self._idle)
        else:
            self._report(role, error, "ending the call")
            self._say_farewell(error)

    def _break(self, failure: ProviderError, role: str = "engine") -> None:
        if self._over.done():
            return
        self._report(role, failure, "ending the call")
        if self._broken:
            self.end(EndReason.ERROR, str(failure))
            return
        self._broken = True
        self._attempt(self._interrupt)
        self._attempt(self._say_farewell, failure)

    def _say_farewell(self, error: ProviderError) -> None:
        """The call ends with these words, for something is wrong on our side."""
        self._say(self._spec.phrases.giving_up, after=lambda: self.end(EndReason.ERROR, str(error)), final=True)

    def _report(self, role: str, error: ProviderError, then: str) -> None:
        self._emit(
            events.ProviderFailed(
                at=self.clock.now(),
                turn=self._turn,
                role=role,
                provider=error.provider,
                error=str(error),
                then=then,
            )
        )
