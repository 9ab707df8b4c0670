"""Addresses, abbreviations, acronyms and signs in English words."""

from __future__ import annotations

import re

from voice.text.numbers import digits

# --- addresses

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]*\w@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_URL = re.compile(
    r"(?:\bhttps?://|\bwww\.)[^\s<>\"]+|(?<!\w)(?:[a-z\d-]+\.)+(?:com|org|net|io|ai|dev|app|edu|gov|info|co\.uk|de|fr)\b(?:/[^\s<>\"]*)?",
    re.IGNORECASE | re.ASCII,
)
_ADDRESS_SIGNS = {
    ".": "dot",
    "/": "slash",
    "-": "dash",
    "_": "underscore",
    "@": "at",
    "+": "plus",
    ":": "colon",
    "~": "tilde",
}
_ADDRESS_PARTS = re.compile(r"[A-Za-z]+|\d+|[^\w\s]|_|[^\W\d_a-zA-Z]+")


def addresses(text: str) -> str:
    """E-mail and web addresses, read out: "jo at example dot com". A query and a fragment are left out."""
    if "@" in text:
        text = _EMAIL.sub(lambda match: _address(match[0]), text)
    return _URL.sub(_url, text) if "." in text or "//" in text else text


def _url(match: re.Match[str]) -> str:
    address = match[0].rstrip(".,;:!?'\")]}*")
    tail = match[0][len(address) :]
    address = re.sub(r"^https?://", "", address, flags=re.IGNORECASE).removeprefix("www.")
    return _address(re.split("[?#]", address, maxsplit=1)[0].rstrip("/")) + tail


def _address(text: str) -> str:
    said = (
        digits(part) if part.isdecimal() else _ADDRESS_SIGNS.get(part, part) for part in _ADDRESS_PARTS.findall(text)
    )
    return " ".join(word for word in said if word[0].isalnum())


# --- abbreviations

_TITLES = dict(
    pair.split("=")
    for pair in "Dr=Doctor Mr=Mister Mrs=Missus Ms=Miz Prof=Professor Rev=Reverend Gov=Governor Sen=Senator "
    "Gen=General Sgt=Sergeant Capt=Captain Lt=Lieutenant".split()
)
_TITLE = re.compile(rf"\b({'|'.join(_TITLES)})(?:\.(?=\s)|(?= [A-Z]))")
_SHORT = {
    "e.g": "for example",
    "i.e": "that is",
    "etc": "et cetera",
    "vs": "versus",
    "approx": "approximately",
    "apt": "apartment",
    "ave": "avenue",
    "blvd": "boulevard",
    "bldg": "building",
    "dept": "department",
    "ext": "extension",
    "tel": "telephone",
}
_SHORT_NAMES = {
    "Rd": "Road",
    "Ln": "Lane",
    "Hwy": "Highway",
    "Ste": "Suite",
    "Inc": "Incorporated",
    "Ltd": "Limited",
    "Corp": "Corporation",
    "Co": "Company",
    "Jr": "Junior",
    "Sr": "Senior",
    "Jan": "January",
    "Feb": "February",
    "Aug": "August",
    "Sept": "September",
    "Oct": "October",
    "Nov": "November",
    "Dec": "December",
}
_MAY_END = frozenset("etc ave blvd rd ln inc ltd corp co jr sr".split())
_ABBREVIATION = re.compile(
    rf"\b(?P<short>(?i:{'|'.join(map(re.escape, _SHORT))})|{'|'.join(_SHORT_NAMES)})\.(?!\w)"
    r"(?=(?P<end>\s*$)|\s+(?P<capital>[A-Z])|)"
)
_VERSUS = re.compile(r"\bvs(?= )")
_ORDINAL = r"[\w-]*(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|teenth|tieth)"
_NO_NAME = r"(?!(?:The|At|In|On|To|From|Near|Visit|And|For|By|Is)\b)"
_STREET = re.compile(rf"\b({_NO_NAME}[A-Z][\w'-]*|{_ORDINAL}) St\b(?:\.(?!\s*$|\s+[A-Z]))?")
_SAINT = re.compile(r"\bSt\.?(?= [A-Z])")
_DRIVE = re.compile(rf"\b({_NO_NAME}[A-Z][\w'-]*) Dr\b(?:\.(?=,|\s+[a-z])|(?=[,.]|\s*$|\s+[a-z]))")
_HALF_DAY = re.compile(r"\b([AP])M\b(?!\.\w)")
_LOWER_HALF = re.compile(
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirty|fifteen|forty-five|o'clock) "
    r"([ap])m\b(?! I\b)"
)


def _abbreviations(text: str) -> str:
    text = _DRIVE.sub(r"\1 Drive", text)
    text = _TITLE.sub(lambda match: _TITLES[match[1]], text)
    text = _SAINT.sub("Saint", _STREET.sub(r"\1 Street", text)) if "St" in text else text
    if "." in text:
        text = _ABBREVIATION.sub(_abbreviation, text)
    return _VERSUS.sub("versus", text)


def _abbreviation(match: re.Match[str]) -> str:
    short = match["short"]
    said = _SHORT_NAMES.get(short) or _SHORT[short.lower()]
    if short[0].isupper():
        said = said[0].upper() + said[1:]
    ends = match["end"] is not None or (match["capital"] and short.lower() in _MAY_END)
    return f"{said}." if ends else said


# --- acronyms

_ACRONYM = re.compile(r"(?<![\w.-])([A-Z]{2,6}|[A-Z](?=&[A-Z]))(?:&([A-Z]))?('?s)?(?![\w'&]|\.[A-Z])")
_VOWELS = frozenset("AEIOUY")
# Said as words, though they are short and in capitals: shouted words, and acronyms that people pronounce.
_SAID = frozenset(
    "AGO ALL AM AN AND ANY ARE AS ASK AT AVE BAD BAR BE BED BIG BUT BY CAD CAN CAR CAT DAY DID DO DOG END FEMA "
    "FEW FIFA FOR FREE GET GIF GO GOT HAD HAS HE HER HIM HIPAA HIS HOT HOW ICE IF IN IS IT ITS JPEG LAN LET LOW "
    "MAY ME MEN MY NASA NATO NEW NO NOR NOT NOW OF OFF OH OK OLD ON ONE OPEC OR OSHA OUR OUT OWN PIN PUT RAM RED "
    "ROM RUN SAT SAY SEE SET SHE SIM SIX SO SUN TEA TEN THE TO TOO TOP TRY TWO UP US USE WAN WAS WAY WE WHO WHY "
    "YES YET YOU YOUR ZIP".split()
)
# Said as letters, though they look like words.
_LETTERS = frozenset(
    "AAA AARP ADHD AI AOL API ASPCA ATM CEO CIA CIO COO DIY DOB EIN EOD ER ESL ETA ETF EU EV FAQ FBI FYI GPA GPU "
    "HIV HOA HR ICU ID IOU IP IPO IRA IRS ISO ISP IV KFC LA LED LLC MIT MRI NHS NY OB ODI PA PO PTO QA RV SUV TSA "
    "TV UAE UI UK UN UPS USA USB UTC UX VA VIP VOIP YMCA".split()
)


def _acronyms(text: str) -> str:
    capitals = sum(map(str.isupper, text))
    # Somebody who shouts does not spell.
    shouted = capitals * 2 > len(text) - text.count(" ") and text.count(" ") >= 2
    return _ACRONYM.sub(lambda match: match[0] if shouted and _is_word(match[1]) else _acronym(match), text)


def _acronym(match: re.Match[str]) -> str:
    letters, after_and, plural = match.groups()
    if after_and:
        return f"{'-'.join(letters)} and {after_and}{plural or ''}"
    if letters in _SAID or (len(letters) > 3 and _is_word(letters)):
        return match[0]
    return "-".join(letters) + (f"'{plural[-1]}" if plural else "")


def _is_word(letters: str) -> bool:
    return letters not in _LETTERS and _is_pronounceable(letters)


def _is_pronounceable(letters: str) -> bool:
    """Whether capitals look like a word: a vowel in every two or three letters, and no crowd of consonants."""
    shape = "".join("v" if letter in _VOWELS else "c" for letter in letters)
    return "v" in shape and "ccc" not in shape and not shape.startswith("vv") and shape.count("v") * 4 >= len(shape)


# --- signs

_SIGNS = (
    (re.compile(r"\bw/o\b"), "without"),
    (re.compile(r"\bw/\s?(?=\w)"), "with "),
    (re.compile(r"\bn/a\b", re.I), "not applicable"),
    (re.compile(r"\band/or\b"), "and or"),
    (re.compile(r"(?<=\b[A-Z])/(?=[A-Z])|(?<=[A-Z]{2})/(?=[A-Z]{2})"), " "),
    (re.compile(r"(?<=\w)\s?/\s?(?=\w)"), " or "),
    (re.compile(r"/+"), " slash "),
    (re.compile(r"\s*(?:-+>|=+>|\u2192)\s*"), " to "),
    (re.compile(r"\s*(?:<-+|\u2190)\s*"), " from "),
    (re.compile(r"\s*\u2014\s*|(?:\s+[\u2013-]+)+\s+|(?<=\w)--(?=\w)"), ", "),
    (re.compile(r"\u2013"), "-"),
    (re.compile(r"\+\+"), " plus plus "),
    (re.compile(r"\+"), " plus "),
    (re.compile(r"<=|\u2264"), " at most "),
    (re.compile(r">=|\u2265"), " at least "),
    (re.compile(r"={1,3}"), " equals "),
    (re.compile(r"<"), " less than "),
    (re.compile(r">"), " greater than "),
    (re.compile(r"#(?=\w)"), " hashtag "),
    (re.compile(r"[#^{}_\\\u2022\u00b7]"), " "),
    (re.compile(r"~|\u2248"), "about "),
    (re.compile(r"\u00d7"), " times "),
    (re.compile(r"\u00f7"), " divided by "),
    (re.compile(r"\u00b1"), " plus or minus "),
    (re.compile(r"\u00b0"), " degrees "),
    (re.compile(r"\u00a7\s*"), " section "),
    (re.compile(r"\u00b2"), " squared "),
    (re.compile(r"\u00b3"), " cubed "),
    (re.compile(r"%"), " percent "),
    (re.compile(r"\$"), " dollar "),
    (re.compile(r"\u20ac"), " euro "),
    (re.compile(r"@"), " at "),
)
_SIGN = re.compile(r"[^\w\s.,;:!?'\"()-]|_|--|\s-\s")


def _signs(text: str) -> str:
    if _SIGN.search(text) is None:
        return text
    for pattern, said in _SIGNS:
        text = pattern.sub(said, text)
    return text


def say_words(text: str) -> str:
    """Abbreviations, acronyms and signs, in words."""
    text = _HALF_DAY.sub(r"\1.M.", text)
    text = _LOWER_HALF.sub(lambda match: f"{match[1]} {match[2].upper()}.M.", text)
    return _acronyms(_abbreviations(_signs(text))).replace("&", " and ")
