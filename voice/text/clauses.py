"""Cuts a growing text into pieces that can be spoken while the rest is still being written."""

from __future__ import annotations

from collections.abc import Callable

# Sound starts early: until so much was said, a piece may end at any comma with a few words before it...
EAGER_CHARACTERS = 18
EAGER_WORDS, EAGER_LEAST = 3, 12
# ...and with no stop in sight it is cut in front of a small word.
UNSTOPPED_WORDS, UNSTOPPED_LEAST = 7, 4
# ...a very short one while a slow writer keeps the listener waiting.
HURRIED_WORDS, HURRIED_LEAST = 4, 3
# Later pieces are sentences, or clauses long enough to sound like something.
CLAUSE_CHARACTERS = 60
# No piece grows much past these for want of a stop: voices have a limit.
UNSTOPPED_CHARACTERS = 220
LONGEST_CHARACTERS = 320

# A name, a number or a small letter is expected after these, and their full stop ends nothing...
_ABBREVIATIONS = frozenset(
    "adm approx bldg capt cf col dr e.g est fig fr gen gov hon i.e lt messrs mr mrs ms mt nos pp prof rep rev sen sgt "
    "st ste vol vs".split()
)
# ...and these may end a sentence, if a capital follows.
_MAY_END = frozenset(
    "a.m p.m apt aug ave blvd co corp ct dec dept etc ext feb fl fri ft hr hrs inc jan jr jul jun lb lbs ln ltd mar "
    "max min mon nov oct oz pl rd sat sec sept sq sr sun thu thur thurs tue tues u.k u.s wed".split()
)
_BREAKS = frozenset(
    "about across after although and as at because before behind between but by during for from if in near on or since "
    "so that then through unless until when where whether which while who with within without".split()
)
_OPENERS = "\"'([{*_`\u2018\u201c\u00ab\u00bf\u00a1"
_CLOSERS = "\"')]}*_`\u2019\u201d\u00bb"
_WIDE_STOPS = "\u3002\uff01\uff1f"  # which need no space after them


class Clauses:
    """Takes a text as it is written and gives back pieces to speak.

    The first piece is short, so that sound starts early; the others are sentences, or clauses of some length. A piece
    ends only where that is certain, which the first letter of the next word must confirm ("3 p.m. on", "3 p.m. We").
    Pieces have no white space at their ends, and nothing else of the text is lost. How the text is divided among
    the calls of `push` makes no difference. No piece ends where `joins` says that words belong together: it is given
    the text and the place, and says None where it cannot tell yet.
    """

    def __init__(self, joins: Callable[[str, int], bool | None] = lambda text, place: False) -> None:
        self.hurried = False
        """The first piece is wanted: it may be as short as sounds well."""
        self._joins = joins
        self._text = ""  # from the start of the piece
        self._judged = 0  # so much of it was looked at
        self._words: list[tuple[int, int]] = []  # where each word in that part begins and ends
        self._said = 0

    def push(self, text: str) -> list[str]:
        """The pieces that are complete now that `text` has come."""
        self._text += text
        return self._pieces(over=False)

    def flush(self) -> list[str]:
        """All that is left, for no more text comes. A new text may follow."""
        pieces = self._pieces(over=True)
        if rest := self._text.strip():
            pieces.append(rest)
        self.__init__(self._joins)  # type: ignore[misc]
        return pieces

    def _pieces(self, *, over: bool) -> list[str]:
        pieces = []
        while (end := self._next(over)) is not None:
            piece = self._text[:end].strip()
            pieces.append(piece)
            self._said += len(piece)
            self._text = self._text[end:]
            self._judged -= end
            self._words = [(begin - end, last - end) for begin, last in self._words if begin >= end]
        return pieces

    def _next(self, over: bool) -> int | None:
        """Where the piece ends, if that is known. Looks at each word once, in order."""
        while True:
            begin, end, following = self._word()
            if begin == end or (following == len(self._text) and not over):
                return None
            joined = self._joins(self._text, end)
            if joined is None and not over:
                return None
            self._judged = end
            self._words.append((begin, end))
            if not joined and self._is_end(begin, end, following):
                return end
            if (cut := self._unstopped()) is not None:
                return cut

    def _word(self) -> tuple[int, int, int]:
        """The next word's begin and end, and where the word after it begins."""
        text, begin = self._text, self._judged
        length = len(text)
        while begin < length and text[begin].isspace():
            begin += 1
        end = begin
        while end < length and not text[end].isspace() and (end == begin or text[end - 1] not in _WIDE_STOPS):
            end += 1
        following = end
        while following < length and text[following].isspace():
            following += 1
        return begin, end, following

    def _is_end(self, begin: int, end: int, following: int) -> bool:
        text = self._text
        word = text[begin:end].strip(_CLOSERS + _OPENERS)
        if "\n" in text[end:following]:
            return any(map(str.isalnum, text[:end]))
        if not word or not any(map(str.isalnum, text[:end])):
            return False
        next_letter = text[following : following + 1]
        match word[-1]:
            case "!" | "?" | "\u3002" | "\uff01" | "\uff1f":
                return True
            case "." if not word.endswith(".."):
                return self._is_full_stop(word[:-1], next_letter)
            case "," if word[-2:-1].isdigit() and next_letter.isdigit():
                return False  # "November 23, 2026"
            case "," | ";" | ":" | "." | "\u2026" | "\u2013" | "\u2014":
                return self._is_long_enough(end)
        return False

    def _is_full_stop(self, word: str, next_letter: str) -> bool:
        if len(self._words) == 1 and word.isdigit():
            return False  # "1. Turn it off"
        lower = word.lower()
        if lower == "no":
            return not next_letter.isdigit() and next_letter != "#"
        if lower in _ABBREVIATIONS or (len(word) == 1 and word.isupper() and word != "I"):
            return False
        if lower in _MAY_END:
            return not next_letter.islower() and not next_letter.isdigit() and next_letter not in ",;:("
        return True

    def _is_long_enough(self, end: int) -> bool:
        length = len(self._text[:end].strip())
        if self._said >= EAGER_CHARACTERS:
            return length >= CLAUSE_CHARACTERS
        return length >= EAGER_CHARACTERS or (len(self._words) >= EAGER_WORDS and length >= EAGER_LEAST)

    def _unstopped(self) -> int | None:
        """Where to cut a piece that has grown long without a stop: in front of its last small word."""
        count = len(self._words)
        hurried = self.hurried and not self._said
        enough, least = (HURRIED_WORDS, HURRIED_LEAST) if hurried else (UNSTOPPED_WORDS, UNSTOPPED_LEAST)
        eager = self._said < EAGER_CHARACTERS and count >= enough
        if not eager and self._judged < UNSTOPPED_CHARACTERS:
            return None
        for place in range(count - 1, least - 1, -1):
            begin, end = self._words[place]
            if self._text[begin:end].lower() in _BREAKS and not self._in_number(place) and not self._in_name(place):
                return begin
        return self._judged if self._judged >= LONGEST_CHARACTERS else None

    def _in_name(self, place: int) -> bool:
        """Whether the word belongs to the one before it."""
        return bool(self._joins(self._text, self._words[place - 1][1]))

    def _in_number(self, place: int) -> bool:
        """Whether the word stands between numbers, as far as is known: "9 to 5", "$10 or $20"."""
        around = self._words[place - 1 : place + 2 : 2]
        return all(any(map(str.isdigit, self._text[begin:end])) for begin, end in around)
