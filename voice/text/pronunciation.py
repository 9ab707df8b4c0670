"""How words are to be said: an agent's dictionary, put into what a voice is given to speak."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from typing import Literal

from voice.spec import Pronunciation
from voice.text import spoken
from voice.text.markup import plain

Phonemes = Literal["", "inline", "ssml", "cartesia", "deepgram"]
"""How a voice takes IPA within its text; "" where it takes none.

`inline` is `[word](/ipa/)`, with "_" for every space; `ssml` is SSML's phoneme element; `cartesia` is `<<i|p|a>>`;
`deepgram` is an object of word and sound.
"""

_OPENERS = "\"'([{*_`\u2018\u201c\u00ab\u00bf\u00a1"
_CARTESIA_PHONES = re.compile(r"[td][ʃʒ]|[aeoɔ][ɪʊ]|\S[ː\u0303\u0329]*")  # noqa: RUF001
# An IPA match waits behind a name of letters while the rest of the text is put in words.
_WAITING = re.compile(r"\b[Xx]qzj[a-j]+q\b")
_LETTERS = str.maketrans("0123456789", "abcdefghij")


class Lexicon:
    """A dictionary in use. The longest entry wins where several fit; what it puts in is not looked up again."""

    def __init__(self, entries: Sequence[Pronunciation] = ()) -> None:
        self._entries, self._joints = _indexed(tuple(entries))

    def __bool__(self) -> bool:
        return bool(self._entries)

    def apply(self, text: str) -> str:
        """`text`, one line, with every entry's alias in place of its words. An entry that has only IPA changes
        nothing."""
        return self._replaced(text, lambda entry, words: entry.alias or words)

    def replaced(self, text: str, put: Callable[[str], str]) -> str:
        """`text` with what `put` makes of each of the entries' words in it."""
        return self._replaced(text, lambda entry, words: put(words))

    def spoken(self, text: str, language: str, phonemes: Phonemes = "") -> str:
        """`text` as it is given to a voice: `voice.text.spoken`, said as the dictionary wants it. IPA goes to voices
        that take it, and the alias to all others."""
        if not self._entries:
            return spoken(text, language)
        waiting: list[str] = []

        def said(entry: Pronunciation, words: str) -> str:
            if not entry.ipa or not phonemes:
                return entry.alias or words
            waiting.append(marked(entry.alias or words, entry.ipa, phonemes))
            name = f"qzj{len(waiting) - 1}q".translate(_LETTERS)
            return ("X" if words[:1].isupper() else "x") + name

        text = spoken(self._replaced(plain(text), said), language)
        if not waiting:
            return text
        turn = iter(waiting)
        return _WAITING.sub(lambda _: next(turn), text)

    def joins(self, text: str, place: int) -> bool | None:
        """Whether an entry of several words may go on over `place`, where a word of `text` ends; None where only the
        text that is still to come can tell."""
        if not self._joints:
            return False
        before = text[:place].split()
        if not before:
            return False
        left, right = " ".join(before).casefold(), " ".join(text[place:].split()).casefold()
        undecided = False
        for head, tail in self._joints.get(_bare(before[-1].casefold()), ()):
            if left.endswith(head):
                if right.startswith(tail):
                    return True
                undecided = undecided or tail.startswith(right)
        return None if undecided else False

    def _replaced(self, text: str, said: Callable[[Pronunciation, str], str]) -> str:
        if not self._entries:
            return text
        parts, done, place = [], 0, 0
        while place < len(text):
            if entry := self._at(text, place):
                end = place + len(entry.text)
                parts += [text[done:place], said(entry, text[place:end])]
                done = place = end
            else:
                place += 1
        return "".join([*parts, text[done:]])

    def _at(self, text: str, place: int) -> Pronunciation | None:
        """The longest entry that fits at `place`. Far quicker than one pattern of all entries, which tries each of
        them at every letter."""
        inside = place > 0 and _is_word(text[place - 1])
        for entry, key in self._entries.get(text[place].casefold(), ()):
            if entry.whole_word and inside:
                continue
            end = place + len(entry.text)
            words = text[place:end]
            if (words if entry.case_sensitive else words.casefold()) != key:
                continue
            if not (entry.whole_word and end < len(text) and _is_word(text[end])):
                return entry
        return None


def marked(word: str, ipa: str, phonemes: Phonemes) -> str:
    """A word with its sound, as a voice takes it."""
    match phonemes:
        case "inline":
            return f"[{'_'.join(word.split())}](/{'_'.join(ipa.split())}/)"
        case "ssml":
            return f'<phoneme alphabet="ipa" ph="{ipa}">{escape(word)}</phoneme>'
        case "cartesia":
            return " ".join(f"<<{'|'.join(_CARTESIA_PHONES.findall(part))}>>" for part in ipa.split())
        case "deepgram":
            return f'\\{{"word": {json.dumps(word, ensure_ascii=False)}, "pronounce": "{ipa}"\\}}'
    return word


Index = dict[str, list[tuple[Pronunciation, str]]]
Joints = dict[str, list[tuple[str, str]]]


@lru_cache(maxsize=128)
def _indexed(entries: tuple[Pronunciation, ...]) -> tuple[Index, Joints]:
    """By their first letter, the entries and how they are spelled, the longest first; and their joints. Calls with
    the same entries share them."""
    # Read as a text is, so that quotes and spaces are the same ones.
    known = [entry.model_copy(update={"text": text}) for entry in entries if (text := plain(entry.text))]
    known.sort(key=lambda entry: (-len(entry.text), not entry.case_sensitive))
    index: Index = {}
    for entry in known:
        key = entry.text if entry.case_sensitive else entry.text.casefold()
        index.setdefault(entry.text[0].casefold(), []).append((entry, key))
    return index, _joints(known)


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _joints(entries: Sequence[Pronunciation]) -> Joints:
    """Where entries of several words could be torn: what comes before and after, by the word that comes before."""
    joints: Joints = {}
    for entry in entries:
        words = entry.text.casefold().split()
        for at in range(1, len(words)):
            joints.setdefault(_bare(words[at - 1]), []).append((" ".join(words[:at]), " ".join(words[at:])))
    return joints


def _bare(word: str) -> str:
    return word.lstrip(_OPENERS)
