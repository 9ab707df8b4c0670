"""Words with their sounds, as the local voices take them."""

# ruff: noqa: RUF001
from __future__ import annotations

import pytest

from voice.providers.local import sounds
from voice.providers.local.models import kokoro


@pytest.mark.parametrize(
    ("ipa", "written"),
    [
        ("ˈwɪn", "wˈɪn"),
        ("həˈloʊ", "həlˈO"),
        ("dʒoʊ", "ʤO"),
        ("t͡ʃaɪ", "ʧI"),
        ("ˈɹɪvɚ", "ɹˈɪvəɹ"),
        ("ˌɪntəˈneɪʃənəl", "ˌɪntənˈAʃənəl"),
    ],
)
def test_ipa_is_written_as_kokoro_was_trained(ipa: str, written: str) -> None:
    assert sounds.kokoro(ipa) == written


def test_a_text_is_split_at_its_sounds() -> None:
    text = "Ask [Saint_Malo](/sɛ̃_malo/) or [Joe](/dʒoʊ/)."
    assert sounds.split(text) == [("Ask ", False), ("sɛ̃ malo", True), (" or ", False), ("dʒoʊ", True), (".", False)]
    assert sounds.words(text) == "Ask Saint Malo or Joe."


@pytest.mark.parametrize("text", ["", "No sounds.", "[a](b) and (/c/)"])
def test_other_text_is_left_alone(text: str) -> None:
    assert sounds.words(text) == text
    assert not any(is_ipa for _, is_ipa in sounds.split(text))


def test_kokoro_says_a_word_by_its_sounds() -> None:
    symbols = {number: symbol for symbol, number in kokoro.SYMBOLS.items()}
    said = kokoro.phonemes("Hi, [Nguyen](/ˈwɪn/)!")
    assert "".join(symbols[number] for number in said) == "hˈI, wˈɪn!"
