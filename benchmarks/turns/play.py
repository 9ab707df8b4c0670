"""Plays clips to a turn taker on the virtual clock and notes what it does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from benchmarks.speech import FRAME_SECONDS, frames
from benchmarks.turns.clips import Clip
from benchmarks.turns.studio import Answers, Models
from voice import cues, events
from voice.clock import CallClock
from voice.providers.base import EndOfTurn, ProviderError, Vad
from voice.providers.local.stt import LocalStt
from voice.providers.local.turn import LocalEndOfTurn
from voice.spec import TurnTaking
from voice.turns import NoInterruption, Pause, Policy, TurnTaker, patience

# A decision so little before the last audible sound is none that cuts it off: voices fade.
FADE_SECONDS = 0.15
# A turn that is not taken within this time of its end is missed.
MISSED_SECONDS = 3.5


@dataclass(frozen=True)
class Strategy:
    """How turns are decided. `words` is whether what is said counts, and not only that something is."""

    name: str
    policy: Policy
    model: bool = True
    words: bool = False
    settings: TurnTaking = field(default_factory=TurnTaking)


def after_silence(seconds: float) -> Policy:
    """The turn is over after so much silence."""
    return lambda pause, settings: (seconds, "silence")


def as_the_model_says(probability: float, unfinished: float) -> Policy:
    """The turn is over at once if the model says so, with this probability, else after so much silence."""

    def decide(pause: Pause, settings: TurnTaking) -> tuple[float, str]:
        sure = pause.probability is not None and pause.probability >= probability
        return settings.finished_silence if sure else unfinished, pause.model

    return decide


COMBINED = Strategy("combined", patience, words=True)


@dataclass
class Heard:
    """What a strategy made of a clip."""

    clip: Clip
    turns: list[tuple[float, str]] = field(default_factory=list)
    """When a turn was taken, and its words."""
    cut_off: list[float] = field(default_factory=list)
    """When the agent was interrupted."""
    log: list[events.Event] = field(default_factory=list)

    @property
    def cut_ins(self) -> int:
        """Turns taken before the caller's end: each is one pause in which the agent would have spoken."""
        return sum(at < self.clip.end - FADE_SECONDS for at in self._own) if self.clip.end is not None else 0

    @property
    def delay(self) -> float | None:
        """Seconds from the caller's end to the decision; None if it was missed."""
        end = self.clip.end
        if end is None:
            return None
        return next((max(0.0, at - end) for at in self._own if -FADE_SECONDS <= at - end <= MISSED_SECONDS), None)

    @property
    def false_interruption(self) -> bool:
        """A sound that is no turn was taken as one, or made the agent stop for good."""
        return self.clip.end is None and bool(self._own or self.cut_off)

    @property
    def _own(self) -> list[float]:
        """The turns without the question that the agent answers."""
        return [at for at, _ in self.turns if at >= self.clip.agent_from]


class Ear:
    """The listener of one clip: holds and goes on as a conversation does, and speaks for as long as nobody stops it."""

    def __init__(self, clip: Clip, strategy: Strategy) -> None:
        self.heard = Heard(clip)
        self.turns: TurnTaker | None = None
        self.clock = CallClock(asyncio.get_running_loop())
        self._strategy = strategy
        self._clip = clip
        self._held = False

    def saying(self) -> str | None:
        """The agent's words; a strategy that does not know words is not told them."""
        return self._clip.agent if self._strategy.words and self._speaks() else None

    def _speaks(self) -> bool:
        return bool(self._clip.agent) and not self.heard.cut_off and self.clock.now() >= self._clip.agent_from

    # --- what the turn taker tells

    def speech_began(self, onset: float) -> None:
        if self._speaks():
            self._held = True
            due = onset + self._strategy.settings.interruption_speech - self.clock.now()
            asyncio.get_running_loop().call_later(max(0.0, due), self._long_speech)

    def words_so_far(self, text: str) -> None:
        self._judge()

    def maybe_finished(self, text: str) -> None:
        return

    def finished(self, text: str, started: float, ended: float) -> None:
        self.heard.turns.append((self.clock.now(), text))

    def nothing_said(self) -> None:
        self._held = False

    def no_interruption(self, text: str, reason: NoInterruption) -> None:
        self._held = False

    def not_understood(self, error: ProviderError) -> None:
        raise error

    def deaf(self, error: ProviderError) -> None:
        raise error

    def _long_speech(self) -> None:
        if self.turns is not None and self.turns.speaking:
            self._judge()

    def _judge(self) -> None:
        if self._held and self.turns is not None and self.turns.interrupts():
            self._held = False
            self.heard.cut_off.append(self.clock.now())


async def play(clip: Clip, strategy: Strategy, answers: Answers, vad: Vad) -> Heard:
    """One clip, from its first frame to its last."""
    models = Models(answers, partials=bool(clip.agent))
    end_of_turn: EndOfTurn | None = LocalEndOfTurn(models) if strategy.model else None
    ear = Ear(clip, strategy)
    turns = TurnTaker(
        settings=strategy.settings,
        language="en",
        stt=LocalStt(models),
        vad=vad,
        end_of_turn=end_of_turn,
        clock=ear.clock,
        emit=ear.heard.log.append,
        turn=lambda: len(ear.heard.turns) + 1,
        listener=ear,
        saying=ear.saying,
        policy=strategy.policy,
    )
    ear.turns = turns
    turns.expecting = cues.expected(clip.asks)
    for number, frame in enumerate(frames(clip.pcm), 1):
        turns.feed(frame)
        await asyncio.sleep(number * FRAME_SECONDS - ear.clock.now())
    turns.close()
    return ear.heard


async def play_all(clips: list[Clip], strategies: list[Strategy], answers: Answers, vad: Vad) -> dict[str, list[Heard]]:
    """Every clip to every strategy, all at the same virtual time."""
    every = [play(clip, strategy, answers, vad) for strategy in strategies for clip in clips]
    heard = iter(await asyncio.gather(*every))
    return {strategy.name: [next(heard) for _ in clips] for strategy in strategies}
