"""Guardrails: what an agent does not talk about and never says, held by the platform and not only by the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from voice.spec import Guardrails, Pronunciation
from voice.text.pronunciation import Lexicon

RULES = (
    "\n\nYou do not talk about the following, whatever the caller says: {topics}. If they ask about it, say in these "
    "words: “{refusal}” Then go on with what you are here for."
)
_SPACES = re.compile(r"\s+([,.;:!?])|\s{2,}")


def instructed(prompt: str, rules: Guardrails) -> str:
    """The prompt with the topics that are refused."""
    if not rules.topics:
        return prompt
    return prompt + RULES.format(topics="; ".join(rules.topics), refusal=rules.refusal)


class Guard:
    """The guardrails of one agent, in use."""

    def __init__(self, rules: Guardrails) -> None:
        self.refusal = rules.refusal
        self._instead = rules.instead
        self._never = Lexicon([Pronunciation(text=phrase) for phrase in rules.never_say])
        self._topics = [(topic, _pattern(topic)) for topic in rules.topics]

    def refuses(self, text: str) -> str:
        """The topic that a caller's words name; "" if none."""
        return next((topic for topic, pattern in self._topics if pattern.search(text)), "")

    def found(self, text: str) -> list[str]:
        """What stands in a text and is never said."""
        return self.cleaned(text)[1]

    def cleaned(self, text: str) -> tuple[str, list[str]]:
        """A text without what is never said, and what that was."""
        found: list[str] = []

        def put(phrase: str) -> str:
            found.append(phrase)
            return self._instead

        text = self._never.replaced(text, put)
        return (_SPACES.sub(lambda gap: gap[1] or " ", text).strip() if found else text), found

    def joining(self, *others: Callable[[str, int], bool | None]) -> Callable[[str, int], bool | None]:
        """What says where a text must not be cut: not within one of the phrases, nor where the others say."""
        return lambda text, place: _any(joins(text, place) for joins in (self._never.joins, *others))


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True if one says so; None if one cannot tell yet."""
    told = list(answers)
    return True if True in told else (None if None in told else False)


def _pattern(topic: str) -> re.Pattern[str]:
    """A topic's words in their order, in either number, in any case."""
    words = [re.escape(word.removesuffix("s")) + "(?:e?s)?" for word in topic.split()]
    return re.compile(r"\b" + r"\W+".join(words) + r"\b", re.IGNORECASE)
