"""Keys made as tones, and heard again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.voice.media.sounds import frames, mixed, noise, silence, sines, speech, through_a_telephone
from voice.media import SAMPLE_RATE
from voice.media.dtmf import COLUMNS, KEYS, ROWS, ToneDetector, tones


def heard(pcm: bytes) -> str:
    detector = ToneDetector()
    return "".join(map(detector.feed, frames(pcm + silence(0.1))))


def pair(key: str, *, off: float = 0.0, row_level: float = 20.0, column_level: float = 20.0) -> bytes:
    """A key's tones for 100 ms, off by a share of their frequency."""
    row, column = divmod(KEYS.index(key), 4)
    tone = sines((ROWS[row] * (1 + off), row_level), (COLUMNS[column] * (1 + off), column_level), seconds=0.1)
    return silence(0.1) + tone


def test_every_key_is_heard_as_what_it_is() -> None:
    assert heard(tones("0123456789*#ABCD")) == "0123456789*#ABCD"


def test_every_key_is_heard_on_a_telephone_line() -> None:
    assert heard(through_a_telephone(tones(KEYS, on=0.05, gap=0.05))) == KEYS


@pytest.mark.parametrize("shift", range(0, 320, 40))
def test_forty_milliseconds_are_enough_wherever_they_fall_and_a_key_that_is_pressed_twice_counts_twice(
    shift: int,
) -> None:
    assert heard(bytes(2 * shift) + through_a_telephone(tones("1155##D0", on=0.04, gap=0.045))) == "1155##D0"


def test_a_key_that_is_held_is_one_key() -> None:
    assert heard(tones("5", on=3.0)) == "5"


def test_twenty_milliseconds_are_not_enough() -> None:
    assert heard(tones("1590", on=0.02)) == ""


@pytest.mark.parametrize("off", [-0.015, 0.015])
def test_tones_may_be_a_little_off(off: float) -> None:
    assert "".join(heard(pair(key, off=off)) for key in KEYS) == KEYS


@pytest.mark.parametrize("off", [-0.035, 0.035])
def test_tones_that_are_far_off_are_no_keys(off: float) -> None:
    assert "".join(heard(pair(key, off=off)) for key in KEYS) == ""


def test_either_tone_may_be_stronger_but_not_by_far() -> None:
    assert heard(pair("5", row_level=20, column_level=25)) == "5"
    assert heard(pair("5", row_level=25, column_level=20)) == "5"
    assert heard(pair("5", row_level=20, column_level=30)) == ""
    assert heard(pair("5", row_level=30, column_level=20)) == ""


def test_a_key_is_heard_in_noise() -> None:
    assert heard(mixed(tones("314159", gap=0.1), noise(1.2, 30))) == "314159"


def test_a_faint_key_is_heard_and_a_fainter_one_is_not() -> None:
    assert heard(pair("5", row_level=40, column_level=40)) == "5"
    assert heard(pair("5", row_level=50, column_level=50)) == ""


@pytest.mark.parametrize("line", [bytes, through_a_telephone])
def test_speech_has_no_keys_in_it(line: type) -> None:
    assert heard(line(speech())) == ""


@pytest.mark.parametrize("parts", [((440, 20), (480, 20)), ((350, 20), (440, 20)), ((1000, 12),), ((697, 12),)])
def test_other_tones_are_no_keys(parts: tuple[tuple[float, float], ...]) -> None:
    assert heard(sines(*parts, seconds=1.0)) == ""


def test_tones_and_pauses_last_as_long_as_they_should() -> None:
    assert len(tones("12", on=0.1, gap=0.06)) == 2 * round(0.32 * SAMPLE_RATE)
    assert tones("w") == silence(0.5)
    assert tones(",") == silence(2.0)
    assert heard(tones("1w2,a")) == "12A"


def test_a_tone_is_loud_enough_and_neither_clips_nor_clicks() -> None:
    samples = np.frombuffer(tones("1"), "<i2").astype(np.int32)
    assert 16_000 < abs(samples).max() < 32_000
    assert abs(samples[0]) < 500
    assert abs(samples[1599]) < 500


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="'x'"):
        tones("12x")
