"""Words with their sounds in the text for the local voices: `[Nguyen](/wɪn/)`, with "_" for every space."""

# ruff: noqa: RUF001, RUF002
from __future__ import annotations

import re

_SOUNDED = re.compile(r"\[([^\[\]]*)\]\(/([^/]*)/\)")
# One symbol each in the alphabet that Kokoro was trained on.
_ONE_SYMBOL = {
    "eɪ": "A",
    "aɪ": "I",
    "oʊ": "O",
    "əʊ": "Q",
    "aʊ": "W",
    "ɔɪ": "Y",
    "dʒ": "ʤ",
    "tʃ": "ʧ",
    "ɝ": "ɜɹ",
    "ɚ": "əɹ",
    "ɫ": "l",
    "r": "ɹ",
    "g": "ɡ",
}
_TIED = {
    "a^ɪ": "I",
    "a^ʊ": "W",
    "d^z": "ʣ",
    "d^ʒ": "ʤ",
    "e^ɪ": "A",
    "o^ʊ": "O",
    "ə^ʊ": "Q",
    "t^s": "ʦ",
    "t^ʃ": "ʧ",
    "ɔ^ɪ": "Y",
}
_VOWELS = "AIOQWYaeiouyɑɐɒæɔəɛɜɨɪʊʌɤøœɯᵻᵊ"
_EARLY_STRESS = re.compile(f"([ˈˌ])([^{_VOWELS}ˈˌ\\s]+)(?=[{_VOWELS}])")


def words(text: str) -> str:
    """`text` without the sounds, for a voice that takes none."""
    return _SOUNDED.sub(lambda match: match[1].replace("_", " "), text)


def split(text: str) -> list[tuple[str, bool]]:
    """`text` in parts, each with whether it is IPA."""
    parts = _SOUNDED.split(text)
    found = [(part, False) for part in parts[::3]]
    for place, ipa in enumerate(parts[2::3]):
        found.insert(2 * place + 1, (ipa.replace("_", " "), True))
    return [part for part in found if part[0]]


def kokoro_tied(ipa: str) -> str:
    """IPA of espeak-ng, which ties what is one sound with "^", as Kokoro writes it."""
    for tied, symbol in _TIED.items():
        ipa = ipa.replace(tied, symbol)
    return ipa.replace("^", "").replace("-", "")


def kokoro(ipa: str) -> str:
    """IPA as Kokoro writes it: diphthongs and affricates are one symbol, and stress stands before its vowel."""
    ipa = ipa.replace("\u0361", "")  # the tie of an affricate
    for sounds, symbol in _ONE_SYMBOL.items():
        ipa = ipa.replace(sounds, symbol)
    return _EARLY_STRESS.sub(r"\2\1", ipa)
