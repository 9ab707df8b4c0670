"""Utterances and their words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.media import FRAME_BYTES, SAMPLE_RATE
from voice.playout import Utterance
from voice.providers.base import Audio, WordTime
from voice.speech import PhraseCache, matched, timings


@given(st.lists(st.text(alphabet="abc.,'", min_size=1, max_size=9), min_size=1), st.floats(0.1, 30))
def test_guessed_times_cover_the_whole_length_in_order(words: list[str], length: float) -> None:
    times = timings(" ".join(words), length)
    assert [time.text for time in times] == words
    assert times[0].start == 0
    assert times[-1].end == pytest.approx(length)
    assert all(a.end == b.start for a, b in pairwise(times))


def test_shown_words_take_the_times_of_the_spoken_ones() -> None:
    spoken = [WordTime("at", 0.1, 0.2), WordTime("nine", 0.2, 0.6)]
    assert matched("At 9.", spoken) == [WordTime("At", 0.1, 0.2), WordTime("9.", 0.2, 0.6)]


def test_shown_words_share_the_time_of_more_spoken_ones() -> None:
    spoken = [WordTime("at", 0.1, 0.2), WordTime("nine", 0.2, 0.6), WordTime("thirty", 0.6, 1.0)]
    times = matched("At 9:30", spoken)
    assert (times[0].start, times[-1].end, len(times)) == (0.1, 1.0, 2)


def test_frames_are_whole_and_only_the_last_is_filled_up() -> None:
    utterance = Utterance(1)
    utterance.append(b"\1" * (FRAME_BYTES + 100))
    assert utterance.take() == b"\1" * FRAME_BYTES
    assert utterance.take() == b""
    utterance.complete = True
    assert utterance.take() == b"\1" * 100 + bytes(FRAME_BYTES - 100)
    assert utterance.take() == b""


def test_what_was_sent_long_ago_is_forgotten_and_the_rest_can_be_sent_again() -> None:
    utterance = Utterance(1)
    audio = b"".join(bytes([i % 250 + 1]) * FRAME_BYTES for i in range(500))
    utterance.append(audio)
    for _ in range(400):
        utterance.take()
    assert utterance.total == len(audio)
    utterance.rewind(380 * FRAME_BYTES)
    assert utterance.take() == audio[380 * FRAME_BYTES : 381 * FRAME_BYTES]
    utterance.rewind(0)
    assert 0 < utterance.sent <= 380 * FRAME_BYTES


def test_words_that_were_sent_keep_their_place_when_better_times_come() -> None:
    utterance = Utterance(1)
    utterance.place(timings("one two three", 3.0), 0)
    utterance.words[0].at = 5.0
    utterance.place([WordTime("one", 0.0, 0.5), WordTime("two", 0.5, 0.9), WordTime("three", 0.9, 1.5)], 0)
    assert [word.text for word in utterance.words] == ["one", "two", "three"]
    assert utterance.words[0].at == 5.0
    assert utterance.words[1].start == SAMPLE_RATE


def test_the_phrase_used_longest_ago_makes_room() -> None:
    cache = PhraseCache(size=2)
    cache.put(("a",), [Audio(b"")])
    cache.put(("b",), [Audio(b"")])
    cache.get(("a",))
    cache.put(("c",), [Audio(b"")])
    assert (cache.get(("a",)) is None, cache.get(("b",)) is None) == (False, True)
