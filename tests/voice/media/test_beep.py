"""The beep of an answering machine, and what sounds like one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.voice.media.sounds import frames, mixed, noise, sentence, silence, sines, speech, through_a_telephone
from voice.media import FRAME_SAMPLES, SAMPLE_RATE
from voice.media.beep import Beep, BeepDetector
from voice.media.dtmf import KEYS, tones


def heard(pcm: bytes) -> list[Beep]:
    detector = BeepDetector()
    return [beep for frame in frames(pcm + silence(0.2)) if (beep := detector.feed(frame)) is not None]


def beep(frequency: float = 1000.0, seconds: float = 0.3, level: float = 15.0) -> bytes:
    return sines((frequency, level), seconds=seconds)


@pytest.mark.parametrize("line", [bytes, through_a_telephone])
@pytest.mark.parametrize("frequency", [360, 440, 620, 800, 1004, 1400, 2000, 2550])
def test_a_beep_after_a_greeting_is_heard_where_it_ends(line: Callable[[bytes], bytes], frequency: float) -> None:
    greeting = sentence() + silence(0.25)
    pcm = line(mixed(greeting + beep(frequency) + silence(0.5), noise(1.0, 55)))
    (found,) = heard(pcm)
    assert found.frequency == pytest.approx(frequency, abs=10)
    assert found.seconds == pytest.approx(0.3, abs=0.04)
    assert found.edge == pytest.approx(len(greeting) // 2 + 0.3 * SAMPLE_RATE, abs=2 * FRAME_SAMPLES)


@pytest.mark.parametrize("shift", range(0, 320, 80))
def test_a_beep_of_150_milliseconds_is_heard_wherever_it_falls(shift: int) -> None:
    assert len(heard(bytes(2 * shift) + silence(0.1) + beep(seconds=0.15))) == 1
    assert heard(bytes(2 * shift) + silence(0.1) + beep(seconds=0.1)) == []


def test_a_beep_is_told_only_when_it_is_over() -> None:
    detector = BeepDetector()
    assert [detector.feed(frame) for frame in frames(beep(seconds=1.0))] == [None] * 50
    told = [detector.feed(frame) is not None for frame in frames(silence(0.2))]
    assert told.index(True) * 0.02 == pytest.approx(0.1, abs=0.03)
    assert told.count(True) == 1


def test_a_beep_is_heard_in_noise() -> None:
    assert len(heard(mixed(silence(0.5) + beep(level=15) + silence(0.5), noise(1.3, 30)))) == 1


def test_a_beep_that_can_hardly_be_heard_is_none() -> None:
    assert heard(beep(level=50)) == []


@pytest.mark.parametrize("line", [bytes, through_a_telephone])
def test_speech_is_no_beep(line: Callable[[bytes], bytes]) -> None:
    assert heard(line(speech())) == []


def test_keys_are_no_beeps() -> None:
    assert heard(tones(KEYS, on=0.3)) == []


@pytest.mark.parametrize("pair", [(440, 480), (400, 450), (350, 440), (480, 620)])
def test_tones_of_two_frequencies_are_no_beeps(pair: tuple[float, float]) -> None:
    tone = sines((pair[0], 20), (pair[1], 20), seconds=0.5)
    assert heard(tone + silence(0.5) + tone) == []


def test_a_ring_back_tone_of_one_frequency_is_no_beep() -> None:
    assert heard((sines((425, 15), seconds=1.0) + silence(4.0)) * 3) == []


def test_a_tone_that_comes_again_and_again_is_a_cadence() -> None:
    assert len(heard((beep(1000) + silence(2.0)) * 4)) == 1
    assert len(heard((beep(1000) + silence(20.0)) * 2)) == 2


def test_three_tones_on_end_are_no_beep() -> None:
    assert heard(beep(985, 0.38) + beep(1371, 0.38) + beep(1777, 0.38)) == []


def test_a_tone_that_does_not_end_is_no_beep() -> None:
    assert heard(beep(seconds=5.0)) == []


def test_a_tone_that_glides_is_no_beep() -> None:
    glide = b"".join(sines((600 + 30 * step, 15), seconds=0.04) for step in range(20))
    assert heard(glide) == []
