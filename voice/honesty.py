"""What an agent says that it has done, held against what its tools have done.

A model that talks well says "I've booked that for you" whether it has or not. Claims are found by their grammar (the
perfect, the passive, "you're all set"), and believed when a tool of that kind has succeeded on the call. Offers,
questions, plans and negations are no claims. English only: in another language nothing is doubted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voice import events
from voice.providers.base import ToolSchema


@dataclass(frozen=True, slots=True)
class Family:
    """Verbs that claim the same kind of deed, and what the tools that do it are called.

    `loose` participles have other meanings as well, and claim something only with one of the `objects` behind them.
    """

    name: str
    strict: str
    loose: str
    objects: str
    tools: str


FAMILIES = (
    Family(
        "book",
        "booked|reserved|scheduled|rescheduled|pencilled|penciled|put you down|got you down",
        "confirmed|made|arranged|set up|moved|secured",
        "appointment|reservation|booking|table|room|slot|seat|visit|meeting|call|consultation|ticket|stay|spot|ride",
        "book|reserv|schedul|appoint|calendar|slot|meeting|visit|event",
    ),
    Family(
        "cancel",
        "cancelled|canceled|called off",
        "removed|deleted|stopped|ended",
        "appointment|reservation|booking|order|subscription|membership|account|plan|table|meeting|contract|policy",
        "cancel|delet|remov|terminat|unsubscrib|stop",
    ),
    Family(
        "send",
        "emailed|e-mailed|texted|mailed",
        "sent|forwarded|shared",
        "you|email|e-mail|message|text|confirmation|link|code|receipt|invoice|invitation|details|copy|sms|information",
        "send|sent|mail|sms|text|messag|notif|whatsapp|invit|confirmation",
    ),
    Family(
        "transfer",
        "transferred|put you through",
        "connected|forwarded|handed",
        "you|your call|the call",
        "transfer|hand_off|handoff|forward|connect",
    ),
    Family(
        "update",
        "updated|amended",
        "changed|corrected|edited|moved|adjusted|switched|upgraded|extended|renewed|reset",
        "address|number|phone|email|e-mail|name|record|records|details|account|order|appointment|reservation|booking|"
        "plan|profile|date|time|information|file|subscription|password|delivery",
        "updat|chang|edit|modif|amend|correct|reschedul|set_|upgrad|extend|renew|reset|patch",
    ),
    Family(
        "order",
        "ordered|reordered|purchased",
        "placed|submitted|added",
        "order|cart|basket|request|purchase",
        "order|purchas|buy|cart|basket|checkout|request",
    ),
    Family(
        "refund",
        "refunded|reimbursed",
        "issued|credited|processed|initiated",
        "refund|credit|return|reimbursement|account",
        "refund|credit|reimburs|return",
    ),
    Family(
        "pay",
        "charged",
        "paid|processed|taken|received|applied",
        "payment|bill|invoice|card|deposit|balance|fee",
        "pay|charg|bill|invoice|deposit|checkout",
    ),
    Family(
        "note",
        "noted|jotted|registered|enrolled|signed you up",
        "recorded|logged|saved|added|submitted|opened|created|filed|entered|written|taken|left|put|passed",
        "note|message|name|number|request|ticket|case|complaint|report|details|list|file|record|account|order|waitlist|"
        "that down|it down|information|feedback|issue",
        "note|record|log|sav|add|creat|regist|ticket|case|submit|stor|writ|enroll|sign|crm|lead|contact|list|messag",
    ),
)
# A tool of these only looks, or acts on nothing but the call: it has done nothing that could be claimed.
_LOOKS = re.compile(
    r"^(?:get|list|search|find|check|look|read|fetch|query|show|is|has|count|view)(?:_|$)", re.IGNORECASE
)
_NO_DEEDS = frozenset({"end_call", "send_digits", "switch_language", "search_knowledge", "web_search"})
_FAILED = re.compile(r"""^\s*(?:error|failed|failure)\b|["'](?:success|ok|succeeded)["']\s*:\s*false""", re.IGNORECASE)

_ADVERBS = r"(?:(?:just|now|already|also|successfully|all|both|gone ahead and|been able to get|officially|safely)\s+)*"
_I_DID = rf"\b(?:I|we)(?:\s+have|'ve|\s+went ahead and|\s+just|\s+got you|'ve got you|\s+have got you)?\s+{_ADVERBS}"
_SUBJECT_WORDS = r"(?:\s+[\w'-]+){0,5}?"
_IS_DONE = (
    r"(?:\s+is|\s+are|'s|'re)\s+(?:now\s+|all\s+|officially\s+|successfully\s+|been\s+(?:successfully\s+)?)*"
    r"|(?:\s+has|\s+have|'s|'ve)\s+(?:now\s+|just\s+|already\s+|also\s+|successfully\s+)*been\s+(?:successfully\s+|now\s+)*"
    r"|\s+(?:has|have)\s+gone\s+through\s+and\s+(?:is|are)\s+"
)
_ALL_SET = re.compile(
    r"\byou(?:'re| are) (?:now |both )?(?:all set|all booked|good to go|on the list)\b"
    r"|^(?:okay |great |perfect )?(?:all|everything is|everything's|that's all|it's all) (?:set|taken care of)\b"
    r"|\b(?:I|we)(?:'ve| have) (?:just |already )?(?:taken care of|sorted|handled) (?:that|it|this|everything|your)\b",
    re.IGNORECASE,
)
_ON_ITS_WAY = re.compile(
    r"\b(?:confirmation|email|e-mail|text|message|link|receipt|invoice|invitation)(?:\s+[\w'-]+){0,3}"
    r"\s+(?:is|are|'s)\s+(?:now |already )?on (?:its|the|their) way\b",
    re.IGNORECASE,
)
# In front of what would be a claim, in its clause: a condition, a doubt, a question, or somebody else's word for it.
_NO_CLAIM = re.compile(
    r"\b(?:if|once|when|whenever|after|before|until|till|unless|as soon as|whether|in case|by the time|not|never|none|"
    r"no|nothing|nobody|cannot|should|could|would|might|may|must|will|shall|have|has|had|did|does|do|is|are|was|"
    r"suppose|think|believe|hope|wish|assume|guess|pretend|imagine|see|sees|shows?|says?|said|told|tells?|seems?|"
    r"looks like|appears|according|heard|asked|wanted|want|like|prefer|need|how|why|where|which|who|what|example|"
    r"sorry)\b|n't\b",
    re.IGNORECASE,
)
# Behind what was done to something: then it is how things go, not how they went.
_CONDITION = re.compile(r"\b(?:once|if|as soon as|when|after|until|unless|every|each|always|usually)\b", re.IGNORECASE)
_BY_US = re.compile(r"(?:I|we)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"(?<=[,;:\u2014\u2013])\s+|\s+(?:but|so|and then|because)\s+", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that says that something was done. An empty `family` claims anything."""

    sentence: str
    family: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What a tool has done."""

    tool: str
    description: str
    result: str

    @property
    def name(self) -> str:
        """The tool's name in words: bookTable is book_Table."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.tool)


def _patterns(family: Family) -> re.Pattern[str]:
    """What claims a deed of `family`: somebody did it, or it was done."""
    objects = rf"(?:(?!our\b|my\b)[\w',-]+\s+){{0,4}}?(?:{family.objects})\b"
    something = rf"(?:your|the|that|this|a|an|you|it)\s+(?=.*\b(?:{family.objects})\b)"
    # "Saturday is booked" tells of others; "your table is booked" of what was done for the caller.
    subject = (
        rf"(?:\byou|\bit|\bthat|\bthis|\beverything|\byour{_SUBJECT_WORDS}"
        rf"|\b(?:the|that|this|a|an)\s+(?:[\w'-]+\s+)?(?:{family.objects}){_SUBJECT_WORDS})"
    )
    loose_subject = rf"\b(?:your|the|that|this|a|an)\s+(?:[\w'-]+\s+){{0,2}}(?:{family.objects}){_SUBJECT_WORDS}"
    return re.compile(
        rf"{_I_DID}(?:{family.strict})\b"
        rf"|{_I_DID}(?:{family.loose})\s+(?:{objects}|{something})"
        rf"|{subject}(?:{_IS_DONE})(?:{family.strict})\b"
        rf"|{loose_subject}(?:{_IS_DONE})(?:{family.loose})\b",
        re.IGNORECASE,
    )


_CLAIMS = {family.name: _patterns(family) for family in FAMILIES}
_TOOLS = {family.name: re.compile(rf"(?<![a-z])(?:{family.tools})", re.IGNORECASE) for family in FAMILIES}


def claims(text: str) -> list[Claim]:
    """What `text` says was done, sentence by sentence; at most one claim of each family in a sentence."""
    found: list[Claim] = []
    for sentence in _SENTENCE.split(text.replace("\u2019", "'").strip()):
        families = {family for clause in _CLAUSE.split(sentence) for family in _claimed(clause)}
        found += [Claim(sentence, family) for family in sorted(families)]
    return found


def doubtful(text: str, deeds: Iterable[Deed]) -> list[Claim]:
    """The claims in `text` that no deed bears out."""
    done = [deed for deed in deeds if deed.tool not in _NO_DEEDS and not _FAILED.search(deed.result)]
    sentences: dict[str, list[Claim]] = {}
    for claim in claims(text):
        sentences.setdefault(claim.sentence, []).append(claim)
    # A sentence fits several families ("I've moved your appointment"): one that is borne out is enough.
    return [found[0] for found in sentences.values() if not any(_borne_out(claim, done) for claim in found)]


def _claimed(clause: str) -> Iterable[str]:
    """The families of deeds that a clause claims."""
    if clause.endswith("?"):
        return
    for family, pattern in (("", _ALL_SET), ("send", _ON_ITS_WAY), *_CLAIMS.items()):
        match = pattern.search(clause)
        if match is None or _NO_CLAIM.search(clause[: match.start()]):
            continue
        if not _BY_US.match(match[0]) and _CONDITION.search(clause[match.end() :]):
            continue
        yield family


def _borne_out(claim: Claim, done: Sequence[Deed]) -> bool:
    if not claim.family:
        return any(not _LOOKS.match(deed.name) for deed in done)
    kind = _TOOLS[claim.family]
    return any(kind.search(f"{deed.name} {deed.description} {deed.result}") for deed in done)


class Honesty:
    """The deeds of one call, as its events tell them."""

    def __init__(self) -> None:
        self._descriptions: dict[str, str] = {}
        self._deeds: list[Deed] = []
        self._corrected = 0

    def know(self, tools: Iterable[ToolSchema]) -> None:
        self._descriptions.update((tool.name, tool.description) for tool in tools)

    def notice(self, event: events.Event) -> None:
        if isinstance(event, events.ToolReturned) and not event.error:
            self._deeds.append(Deed(event.name, self._descriptions.get(event.name, ""), event.result))

    def doubts(self, text: str) -> list[str]:
        """The sentences of `text` that claim what no tool has done."""
        return [claim.sentence for claim in doubtful(text, self._deeds)]

    def may_correct(self, turn: int) -> bool:
        """Once a turn: a model that insists would go on for ever."""
        first, self._corrected = turn != self._corrected, turn
        return first
