"""Passages: pieces of a document that are long enough to say something, and short enough to be read on a call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from builder.knowledge.parsing import Block

WORDS = 120
"""About as many words a passage has; the local embedder reads no more than some 200."""
OVERLAP = 20
"""So many words of the passage before are repeated, where a paragraph had to be parted."""

_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+|\n+")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Piece:
    """`heading` are the headings above it with " > " between; `page` is the one that it begins on."""

    text: str
    heading: str = ""
    page: int | None = None


def pieces(blocks: Iterable[Block]) -> list[Piece]:
    """Whole paragraphs as long as they fit, else whole sentences, else words. None crosses a heading."""
    made: list[Piece] = []
    gathered: list[Block] = []
    for block in blocks:
        if gathered and (block.headings != gathered[0].headings or _words(gathered) + len(block.text.split()) > WORDS):
            made += _close(gathered)
            gathered = []
        gathered.append(block)
    return made + _close(gathered)


def _words(blocks: list[Block]) -> int:
    return sum(len(block.text.split()) for block in blocks)


def _close(blocks: list[Block]) -> list[Piece]:
    if not blocks:
        return []
    heading = " > ".join(blocks[0].headings)[-300:]
    text = "\n".join(block.text for block in blocks)
    return [Piece(part, heading, blocks[0].page) for part in _parts(text)]


def _parts(text: str) -> Iterator[str]:
    """`text`, or overlapping parts of it, each of about `WORDS` words."""
    # A little more than that is not worth a passage of a few words.
    if len(text.split()) <= WORDS + OVERLAP:
        yield text
        return
    part: list[str] = []
    length = 0
    for sentence in _sentences(text):
        count = len(sentence.split())
        if part and length + count > WORDS:
            yield " ".join(part)
            part = _tail(part)
            length = sum(len(words.split()) for words in part)
        part.append(sentence)
        length += count
    yield " ".join(part)


def _sentences(text: str) -> Iterator[str]:
    """Sentences, those that are too long in pieces."""
    for sentence in _SENTENCE_END.split(text):
        words = sentence.split()
        for start in range(0, len(words), WORDS - OVERLAP):
            yield " ".join(words[start : start + WORDS - OVERLAP])


def _tail(sentences: list[str]) -> list[str]:
    """The last sentences that fit into the overlap; the last words of a long one."""
    tail: list[str] = []
    length = 0
    for sentence in reversed(sentences):
        length += len(sentence.split())
        if length > OVERLAP:
            break
        tail.insert(0, sentence)
    return tail or [" ".join(sentences[-1].split()[-OVERLAP:])]
