"""Words for how the voices on this machine sound."""

from __future__ import annotations

from collections import Counter

import pytest

from voice.providers.local import manifest
from voice.providers.local.styles import MELODY, PACE, PITCH, is_female, measured, styles
from voice.providers.local.tts import PIPER_VOICE

ALL = [*manifest.VOICES, PIPER_VOICE]


def test_every_voice_was_measured() -> None:
    assert set(measured()) == set(ALL)


@pytest.mark.parametrize("words", [PITCH, PACE])
def test_each_has_one_word_for_its_pitch_and_one_for_its_pace(words: tuple[str, ...]) -> None:
    assert all(len(set(words) & set(styles(voice))) == 1 for voice in ALL)


@pytest.mark.parametrize("female", [True, False])
def test_a_deep_voice_is_deeper_than_each_bright_one_of_its_gender(female: bool) -> None:
    peers = [voice for voice in ALL if is_female(voice) is female]
    deep, bright = (
        [measured()[voice].pitch for voice in peers if word in styles(voice)] for word in ("deep", "bright")
    )
    assert max(deep) < min(bright)


def test_a_calm_voice_is_slower_than_each_brisk_one() -> None:
    calm, brisk = ([measured()[voice].pace for voice in ALL if word in styles(voice)] for word in ("calm", "brisk"))
    assert max(calm) < min(brisk)


def test_a_word_fits_about_a_third_of_the_voices() -> None:
    counted = Counter(word for voice in ALL for word in styles(voice))
    assert all(len(ALL) // 4 <= counted[word] <= len(ALL) // 2 for word in filter(None, (*PITCH, *PACE, *MELODY)))


def test_a_voice_that_was_not_measured_has_no_words() -> None:
    assert styles("voice_of_somebody") == ()
