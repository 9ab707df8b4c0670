"""Transfers on the virtual clock: what the caller hears, what the person hears, and who is left when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from tests.voice.fakes import FakeLlm, FakeTts, FarEnd, HangsUp, Result, Speaks, Step, agent, hold_call
from voice import events
from voice.clock import CallClock
from voice.conversation import EndReason
from voice.media import FRAME_BYTES, SILENCE
from voice.media.ambient import Bed, bed
from voice.media.hold import melody
from voice.providers.base import ToolRequest
from voice.spec import Ambient, TransferTarget
from voice.transport import Destination, Leg, TransferFailed

VOICE = b"\2\0" * (FRAME_BYTES // 2)
BRIEF = "Ann wants to cancel her contract. She has called before."
SORRY = "I'm sorry, I couldn't reach anybody there. Is there something else I can do for you?"


@pytest.fixture(autouse=True)
def _music_is_made() -> None:
    melody()


@dataclass
class Person(Leg):
    """Somebody at the other line; `broken` loses it at the first word."""

    broken: bool = False
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    hung_up_at: float = -1.0

    def listen(self, on_audio: Callable[[bytes], None]) -> None:
        return

    def send_audio(self, frame: bytes) -> None:
        assert len(frame) == FRAME_BYTES
        if self.broken:
            raise OSError("gone")
        self.heard.append((asyncio.get_running_loop().time(), frame))

    async def hang_up(self) -> None:
        self.hung_up_at = asyncio.get_running_loop().time()


@dataclass
class Switchboard(FarEnd):
    """A far end that can bring in a person, who answers after `rings` seconds."""

    rings: float = 6.0
    person: Person = field(default_factory=Person)
    no_join: Exception | None = None
    dialled: list[Destination] = field(default_factory=list)
    answered_at: float = -1.0
    joined_at: float = -1.0
    heard: list[tuple[float, bytes]] = field(default_factory=list)

    def send_audio(self, frame: bytes) -> None:
        super().send_audio(frame)
        self.heard.append((asyncio.get_running_loop().time(), frame))

    async def dial(self, to: Destination, *, patience: float) -> Leg:
        self.dialled.append(to)
        await asyncio.sleep(min(self.rings, patience))
        if self.rings > patience:
            raise TransferFailed("Nobody answered.")
        self.answered_at = asyncio.get_running_loop().time()
        return self.person

    async def join(self, leg: Leg) -> None:
        if self.no_join is not None:
            raise self.no_join
        assert leg is self.person
        self.joined_at = asyncio.get_running_loop().time()

    def music(self) -> list[float]:
        """When the caller heard a frame of it."""
        bed = melody()
        frames = {bed.frame(index) for index in range(bed.frames)}
        return [at for at, frame in self.heard if frame in frames]


class Tape:
    """A recorder that keeps when there was sound of whom."""

    paused = False

    def __init__(self) -> None:
        self.callers: list[float] = []
        self.agents: list[float] = []

    def start(self, clock: CallClock) -> None: ...

    def caller(self, frame: bytes, at: float) -> None:
        self.callers.append(at)

    def agent(self, frame: bytes, at: float) -> None:
        self.agents.append(at)

    def cut_agent(self, at: float) -> None: ...

    async def close(self, at: float) -> None: ...


def transfer_call(far_end: FarEnd, *script: Step, warm: bool = True, brief: str = BRIEF, **more: Any) -> Result:
    target = TransferTarget(name="sales", to="+4930123", warm=warm)
    arguments = f'{{"to": "sales", "brief": "{brief}"}}'
    changes = more.pop("spec", {})
    return hold_call(
        Speaks(2.0, "A person, please."),
        *script,
        spec=agent(transfers=(target,), **changes),
        llm=FakeLlm(["One moment.", ToolRequest("t1", "transfer_call", arguments)], "Well then."),
        far_end=far_end,
        ends_at=more.pop("ends_at", 60.0),
        **more,
    )


def outcome(call: Result) -> list[tuple[str, str]]:
    return [(e.outcome, e.detail) for e in call.all(events.TransferFinished)]


def test_a_cold_transfer_gives_the_caller_away() -> None:
    board = Switchboard()
    call = transfer_call(board, warm=False)
    assert board.transferred == [Destination("+4930123", "sales")]
    assert (call.end.reason, call.end.detail) == (EndReason.TRANSFERRED, "Transferred to sales.")
    assert outcome(call) == [("transferred", "")]


def test_a_warm_transfer_tells_the_person_first_and_only_them() -> None:
    board = Switchboard()
    call = transfer_call(board)
    assert board.dialled == [Destination("+4930123", "sales")]
    told = [at for at, frame in board.person.heard if frame == VOICE]
    assert len(told) * 0.02 == pytest.approx(len(BRIEF) / 15.0, abs=0.2)
    assert board.answered_at <= told[0] < told[-1] <= board.joined_at
    assert told[-1] - told[0] == pytest.approx(len(told) * 0.02, abs=0.3), "it is paced as it is spoken"
    assert call.transcript[-1] == ("agent", "One moment.")
    assert not [at for at, frame in board.heard if frame == VOICE and at >= board.answered_at]
    assert (call.end.reason, outcome(call)) == (EndReason.TRANSFERRED, [("transferred", "")])
    assert board.person.hung_up_at < 0
    assert call.tasks_left == []


def test_the_caller_hears_music_until_they_are_joined() -> None:
    board = Switchboard(rings=6.0)
    call = transfer_call(board)
    started = call.all(events.TransferStarted)[0].at
    music = board.music()
    assert started <= music[0] < started + 0.1
    assert board.joined_at - 0.1 < music[-1] <= board.joined_at
    assert len(music) * 0.02 == pytest.approx(board.joined_at - started, abs=0.2)


def test_the_recording_goes_on_with_silence_for_the_music() -> None:
    tape, board = Tape(), Switchboard()
    call = transfer_call(board, recorder=tape)
    started = call.all(events.TransferStarted)[0].at
    assert tape.callers[-1] > board.joined_at - 0.1
    assert tape.agents[-1] < started + 0.1


def test_the_room_is_back_when_the_caller_is() -> None:
    async def at_once(name: str) -> Bed:
        return bed(name)  # there are no threads in virtual time

    board = Switchboard(rings=40.0)
    transfer_call(board, spec={"ambient": Ambient(bed="office", volume=0.5)}, find_bed=at_once, ends_at=45.0)
    gaps = [later - at for (at, _), (later, _) in pairwise(board.heard)]
    assert max(gaps) < 0.03, "there is always a sound"
    assert board.heard[-1][1] not in (VOICE, SILENCE)
    assert max(board.music()) < 32.0


def test_a_person_who_is_to_be_told_nothing_is_joined_at_once() -> None:
    board = Switchboard()
    transfer_call(board, brief="")
    assert (board.person.heard, board.joined_at) == ([], board.answered_at)


@pytest.mark.parametrize(
    ("board", "detail"),
    [
        (Switchboard(rings=40.0), "Nobody answered."),
        (Switchboard(no_join=TransferFailed("The line is busy.")), "The line is busy."),
        (Switchboard(no_join=OSError("reset")), "OSError: reset"),
        (Switchboard(person=Person(broken=True)), "The person's line was lost: gone"),
        (FarEnd(), "Calls of this kind cannot bring in a second party."),
    ],
)
def test_a_caller_whose_transfer_fails_comes_back_to_the_agent(board: FarEnd, detail: str) -> None:
    call = transfer_call(board, Speaks(40.0, "Then not."))
    assert call.transcript[3] == ("agent", SORRY)
    assert ("agent", "Well then.") in call.transcript[4:]
    assert outcome(call) == [("failed", detail)]
    if isinstance(board, Switchboard):
        back = next(e.at for e in call.all(events.TransferFinished))
        assert not [at for at in board.music() if at > back]
        assert (board.person.hung_up_at >= 0) == (board.rings < 25), "nobody is left on a dead line"


def test_a_transport_that_rings_for_ever_is_given_up() -> None:
    class Deaf(Switchboard):
        async def dial(self, to: Destination, *, patience: float) -> Leg:
            await asyncio.sleep(1_000)
            raise AssertionError

    call = transfer_call(Deaf(), ends_at=45.0)
    assert outcome(call) == [("failed", "Nobody answered within 25 s.")]


@pytest.mark.parametrize(("at", "reached"), [(5.0, False), (11.0, True)])
def test_a_caller_who_hangs_up_meanwhile_leaves_nobody_on_the_line(at: float, reached: bool) -> None:
    board = Switchboard(rings=6.0)
    call = transfer_call(board, HangsUp(at), brief="word " * 40)
    assert call.end.reason == EndReason.CALLER
    assert outcome(call) == [("failed", "The call ended before.")]
    assert (board.person.hung_up_at >= 0) == reached
    assert board.joined_at < 0
    assert call.tasks_left == []


def test_a_cold_transfer_that_fails_brings_the_caller_back() -> None:
    call = transfer_call(Switchboard(transfer_fails="Refused."), warm=False, ends_at=14.0)
    assert call.transcript[-1] == ("agent", SORRY)
    assert outcome(call) == [("failed", "Refused.")]


def test_without_a_voice_the_person_is_joined_without_a_word() -> None:
    class Fades(FakeTts):
        async def speak(self, text: str, **voice: Any) -> Any:
            if text.startswith("Ann"):
                self.failure = "Down."
            async for audio in super().speak(text, **voice):
                yield audio

    board = Switchboard()
    call = transfer_call(board, tts=Fades())
    assert board.joined_at >= board.answered_at
    assert [e.then for e in call.all(events.ProviderFailed)] == ["connecting the caller without a word"]
