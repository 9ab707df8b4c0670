"""What words say about a turn."""

from __future__ import annotations

import pytest

from voice.turns import is_backchannel, is_hanging


@pytest.mark.parametrize("text", ["mm-hm", "Okay.", "Yeah, right.", "Uh-huh", "Thank you."])
def test_these_words_only_say_i_am_listening(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["", "Okay, but wait.", "No.", "Stop", "yeah yeah yeah yeah", "What?"])
def test_these_words_say_something(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize("text", ["I want to", "On Monday and", "um", "it's for, uh,", "So, because"])
def test_nobody_stops_after_these_words(text: str) -> None:
    assert is_hanging(text)


@pytest.mark.parametrize("text", ["", "On Monday.", "What is it for?", "Yes", "five five five", "more than he was"])
def test_one_may_stop_after_these_words(text: str) -> None:
    assert not is_hanging(text)
