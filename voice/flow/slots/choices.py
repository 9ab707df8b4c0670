"""Yes and no, and one of several, as callers say them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from voice.flow.slots.numbers import ordinal

_YES = (
    r"(?:yes|yeah|yep|yup|ya|sure|correct|right|exactly|absolutely|definitely|of course|certainly|please do|ok|okay|"
    r"uh-huh|mm-?hmm|that's (?:right|correct|fine|it|good|me)|that is (?:right|correct)|sounds (?:good|right)|"
    r"perfect|great|you got it|affirmative|it is|i do|i would|go ahead)"
)
_NO = (
    r"(?:no|nope|nah|not (?:really|quite|right|correct|at all)|wrong|incorrect|negative|never|rather not|"
    r"(?:that's|that is|it's|it is) (?:wrong|incorrect|not(?: (?:quite|really))?(?: (?:right|correct|it|true))?)|"
    r"i don't|it isn't|don't)"
)
_FILLER = r"(?:um|uh|er|well|oh|so|and|actually|sorry|hmm|mm|i think|i guess)"
_ANSWER = re.compile(
    rf"^[\s,.]*(?:{_FILLER}[\s,.]+)*(?:(?P<no>{_NO})|(?P<yes>{_YES}))(?=$|[\s,.!?;])[\s,.!?;]*(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_DECLINES = re.compile(
    r"\b(?:skip|none|no(?:ne)? (?:thanks|thank you)|(?:i )?(?:don't|do not) (?:have|know|want|need)|rather not|"
    r"prefer not|not (?:applicable|sure)|nothing|leave it (?:out|blank|empty)|n\.?a\.?)\b",
    re.IGNORECASE,
)
_POLITE = re.compile(r"^(?:please|thanks|thank you|sir|ma'am)[\s,.!]*", re.IGNORECASE)
_CLOSE = 0.84
_SHORT = 3
"""Letters of words that mean nothing by themselves."""


def yes_or_no(text: str) -> tuple[bool | None, str]:
    """Whether a text says yes or no, and what is said behind it: "no, the fourteenth" is (False, "the fourteenth")."""
    match = _ANSWER.match(text.replace("\u2019", "'"))
    if match is None:
        return None, text
    rest = match["rest"].strip()
    if again := _ANSWER.match(rest):
        # "Yes, that's right."
        same = (again["yes"] is None) == (match["yes"] is None)
        rest = again["rest"].strip() if same else rest
    rest = _POLITE.sub("", rest)
    return match["yes"] is not None, rest


def declines(text: str) -> bool:
    """Whether a caller would rather not say, or has none."""
    found = yes_or_no(text)
    return bool(_DECLINES.search(text.replace("\u2019", "'"))) or (found[0] is False and not found[1])


def choice(text: str, options: Sequence[str], *, positions: bool = True) -> str | None:
    """The one of `options` that a text means: by its words, nearly its words, or its place ("the second one")."""
    said = _words(text)
    if not said:
        return None
    named = [option for option in options if _within(_words(option), said)]
    # "A window table" names "window table", not "table" as well.
    named = [one for one in named if not any(one != other and _within(_words(one), _words(other)) for other in named)]
    if named:
        return named[0] if len(named) == 1 else None
    if len(marked := [option for option in options if _has_own_word(option, options, said)]) == 1:
        return marked[0]
    scored = sorted(((_closeness(_words(option), said), option) for option in options), reverse=True)
    if scored[0][0] >= _CLOSE and (len(scored) < 2 or scored[1][0] < scored[0][0]):
        return scored[0][1]
    return _by_place(said, options) if positions else None


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower().replace("'", "").replace("\u2019", ""))


def _within(part: list[str], whole: list[str]) -> bool:
    length = len(part)
    return bool(part) and any(
        [_stem(word) for word in whole[place : place + length]] == [_stem(word) for word in part]
        for place in range(len(whole) - length + 1)
    )


def _has_own_word(option: str, options: Sequence[str], said: list[str]) -> bool:
    """Whether a word was said that stands in this option alone: "by the window" is the "window table"."""
    own = {_stem(word) for word in _words(option) if len(word) > _SHORT}
    others = {_stem(word) for other in options if other != option for word in _words(other)}
    return not (own - others).isdisjoint(map(_stem, said))


def _stem(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


def _closeness(option: list[str], said: list[str]) -> float:
    """How nearly the words of an option are among those that were said."""
    if not option:
        return 0.0
    length = len(option)
    runs = [said[place : place + length] for place in range(max(1, len(said) - length + 1))]
    return max(SequenceMatcher(None, "".join(option), "".join(run)).ratio() for run in runs)


def _by_place(said: list[str], options: Sequence[str]) -> str | None:
    if "last" in said or "latter" in said:
        return options[-1]
    if "former" in said:
        return options[0]
    for word in said:
        place = ordinal(word) if not word.isdigit() or len(said) <= 2 else None
        if place and 1 <= place <= len(options) and (word != "second" or len(said) <= 5):
            return options[place - 1]
    return None
