"""Models, tools and voices that give what they gave in a stored call, as late as they gave it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence

from voice import events
from voice.knowledge import Passage
from voice.media import SAMPLE_RATE
from voice.providers.base import Audio, Finished, LlmChunk, LlmSettings, Message, TextDelta, ToolSchema
from voice.replay.record import Answer, Record, Spoken, ToolRun
from voice.replay.timeline import Timeline
from voice.replay.words import WordTimes
from voice.speech import CHARACTERS_PER_SECOND, PhraseCache
from voice.toolbox import INTERRUPTED
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy

NO_ANSWER = "No answer was recorded for this."
# A request that was cancelled in the stored call ends so long after that moment where it is not cancelled now.
GRACE_SECONDS = 1.0
PIECE_SECONDS = 0.1
SIGN_SECONDS = 1.0
_WAS_SILENT = "The voice was silent"


async def _never() -> None:
    await asyncio.Event().wait()


# --- thinking -----------------------------------------------------------------------------------


class Answers:
    """The answers of a call's models, each given once: to the same question if it is asked again, else in turn."""

    def __init__(self, record: Record) -> None:
        self._left = list(record.answers)

    def claim(self, provider: str, model: str, messages: Sequence[Message]) -> Answer | None:
        mine = [one for one in self._left if (one.requested.provider, one.requested.model) == (provider, model)]
        same = [one for one in mine if _question(one.requested.messages) == _question(messages)]
        chosen = next(iter([*same, *(one for one in mine if one.whole)]), None)
        if chosen is not None:
            self._left.remove(chosen)
        return chosen


def _question(messages: Sequence[Message]) -> tuple[object, object]:
    return (messages[-1].get("role"), messages[-1].get("content")) if messages else ("", "")


class RecordedLlm:
    def __init__(self, name: str, answers: Answers) -> None:
        self.name = name
        self._answers = answers

    async def stream(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> AsyncIterator[LlmChunk]:
        timeline = Timeline()
        answer = self._answers.claim(self.name, settings.model, messages)
        if answer is None:
            yield TextDelta(NO_ANSWER)
            yield Finished("stop")
            return
        words = re.findall(r"\s*\S+|\s+$", answer.finished.text if answer.finished else "")
        if answer.first is not None:
            await timeline.until(answer.first)
            for place, word in enumerate(words):
                await timeline.until(answer.first + place * (answer.lasted - answer.first) / len(words))
                yield TextDelta(word)
        if not words:
            for request in answer.tools:
                yield request
        await timeline.until(answer.lasted)
        if answer.failure is not None:
            raise answer.failure
        if words:
            for request in answer.tools:
                yield request
        if answer.finished is not None and answer.finished.finish == "too_slow":
            await _never()
        if not answer.whole or answer.finished is None:
            await asyncio.sleep(GRACE_SECONDS)
            yield Finished("stop")
            return
        end = answer.finished
        yield Finished(end.finish, end.input_tokens, end.output_tokens, end.cached_tokens)

    async def prewarm(
        self, messages: Sequence[Message], *, tools: Sequence[ToolSchema], settings: LlmSettings
    ) -> None: ...


class RecordedTool:
    """A tool that is not one of the engine's own. The same arguments give the same result; others the next one."""

    def __init__(self, name: str, policy: ToolPolicy, runs: list[ToolRun]) -> None:
        self.schema = ToolSchema(name, "", {"type": "object"})
        self.policy = policy
        self._runs = runs

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        timeline = Timeline()
        mine = [run for run in self._runs if run.called.name == self.schema.name]
        same = [run for run in mine if run.called.arguments == arguments]
        if not mine:
            raise ToolError("No such run of this tool was recorded.")
        run = (same or mine)[0]
        self._runs.remove(run)
        for after, data in run.told:
            await timeline.until(after)
            call.tell_client(data)
        returned = run.returned
        if returned is None or returned.error == INTERRUPTED:
            await _never()
            return Outcome("")
        await timeline.until(returned.took)
        if returned.error:
            raise ToolError(returned.error)
        return Outcome(returned.result, variables=run.variables)


class RecordedKnowledge:
    def __init__(self, record: Record) -> None:
        self._found = record.all(events.KnowledgeSearched)
        self._record = record

    async def search(self, query: str, *, most: int = 3) -> Sequence[Passage]:
        search = next((one for one in self._found if one.query == query), None)
        if search is None:
            return ()
        failure = self._record.failure_at("knowledge", search.at)
        if not search.passages and search.took >= self._record.spec.knowledge_budget - 1e-3:
            await _never()
        await asyncio.sleep(search.took)
        if failure is not None:
            raise failure
        return [Passage(**passage) for passage in search.passages]


# --- speaking -----------------------------------------------------------------------------------


class RecordedTts:
    """A voice that makes silence as long, as soon and with the same word times as it spoke."""

    def __init__(self, name: str, record: Record, timeline: Timeline) -> None:
        self.name = name
        self._spoken = [one for one in record.spoken if one.requested.provider == name]
        self._words = WordTimes(record)
        self._timeline = timeline

    async def speak(self, text: str, *, voice: str, speed: float, language: str) -> AsyncIterator[Audio]:
        clock = Timeline()
        spoken = self._nearest(text)
        estimate = len(text) / CHARACTERS_PER_SECOND
        if spoken is None or spoken.finished is None:
            yield _silence(estimate)
            return
        first = spoken.first
        async for sign in _signs_of_life(clock, spoken):
            yield sign
        if first is None:
            await clock.until(spoken.lasted)
            if spoken.failure is not None:
                raise spoken.failure
            await asyncio.sleep(GRACE_SECONDS)
            yield _silence(estimate)
            return
        length = spoken.finished.audio_seconds
        pieces = max(1, round(length / PIECE_SECONDS))
        for place in range(pieces):
            await clock.until(first + place * (spoken.lasted - first) / pieces)
            yield Audio(_silence(length / pieces).pcm, self._words.of(spoken) if place == 0 else ())
        await clock.until(spoken.lasted)
        if spoken.failure is not None:
            raise spoken.failure

    def _nearest(self, text: str) -> Spoken | None:
        """Phrases are made ready besides being said, so nothing is used up."""
        now = self._timeline.now()
        same = [one for one in self._spoken if one.requested.spoken == text]
        return min(same, key=lambda one: abs(one.requested.at - now), default=None)


class RecordedPhrases(PhraseCache):
    """Phrases are ready when they were: each process makes its own, and that takes it a while."""

    def __init__(self, record: Record, timeline: Timeline) -> None:
        super().__init__()
        self._record = record
        self._timeline = timeline

    def get(self, key: tuple[object, ...]) -> list[Audio] | None:
        return super().get(key) if self._was_ready(str(key[-1])) else None

    def _was_ready(self, text: str) -> bool:
        now = self._timeline.now()
        said = [one for one in self._record.spoken if one.requested.text == text]
        nearest = min(said, key=lambda one: abs(one.requested.at - now), default=None)
        if nearest is not None:
            return nearest.finished is not None and nearest.finished.cached
        slow = [e for e in self._record.all(events.ProviderSlow) if e.role == "tts" and abs(e.at - now) < SIGN_SECONDS]
        if not slow:
            return True
        turn = next((e for e in self._record.all(events.AgentTurn) if e.at >= slow[0].at), None)
        return turn is not None and text in f"{turn.text} {turn.unheard}"


async def _signs_of_life(clock: Timeline, spoken: Spoken) -> AsyncIterator[Audio]:
    """What a slow voice says while it is at work; one that was given up for its silence said nothing."""
    sounds = spoken.lasted if spoken.first is None else spoken.first
    if spoken.failure is not None and str(spoken.failure).startswith(_WAS_SILENT):
        return
    while clock.now() + SIGN_SECONDS < sounds:
        await asyncio.sleep(SIGN_SECONDS)
        yield Audio(b"")


def _silence(length: float) -> Audio:
    return Audio(bytes(2 * round(length * SAMPLE_RATE)))
