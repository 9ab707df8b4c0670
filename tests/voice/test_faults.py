"""Whatever breaks, the caller hears words or the call ends with a reason, somebody is told, and nothing is left over.

The matrix is every fault in every role, alone and with a provider behind the one that fails. The faults begin when the
caller has begun their turn, so that the greeting is still heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.voice.fakes import (
    FakeEndOfTurn,
    FakeKnowledge,
    FakeLlm,
    FakeTool,
    FakeTts,
    FakeVad,
    FarEnd,
    Fault,
    Kind,
    Result,
    Speaks,
    agent,
    hold_call,
)
from voice import events
from voice.brain import Brain, LlmBrain, Seat
from voice.conversation import EndReason, Services
from voice.events import Event
from voice.knowledge import Passage
from voice.media import SILENCE
from voice.media.recording import Recorder
from voice.providers.base import ToolRequest
from voice.spec import Patience, TransferTarget
from voice.transport import Destination

ANSWER = "We are open from nine to five."
BEGINS, TURN_ENDS = 2.0, 3.0
PATIENCE = 6.0
ASKS = Speaks(BEGINS, "When are you open?")
CALLS_TOOL = ToolRequest("t1", "look_up", "{}")

ALL: tuple[Kind, ...] = (
    "silent", "stalls", "cut", "refused", "busy", "hiccup", "garbage", "broken", "lost", "wordless",
)  # fmt: skip
AT_ONCE: tuple[Kind, ...] = tuple(kind for kind in ALL if kind not in ("stalls", "cut"))
FAULTS: Mapping[str, tuple[Kind, ...]] = {
    "stt": tuple(kind for kind in ALL if kind != "lost"),  # a recogniser calls back; it has no task of ours to lose
    "llm": ALL,
    "tts": ALL,
    "tool": AT_ONCE,
    "knowledge": AT_ONCE,
    "end_of_turn": tuple(kind for kind in AT_ONCE if kind != "wordless"),
}
CHAINS = ("stt", "llm", "tts")
# A model that breaks off in the middle of its answer has been heard; another one would contradict it.
UNANSWERED = {("llm", "stalls"), ("llm", "cut")}


@dataclass(frozen=True)
class Case:
    role: str
    kind: Kind
    fallback: bool = False

    def __str__(self) -> str:
        return f"{self.role}-{self.kind}{'-with-fallback' if self.fallback else ''}"

    def hold(self) -> Result:
        """A call with this fault, from its beginning to the caller's hanging up."""
        fault = Fault(self.kind, since=BEGINS)
        answers: list[Any] = [[CALLS_TOOL], ANSWER] if self.role == "tool" else [ANSWER]
        setting: dict[str, Any] = {"llm": FakeLlm(*answers)}
        match self.role:
            case "stt":
                setting |= {"stt_fault": fault, "spare_stt": self.fallback}
            case "llm":
                setting["llm"].fault = fault
                setting["models"] = [FakeLlm(ANSWER, name="spare-llm")] if self.fallback else []
            case "tts":
                setting["tts"] = FakeTts(fault=fault)
                setting["spare_tts"] = FakeTts("spare-tts") if self.fallback else None
            case "tool":
                setting["tools"] = [FakeTool(fault=fault)]
            case "knowledge":
                setting["knowledge"] = FakeKnowledge(Passage("Nine to five.", "hours.md", 0.9), fault=fault)
            case "end_of_turn":
                setting["end_of_turn"] = FakeEndOfTurn(0.9, fault=fault)
        return hold_call(
            ASKS, spec=agent(greeting="Hello.", patience=Patience(longest_answer=8.0)), ends_at=16.0, **setting
        )


MATRIX = [
    Case(role, kind, fallback)
    for role, kinds in FAULTS.items()
    for kind in kinds
    for fallback in ((False, True) if role in CHAINS else (False,))
]


def words_heard(call: Result, since: float = TURN_ENDS) -> float:
    """When the caller first hears the agent again."""
    sent = zip(call.far_end.sent_at, call.far_end.audio, strict=True)
    return next((at for at, frame in sent if at >= since and frame != SILENCE), float("inf"))


def told(call: Result, role: str) -> list[str]:
    """What the events say was done about the failure."""
    found = [event.then for event in call.all(events.ProviderFailed) if event.role == role]
    if role == "tool":
        found += [event.error for event in call.all(events.ToolReturned) if event.error]
    return found


@pytest.fixture(scope="module")
def calls() -> Callable[[Case], Result]:
    """Each call of the matrix is held once."""
    held: dict[Case, Result] = {}
    return lambda case: held.setdefault(case, held.get(case) or case.hold())


@pytest.mark.parametrize("case", MATRIX, ids=str)
def test_the_caller_hears_words_or_the_call_ends_with_a_reason(case: Case, calls: Callable[[Case], Result]) -> None:
    call = calls(case)
    assert min(words_heard(call), call.end.at) < TURN_ENDS + PATIENCE
    assert call.end.reason in (EndReason.CALLER, EndReason.ERROR)
    assert call.end.reason == EndReason.CALLER or call.end.detail


@pytest.mark.parametrize("case", MATRIX, ids=str)
def test_an_event_names_what_failed_and_what_was_done(case: Case, calls: Callable[[Case], Result]) -> None:
    # A tool, or a knowledge base, that has nothing to say has not failed.
    if case.kind != "wordless" or case.role in CHAINS:
        assert "".join(told(calls(case), case.role))


@pytest.mark.parametrize("case", MATRIX, ids=str)
def test_nothing_is_left_over(case: Case, calls: Callable[[Case], Result]) -> None:
    call = calls(case)
    assert (call.tasks_left, call.streams_left) == ([], 0)


@pytest.mark.parametrize("case", [case for case in MATRIX if case.fallback], ids=str)
def test_the_next_provider_gives_the_answer(case: Case, calls: Callable[[Case], Result]) -> None:
    said = " ".join(text for who, text in calls(case).transcript if who == "agent")
    assert (ANSWER in said) == ((case.role, case.kind) not in UNANSWERED)


@pytest.mark.parametrize("case", [case for case in MATRIX if case.role not in CHAINS], ids=str)
def test_the_model_answers_without_its_helpers(case: Case, calls: Callable[[Case], Result]) -> None:
    assert calls(case).transcript[-1][1].endswith(ANSWER)


# --- voice activity


class BrokenVad(FakeVad):
    def open(self, on_speech: Callable[[bool, int], None], *, start: float, stop: float) -> Any:
        stream = super().open(on_speech, start=start, stop=stop)
        feed = stream.feed

        def broken(frame: bytes) -> None:
            if Fault("broken", since=BEGINS).is_due:
                raise LookupError("surprise")
            feed(frame)

        stream.feed = broken  # type: ignore[method-assign]
        return stream


class DeafVad(FakeVad):
    def open(self, on_speech: Callable[[bool, int], None], *, start: float, stop: float) -> Any:
        return super().open(lambda speaking, edge: None, start=start, stop=stop)


def test_a_detector_that_breaks_ends_the_call_in_words() -> None:
    call = hold_call(ASKS, vad=BrokenVad())
    assert call.transcript[-1][1].startswith("I'm sorry, something is wrong on my side")
    assert [(e.role, e.provider) for e in call.all(events.ProviderFailed)] == [("vad", "fake-vad")]
    assert (call.end.reason, call.tasks_left, call.streams_left) == (EndReason.ERROR, [], 0)


def test_a_detector_that_hears_nothing_is_a_silent_caller() -> None:
    call = hold_call(ASKS, vad=DeafVad())
    assert [e.step for e in call.all(events.InactivityNoticed)] == ["check_in", "check_in", "farewell"]
    assert call.end.reason == EndReason.INACTIVITY


# --- the far end


class BrokenFarEnd(FarEnd):
    """Raises, or never returns, in one of its methods."""

    breaks = hangs = ""

    def _strike(self, method: str) -> None:
        if self.breaks == method and asyncio.get_running_loop().time() >= BEGINS:
            raise ConnectionError("gone")

    def send_audio(self, frame: bytes) -> None:
        self._strike("send_audio")
        super().send_audio(frame)

    def clear(self) -> None:
        self._strike("clear")
        super().clear()

    def mark(self, number: int) -> None:
        self._strike("mark")

    async def hang_up(self, reason: str) -> None:
        self._strike("hang_up")
        if self.hangs == "hang_up":
            await asyncio.Event().wait()
        await super().hang_up(reason)

    async def transfer(self, to: Destination) -> None:
        self._strike("transfer")
        if self.hangs == "transfer":
            await asyncio.Event().wait()


def far_end(*, breaks: str = "", hangs: str = "") -> BrokenFarEnd:
    broken = BrokenFarEnd()
    broken.breaks, broken.hangs, broken.marks = breaks, hangs, True
    return broken


@pytest.mark.parametrize("method", ["send_audio", "mark", "clear"])
def test_a_far_end_that_is_lost_ends_the_call(method: str) -> None:
    interrupts = Speaks(4.0, "No wait, something else please.")
    call = hold_call(ASKS, interrupts, llm=FakeLlm(ANSWER * 3), far_end=far_end(breaks=method))
    assert call.end.reason == EndReason.CONNECTION_LOST
    assert (call.end.at < 5.0, call.tasks_left, call.streams_left) == (True, [], 0)


@pytest.mark.parametrize("fault", [{"hangs": "hang_up"}, {"breaks": "hang_up"}], ids=str)
def test_a_far_end_that_does_not_go_does_not_keep_the_call(fault: dict[str, str]) -> None:
    call = hold_call(ends_at=4.0, far_end=far_end(**fault))
    assert (call.end.reason, call.tasks_left, call.streams_left) == (EndReason.CALLER, [], 0)
    assert call.end.at < 4.0 + PATIENCE


@pytest.mark.parametrize("fault", [{"hangs": "transfer"}, {"breaks": "transfer"}], ids=str)
def test_a_caller_whose_transfer_breaks_comes_back(fault: dict[str, str]) -> None:
    llm = FakeLlm(["One moment.", ToolRequest("t1", "transfer_call", '{"to": "sales"}')])
    spec = agent(transfers=(TransferTarget(name="sales", to="+14155550100"),))
    call = hold_call(ASKS, llm=llm, spec=spec, far_end=far_end(**fault), ends_at=75.0)
    assert call.all(events.TransferFinished)[0].outcome == "failed"
    assert any(text.startswith("I'm sorry, I couldn't reach") for _, text in call.transcript)


# --- what is not a provider


class BrokenBrain(LlmBrain):
    """Stumbles over every event."""

    def notice(self, event: Event) -> None:
        raise LookupError("surprise")


def test_a_brain_that_stumbles_over_events_still_answers() -> None:
    def clumsy(shared: Services) -> Services:
        def brain(seat: Seat) -> Brain:
            made = shared.brain(seat)
            made.__class__ = BrokenBrain
            return made

        return replace(shared, brain=brain)

    call = hold_call(ASKS, llm=FakeLlm(ANSWER), change=clumsy, ends_at=8.0)
    assert call.transcript[-1] == ("agent", ANSWER)


def test_a_sink_that_fails_loses_events_and_not_the_call() -> None:
    def forgetful(event: Event) -> None:
        raise OSError("No space left on device")

    call = hold_call(ASKS, llm=FakeLlm(ANSWER), sink=forgetful, ends_at=8.0)
    assert words_heard(call) < TURN_ENDS + PATIENCE
    assert (call.events, call.far_end.hung_up, call.tasks_left) == ([], EndReason.CALLER, [])


class BrokenRecorder(Recorder):
    def __init__(self, *, hangs: bool = False) -> None:
        super().__init__(Path("nowhere.wav"))
        self._hangs = hangs

    def start(self, clock: Any) -> None: ...

    async def close(self, at: float) -> None:
        if self._hangs:
            await asyncio.Event().wait()
        raise OSError("No space left on device")


@pytest.mark.parametrize("hangs", [False, True])
def test_a_recording_that_cannot_be_closed_does_not_keep_the_call(hangs: bool) -> None:
    call = hold_call(ASKS, llm=FakeLlm(ANSWER), recorder=BrokenRecorder(hangs=hangs), ends_at=8.0)
    assert call.transcript[-1] == ("agent", ANSWER)
    assert (call.end.reason, call.tasks_left) == (EndReason.CALLER, [])
    assert call.end.at < 8.0 + PATIENCE


class DeadRecorder(BrokenRecorder):
    def agent(self, frame: bytes, at: float) -> None:
        if at > BEGINS:
            raise OSError("No space left on device")

    async def close(self, at: float) -> None: ...


def test_a_recorder_that_breaks_in_the_middle_ends_the_call_with_a_reason() -> None:
    call = hold_call(ASKS, llm=FakeLlm(ANSWER * 3), recorder=DeadRecorder(), ends_at=12.0)
    assert call.end.reason in (EndReason.ERROR, EndReason.CONNECTION_LOST)
    assert (call.end.at < TURN_ENDS + PATIENCE, call.tasks_left) == (True, [])


# --- at the wrong moment


@pytest.mark.parametrize("case", [case for case in MATRIX if case.role in CHAINS and not case.fallback], ids=str)
def test_a_caller_who_speaks_into_the_trouble_is_answered_once_it_is_over(case: Case) -> None:
    """They ask again while the agent waits or apologizes; by then the provider works."""
    mended: list[Any] = []

    def mend(shared: Services) -> Services:
        loop = asyncio.get_running_loop()
        broken = [*shared.stt, *(service.tts for service in shared.voices), *mended]
        for one in broken:
            loop.call_later(TURN_ENDS + 1.0, _mend, one)
        return shared

    llm = FakeLlm(ANSWER)
    fault = Fault(case.kind, since=BEGINS)
    setting: dict[str, Any] = {"stt_fault": fault} if case.role == "stt" else {}
    if case.role == "tts":
        setting["tts"] = FakeTts(fault=fault)
    if case.role == "llm":
        llm.fault = fault
    mended.append(llm)
    again = Speaks(TURN_ENDS + 1.5, "I asked when you are open.", seconds=2.0)
    call = hold_call(ASKS, again, llm=llm, change=mend, ends_at=16.0, **setting)
    assert call.transcript[-1][1].endswith(ANSWER), call.transcript
    assert (call.tasks_left, call.streams_left) == ([], 0)


def _mend(provider: Any) -> None:
    provider.fault = Fault("silent", since=float("inf"))


def test_what_comes_after_the_end_is_not_heard() -> None:
    """The far end takes its time to go; meanwhile the last words are recognised, and the recogniser fails."""
    call = hold_call(ASKS, llm=FakeLlm(ANSWER), ends_at=TURN_ENDS + 0.1, far_end=far_end(hangs="hang_up"))
    assert call.all(events.CallerTurn) == []
    assert words_heard(call) == float("inf")
    assert (call.end.reason, call.tasks_left, call.streams_left) == (EndReason.CALLER, [], 0)
