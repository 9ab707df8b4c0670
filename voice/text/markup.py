"""Takes the marks for the eye out of a text: Markdown, HTML, emoji, bullets. Knows no language.

A text may be a piece of a longer one, so marks are not paired: a lone `**` goes as well.
"""

from __future__ import annotations

import re
import unicodedata

_MARKED = re.compile(r"[^\x20-\x7e]|[*_`#>\[\]<|~\\]|^\s*[-+=]|^\s*\d+[.)]\s|\s\s|^\s|\s$")
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u02bc\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f", " "),
        **dict.fromkeys("\u2010\u2011\u2043", "-"),
        **dict.fromkeys("\u200b\u200c\u2060\ufeff\u00ad\u2122\u00ae\u00a9", ""),
        "\u2026": "...",
        "\u2212": "-",
    }
)
_EMOJI = re.compile(
    "(?:[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff\ufe0f\u20e3\u200d]|[\U000e0020-\U000e007f])+"
)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)?")
_LINK_TAIL = re.compile(r"\]\([^()\s]*\)?")
_FENCE = re.compile(r"^\s*(?:```|~~~)[^\n`]*$", re.MULTILINE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_RULE = re.compile(
    r"^[ \t]*([-*_=])(?:[ \t]*\1){2,}[ \t]*$|^[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+[ \t:-]*$", re.MULTILINE
)
_PREFIX = re.compile(
    r"^[ \t]*(?:(?:#{1,6}|>|[-*+\u2022\u2023\u25e6\u00b7](?:[ \t]*\[[ xX]\])?)(?:[ \t]+|$))+", re.MULTILINE
)
_NUMBERED = re.compile(r"^([ \t]*\d{1,3})[.)][ \t]+(?=\S)", re.MULTILINE)
_PRODUCT = re.compile(r"(?<=\d)\s*\*\s*(?=\d)")
_EMPHASIS = re.compile(r"\*+|`+|~~+|(?<!\w)_+|_+(?!\w)")
_LINES = re.compile(r"\s*\n\s*")
_SPACES = re.compile(r"\s+")
_ENDED = ".!?:;,"


def plain(text: str) -> str:
    """`text` on one line and without markup. Digits of any script become ASCII ones."""
    while _MARKED.search(text) is not None:
        before, text = text, _unmarked(text)
        if text == before:
            break
    return text


def _unmarked(text: str) -> str:
    if not text.isascii():
        text = _EMOJI.sub(" ", text.translate(_CHARACTERS))
        text = re.sub(r"[^\W\x00-\x7f]", _ascii_digit, text)
    text = _LINK.sub(r"\1", text)
    text = _LINK_TAIL.sub("", text)
    text = _TAG.sub(" ", _FENCE.sub("", text))
    text = _PREFIX.sub("", _RULE.sub("", text))
    text = _EMPHASIS.sub("", _PRODUCT.sub(" \u00d7 ", text))
    text = _NUMBERED.sub(r"\1, ", text)
    text = text.replace("|", ", ").translate(_BRACKETS)
    if "\n" in text:
        text = " ".join(_line(line) for line in _LINES.split(text.strip()) if line)
    return _SPACES.sub(" ", text).strip()


_BRACKETS = str.maketrans("", "", "[]\\")


def _ascii_digit(match: re.Match[str]) -> str:
    character = match[0]
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _line(line: str) -> str:
    """A line that ends without a stop gets one, for a voice does not see its end."""
    return line if line[-1] in _ENDED or (line[-1] in "\"')" and line[-2:-1] in _ENDED) else f"{line}."
