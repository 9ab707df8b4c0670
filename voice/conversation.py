"""One call's conversation: listening, thinking, speaking. The only owner of a call's state.

Everything here runs on one event loop. Audio enters by a plain call, `on_audio`; nothing waits on a frame.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from voice import events
from voice.brain import LlmBrain
from voice.clock import CallClock
from voice.events import Event
from voice.media.pacer import Pacer
from voice.media.recording import Recorder
from voice.playout import Playout, Utterance
from voice.providers.base import EndOfTurn, Llm, LlmSettings, ProviderError, Stt, Tts, Vad
from voice.reply import Replier, Reply, ReplyFailed
from voice.spec import AgentSpec
from voice.speech import PhraseCache, Speaker
from voice.tools import Tool
from voice.tools.end_call import EndCallTool
from voice.transport import Transport
from voice.turns import TurnTaker, is_backchannel, is_hanging

log = logging.getLogger(__name__)

# So many failed turns in a row end the call.
FAILURES = 2


class EndReason(StrEnum):
    """Why a conversation was over."""

    AGENT = "agent_ended"
    CALLER = "caller_ended"
    INACTIVITY = "inactivity"
    MAX_DURATION = "max_duration"
    ERROR = "error"
    CONNECTION_LOST = "connection_lost"
    SHUTDOWN = "server_shutdown"


@dataclass(frozen=True, kw_only=True)
class Services:
    """What a call is made with. All of it is shared by the calls of a process."""

    stt: Stt
    tts: Tts
    fallback_tts: Tts | None = None
    llm: Llm
    vad: Vad
    end_of_turn: EndOfTurn | None = None
    pacer: Pacer
    phrases: PhraseCache


class Conversation:
    """Runs one call of an agent.

    `sink` takes every event, in order, and must not wait. Use it once: `await run()`, while the transport
    calls `on_audio`, `on_text` and, when its side is over, `end`.
    """

    def __init__(
        self,
        *,
        call_id: str,
        spec: AgentSpec,
        services: Services,
        transport: Transport,
        sink: Callable[[Event], None],
        recorder: Recorder | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.clock = CallClock(self._loop)
        self._call_id = call_id
        self._spec = spec
        self._transport = transport
        self._emit = sink
        self._recorder = recorder
        self._speaker = Speaker(
            tts=services.tts,
            fallback=services.fallback_tts,
            phrases=services.phrases,
            voice=spec.voice,
            language=spec.language,
            clock=self.clock,
            emit=sink,
        )
        self._playout = Playout(
            transport=transport,
            pacer=services.pacer,
            clock=self.clock,
            emit=sink,
            recorder=recorder,
            on_done=self._spoken,
        )
        self._brain = LlmBrain(
            llm=services.llm,
            settings=LlmSettings(
                model=spec.model.name, temperature=spec.model.temperature, max_tokens=spec.model.max_tokens
            ),
            prompt=spec.prompt,
            tools=_tools(spec),
            clock=self.clock,
            emit=sink,
        )
        self._llm_name = services.llm.name
        self._replier = Replier(
            brain=self._brain,
            brain_name=services.llm.name,
            goodbye=spec.phrases.goodbye,
            speaker=self._speaker,
            clock=self.clock,
            emit=sink,
            grown=self._playout.more,
        )
        self._turns = TurnTaker(
            settings=spec.turns,
            language=spec.language,
            stt=services.stt,
            vad=services.vad,
            end_of_turn=services.end_of_turn,
            clock=self.clock,
            emit=sink,
            turn=lambda: self._turn + 1,
            listener=self,
        )
        self._turn = 0
        self._reply: Reply | None = None
        self._held = False
        self._waiting: tuple[str, float, float] | None = None
        self._failures = 0
        self._check_ins = 0
        self._silent_since = 0.0
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: asyncio.Future[tuple[EndReason, str]] = self._loop.create_future()

    # --- the call

    async def run(self) -> events.CallEnded:
        """Hold the conversation until it is over; its last event."""
        self._emit(events.CallStarted(at=self.clock.now(), call_id=self._call_id, agent=self._spec.name))
        if self._recorder is not None:
            self._recorder.start(self.clock)
        self._set_timer("longest", self._spec.max_duration, self._time_is_up)
        if self._spec.greeting:
            self._say(self._spec.greeting)
        else:
            self._watch_silence()
        self._spawn(self._get_ready(), "prepare")
        try:
            reason, detail = await self._over
            await self._transport.hang_up(reason.value)
        finally:
            await self._close()
        ended = events.CallEnded(at=self.clock.now(), reason=reason.value, detail=detail)
        self._emit(ended)
        return ended

    def on_audio(self, frame: bytes) -> None:
        """Take 20 ms of the caller's audio (640 bytes)."""
        if self._over.done():
            return
        if self._recorder is not None:
            self._recorder.caller(frame, self.clock.now())
        self._turns.feed(frame)

    def on_text(self, text: str) -> None:
        """Take a turn that the caller has typed. It interrupts like speech does, and needs no deciding."""
        text = text.strip()
        if self._over.done() or not text:
            return
        if self._reply is not None and self._reply.final:
            return
        self._turns.discard()
        self._interrupt()
        now = self.clock.now()
        self._answer(text, now, now, "typed")

    def end(self, reason: EndReason, detail: str = "") -> None:
        """End the call now. The first reason given counts."""
        if not self._over.done():
            self._drop_reply()
            self._over.set_result((reason, detail))

    async def _close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._drop_reply()
        self._turns.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._recorder is not None:
            await self._recorder.close(self.clock.now())

    async def _get_ready(self) -> None:
        """While the call connects, let the model read the prompt; then have the words ready that bridge a wait."""
        await self._brain.prewarm()
        await self._speaker.prepare(self._spec.phrases.slow)

    # --- what the turn taker tells

    def speech_began(self, onset: float) -> None:
        self._stop_timer("silence")
        if self._reply is None or self._reply.final:
            return
        if self._playout.audible and not self._spec.turns.interruptible:
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
        if self._held:
            if not is_backchannel(text):
                self._interrupt()
            elif not self._turns.speaking:
                self._turns.discard()
                self._go_on(text, "backchannel")
                return
        if self._reply is None:
            self._brain.hearing(text)

    def maybe_finished(self, text: str) -> None:
        if self._reply is None and not self._over.done() and not is_hanging(text):
            self._begin(Reply(self._turn + 1, caller=text, asked_at=self.clock.now()))

    def finished(self, text: str, started: float, ended: float) -> None:
        if self._over.done():
            return
        if self._reply is not None and self._reply.certain.is_set():
            # The agent may not be interrupted: it hears this when it has finished.
            before = f"{self._waiting[0]} " if self._waiting else ""
            self._waiting = before + text, self._waiting[1] if self._waiting else started, ended
            return
        self._answer(text, started, ended, "speech")

    def nothing_said(self) -> None:
        if self._held:
            self._go_on("", "no_words")
        elif self._reply is None:
            self._watch_silence()

    def not_understood(self, error: ProviderError) -> None:
        if self._reply is not None and self._reply.final:
            return
        self._interrupt()
        self._trouble("stt", error)

    # --- interruptions

    def _long_speech(self) -> None:
        if self._held and self._turns.speaking:
            self._interrupt()

    def _go_on(self, text: str, reason: Literal["backchannel", "no_words"]) -> None:
        """It was no interruption: say the rest."""
        self._held = False
        self._stop_timer("interruption")
        self._emit(events.InterruptionIgnored(at=self.clock.now(), turn=self._turn + 1, text=text, reason=reason))
        self._playout.release()

    def _interrupt(self) -> None:
        """The caller takes the turn: what of the reply was heard is all that was said."""
        self._held = False
        self._stop_timer("interruption")
        reply = self._reply
        if reply is None:
            return
        heard = self._drop_reply()
        if reply.certain.is_set():
            self._brain.keep(reply.turn, reply.caller, heard, whole=False)

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

    def _answer(self, text: str, started: float, ended: float, source: Literal["speech", "typed"]) -> None:
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
            begun = Reply(self._turn, caller=text, asked_at=self.clock.now())
            begun.certain.set()
            self._begin(begun)
        else:
            begun.certain.set()
            begun.asked_at = self.clock.now()
            self._playout.release()
        self._set_timer("slow", self._spec.slow_after, self._slow)

    def _say(self, text: str, after: Callable[[], None] | None = None, *, final: bool = False) -> None:
        """Say fixed words. `final` ones are the last of the call, whatever the caller says meanwhile."""
        reply = Reply(self._turn, text=text, after=after, final=final, asked_at=self.clock.now())
        reply.certain.set()
        self._begin(reply)

    def _begin(self, reply: Reply) -> None:
        self._stop_timer("silence")
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
        self._brain.keep(reply.turn, reply.caller, said, whole=not reply.failed)
        if reply.end is not None:
            self.end(EndReason.AGENT, reply.end.detail)
        elif reply.after is not None:
            reply.after()
        elif self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._answer(*waiting, "speech")
        elif not self._turns.speaking:
            self._watch_silence()

    # --- trouble

    def _slow(self) -> None:
        """Nothing is heard yet: say so."""
        reply = self._reply
        if reply is None or self._playout.audible or self._held:
            return
        thinking = reply.clauses == 0
        self._emit(
            events.ProviderSlow(
                at=self.clock.now(),
                turn=reply.turn,
                role="llm" if thinking else "tts",
                provider=self._llm_name if thinking else self._speaker.provider,
                waited=round(self.clock.now() - reply.asked_at, 3),
            )
        )
        if thinking:
            reply.queue.put_nowait(self._spec.phrases.slow)
        elif self._speaker.interject(self._spec.phrases.slow, reply.utterance):
            self._playout.more()

    def _reply_failed(self, reply: Reply, role: str, error: ProviderError) -> None:
        if self._reply is not reply:
            return
        if not reply.certain.is_set():
            # Nobody has asked yet: it is tried again when the caller has finished.
            self._report(role, error, "trying again when the caller has finished")
            self._drop_reply()
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

    def _trouble(self, role: str, error: ProviderError) -> None:
        """Say that something is wrong; when it keeps on being so, say goodbye."""
        self._failures += 1
        if self._failures < FAILURES:
            self._report(role, error, "asking the caller to say it again")
            self._say(self._spec.phrases.trouble, after=self._watch_silence)
        else:
            self._report(role, error, "ending the call")
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

    # --- silence and time

    def _watch_silence(self) -> None:
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
        self._interrupt()
        self._turns.discard()
        self._say(self._spec.phrases.time_is_up, after=lambda: self.end(EndReason.MAX_DURATION), final=True)

    # --- machinery

    def _set_timer(self, name: str, delay: float, callback: Callable[[], None]) -> None:
        self._stop_timer(name)
        self._timers[name] = self._loop.call_later(delay, callback)

    def _stop_timer(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _tools(spec: AgentSpec) -> list[Tool]:
    return [EndCallTool()] if "end_call" in spec.tools else []
