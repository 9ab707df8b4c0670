"""AgentSpec: the frozen, validated description of an agent that the engine runs.

It holds what to say and how to behave; the providers themselves are handed to the conversation beside it
(`voice.services.Services`), so a spec has no secret in it and can be stored with the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo, field_validator

from voice.flow.spec import Flow
from voice.frozen import Frozen as Frozen
from voice.tools.addresses import tidy_number
from voice.values import VARIABLE_NAME, VariableType, fitting, in_letters, require_name

Phrase = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
"""A few words."""


class Pronunciation(Frozen):
    """How `text` is said: as `alias` would be, or as the sounds of `ipa` where the voice takes those."""

    text: str = Field(min_length=1, max_length=100)
    alias: str = Field("", max_length=200)
    ipa: str = Field("", max_length=200, pattern=r'^[^<>"/\[\](){}|\\_]*$')
    case_sensitive: bool = False
    whole_word: bool = True


class Voice(Frozen):
    """Which voice speaks, how fast and how loud (1.0 is the voice's own pace and loudness)."""

    provider: str = "local"
    id: str = "af_heart"
    speed: float = Field(1.0, ge=0.5, le=2.0)
    volume: float = Field(1.0, ge=0.2, le=2.0)


class Model(Frozen):
    """Which language model answers. `provider` is for events and prices; the adapter is in Services."""

    provider: str = "local"
    name: str = "qwen2.5-1.5b"
    temperature: float = Field(0.3, ge=0.0, le=2.0)
    max_tokens: int = Field(220, ge=1, le=4096)


class TurnTaking(Frozen):
    """When the agent takes the turn and when it gives it up. All in seconds."""

    finished_silence: float = Field(0.2, ge=0.1, le=3.0)
    """Silence after which a caller who sounds finished is answered."""
    unfinished_silence: float = Field(1.2, ge=0.2, le=10.0)
    """Silence after which a caller who sounds unfinished is answered all the same."""
    finished_probability: float = Field(0.9, ge=0.0, le=1.0)
    """What the end-of-turn model must say for "finished"."""
    interruptible: bool = True
    interruption_speech: float = Field(0.6, ge=0.1, le=5.0)
    """Speech over the agent that is an interruption whatever its words; shorter speech needs words."""
    dictation: float = Field(1.0, ge=1.0, le=4.0)
    """So many times as long may the pauses be of a caller who dictates a number, an address or a spelling."""
    backchannel: bool = False
    """Say "mm-hm" in the pauses of callers who speak for long."""


class Inactivity(Frozen):
    check_in_after: float = Field(12.0, ge=2.0)
    check_in_text: str = "Are you still there?"
    check_ins: int = Field(2, ge=0, le=10)
    farewell_text: str = "I can't hear you any more, so I'll hang up now. Goodbye."


class Phrases(Frozen):
    """What the agent says when something is wrong: a caller hears words, never silence."""

    thinking: tuple[Phrase, ...] = Field((), max_length=8)
    """What people say while they think ("Let me see."), said in turn before an answer that is not there yet."""
    slow: str = "One moment, please."
    still_slow: str = "I'm still working on it. Thank you for your patience."
    trouble: str = "I'm sorry, I'm having trouble answering right now. Could you say that again?"
    giving_up: str = "I'm sorry, something is wrong on my side, so I have to end the call. Please try again later."
    goodbye: str = "Thank you for calling. Goodbye."
    time_is_up: str = "I'm sorry, we have reached the longest time for a call. Goodbye."
    budget_warning: str = "I'm afraid we have only a moment left on this call."
    budget_spent: str = "I'm sorry, this call has to end here. Please call again another time. Goodbye."
    no_transfer: str = "I'm sorry, I couldn't reach anybody there. Is there something else I can do for you?"
    correction: str = "Actually, let me correct that: it has not been done yet."


class Patience(Frozen):
    """The silent-death guard: how long each silence may last before something is done about it. All in seconds."""

    first_words: float = Field(6.0, ge=1.0, le=30.0)
    """A model that has said nothing for so long is given up for the next one, if there is one."""
    words_gap: float = Field(4.0, ge=1.0, le=30.0)
    """The same in the middle of an answer, after which the caller is asked to say it again."""
    longest_answer: float = Field(20.0, ge=2.0, le=120.0)
    """The last model of the chain is waited for so long, and the only one also in the middle of an answer. The caller
    is told in between."""
    first_sound: float = Field(3.0, ge=0.5, le=30.0)
    """A voice that makes no sound for so long is given up for the next one."""
    sound_gap: float = Field(2.0, ge=0.5, le=30.0)
    """The same in the middle of a sentence."""
    no_audio: float = Field(5.0, ge=1.0, le=60.0)
    """A line on which no audio arrives for so long is noticed; after twice as long the call ends."""


class Languages(Frozen):
    """The languages that an agent speaks besides its first, each with its voice."""

    voices: Mapping[str, Voice] = Field(default_factory=dict)
    """By ISO 639-1 code, such as "es"."""
    detect: bool = False
    """The recogniser finds out by itself which language is spoken, of those that it knows."""


class Digits(Frozen):
    """How keypad digits become a turn: an entry ends with the terminator, by its length, or after a pause."""

    terminator: Literal["#", "*", ""] = "#"
    most: int = Field(32, ge=1, le=64)
    pause: float = Field(2.5, ge=0.5, le=15.0)


class Ambient(Frozen):
    """A sound behind the agent. `bed` names one of ours; empty is none."""

    bed: str = ""
    """A built-in place, or the name of a sound that `CallServices.find_bed` knows."""
    volume: float = Field(0.3, ge=0.0, le=1.0)
    duck: float = Field(0.5, ge=0.0, le=1.0)
    """While the agent speaks it is so many times as loud."""


class Answering(Frozen):
    """What happens when a machine answers an outbound call."""

    detect: bool = False
    message: str = ""
    """Left after the beep; empty means that the agent hangs up."""


class Recording(Frozen):
    enabled: bool = True
    announcement: str = ""
    """Said first, before anything is recorded, when set."""


class TransferTarget(Frozen):
    """Somebody the agent may transfer to. `name` is what the model calls them."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z][\w-]*$")
    to: Annotated[str, AfterValidator(tidy_number)] = Field(min_length=1, max_length=255)
    """A phone number, a SIP address, or a `{{variable}}` that holds one."""
    when: str = ""
    """For the model: when to transfer to them."""
    warm: bool = False


class HandOffTarget(Frozen):
    """Another agent that the call may be handed to. `name` is what the model calls it."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z][\w-]*$")
    to: str = Field("", max_length=64)
    """Its key in the team; empty is its name."""
    when: str = ""
    say: str = ""
    """Said before; empty hands over silently."""
    greets: bool = True
    """The other one begins with its greeting; otherwise it goes on with the conversation."""


class Guardrails(Frozen):
    """What the agent refuses to talk about, and what it never says."""

    topics: tuple[Phrase, ...] = Field((), max_length=50)
    """Told to the model; a caller who names one of them hears `refusal`, whatever the model would have said."""
    refusal: str = Field("I'm sorry, I can't talk about that. Is there anything else I can do for you?", max_length=500)
    never_say: tuple[Phrase, ...] = Field((), max_length=200)
    """Whole words that are left out of what the model says, or replaced by `instead`."""
    instead: str = Field("", max_length=100)


class Disclosure(Frozen):
    """Words that say that an AI speaks. Empty: none."""

    text: str = Field("", max_length=500)
    when: Literal["first", "after_greeting"] = "first"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"There is no time zone {name}. Write one such as Europe/Berlin.") from None
    return name


Timezone = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_known_zone)]
"""A name of the IANA database, such as "Europe/Berlin"."""


class Variable(Frozen):
    """A variable that an agent's texts may hold. A date is written 2026-11-26."""

    name: str = Field(pattern=VARIABLE_NAME)
    type: VariableType = "string"
    default: Annotated[str, BeforeValidator(in_letters)] = Field("", max_length=2_000)
    """What it is until somebody sets it; empty is nothing."""

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        require_name(name)
        return name

    @field_validator("default")
    @classmethod
    def _fits(cls, default: str, info: ValidationInfo) -> str:
        if default and "type" in info.data:
            fitting(default, info.data["type"])
        return default

    @property
    def value(self) -> object:
        """The default as its type has it; None if there is none."""
        return fitting(self.default, self.type) if self.default else None


class AgentSpec(Frozen):
    """An agent as the engine runs it."""

    name: str = Field(min_length=1, max_length=120)
    prompt: str = ""
    flow: Flow | None = None
    """Its steps; None is one conversation by the prompt. Tools in it are named as the model knows them."""
    greeting: str = ""
    """Said first, in these words; empty means that the caller speaks first."""
    first_speaker: Literal["greeting", "model", "caller"] = "greeting"
    """Who speaks first: the agent with its greeting, the agent with words of its own, or the caller."""
    refusal: str | None = None
    """Said instead of all else, before the call is rejected."""
    disclosure: Disclosure = Disclosure()
    guardrails: Guardrails = Guardrails()
    noise_suppression: Literal["off", "auto", "max"] = "off"
    """What is done about the noise behind the caller: nothing, something where there is much, all that can be."""
    language: str = "en"
    languages: Languages = Languages()
    keyterms: tuple[str, ...] = ()
    pronunciations: tuple[Pronunciation, ...] = ()
    variables: tuple[Variable, ...] = ()
    timezone: Timezone = "UTC"
    """What the time is for the agent."""
    voice: Voice = Voice()
    model: Model = Model()
    turns: TurnTaking = TurnTaking()
    inactivity: Inactivity = Inactivity()
    phrases: Phrases = Phrases()
    patience: Patience = Patience()
    digits: Digits = Digits()
    ambient: Ambient = Ambient()
    answering: Answering = Answering()
    recording: Recording = Recording()
    transfers: tuple[TransferTarget, ...] = ()
    handoffs: tuple[HandOffTarget, ...] = ()
    can_end_call: bool = True
    can_send_digits: bool = False
    honesty: Literal["off", "flag", "correct"] = "off"
    """What happens when the agent claims to have done what no tool did: nothing, an event, or a correction aloud."""
    hedge_after: float | None = Field(None, ge=0.0, le=10.0)
    """Seconds without a token after which the next model of the chain is asked as well; the first to answer wins."""
    knowledge_budget: float = Field(0.4, ge=0.0, le=5.0)
    """Seconds that a turn may wait for what the knowledge base has to say about it."""
    max_duration: float = Field(1800.0, ge=10.0, le=14400.0)
    thinking_after: float = Field(0.7, ge=0.2, le=5.0)
    """Seconds after the caller's turn at which one of `phrases.thinking` is said if nothing else was."""
    slow_after: float = Field(2.5, ge=0.5, le=30.0)
    """Seconds after the caller's turn at which `phrases.slow` is said if nothing else was."""
