"""Which of the agent's words the caller has heard, in the agent's own spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator

# So many words ahead a heard word is looked for: marks for the eye and words of the engine's own lie in between.
_AHEAD = 8
_WORD = re.compile(r"\S+")


class Spoken:
    """The text of one reply, and how far it was heard.

    The agent's side puts its text and what was heard of it together letter by letter, so it must be told its own
    words only, and each as it wrote it: not what the engine said in between ("one moment"), nor what it left out.
    """

    def __init__(self) -> None:
        self._text = ""
        self._heard = 0

    def grow(self, text: str) -> None:
        """The agent has written more."""
        self._text += text

    def heard(self, word: str) -> str:
        """The agent's word that was heard as `word`, or "" if the agent has not said it."""
        bare = _bare(word)
        for count, match in enumerate(_WORD.finditer(self._text, self._heard)):
            if count == _AHEAD:
                break
            if bare and _bare(match[0]) == bare:
                self._heard = match.end()
                return match[0]
        return ""

    def rest(self) -> Iterator[str]:
        """What is left, now that all was heard."""
        for match in _WORD.finditer(self._text, self._heard):
            yield match[0]
        self._heard = len(self._text)


def _bare(word: str) -> str:
    """A word without what is not spoken of it."""
    return "".join(filter(str.isalnum, word)).casefold() or word
