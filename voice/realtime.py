"""A call in which one model hears the caller and speaks to them, with our tools, our transcript and our interruptions.

The provider decides when the caller has finished and answers by itself. What the model says is played out as in every
other call, so that it is known which words were heard; when the caller interrupts, its memory is cut to those.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from voice import events
from voice.agent_call import STILL_SLOW_SECONDS, AgentCall, Source
from voice.answers import Answer, Answers
from voice.brain import TOOL_ROUNDS
from voice.call import EndReason
from voice.events import Event
from voice.guardrails import instructed
from voice.media.pcm import Gain
from voice.media.recording import Recorder
from voice.playout import Utterance
from voice.providers.base import Message, ProviderError
from voice.providers.realtime import RealtimeSettings, ReplyDone
from voice.realtime_log import Asked, CallerLog, ModelLog
from voice.scruples import Scruples
from voice.services import RealtimeServices
from voice.spec import AgentSpec
from voice.speech import Speaker
from voice.toolbox import Result, Toolbox
from voice.tools import EndCall, HandOff, ToolError, Transfer
from voice.tools.builtin import tools_of
from voice.transport import Transport

ROLE = "realtime"
NO_HANDOFF = "Error: this call cannot be handed over. Tell the caller so, and go on with helping them yourself."


class RealtimeConversation(AgentCall):
    """A call with a speech-to-speech model."""

    def __init__(
        self,
        *,
        call_id: str,
        spec: AgentSpec,
        services: RealtimeServices,
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
        self._services: RealtimeServices = services
        self._realtime = services.realtime
        self._scruples = Scruples(spec, clock=self.clock, emit=self._emit)
        self._toolbox = Toolbox(
            [*tools_of(spec), *services.tools],
            control=self._controls,
            clock=self.clock,
            emit=self._emit,
            late=self._told_late,
        )
        self._scruples.know(self._toolbox.schemas)
        self._speaker = self._make_speaker(spec, services) if services.voices else None
        self._caller = CallerLog(self._realtime.name, self.clock, self._emit)
        self._model = ModelLog(self._realtime, [tool.name for tool in self._toolbox.schemas], self.clock, self._emit)
        self._answers = Answers(self._playout, self._opened)
        self._gain = Gain(self._spec.voice.volume)
        self._expected: deque[Answer] = deque()
        """The model is to answer the caller by itself, and has not begun to."""
        self._speaking = False
        self._wants_floor = False
        self._gone: ProviderError | None = None
        """Why there is no model any more."""
        self._session = self._realtime.open(self._settings(), self)

    # --- making

    def _emit(self, event: Event) -> None:
        super()._emit(event)
        self._scruples.notice(event)
        if isinstance(event, events.AgentTurn):
            self._scruples.regret(event)

    def _settings(self) -> RealtimeSettings:
        spec, turns = self._spec, self._spec.turns
        return RealtimeSettings(
            instructions=self._worded(instructed(spec.prompt, spec.guardrails)),
            language=spec.language,
            keyterms=spec.keyterms,
            voice=self._services.voice,
            speed=spec.voice.speed,
            tools=self._toolbox.schemas,
            # Nothing tells finished callers from unfinished ones here: they are given a time between the two.
            silence=round(math.sqrt(turns.finished_silence * turns.unfinished_silence), 2),
            interruptible=turns.interruptible,
        )

    # --- the call

    async def _get_ready(self) -> None:
        if self._speaker is not None:
            phrases = self._spec.phrases
            await self._speaker.prepare(self._worded(phrases.giving_up), self._worded(phrases.slow))

    def _hear(self, frame: bytes) -> None:
        if not self._ending:
            self._session.feed(frame)

    @property
    def _ending(self) -> bool:
        return self._gone is not None or any(answer.final for answer in self._answers)

    @property
    def _deaf(self) -> bool:
        """What the caller says makes no difference any more, or is meant for somebody else."""
        return self._over.done() or self._away or self._ending

    def _answer_written(self, text: str, source: Source) -> None:
        now = self.clock.now()
        self._turn += 1
        self._check_ins = 0
        self._emit(events.CallerTurn(at=now, turn=self._turn, text=text, started=now, ended=now, source=source))
        self._session.add(text)
        answer = Answer(turn=self._turn, asked_at=now, answers=True)
        self._enqueue(answer)
        self._ask(answer)

    def _hush(self) -> None:
        if self._spec.turns.interruptible and not self._ending:
            self._playout.hold()

    def _discard(self) -> None:
        self._speaking = False
        self._session.discard()

    def _message(self, data: Mapping[str, Any]) -> None:
        super()._message(data)
        if text := data.get("context"):
            self._session.add(f"[{text}]")

    def _stop(self) -> None:
        self._interrupt()

    async def _let_go(self) -> None:
        await super()._let_go()
        self._caller.close()
        self._model.close()
        await self._toolbox.close()
        await self._session.close()

    # --- what the session tells of the caller

    def speech_started(self, ago: float) -> None:
        if self._deaf:
            return
        self._speaking = True
        self._stop_timer("silence")
        self._caller.started(ago)
        if self._spec.turns.interruptible:
            self._interrupt()

    def speech_stopped(self, said: str, ago: float) -> None:
        if self._deaf:
            return
        self._speaking = False
        if self._screens:
            self._caller.overheard(said, self._turn + 1, ago)
            return
        self._turn += 1
        self._check_ins = 0
        self._caller.stopped(said, self._turn, ago)
        answer = Answer(turn=self._turn, asked_at=self.clock.now(), answers=True)
        self._expected.append(answer)
        self._enqueue(answer)

    def understood(self, said: str, text: str, *, final: bool) -> None:
        if final:
            self._caller.written(said, text)
        else:
            self._caller.partial(said, text, self._turn + 1)

    def not_understood(self, said: str, error: ProviderError) -> None:
        self._report("stt", error, "going on, for the model has heard the caller itself")
        self._caller.unwritten(said)

    # --- what the session tells of the model

    def began(self, reply: str) -> None:
        asked = self._model.find(reply)
        if asked is None:
            answer = self._expected.popleft() if self._expected else None
            asked = Asked(answer.turn if answer is not None else self._turn, answer)
            self._model.ask(reply, asked)
            if answer is None:
                # It answers whom nobody talks to yet.
                self._session.cancel()
        self._model.began(reply, self._messages(asked))

    def wrote(self, reply: str, item: str, text: str) -> None:
        asked = self._model.sounded(reply, text)
        if asked is not None and (answer := self._sounds(asked)) is not None:
            answer.wrote(reply, item, text, remembered=not asked.aside)

    def spoke(self, reply: str, item: str, pcm: bytes) -> None:
        asked = self._model.sounded(reply)
        if asked is not None and (answer := self._sounds(asked)) is not None:
            answer.spoke(reply, item, self._gain.process(pcm), remembered=not asked.aside)
            self._answers.grown(answer)

    def finished(self, reply: str, done: ReplyDone) -> None:
        asked = self._model.finished(reply, done)
        answer = asked.answer if asked is not None else None
        if asked is None or answer is None or self._over.done():
            return
        answer.end(reply)
        if asked.aside or asked.more:
            self._answers.grown(answer)
        elif done.error is not None:
            self._answer_failed(answer, done.error)
        elif done.requests:
            answer.requests = done.requests
            answer.tools = self._spawn(self._use_tools(answer), "tools")
            self._answers.grown(answer)
        elif not answer.spoken and done.finish != "cancelled":
            self._answer_failed(answer, ProviderError(self._realtime.name, "The model answered with nothing."))
        else:
            self._answers.complete(answer)

    def trouble(self, error: ProviderError) -> None:
        self._report(ROLE, error, "going on")

    def lost(self, error: ProviderError) -> None:
        """There is no model any more: say so with another voice, if there is one, and end the call."""
        if self._over.done():
            return
        self._report(ROLE, error, "ending the call")
        self._interrupt()
        self._gone = error
        self._say(self._spec.phrases.giving_up, after=lambda: self.end(EndReason.ERROR, str(error)), final=True)

    def _sounds(self, asked: Asked) -> Answer | None:
        """Where the words and the sound of a reply belong."""
        if asked.answer is None or (asked.aside and asked.answer.spoken):
            return None  # "one moment" comes too late once there is an answer
        return asked.answer

    def _messages(self, asked: Asked) -> list[Message]:
        """What the model is given, in words: it hears the caller's last ones itself."""
        messages: list[Message] = [{"role": "system", "content": self._worded(self._spec.prompt)}]
        for who, words in self._controls.conversation_so_far():
            messages.append({"role": "user" if who == "caller" else "assistant", "content": words})
        if self._caller.is_unwritten(asked.turn):
            messages.append({"role": "user", "content": "[speech]"})
        if asked.answer is not None and asked.answer.text:
            messages.append({"role": "system", "content": f"[Say word for word:] {asked.answer.text}"})
        return messages

    # --- answers

    def _say(self, text: str, after: Callable[[], None] | None = None, *, final: bool = False) -> None:
        if final:
            self._session.discard()
        words = self._worded(text)
        if not words.strip():
            (after or self._idle)()
            return
        answer = Answer(turn=self._turn, asked_at=self.clock.now(), text=words, after=after, final=final)
        self._enqueue(answer)
        if self._gone is not None:
            self._say_otherwise(answer, self._gone)
        else:
            self._ask(answer)

    def _ask(self, answer: Answer, *, say: str = "", aside: bool = False, more: bool = False) -> None:
        """Have the model speak in `answer`, and once `more` after that."""
        reply = self._session.respond(say=say or answer.text, aside=aside)
        self._model.ask(reply, Asked(answer.turn, answer, aside, more))

    def _enqueue(self, answer: Answer) -> None:
        self._stop_timer("silence")
        if not answer.text:
            self._wants_floor = False
        self._answers.add(answer)

    def _opened(self, answer: Answer) -> None:
        """It is this answer's turn to be heard."""
        answer.asked_at = self.clock.now()
        self._set_timer("slow", self._spec.slow_after, self._slow)

    def _spoken(self, utterance: Utterance) -> None:
        """All of an answer was heard."""
        answer = self._answers.heard(utterance)
        if answer is None:
            return
        self._stop_timer("slow")
        if answer.answers and not answer.failed:
            self._failures = 0
        match answer.action:
            case EndCall(detail=detail, reason=reason):
                self.end(EndReason(reason) if reason else EndReason.AGENT, detail)
            case Transfer():
                self._interrupt()
                self._spawn(self._transfer(answer.action), "transfer")
            case _:
                self._go_on(answer.after or self._idle)

    def _go_on(self, after: Callable[[], None]) -> None:
        """Nothing is being said any more: begin with what waits to be said, if anything does."""
        if self._answers:
            self._answers.next()
        after()
        if self._answers:
            self._stop_timer("silence")

    def _idle(self) -> None:
        if self._over.done() or self._away or self._answers or self._speaking:
            return
        if self._wants_floor:
            answer = Answer(turn=self._turn, asked_at=self.clock.now(), answers=True)
            self._enqueue(answer)
            self._ask(answer)
        else:
            self._watch_silence()

    def _interrupt(self) -> None:
        self._stop_timer("slow")
        self._expected.clear()
        if not self._answers:
            return
        requests = [request for answer in self._answers for request in answer.requests]
        cuts = self._answers.drop()
        self._session.cancel()
        for cut in cuts:
            self._session.truncate(cut.item, cut.heard, cut.text)
        for request in requests:
            self._session.give_result(request.id, self._toolbox.leave(request.id, whole=False))
        self._model.unwant()

    # --- tools

    async def _use_tools(self, answer: Answer) -> None:
        """Do what the model asks for, and have it go on with what came of it."""
        answer.rounds += 1
        if not answer.spoken and (words := self._toolbox.speech(answer.requests)):
            self._ask(answer, say=words, aside=True)
        results = await self._toolbox.run(answer.turn, answer.requests)
        answer.requests = ()
        for result in results:
            refused = isinstance(result.action, HandOff)
            self._session.give_result(result.request.id, NO_HANDOFF if refused else result.text)
        actions = [r.action for r in results if r.action is not None and not isinstance(r.action, HandOff)]
        answer.action = actions[0] if actions else None
        words = " ".join(result.say for result in results if result.say)
        if not words and isinstance(answer.action, EndCall) and not answer.spoken:
            # Nobody is hung up on without a word.
            words = self._worded(self._spec.phrases.goodbye)
        if words:
            self._ask(answer, say=words, more=answer.action is None)
        if answer.action is not None:
            if not words:
                self._answers.complete(answer)
        elif answer.rounds < TOOL_ROUNDS:
            self._ask(answer)
        else:
            error = f"The model asked for tools {TOOL_ROUNDS} times in one turn."
            self._answer_failed(answer, ProviderError(self._realtime.name, error))

    def _take_floor(self) -> None:
        self._wants_floor = True
        self._idle()

    def _told_late(self, result: Result) -> None:
        """A tool has come to its end after its turn had gone on."""
        self._session.add(f"[Result of {result.request.name}: {result.text}]")
        self._take_floor()

    def _listen_in(self, language: str) -> None:
        if language != self._spec.language and language not in self._spec.languages.voices:
            raise ToolError(f"This agent does not speak {language}.")
        self._session.listen_in(language)

    def _speak_with(self, voice: str) -> None:
        raise ToolError("A speech-to-speech model keeps its voice for the whole call.")

    def _play_tones(self, pcm: bytes) -> None:
        answer = Answer(turn=self._turn, asked_at=self.clock.now())
        answer.utterance.append(pcm)
        answer.utterance.complete = True
        self._enqueue(answer)

    # --- trouble

    def _starved(self) -> None:
        """The agent has fallen silent in the middle of its answer."""
        answer = self._answers.current
        halfway = answer is not None and answer.halfway
        self._set_timer("slow", self._spec.patience.words_gap if halfway else self._spec.slow_after, self._slow)

    def _slow(self) -> None:
        """Nothing is heard: say so, as often as it takes, and give up a model that gives no sign of life."""
        answer = self._answers.current
        if answer is None or not self._playout.silent or self._gone is not None:
            return
        waited = self.clock.now() - answer.asked_at
        working = bool(answer.requests)
        left = math.inf if working else self._patience(answer) - waited
        if left <= 0:
            self._give_up(answer)
            return
        self._emit(
            events.ProviderSlow(
                at=self.clock.now(),
                turn=answer.turn,
                role="tool" if working else ROLE,
                provider=self._realtime.name,
                waited=round(waited, 3),
            )
        )
        phrases = self._spec.phrases
        self._bridge(answer, self._worded(phrases.slow if waited < STILL_SLOW_SECONDS else phrases.still_slow))
        self._set_timer("slow", min(left, STILL_SLOW_SECONDS), self._slow)

    def _bridge(self, answer: Answer, words: str) -> None:
        """Say that it takes a while: by the other voice if it is the model that is slow, and there is one."""
        if self._speaker is not None and not answer.requests and self._speaker.interject(words, answer.utterance):
            self._playout.more()
        else:
            self._ask(answer, say=words, aside=True)

    def _patience(self, answer: Answer) -> float:
        """How long the model may take. One that can say "one moment" is alive, and is waited for longer."""
        if answer.halfway:
            return 0.0
        return self._spec.patience.longest_answer if answer.parts else self._spec.patience.first_words

    def _give_up(self, answer: Answer) -> None:
        waited = self.clock.now() - answer.asked_at
        error = ProviderError(self._realtime.name, f"The model was silent for {waited:.0f} s.")
        if answer.parts:
            self._session.cancel()
            self._answer_failed(answer, error)
        else:
            self.lost(error)

    def _answer_failed(self, answer: Answer, error: ProviderError) -> None:
        if answer not in self._answers or self._gone is not None:
            return
        if error.retryable and not answer.retried and not answer.begun:
            answer.retried = True
            self._report(ROLE, error, "asking again")
            self._ask(answer)
        elif answer.text:
            self._report(ROLE, error, "speaking with another voice" if self._speaker else "ending the call")
            self._say_otherwise(answer, error)
        elif answer.begun:
            # What there is of the answer is heard first.
            answer.failed = True
            answer.after = lambda: self._trouble(ROLE, error)
            self._answers.complete(answer)
        else:
            self._interrupt()
            self._trouble(ROLE, error)

    def _say_otherwise(self, answer: Answer, error: ProviderError) -> None:
        """The model cannot say fixed words: another voice does, or the call ends."""
        if self._speaker is None:
            self.end(EndReason.ERROR, str(error))
        else:
            self._spawn(self._say_with(self._speaker, answer, error), "other voice")

    async def _say_with(self, speaker: Speaker, answer: Answer, why: ProviderError) -> None:
        try:
            await speaker.say(answer.text, answer.utterance, lambda: self._answers.grown(answer), fixed=True)
        except ProviderError as error:
            self._report("tts", error, "ending the call")
            self.end(EndReason.ERROR, str(why))
        else:
            self._answers.complete(answer)
