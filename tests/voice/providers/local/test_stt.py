"""The recognition stream of a call, with a model that answers how much speech it was given."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from voice.providers.base import ProviderError, Transcript
from voice.providers.local.stt import LONGEST, PRE_ROLL, LocalStt, quietest

FRAME = 640
SECOND = 50  # frames


class Recogniser:
    """Stands in for the connection. Each answer names the bytes it was asked for, and waits to be let go."""

    def __init__(self) -> None:
        self.asked: list[tuple[bool, bytes]] = []
        self.drafts: list[list[int]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.error: ProviderError | None = None

    async def one(self, op: str, payload: bytes, *, final: bool, draft: list[int]):
        self.asked.append((final, payload))
        await self.free.wait()
        if self.error is not None:
            raise self.error
        self.drafts.append(draft)
        return {"text": f"<{len(payload) // FRAME}>", "tokens": [len(payload) // FRAME]}, b""

    @property
    def finals(self) -> list[bytes]:
        return [payload for final, payload in self.asked if final]


@pytest.fixture
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.fixture
def got() -> list[Transcript | ProviderError]:
    return []


@pytest.fixture
async def stream(recogniser, got):
    stream = LocalStt(recogniser).open(language="en", on_transcript=got.append, on_error=got.append)
    yield stream
    stream.close()


async def play(stream, frames: int, value: int = 1) -> None:
    for _ in range(frames):
        stream.feed(bytes([value]) * FRAME)
        await asyncio.sleep(0)
    await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_final_transcript_covers_the_speech_and_the_moment_before_it(stream, recogniser, got):
    await play(stream, 2 * SECOND)
    stream.speech_started()
    await play(stream, 10)
    stream.speech_stopped()
    await settle()
    assert len(recogniser.finals[-1]) == PRE_ROLL + 10 * FRAME
    assert got[-1].final
    assert got[-1].text == f"<{PRE_ROLL // FRAME + 10}>"


async def test_partial_transcripts_come_while_the_caller_speaks(stream, got):
    stream.speech_started()
    await play(stream, SECOND)
    assert len(got) >= 2
    assert not any(transcript.final for transcript in got)


async def test_no_second_partial_is_asked_for_while_one_runs(stream, recogniser):
    recogniser.free.clear()
    stream.speech_started()
    await play(stream, 2 * SECOND)
    assert len(recogniser.asked) == 1


async def test_a_final_transcript_does_not_wait_for_a_partial_one(stream, recogniser, got):
    recogniser.free.clear()
    stream.speech_started()
    await play(stream, SECOND)
    stream.speech_stopped()
    await settle()
    assert [final for final, _ in recogniser.asked] == [False, True]
    recogniser.free.set()
    await settle()
    assert [transcript.final for transcript in got] == [True]


async def test_speech_that_goes_on_withdraws_the_question(stream, recogniser, got):
    stream.speech_started()
    await play(stream, 10)
    recogniser.free.clear()
    stream.speech_stopped()
    await play(stream, 5)
    stream.speech_started()
    recogniser.free.set()
    await play(stream, 10)
    assert not any(transcript.final for transcript in got)
    stream.speech_stopped()
    await settle()
    assert got[-1].final
    assert len(recogniser.finals[-1]) == 25 * FRAME


async def test_a_long_silence_within_a_turn_is_left_out(stream, recogniser):
    stream.speech_started()
    await play(stream, 10)
    stream.speech_stopped()
    await play(stream, 5 * SECOND, value=0)
    stream.speech_started()
    await play(stream, 10)
    stream.speech_stopped()
    await settle()
    assert len(recogniser.finals[-1]) <= 20 * FRAME + 2 * PRE_ROLL


async def test_what_follows_a_commit_belongs_to_the_next_turn(stream, recogniser):
    stream.speech_started()
    await play(stream, 10)
    stream.speech_stopped()
    await settle()
    stream.commit()
    await play(stream, SECOND, value=2)
    stream.speech_started()
    await play(stream, 10, value=3)
    stream.speech_stopped()
    await settle()
    assert set(recogniser.finals[-1]) == {2, 3}


async def test_a_commit_in_the_middle_of_speech_goes_on_without_its_past(stream, recogniser):
    stream.speech_started()
    await play(stream, 10)
    stream.commit()
    await play(stream, 10, value=2)
    stream.speech_stopped()
    await settle()
    assert set(recogniser.finals[-1]) == {2}


async def test_speech_without_a_pause_is_cut_before_it_is_too_long(stream, recogniser, got):
    stream.speech_started()
    await play(stream, 50 * SECOND)
    stream.speech_stopped()
    await settle()
    assert max(len(payload) for _, payload in recogniser.asked) <= LONGEST + FRAME
    assert got[-1].audio_seconds == pytest.approx(50, abs=0.1)
    assert sum(int(part.strip("<>")) for part in got[-1].text.split()) == pytest.approx(50 * SECOND, abs=3)


async def test_a_long_segment_is_not_recognised_again_after_a_pause(stream, recogniser):
    stream.speech_started()
    await play(stream, 12 * SECOND)
    stream.speech_stopped()
    await play(stream, 20)
    stream.speech_started()
    await play(stream, 10)
    stream.speech_stopped()
    await settle()
    assert len(recogniser.finals) == 2
    assert len(recogniser.finals[-1]) < SECOND * FRAME


async def test_a_failure_of_the_final_transcript_is_told(stream, recogniser, got):
    recogniser.error = ProviderError("local", "no model")
    stream.speech_started()
    await play(stream, SECOND)
    assert got == []
    stream.speech_stopped()
    await settle()
    assert got == [recogniser.error]


async def test_nothing_is_told_after_the_end(stream, recogniser, got):
    recogniser.free.clear()
    stream.speech_started()
    await play(stream, 10)
    stream.speech_stopped()
    await settle()
    stream.close()
    recogniser.free.set()
    await play(stream, 3)
    assert got == []


def test_the_quietest_moment_is_found():
    noise = (np.sin(np.arange(32_000)) * 8000).astype("<i2")
    noise[20_000:22_000] = 0
    assert 40_000 <= quietest(noise.tobytes(), 64_000) <= 44_000
