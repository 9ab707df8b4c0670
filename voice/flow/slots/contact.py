"""Names, e-mail addresses and phone numbers as callers say and spell them."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult

from voice.flow.slots.numbers import TIMES, digits

# --- spelling

_SPELLED = re.compile(r"(?<![\w'])(?:capital )?([a-z])\b(?:\s+(?:as in|for|like)\s+[a-z]+\b)?[\s,.-]*", re.IGNORECASE)
_SAME_SOUND = 0.6


def spelled(text: str) -> tuple[str, int, int] | None:
    """The longest stretch of letters one by one ("J A N E", "j as in john, a as in apple"): the word that they make,
    and where it begins and ends. A single letter is none."""
    best: tuple[str, int, int] | None = None
    place = 0
    while match := _SPELLED.search(text, place):
        start, letters = match.start(), ""
        while match is not None and match.end() > place:
            letters, place = letters + match[1], match.end()
            match = _SPELLED.match(text, place)
        if len(letters) > 1 and (best is None or len(letters) > len(best[0])):
            best = letters, start, place
    return best


# --- names

_SPELLING_FOLLOWS = re.compile(r"[\s,.]*(?:spelled|that's|that is|spelt|which is|it's|is)?[\s,.]*$", re.IGNORECASE)
_LEAD_IN = re.compile(
    r"^(?:(?:um|uh|er|so|well|okay|ok|yes|yeah|sure|hi|hello|oh|and|please|of course|no problem)[\s,.!]+)*"
    r"(?:(?:it is|it's|its|this is|that's|that is|that would be|it would be|i am|i'm|my name's|"
    r"(?:my |the |our |his |her |first |last |full |sur)*name(?: is| would be|'s)?|name's|"
    r"(?:you can |just |please |everybody |they |people )*calls? me|(?:\w+ it |\w+ )?under|for|make it)[\s,:]+)*",
    re.IGNORECASE,
)
_TRAILER = re.compile(
    r"(?:[\s,.!]+(?:speaking|here|please|thanks|thank you|if that's okay|is my name|is the name))*[\s,.!?]*$",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(
    "a about after again agent all already also am an and any are as ask at available be because been book but "
    "by call can change could day did do does doesn't don't for from get give go going have he hello help hi how "
    "human i i'm if in is isn't it just know later like make manager many me mean much my need next no nope not "
    "of off on one open operator or our out person please question representative right say should so some "
    "somebody someone something sorry speak still stop sure talk tell than that the their them then there these "
    "they this time to today tomorrow up us wait want was we were what when where which who why will with wonder "
    "would yes you your".split()
)
_PARTICLES = frozenset("van von de der den la le di da del du bin ibn al el".split())
MOST_NAMES = 5


def name(text: str) -> str | None:
    """A person's name: "my name is jane doe" is "Jane Doe". A spelled last name replaces the one that was heard.
    None where it is no name: a question, a sentence, a number."""
    text = text.replace("\u2019", "'")
    if text.rstrip().endswith("?") or any(map(str.isdigit, text)):
        return None
    found = spelled(text)
    if found:
        return _with_spelling(text, *found)
    words = _TRAILER.sub("", _LEAD_IN.sub("", text.strip(), count=1)).replace(",", " ").replace(".", " ").split()
    if not 1 <= len(words) <= MOST_NAMES or any(word.lower() in _NO_NAMES for word in words):
        return None
    return " ".join(_capital(word) for word in words)


def _with_spelling(text: str, letters: str, start: int, end: int) -> str | None:
    before = _SPELLING_FOLLOWS.sub("", text[:start])
    rest = re.sub(r"^[\s,.]*(?:and|then)[\s,]+", "", text[end:]).strip(" .,!")
    known = (name(before) or "").split() if before.strip() else []
    word = letters.capitalize()
    alike = [(SequenceMatcher(None, one.lower(), letters.lower()).ratio(), place) for place, one in enumerate(known)]
    if alike and max(alike)[0] >= _SAME_SOUND:
        known[max(alike)[1]] = word
    else:
        known.append(word)
    after = name(rest) if rest else None
    return " ".join([*known, *([after] if after else [])])


def _capital(word: str) -> str:
    """ "o'brien" is "O'Brien"; what recognition has written in capitals itself stays so."""
    if word.lower() in _PARTICLES and word.islower():
        return word
    if not (word.islower() or word.isupper()):
        return word
    return re.sub(r"(^|[-'])([^\W\d_])", lambda match: match[1] + match[2].upper(), word.lower())


# --- e-mail

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
_WHOLE = re.compile(
    r"^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9_+-])?@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}$"
)
_SIGNS = {
    "dot": ".",
    "period": ".",
    "point": ".",
    "underscore": "_",
    "dash": "-",
    "hyphen": "-",
    "minus": "-",
    "plus": "+",
}
_MAIL_LEAD_IN = re.compile(
    r"^.*\b(?:is|it's|its|that's|be|address|e-?mail|to|yes|yeah|sure|okay|at:|use|um|uh|well)\b[\s,:]+", re.IGNORECASE
)
_PROVIDERS = ("gmail", "yahoo", "hotmail", "outlook", "icloud")


def email(text: str) -> str | None:
    """An address: "jane dot doe at gmail dot com" is jane.doe@gmail.com."""
    if match := _ADDRESS.search(text):
        return match[0].lower()
    text = re.sub(r"\b(?:all )?(?:lower ?case|one word|no spaces)\b", " ", text.lower().replace("\u2019", "'"))
    text = re.sub(r"\b(?:the )?at sign\b", "at", re.sub(r"\s@\s|@", " at ", text))
    text = re.sub(r"\b([a-z0-9])(?:,)? (?:as in|for|like in) [a-z]+\b", r"\1", text)
    parts = re.split(r"\bat\b", text.strip(" .!"))
    if len(parts) < 2:
        return None
    local = _joined(_MAIL_LEAD_IN.sub("", f"{parts[-2].strip()} ").strip())
    domain = _joined(re.sub(r"\s*\b(?:thanks?|thank you|please|that's it|yes)\b.*$", "", parts[-1]))
    if domain.removesuffix("com") in _PROVIDERS or domain in _PROVIDERS:
        domain = f"{domain.removesuffix('com')}.com"
    whole = f"{local}@{domain}"
    return whole if _WHOLE.match(whole) else None


def _joined(text: str) -> str:
    """The signs and digits that words say, without spaces: "jane dot doe ninety nine" is jane.doe99."""
    return compact(re.sub(r"[a-z]+", lambda match: _SIGNS.get(match[0], match[0]), text)).strip(".")


def compact(text: str) -> str:
    """A text without its spaces, and with digits in place of the words for them: "a b ninety nine" is "ab99"."""
    parts: list[str] = []
    number: list[str] = []
    for word in [*re.findall(r"[a-z0-9]+|[^\w\s,]|_", text.lower()), ""]:
        if digits(word) or (number and word in TIMES):
            number.append(word)
            continue
        if number:
            parts.append(digits(" ".join(number)))
        number = [word] if word in TIMES else []
        parts += [] if number else [word]
    return "".join(parts)


def email_said(address: str) -> str:
    """An address as it is read out: its signs in words."""
    names = {".": " dot ", "_": " underscore ", "-": " dash ", "+": " plus ", "@": " at "}
    return " ".join("".join(names.get(sign, sign) for sign in address).split())


# --- phone numbers


def phone(text: str, region: str) -> tuple[str | None, str]:
    """A phone number in E.164; or None, and what is wrong with it, for the caller ("" where none was said)."""
    said = digits(text)
    if sum(map(str.isdigit, said)) < 3:
        return None, ""
    try:
        number = phonenumbers.parse(said, region)
    except phonenumbers.NumberParseException:
        return None, "That doesn't sound like a whole phone number."
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.IS_POSSIBLE:
            return phonenumbers.format_number(number, PhoneNumberFormat.E164), ""
        case ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return None, "I need the number with its area code."
        case ValidationResult.TOO_SHORT:
            return None, "There seem to be digits missing."
        case ValidationResult.TOO_LONG:
            return None, "That has too many digits for a phone number."
    return None, "That doesn't sound like a phone number."


def phone_said(number: str, region: str) -> str:
    """A number in E.164 as it is read out: in groups, at home without the country code."""
    parsed = phonenumbers.parse(number, None)
    home = phonenumbers.country_code_for_region(region) == parsed.country_code
    style = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    groups = re.findall(r"\d+", phonenumbers.format_number(parsed, style))
    said = ", ".join(" ".join(group) for group in groups)
    return said if home else f"plus {said}"
