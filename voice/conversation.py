"""One call's conversation: listening, thinking, speaking. The only owner of a call's state.

Everything here runs on one event loop. Audio enters by a plain call, `on_audio`; nothing waits on a frame.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from voice import cues, events
from voice.agent_call import STILL_SLOW_SECONDS, AgentCall, Source
from voice.brain import Brain, Seat
from voice.call import EndReason
from voice.events import Event
from voice.hearing import Hearing
from voice.media import seconds
from voice.media.recording import Recorder
from voice.playout import Utterance
from voice.providers.base import ProviderError, Stt
from voice.reply import Replier, Reply, ReplyFailed
from voice.scruples import Scruples
from voice.services import Services
from voice.spec import AgentSpec
from voice.speech import Speaker
from voice.tools import EndCall, HandOff, ToolError, Transfer
from voice.tools.builtin import tools_of
from voice.transport import Transport
from voice.turns import NoInterruption, TurnTaker

__all__ = ["Conversation", "EndReason", "Services"]

log = logging.getLogger(__name__)

# So long the brain may get ready alone; after that its voice does beside it.
READY_SECONDS = 5.0
# Callers who have spoken for so long hear in a pause that somebody listens, and again after so long.
NOD = "Mm-hm."
NOD_AFTER, NOD_EVERY = 5.0, 6.0


class Conversation(AgentCall):
    """A call in which speech is recognised, answered by a brain, and spoken by a voice."""

    def __init__(
        self,
        *,
        call_id: str,
        spec: AgentSpec,
        services: Services,
        transport: Transport,
        sink: Callable[[Event], None],
        recorder: Recorder | None = None,
        variables: Mapping[str, object] | None = None,
        before: Sequence[Event] = (),
    ) -> None:
        super().__init__(
            call_id=call_id,
            spec=spec,
            services=services,
            transport=transport,
            sink=sink,
            recorder=recorder,
            variables=variables,
            before=before,
        )
        self._services: Services = services
        self._scruples = Scruples(spec, clock=self.clock, emit=self._emit)
        self._speaker: Speaker = self._make_speaker(spec, services)
        self._brain = self._make_brain(spec, services)
        self._replier = Replier(
            brain=self._brain,
            goodbye=lambda: self._worded(self._spec.phrases.goodbye),
            speaker=self._speaker,
            clock=self.clock,
            emit=self._emit,
            grown=self._playout.more,
            clean=lambda reply, clause: self._scruples.clean(reply.turn, clause),
            joins=lambda text, place: self._scruples.joining(self._speaker.lexicon.joins)(text, place),
        )
        self._turns = TurnTaker(
            settings=spec.turns,
            language="" if spec.languages.detect else spec.language,
            keyterms=spec.keyterms,
            stt=self._recogniser(services),
            vad=services.vad,
            end_of_turn=services.end_of_turn,
            clock=self.clock,
            emit=self._emit,
            turn=lambda: self._turn + 1,
            listener=self,
            saying=self._saying,
        )
        self._reply: Reply | None = None
        self._held = False
        self._speaks_since: float | None = None
        """When the caller began the turn that is being spoken."""
        self._nodded = -NOD_EVERY
        self._waiting: tuple[str, float, float] | None = None
        self._wants_floor = False

    # --- making

    def _make_brain(self, spec: AgentSpec, services: Services, past: list[tuple[str, str]] | None = None) -> Brain:
        tools = [*tools_of(spec), *services.tools]
        self._scruples.know(tool.schema for tool in tools)
        return services.brain(
            Seat(
                call_id=self._call_id,
                spec=spec,
                clock=self.clock,
                emit=self._emit,
                control=self._controls,
                tools=tools,
                past=past or (),
                team=services.team.keys(),
            )
        )

    def _recogniser(self, services: Services) -> Stt:
        return Hearing(services.stt, health=services.health, switched=lambda e, then: self._report("stt", e, then))

    def _emit(self, event: Event) -> None:
        super()._emit(event)
        if isinstance(event, events.TurnDecision) and event.verdict == "waiting":
            self._nod()
        self._scruples.notice(event)
        try:
            self._brain.notice(event)
        except Exception:
            log.exception("A brain stumbled over %s in call %s", event.type, self._call_id)

    # --- the call

    def _hear(self, frame: bytes) -> None:
        self._turns.feed(frame)

    def _answer_written(self, text: str, source: Source) -> None:
        now = self.clock.now()
        self._answer(text, now, now, source)

    @property
    def _ending(self) -> bool:
        return self._reply is not None and self._reply.final

    def _hush(self) -> None:
        if self._reply is not None and self._may_interrupt(self._reply):
            self._playout.hold()

    def _discard(self) -> None:
        self._speaks_since = None
        self._turns.discard()

    def _stop(self) -> None:
        self._drop_reply()

    async def _let_go(self) -> None:
        await super()._let_go()
        self._turns.close()
        await self._brain.close()

    async def _get_ready(self) -> None:
        """While the call connects, let the brain get ready; then have the words at hand that bridge a wait, and those
        for when the voice itself has failed and no other can say them."""
        brain = self._spawn(self._brain.start(self._take_floor), "brain", spare=True)
        await asyncio.wait({brain}, timeout=READY_SECONDS)
        phrases = self._spec.phrases
        bridges = [*phrases.thinking, phrases.slow, *([NOD] if self._spec.turns.backchannel else ())]
        if self._speaker.stands_alone:
            bridges += [phrases.still_slow, phrases.trouble, phrases.giving_up]
        await self._speaker.prepare(*map(self._worded, bridges))

    # --- what the turn taker tells

    def speech_began(self, onset: float) -> None:
        if self._speaks_since is None:
            self._speaks_since = onset
        self._stop_timer("silence")
        if self._reply is None or self._reply.final:
            return
        if self._playout.audible and not self._may_interrupt(self._reply):
            return
        if not self._reply.certain.is_set():
            # The caller goes on: what was thought up in the pause never happened.
            self._drop_reply()
            return
        # Silent at once; whether it is an interruption is decided by what comes.
        self._held = True
        self._playout.hold()
        due = onset + self._spec.turns.interruption_speech - self.clock.now()
        self._set_timer("interruption", max(0.0, due), self._long_speech)

    def words_so_far(self, text: str) -> None:
        if self._held and self._turns.interrupts():
            self._interrupt()
        if self._reply is None:
            self._brain.hearing(text)

    def maybe_finished(self, text: str) -> None:
        if self._screens:
            return
        if self._reply is None and not self._over.done():
            self._begin_reply(self._reply_to(text, self._turn + 1))

    def finished(self, text: str, started: float, ended: float) -> None:
        self._speaks_since = None
        if self._over.done() or self._screens:
            return
        if self._reply is not None and self._reply.certain.is_set():
            # The agent may not be interrupted: it hears this when it has finished.
            before = f"{self._waiting[0]} " if self._waiting else ""
            self._waiting = before + text, self._waiting[1] if self._waiting else started, ended
            return
        self._answer(text, started, ended, "speech")

    def no_interruption(self, text: str, reason: NoInterruption) -> None:
        self._speaks_since = None
        if self._held:
            self._go_on(text, reason)

    def nothing_said(self) -> None:
        self._speaks_since = None
        if self._held:
            self._go_on("", "no_words")
        elif self._reply is None:
            self._idle()

    def not_understood(self, error: ProviderError) -> None:
        if self._reply is not None and self._reply.final:
            return
        self._interrupt()
        self._trouble("stt", error)

    def deaf(self, error: ProviderError) -> None:
        self._break(error, "vad")

    def _nod(self) -> None:
        """The caller has spoken for long and pauses, and will go on: show that somebody listens."""
        now, since = self.clock.now(), self._speaks_since
        if not self._spec.turns.backchannel or since is None or self._playout.audible or self._screens:
            return
        sound = self._speaker.sound_of(NOD)
        if sound and now - since >= NOD_AFTER and now - self._nodded >= NOD_EVERY:
            self._nodded = now
            self._playout.aside(sound)
            self._emit(events.AgentBackchannel(at=now, turn=self._turn + 1, text=NOD))

    # --- interruptions

    def _may_interrupt(self, reply: Reply) -> bool:
        return self._spec.turns.interruptible and reply.interruptible

    def _long_speech(self) -> None:
        if self._held and self._turns.speaking and self._turns.interrupts():
            self._interrupt()

    def _go_on(self, text: str, reason: NoInterruption | Literal["no_words"]) -> None:
        """It was no interruption: say the rest."""
        self._held = False
        self._stop_timer("interruption")
        self._emit(events.InterruptionIgnored(at=self.clock.now(), turn=self._turn + 1, text=text, reason=reason))
        self._playout.release()

    def _saying(self) -> str | None:
        """What was sent of the agent's words; None while it is the caller's turn."""
        if self._reply is None or not self._reply.certain.is_set():
            return None
        return self._reply.utterance.said

    def _interrupt(self) -> None:
        self._held = False
        self._stop_timer("interruption")
        reply = self._reply
        if reply is None:
            return
        heard = self._drop_reply()
        self._turns.expecting = cues.expected(heard)
        if reply.certain.is_set():
            self._brain.keep(reply.turn, reply.caller, reply.own_words(heard), whole=False)

    def _drop_reply(self) -> str:
        """Stop what is being said and thought; the words that were heard of it."""
        reply, self._reply = self._reply, None
        self._stop_timer("slow")
        if reply is None:
            return ""
        if reply.task is not None:
            reply.task.cancel()
        heard, _ = self._playout.stop()
        return heard

    # --- answering

    def _answer(self, text: str, started: float, ended: float, source: Source) -> None:
        """The caller's turn is over: answer it, with the reply that was begun in the pause if it fits."""
        self._turn += 1
        self._check_ins = 0
        self._emit(
            events.CallerTurn(
                at=self.clock.now(),
                turn=self._turn,
                text=text,
                started=round(started, 3),
                ended=round(ended, 3),
                source=source,
            )
        )
        begun = self._reply
        if begun is not None and begun.caller != text:
            self._drop_reply()
            begun = None
        if begun is None:
            begun = self._reply_to(text, self._turn)
            begun.certain.set()
            self._begin_reply(begun)
        else:
            begun.certain.set()
            begun.asked_at = self.clock.now()
            self._playout.release()
        if begun.refused:
            self._scruples.refused(begun.turn, begun.refused, text)
        self._await_sound()

    def _reply_to(self, text: str, turn: int) -> Reply:
        """What the caller says is answered by the brain, unless it is about what is refused."""
        refused = self._scruples.refuses(text)
        words = self._worded(self._scruples.refusal) if refused else ""
        return Reply(turn, caller=text, text=words, refused=refused, asked_at=self.clock.now())

    def _say(self, text: str, after: Callable[[], None] | None = None, *, final: bool = False) -> None:
        words = self._worded(text)
        if not words.strip():
            (after or self._idle)()
            return
        reply = Reply(self._turn, text=words, after=after, final=final, asked_at=self.clock.now())
        reply.certain.set()
        self._begin_reply(reply)

    def _take_floor(self) -> None:
        """The brain has something to say by itself."""
        self._wants_floor = True
        self._idle()

    def _idle(self) -> None:
        if self._over.done() or self._away or self._reply is not None or self._turns.busy:
            return
        if self._wants_floor:
            reply = Reply(self._turn, asked_at=self.clock.now())
            reply.certain.set()
            self._begin_reply(reply)
            self._await_sound()
        else:
            self._watch_silence()

    def _begin_reply(self, reply: Reply) -> None:
        if self._over.done():
            return
        self._stop_timer("silence")
        if not reply.text:
            self._wants_floor = False
        self._reply = reply
        self._playout.open(reply.utterance, gated=not reply.certain.is_set())
        reply.task = self._spawn(self._make(reply), "reply")

    async def _make(self, reply: Reply) -> None:
        try:
            await self._replier.run(reply)
        except ReplyFailed as failure:
            self._reply_failed(reply, failure.role, failure.error)
        except Exception as error:
            log.exception("A reply broke in call %s", self._call_id)
            self._reply_failed(reply, "engine", ProviderError("callwright", f"{type(error).__name__}: {error}"))

    def _spoken(self, utterance: Utterance) -> None:
        """All of a reply was heard."""
        reply = self._reply
        if reply is None or reply.utterance is not utterance:
            return
        self._reply = None
        self._stop_timer("slow")
        if reply.caller and not reply.failed:
            self._failures = 0
        said = " ".join(word.text for word in utterance.words)
        self._turns.expecting = cues.expected(said)
        self._brain.keep(reply.turn, reply.caller, reply.own_words(said), whole=not reply.failed)
        if not reply.text and self._scruples.corrects(reply.turn, said):
            self._say(self._spec.phrases.correction, after=self._set_right)
            return
        match reply.action:
            case EndCall(detail=detail, reason=reason):
                self.end(EndReason(reason) if reason else EndReason.AGENT, detail)
            case Transfer():
                self._spawn(self._transfer(reply.action), "transfer")
            case HandOff():
                self._hand_off(reply.action)
            case None if reply.after is not None:
                reply.after()
            case None if self._waiting is not None:
                waiting, self._waiting = self._waiting, None
                self._answer(*waiting, "speech")
            case None:
                self._idle()

    def _set_right(self) -> None:
        """The false claim is taken back: what the caller has said meanwhile is answered, or else the brain goes on."""
        if self._waiting is None:
            self._take_floor()
            return
        waiting, self._waiting = self._waiting, None
        self._answer(*waiting, "speech")

    # --- what a reply may lead to

    def _hand_off(self, action: HandOff) -> None:
        """Another agent of the team goes on: its voice, its prompt, its tools, and what was said so far."""
        member = self._services.team.get(action.to)
        if member is None:
            self._trouble("agent", ProviderError(self._brain.name, f"There is no agent {action.to} in the team."))
            return
        self._emit(
            events.AgentSwitched(at=self.clock.now(), turn=self._turn, agent=member.spec.name, message=action.message)
        )
        past = self._controls.conversation_so_far()
        if action.message:
            past.append(("caller", f"[{action.message}]"))
        self._spawn(self._brain.close(), "former agent", spare=True)
        spoken = self._spec.language
        self._spec, self._services = member.spec, member.services
        self._scruples.take_over(member.spec)
        if member.spec.language != spoken and not member.spec.languages.detect:
            self._turns.listen_in(member.spec.language)
        self._variables.declare(member.spec.variables, agent=member.spec.name, timezone=member.spec.timezone)
        self._speaker = self._make_speaker(member.spec, member.services)
        self._brain = self._make_brain(member.spec, member.services, past)
        self._replier.change(self._brain, self._speaker)
        self._spawn(self._get_ready(), "prepare", spare=True)
        if action.greets and self._worded(member.spec.greeting):
            self._say(member.spec.greeting)
        else:
            self._take_floor()

    def _listen_in(self, language: str) -> None:
        if language != self._spec.language and language not in self._spec.languages.voices:
            raise ToolError(f"This agent does not speak {language}.")
        if not self._spec.languages.detect:
            self._turns.listen_in(language)
        self._speaker.use(language=language)

    def _speak_with(self, voice: str) -> None:
        self._speaker.use(voice=voice)

    def _play_tones(self, pcm: bytes) -> None:
        if self._reply is not None:
            self._reply.utterance.append(pcm)
            self._playout.more()
            return
        reply = Reply(self._turn, pcm=pcm, asked_at=self.clock.now())
        reply.certain.set()
        self._begin_reply(reply)

    # --- trouble

    def _starved(self) -> None:
        """The agent has fallen silent in the middle of its reply."""
        reply = self._reply
        if reply is None or not reply.certain.is_set():
            return
        # What was said while thinking is over: the caller waits as long as they would have without it.
        if not reply.hesitation or reply.utterance.total > reply.hesitation:
            self._set_timer("slow", STILL_SLOW_SECONDS if reply.slow else self._spec.slow_after, self._slow)

    def _await_sound(self) -> None:
        """The caller waits for an answer, but not in silence."""
        thinks = bool(self._spec.phrases.thinking) and self._spec.thinking_after < self._spec.slow_after
        if thinks:
            self._set_timer("slow", self._spec.thinking_after, self._hesitate)
        else:
            self._set_timer("slow", self._spec.slow_after, self._slow)

    def _hesitate(self) -> None:
        """There is no answer yet: say what people say while they think, if it is ready to be spoken."""
        self._set_timer("slow", self._spec.slow_after - self._spec.thinking_after, self._slow)
        reply = self._reply
        if reply is None or self._held or reply.utterance.total:
            return
        phrases = self._spec.phrases.thinking
        words = self._worded(phrases[reply.turn % len(phrases)])
        if self._speaker.interject(words, reply.utterance):
            reply.bridges.append(words)
            reply.hesitation = reply.utterance.total
            length = round(seconds(reply.hesitation), 3)
            self._emit(events.AgentHesitated(at=self.clock.now(), turn=reply.turn, text=words, seconds=length))
            self._playout.more()

    def _slow(self) -> None:
        """Nothing is heard: say so, as often as it takes."""
        reply = self._reply
        if reply is None or reply.utterance.complete or not self._playout.silent:
            return
        if self._held:
            # The caller may be about to speak; if not, they still wait.
            self._set_timer("slow", self._spec.slow_after, self._slow)
            return
        thinking = not self._speaker.busy
        waited = self.clock.now() - reply.asked_at
        self._emit(
            events.ProviderSlow(
                at=self.clock.now(),
                turn=reply.turn,
                role="llm" if thinking else "tts",
                provider=self._brain.name if thinking else self._speaker.provider,
                waited=round(waited, 3),
            )
        )
        words = self._worded(self._spec.phrases.still_slow if reply.slow else self._spec.phrases.slow)
        reply.bridges.append(words)
        reply.slow += 1
        if thinking:
            reply.queue.put_nowait(words)
        elif self._speaker.interject(words, reply.utterance):
            self._playout.more()
        self._set_timer("slow", STILL_SLOW_SECONDS, self._slow)

    def _reply_failed(self, reply: Reply, role: str, error: ProviderError) -> None:
        if self._reply is not reply:
            return
        if not reply.certain.is_set():
            # Nobody has asked yet: it is tried again when the caller has finished.
            self._report(role, error, "trying again when the caller has finished")
            self._drop_reply()
        elif reply.text and not reply.final and self._speaker.has(self._worded(self._spec.phrases.giving_up)):
            # The words cannot be said; those that are ready can.
            self._report(role, error, "ending the call")
            self._interrupt()
            self._say_farewell(error)
        elif reply.text:
            # Not even fixed words can be said.
            self._report(role, error, "ending the call")
            self.end(EndReason.ERROR, str(error))
        elif reply.utterance.total:
            # What there is of the answer is heard first.
            reply.failed = True
            reply.after = lambda: self._trouble(role, error)
            self._playout.more()
        else:
            self._interrupt()
            self._trouble(role, error)
