"""What a speech-to-speech model says, on its way to the caller."""

from __future__ import annotations

import pytest

from voice.answers import Answer
from voice.media import SAMPLE_RATE

SECOND = b"\2\0" * SAMPLE_RATE


def words(answer: Answer) -> list[str]:
    return [word.text for word in answer.utterance.words]


def test_an_aside_and_the_answer_follow_each_other_however_they_come() -> None:
    answer = Answer(turn=1, asked_at=0.0)
    answer.wrote("aside", "a", "One moment.", remembered=False)
    answer.spoke("aside", "a", SECOND, remembered=False)
    answer.wrote("main", "m", "At nine.", remembered=True)
    answer.spoke("main", "m", SECOND, remembered=True)
    assert answer.utterance.total == len(SECOND)
    answer.spoke("aside", "a", SECOND, remembered=False)
    answer.end("aside")
    answer.end("main")
    assert answer.utterance.total == 3 * len(SECOND)
    assert words(answer) == ["One", "moment.", "At", "nine."]
    assert answer.utterance.words[2].start == 2 * len(SECOND)


def test_half_a_word_is_no_word_yet() -> None:
    answer = Answer(turn=1, asked_at=0.0)
    answer.spoke("main", "m", SECOND, remembered=True)
    answer.wrote("main", "m", "At ni", remembered=True)
    assert words(answer) == ["At"]
    answer.wrote("main", "m", "ne.", remembered=True)
    answer.end("main")
    assert words(answer) == ["At", "nine."]


def test_each_item_is_cut_where_the_caller_stopped_listening() -> None:
    answer = Answer(turn=1, asked_at=0.0)
    for number, text in enumerate(("One two.", "Three four.", "Five six.")):
        answer.wrote(f"r{number}", f"i{number}", text, remembered=True)
        answer.spoke(f"r{number}", f"i{number}", SECOND, remembered=True)
        answer.end(f"r{number}")
    cuts = list(answer.cuts(len(SECOND) + len(SECOND) // 2, 3))
    assert [(cut.item, cut.text) for cut in cuts] == [("i1", "Three"), ("i2", "")]
    assert [cut.heard for cut in cuts] == [pytest.approx(0.5), 0.0]


def test_what_was_heard_whole_and_what_is_not_remembered_is_not_cut() -> None:
    answer = Answer(turn=1, asked_at=0.0)
    answer.spoke("aside", "a", SECOND, remembered=False)
    answer.end("aside")
    answer.spoke("main", "m", SECOND, remembered=True)
    answer.end("main")
    assert list(answer.cuts(2 * len(SECOND), 0)) == []
    assert [cut.item for cut in answer.cuts(0, 0)] == ["m"]
