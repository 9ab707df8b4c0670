"""Voice activity with a model that knows loud from soft; `test_real_models.py` has the real one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice.providers.base import ProviderError
from voice.providers.local.models.silero import CONTEXT, STATE, WINDOW
from voice.providers.local.vad import QUIET_WINDOWS, SileroVad

SPEECH = (np.ones(WINDOW, "<i2") * 3000).tobytes()
NOISE = (np.ones(WINDOW, "<i2") * 200).tobytes()
SILENCE = bytes(2 * WINDOW)

Edges = list[tuple[bool, int]]


class Model:
    """Finds speech in windows louder than noise. Counts in each row's state the windows it was asked about."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def run(self, names: None, given: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        inputs, state = given["input"], given["state"]
        assert inputs.shape[1] == CONTEXT + WINDOW
        assert state.shape == (2, len(inputs), STATE)
        self.asked.append(len(inputs))
        return (np.abs(inputs[:, CONTEXT:]).mean(axis=1, keepdims=True) > 0.05).astype(np.float32), state + 1


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def vad(model: Model, tmp_path: Path) -> SileroVad:
    vad = SileroVad(tmp_path / "never-read.onnx")
    vad._session = model
    return vad


def listen(vad: SileroVad, edges: Edges) -> Any:
    def on_speech(speaking: bool, edge: int) -> None:
        edges.append((speaking, edge))

    return vad.open(on_speech, start=0.128, stop=0.128)


async def drain(vad: SileroVad) -> None:
    """Until all windows that were fed are judged."""
    async with asyncio.timeout(5):
        await asyncio.sleep(0.05)
        while vad._ready:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)


async def test_it_tells_where_speech_began_and_ended(vad: SileroVad):
    edges: Edges = []
    stream = listen(vad, edges)
    for window in [SILENCE] * 3 + [SPEECH] * 6 + [SILENCE] * 6:
        stream.feed(window)
    await drain(vad)
    assert edges == [(True, 3 * WINDOW), (False, 9 * WINDOW)]


async def test_frames_need_not_be_windows(vad: SileroVad):
    edges: Edges = []
    stream = listen(vad, edges)
    audio = SILENCE * 3 + SPEECH * 6 + SILENCE * 6
    for start in range(0, len(audio), 640):
        stream.feed(audio[start : start + 640])
    await drain(vad)
    assert edges == [(True, 3 * WINDOW), (False, 9 * WINDOW)]


async def test_a_sound_that_is_too_short_is_no_speech(vad: SileroVad):
    edges: Edges = []
    stream = listen(vad, edges)
    for window in [SILENCE] * 3 + [SPEECH] * 3 + [SILENCE] * 6:
        stream.feed(window)
    await drain(vad)
    assert edges == []


async def test_a_call_that_stays_quiet_costs_nothing_and_is_heard_when_it_speaks(vad: SileroVad, model: Model):
    edges: Edges = []
    stream = listen(vad, edges)
    for window in [SILENCE] * (QUIET_WINDOWS + 50) + [SPEECH] * 4:
        stream.feed(window)
    await drain(vad)
    assert sum(model.asked) == QUIET_WINDOWS + 4
    assert edges == [(True, (QUIET_WINDOWS + 50) * WINDOW)]


async def test_the_model_goes_on_with_the_state_that_a_call_had_before_it_was_quiet(vad: SileroVad):
    stream = listen(vad, [])
    for window in [SPEECH] * 2 + [SILENCE] * (QUIET_WINDOWS + 50) + [SPEECH]:
        stream.feed(window)
    await drain(vad)
    assert vad._states[0, stream.row, 0] == 2 + QUIET_WINDOWS + 1


async def test_a_noisy_line_is_never_left_out(vad: SileroVad, model: Model):
    stream = listen(vad, [])
    for _ in range(QUIET_WINDOWS + 50):
        stream.feed(NOISE)
    await drain(vad)
    assert sum(model.asked) == QUIET_WINDOWS + 50


async def test_calls_do_not_hear_each_other(vad: SileroVad, model: Model):
    heard: list[Edges] = [[] for _ in range(40)]
    streams = [listen(vad, edges) for edges in heard]
    for i in range(8):
        for place, stream in enumerate(streams):
            stream.feed(SPEECH if place % 2 and i >= 2 else SILENCE)
    await drain(vad)
    assert max(model.asked) == 40
    assert all(edges == ([(True, 2 * WINDOW)] if place % 2 else []) for place, edges in enumerate(heard))


async def test_a_call_that_takes_the_place_of_another_begins_afresh(vad: SileroVad):
    first = listen(vad, [])
    row = first.row
    for _ in range(5):
        first.feed(SPEECH)
    await drain(vad)
    keeper = listen(vad, [])
    first.close()
    edges: Edges = []
    others = [listen(vad, edges) for _ in range(15)]
    second = next(stream for stream in others if stream.row == row)
    second.feed(SPEECH)
    await drain(vad)
    assert vad._states[0, row, 0] == 1
    assert edges == []
    keeper.close()


async def test_nothing_is_told_after_closing(vad: SileroVad):
    edges: Edges = []
    stream = listen(vad, edges)
    for _ in range(8):
        stream.feed(SPEECH)
    stream.close()
    await drain(vad)
    assert edges == []


async def test_it_rests_without_calls_and_starts_again(vad: SileroVad):
    stream = listen(vad, [])
    stream.close()
    await asyncio.sleep(0.05)
    assert [task.get_name() for task in asyncio.all_tasks()].count("voice activity") == 0
    edges: Edges = []
    stream = listen(vad, edges)
    for _ in range(4):
        stream.feed(SPEECH)
    await drain(vad)
    assert edges == [(True, 0)]


async def test_a_call_that_breaks_does_not_make_the_others_deaf(vad: SileroVad, caplog: pytest.LogCaptureFixture):
    def broken(speaking: bool, edge: int) -> None:
        raise RuntimeError("this call is broken")

    edges: Edges = []
    streams = [vad.open(broken, start=0.128, stop=0.128), listen(vad, edges)]
    with caplog.at_level(logging.ERROR):
        for window in [SPEECH] * 5 + [SILENCE] * 5:
            for stream in streams:
                stream.feed(window)
        await drain(vad)
    assert [speaking for speaking, _ in edges] == [True, False]
    assert "this call is broken" in caplog.text


async def test_it_says_that_the_model_is_not_there_yet(tmp_path: Path):
    opened: Callable[[bool, int], None] = lambda speaking, edge: None  # noqa: E731
    with pytest.raises(ProviderError, match="still being fetched"):
        SileroVad(tmp_path / "absent.onnx").open(opened, start=0.1, stop=0.1)
