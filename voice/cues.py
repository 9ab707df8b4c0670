"""What words say about a turn: that it goes on, that it is over, that it was none.

Everything here reads text and nothing else. It knows English; of other languages it says nothing, and the sound of the
voice decides alone (`reads`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

BACKCHANNELS = frozenset(
    "ah aha all alright good great hm hmm huh mhm mhmm mm mmhm mmhmm mmm oh ok okay right sure thank thanks uhhuh "
    "uh-huh um wow yea yeah yep yes you mm-hm mm-hmm uh".split()
)
HESITATIONS = frozenset("ah eh er erm hm hmm mm mmm uh uhm um umm".split())
# Nobody stops after these, though a question may end with one of the second kind ("What is it for?"). Not here: words
# that end statements as well.
_BEFORE_MORE = HESITATIONS | frozenset(
    "a an and because but dr i i'd i'll i'm i've if is it's mr mrs my or our so than that's the their unless until we "
    "we'd we're whether while your".split()
)
_BEFORE_A_THING = frozenset("as at between by during for from in into of on to when which with without".split())
# What people say while they look for the words.
_SEARCHING = re.compile(
    r"\b(let me (see|think|check|look)|let's see|hold on|hang on|one (moment|second|sec)|just a (moment|second|sec)|"
    r"give me a (moment|second|sec)|how do i say|what was it|you know|i mean)\W*$"
)
_YES_NO = frozenset("yes yeah yep yup sure no nope nah correct right okay ok exactly".split())
# An answer to "yes or no?" that has more words than this says something else.
_SHORT_ANSWER = 4
# Of an echo's words, so many are in what the agent says; of one that goes on, the last words are often misheard.
ECHO_SHARE, ECHO_SHARE_SO_FAR = 0.7, 0.5


def reads(language: str) -> bool:
    """Whether the words of this language (a BCP 47 tag) are understood here."""
    return language.lower().split("-")[0] == "en"


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w'-]+", text.lower())


def is_backchannel(text: str) -> bool:
    """Whether the words only say "I'm listening". No words at all say nothing."""
    words = words_of(text)
    return bool(words) and len(words) <= 3 and all(word in BACKCHANNELS for word in words)


def is_hanging(text: str) -> bool:
    """Whether the words stop where nobody stops: after "and", "my", "um"."""
    words = words_of(text)
    if not words:
        return False
    return words[-1] in _BEFORE_MORE or (words[-1] in _BEFORE_A_THING and not text.rstrip().endswith("?"))


def asks_yes_or_no(agent_text: str) -> bool:
    """Whether the agent's words so far end in a question to which "yes" is an answer."""
    return agent_text.rstrip().endswith("?") and expected(agent_text) == YES_NO


def is_echo(caller_words: str, agent_words: str, *, whole: bool = True) -> bool:
    """Whether what seems to come from the caller repeats what the agent is saying.

    Recognition gets an echo's words only nearly right, so most of them in their order are enough. A caller may take up
    a single word of the agent's, so one is not, unless more are coming (`whole` is false).
    """
    heard, said = _plain(caller_words), _plain(agent_words)
    if len(heard) < (2 if whole else 1):
        return False
    return _common(heard, said) >= (ECHO_SHARE if whole else ECHO_SHARE_SO_FAR) * len(heard)


def _plain(text: str) -> list[str]:
    return [word.replace("'", "") for word in words_of(text.replace("-", " "))]


def _common(heard: list[str], said: list[str]) -> int:
    """How many of the words are in both, in the same order."""
    row = [0] * (len(said) + 1)
    for word in heard:
        diagonal = 0
        for i, other in enumerate(said, 1):
            diagonal, row[i] = row[i], diagonal + 1 if word == other else max(row[i], row[i - 1])
    return row[-1]


# --- what the agent has asked for


@dataclass(frozen=True, slots=True)
class Expecting:
    """What kind of answer the agent's question asks for. `lengths` are the digits that make a number complete."""

    what: Literal["open", "yes_no", "name", "spelling", "email", "date", "digits"] = "open"
    lengths: frozenset[int] = frozenset()


OPEN = Expecting()
YES_NO = Expecting("yes_no")
NAME = Expecting("name")
SPELLING = Expecting("spelling")
EMAIL = Expecting("email")
DATE = Expecting("date")
DIGITS = Expecting("digits")
PHONE = Expecting("digits", frozenset({7, 10, 11, 12}))

_ASKS = r"\b(what|which|your|give|tell|have|enter|read|say|confirm|provide|need|repeat)\b.*"
_BEGINS = r"(^|[,;] )((so|and|okay|great|then)\W+)*"
# The first that fits the question counts.
_QUESTIONS = (
    (YES_NO, r"\byes or no\b|\b(right|correct|okay|all right)\?$"),
    (YES_NO, _BEGINS + r"(is|was|are) (that|this|it|the|your|you|there)\b"),
    (
        YES_NO,
        _BEGINS + r"(would you like|do you want|shall (i|we)|should (i|we)|do you (have|need|know)|have you)\b.*\?$",
    ),
    (SPELLING, r"\bspell|\bletter by letter\b"),
    (EMAIL, r"\be-?mail\b"),
    (DATE, r"\bdate of birth\b|\bbirth ?(day|date)\b|\b(when|what day) were you born\b"),
    (Expecting("digits", frozenset({4})), r"\b(last|first) (four|4)\b"),
    (Expecting("digits", frozenset({5, 9})), r"\bzip\b"),
    (Expecting("digits", frozenset({9})), r"\bsocial security\b"),
    (Expecting("digits", frozenset({15, 16})), r"\b(credit|debit|card) ?(card)? number\b"),
    (PHONE, r"\b((tele)?phone|mobile|cell|contact|call ?back|best|your) number\b"),
    (PHONE, r"\bnumber\b.*\b(call|reach|text)\b|\b(call|reach|text) you (on|at)\b"),
    (DIGITS, _ASKS + r"\b(number|digits|code|pin)\b"),
    (NAME, _ASKS + r"\bname\b|\bwho (am i|is this|is calling)\b|\bfull name\b"),
    (YES_NO, _BEGINS + r"(do|does|did|can|could|will|would|has|have|may) (you|we|i|it|that|this|they)\b.*\?$"),
)


def expected(agent_text: str) -> Expecting:
    """What the agent's words ask the caller for: what their last question or request does, or the one before it."""
    sentences = [part for part in re.split(r"(?<=[.?!])\s+", agent_text.strip().lower()) if words_of(part)]
    for sentence in reversed(sentences[-2:]):
        for expecting, pattern in _QUESTIONS:
            if re.search(pattern, sentence):
                return expecting
        if sentence.endswith("?"):
            break
    return OPEN


# --- numbers and letters, as they are dictated

_UNITS = frozenset("zero oh o one two three four five six seven eight nine".split())
_TEENS = frozenset("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split())
_TENS = frozenset("twenty thirty forty fifty sixty seventy eighty ninety".split())
_TIMES = {"double": 2, "triple": 3}
# What recognition writes for digits that it did not take for any, where a number was asked for.
_SOUNDS_LIKE = frozenset("for fore to too won ate".split())
# So many digits or letters at the end, one by one, are being dictated, whatever was asked.
_DICTATED = 3


def digits(text: str, *, asked: bool = False) -> int:
    """How many digits the text says: 7 in "five five five, 0123", 6 in "twenty one 50 double two".

    With `asked`, words that only sound like digits count too.
    """
    count, times, tens = 0, 1, False
    for word in _plain(text):
        if word.isdecimal():
            count += len(word) * times
        elif word in _TEENS or word in _TENS:
            count += 2
        elif word in _UNITS or (asked and word in _SOUNDS_LIKE):
            # The "one" of "twenty one" is in the two digits of "twenty".
            count += 0 if tens else times
        times, tens = _TIMES.get(word, 1), word in _TENS
    return count


def _dictated(text: str) -> tuple[int, int]:
    """How many digits, and how many letters, come one by one at the end."""
    numbers = letters = 0
    for word in reversed(_plain(text)):
        if word in _UNITS or word in _TIMES or (word.isdecimal() and not letters):
            numbers += 1
        elif len(word) == 1 and word.isalpha() and not numbers:
            letters += 1
        else:
            break
    return numbers, letters


# --- what a turn's words say at a pause


@dataclass(frozen=True, slots=True)
class Cue:
    """What words say about whether the caller goes on: bounds to a doubt that is 0 for finished and 1 for unfinished.

    Above 1 the caller is given longer than others who sound unfinished.
    """

    name: str
    least: float
    most: float

    @property
    def may_be_last(self) -> bool:
        """Whether it is worth while to think about an answer before the silence has decided."""
        return self.least < 1.0

    def bound(self, doubt: float, by: str) -> tuple[float, str]:
        """The doubt within these bounds, and what it is due to."""
        bounded = min(max(doubt, self.least), self.most)
        return bounded, by if bounded == doubt else self.name


HESITATION = Cue("hesitation", 1.8, 1.8)
WORDS = Cue("words", 1.0, 1.0)
LETTERS = Cue("spelling", 1.0, 1.0)
NUMBER_SO_FAR = Cue("digits", 1.4, 1.4)
NUMBER_OF_ANY_LENGTH = Cue("digits", 1.0, 1.4)
NUMBER_COMPLETE = Cue("digits", 0.0, 0.2)
HALF_AN_ADDRESS = Cue("email", 1.0, 1.4)
HALF_A_DATE = Cue("date", 1.0, 1.4)
ANSWER = Cue("answer", 0.0, 0.3)
QUESTION = Cue("question", 0.0, 1.0)
# Recognition hears a voice that stays up, and writes a comma.
COMMA = Cue("comma", 0.5, 1.0)
# Statements are answered after a little more than the least: the answer is being thought up meanwhile, so that it costs
# nothing, and many breaths are shorter.
STATEMENT = Cue("statement", 0.2, 1.0)

_ADDRESS = re.compile(r"(@|\bat\b).*(\.|\bdot\b)\s?\w")
_DAY = re.compile(r"\b(\d{1,2}|\w+(st|nd|rd|th|teen|ty))\b")
_YEAR = re.compile(r"\b(19|20)\d\d\b|\b(nineteen|twenty|two thousand)\b|\d+\W+\d+\W+\d+")


def read(text: str, expecting: Expecting = OPEN) -> Cue:
    """What the words of a turn say when the caller pauses after them.

    The first that applies counts: how the words end, then what was asked for, then what they are.
    """
    words = words_of(text)
    if words and (words[-1] in HESITATIONS or _SEARCHING.search(text.lower())):
        return HESITATION
    if is_hanging(text):
        return WORDS
    return _dictation(text, expecting) or _sentence(text, words, expecting)


def is_dictated(cue: Cue, expecting: Expecting) -> bool:
    """Whether a number, an address or a spelling is being said, or was asked for, and is not complete."""
    dictated = ("digits", "spelling", "email")
    return cue is not NUMBER_COMPLETE and (cue.name in dictated or expecting.what in dictated)


def _dictation(text: str, expecting: Expecting) -> Cue | None:
    """What is said of numbers, letters and addresses, whose ends are known by themselves."""
    lower = text.lower()
    match expecting.what:
        case "digits" if count := digits(text, asked=True):
            return _number(count, expecting.lengths)
        case "spelling":
            return LETTERS
        case "email" if not _ADDRESS.search(lower):
            return HALF_AN_ADDRESS
        case "date" if not (_DAY.search(lower) and _YEAR.search(lower)):
            return HALF_A_DATE
    numbers, letters = _dictated(text)
    if numbers >= _DICTATED:
        return _number(digits(text), PHONE.lengths)
    return LETTERS if letters >= _DICTATED else None


def _number(count: int, lengths: frozenset[int]) -> Cue:
    if not lengths:
        return NUMBER_OF_ANY_LENGTH
    return NUMBER_COMPLETE if count in lengths or count > max(lengths) else NUMBER_SO_FAR


def _sentence(text: str, words: list[str], expecting: Expecting) -> Cue:
    if expecting.what == "yes_no" and len(words) <= _SHORT_ANSWER and words[0] in _YES_NO:
        return ANSWER
    stop = text.rstrip()[-1:]
    return {"?": QUESTION, ",": COMMA}.get(stop, STATEMENT)
