"""The controls of the agent page: what each is called, and which setting it sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from builder.choices import (
    BEDS,
    DICTATION,
    DISCLOSED,
    FIRST,
    GREETS,
    HONESTY,
    INTERRUPTIONS,
    LANGUAGES,
    NOISE,
    TERMINATORS,
    TIMEZONES,
    TYPES,
)
from builder.config import FALLBACKS
from builder.fields import (
    Column,
    FlowField,
    LevelField,
    LinesField,
    MinutesField,
    RowsField,
    SuggestField,
    bound,
    number,
    text,
    tidy_name,
    tidy_number,
    tidy_variable,
    whole,
)
from voice.variables import SYSTEM

SOURCE = [
    Column(name="connection", label="From", choices=[("", "")], required=True, longest=40),
    Column(name="model", label="Model", placeholder="its default", longest=300),
]
VOICE = Column(name="id", label="Voice", placeholder="its first", longest=200)
_BEHIND: dict[str, Any] = {
    "most": FALLBACKS,
    "help_text": "Tried in this order. What was said is not lost.",
}


def _model_name(label: str) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=300, help_text="As the vendor calls it. Empty: its default."
    )


GIVEN_UP = "Seconds; then the next one is asked."


class AgentControls(forms.Form):
    """`PATHS` says which setting of AgentConfig each control sets; every setting has one."""

    PATHS: ClassVar[Mapping[str, str]] = {
        "prompt": "prompt",
        "flow": "flow",
        "greeting": "greeting",
        "first_speaker": "first_speaker",
        "disclosure_text": "disclosure.text",
        "disclosure_when": "disclosure.when",
        "language": "language",
        "languages": "languages",
        "detect_language": "detect_language",
        "noise_suppression": "noise_suppression",
        "refused_topics": "guardrails.topics",
        "refusal": "guardrails.refusal",
        "never_say": "guardrails.never_say",
        "said_instead": "guardrails.instead",
        "webhook_url": "webhook.url",
        "webhook_secret": "webhook.secret",
        "webhook_timeout": "webhook.timeout",
        "keyterms": "keyterms",
        "knowledge": "knowledge",
        "pronunciations": "pronunciations",
        "variables": "variables",
        "timezone": "timezone",
        "hearing_connection": "hearing.connection",
        "hearing_model": "hearing.model",
        "hearing_fallbacks": "hearing.fallbacks",
        "voice_connection": "voice.connection",
        "voice_model": "voice.model",
        "voice": "voice.id",
        "speed": "voice.speed",
        "volume": "voice.volume",
        "voice_fallbacks": "voice.fallbacks",
        "connection": "model.connection",
        "model": "model.name",
        "temperature": "model.temperature",
        "max_tokens": "model.max_tokens",
        "model_fallbacks": "model.fallbacks",
        "finished_silence": "turns.finished_silence",
        "unfinished_silence": "turns.unfinished_silence",
        "finished_probability": "turns.finished_probability",
        "interruptible": "turns.interruptible",
        "interruption_speech": "turns.interruption_speech",
        "dictation": "turns.dictation",
        "backchannel": "turns.backchannel",
        "check_in_after": "inactivity.check_in_after",
        "check_in_text": "inactivity.check_in_text",
        "check_ins": "inactivity.check_ins",
        "farewell_text": "inactivity.farewell_text",
        "phrase_slow": "phrases.slow",
        "phrase_still_slow": "phrases.still_slow",
        "phrase_trouble": "phrases.trouble",
        "phrase_giving_up": "phrases.giving_up",
        "phrase_goodbye": "phrases.goodbye",
        "phrase_time_is_up": "phrases.time_is_up",
        "phrase_budget_warning": "phrases.budget_warning",
        "phrase_budget_spent": "phrases.budget_spent",
        "phrase_no_transfer": "phrases.no_transfer",
        "phrase_correction": "phrases.correction",
        "first_words": "patience.first_words",
        "words_gap": "patience.words_gap",
        "longest_answer": "patience.longest_answer",
        "first_sound": "patience.first_sound",
        "sound_gap": "patience.sound_gap",
        "no_audio": "patience.no_audio",
        "slow_after": "slow_after",
        "hedge_after": "hedge_after",
        "honesty": "honesty",
        "digits_terminator": "digits.terminator",
        "digits_most": "digits.most",
        "digits_pause": "digits.pause",
        "can_send_digits": "can_send_digits",
        "ambient_bed": "ambient.bed",
        "ambient_volume": "ambient.volume",
        "ambient_duck": "ambient.duck",
        "recording_enabled": "recording.enabled",
        "recording_announcement": "recording.announcement",
        "transfers": "transfers",
        "answering_detect": "answering.detect",
        "answering_message": "answering.message",
        "max_duration_minutes": "max_duration",
        "can_end_call": "can_end_call",
        "handoffs": "handoffs",
        "tools": "tools",
    }
    GROUPS: ClassVar = [
        (
            "Variables",
            "What differs from call to call. Texts hold {{name}} in its place.",
            ("variables", "timezone"),
        ),
        (
            "Before a call",
            "A program of yours may set variables, change the agent for this call, or refuse it.",
            ("webhook_url", "webhook_secret", "webhook_timeout"),
        ),
        (
            "First words",
            "Who begins, and whether it is said that an AI speaks.",
            ("first_speaker", "disclosure_text", "disclosure_when"),
        ),
        (
            "Languages",
            "What else the agent speaks.",
            ("languages", "detect_language"),
        ),
        (
            "Turn taking",
            "When the agent answers, and when it lets itself be interrupted.",
            (
                "finished_silence",
                "unfinished_silence",
                "finished_probability",
                "interruptible",
                "interruption_speech",
                "dictation",
                "backchannel",
            ),
        ),
        (
            "Silence",
            "What happens when the caller says nothing.",
            ("check_in_after", "check_in_text", "check_ins", "farewell_text"),
        ),
        (
            "When something is slow or wrong",
            "A caller hears words, never silence.",
            (
                "slow_after",
                "hedge_after",
                "phrase_slow",
                "phrase_still_slow",
                "phrase_trouble",
                "phrase_giving_up",
                "first_words",
                "words_gap",
                "longest_answer",
                "first_sound",
                "sound_gap",
                "no_audio",
            ),
        ),
        (
            "Guardrails",
            "What the agent does not talk about, never says, and may not claim.",
            ("refused_topics", "refusal", "never_say", "said_instead", "honesty", "phrase_correction"),
        ),
        (
            "Other agents",
            "To whom this agent hands the call over. What was said stays known.",
            ("handoffs",),
        ),
        (
            "Transfers",
            "To whom the agent may give the caller.",
            ("transfers", "phrase_no_transfer"),
        ),
        (
            "Keypad",
            "What callers key in, and whether the agent presses keys itself.",
            ("digits_terminator", "digits_most", "digits_pause", "can_send_digits"),
        ),
        (
            "Sound and recording",
            "What is behind the agent's voice, and what is kept.",
            (
                "noise_suppression",
                "ambient_bed",
                "ambient_volume",
                "ambient_duck",
                "recording_enabled",
                "recording_announcement",
            ),
        ),
        (
            "Calls that the agent makes",
            "When a machine answers instead of a person.",
            ("answering_detect", "answering_message"),
        ),
        (
            "Limits",
            "How a call comes to its end.",
            (
                "max_duration_minutes",
                "phrase_time_is_up",
                "phrase_budget_warning",
                "phrase_budget_spent",
                "can_end_call",
                "phrase_goodbye",
            ),
        ),
    ]

    revision = forms.IntegerField(widget=forms.HiddenInput)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    choices = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(
        label="Name", max_length=120, help_text="What people see in lists, and what the agent is called."
    )
    prompt = text(
        "Prompt",
        "Who the agent is, what it knows and how it behaves. Write facts as plain sentences.",
        path="prompt",
        rows=16,
        required=False,
    )
    flow = FlowField(label="Steps", required=False, widget=forms.HiddenInput)
    greeting = text(
        "Greeting",
        "The agent's first words, said exactly so. Empty: the caller speaks first.",
        path="greeting",
        required=False,
    )
    language = forms.ChoiceField(
        label="Language", choices=LANGUAGES, help_text="What the caller speaks and the agent answers in."
    )
    first_speaker = forms.ChoiceField(label="Who speaks first", choices=FIRST)
    disclosure_text = text(
        "AI disclosure",
        "Says that an AI speaks; the law of many places requires it. Empty: none.",
        path="disclosure.text",
        required=False,
    )
    disclosure_when = forms.ChoiceField(label="When it is said", choices=DISCLOSED)
    languages = RowsField(
        [
            Column(name="language", label="Language", choices=LANGUAGES),
            Column(name="voice", label="Voice", placeholder="the same voice", longest=200),
        ],
        adds="Add a language",
        label="Further languages",
        most=20,
        help_text="The agent goes on in one of them when the caller speaks or asks for it. The local recognition "
        "understands English only.",
    )
    detect_language = forms.BooleanField(
        label="Detect the language",
        required=False,
        help_text="The recognition finds out what the caller speaks. Hosted ones can; the local one cannot.",
    )
    noise_suppression = forms.ChoiceField(label="Noise behind the caller", choices=NOISE)
    refused_topics = LinesField(
        label="Topics it refuses",
        most=50,
        longest=100,
        help_text="A few words each, one a line. A caller who names one hears the refusal; the model is told, too.",
    )
    refusal = text("Refusal", "Said then.", path="guardrails.refusal")
    never_say = LinesField(
        label="Words it never says",
        most=200,
        longest=100,
        help_text="Words or names, one a line. They are never spoken.",
    )
    said_instead = forms.CharField(
        label="Said in their place", required=False, max_length=100, help_text="Empty: they are left out."
    )
    webhook_url = forms.CharField(
        label="Ask this address",
        required=False,
        max_length=2_000,
        widget=forms.TextInput(attrs={"placeholder": "https://example.org/calls", "inputmode": "url"}),
        help_text="It is sent what is known of the call, and answers in JSON. Without an answer the call goes on.",
    )
    webhook_secret = forms.ChoiceField(
        label="With this secret", required=False, choices=[("", "none")], help_text="Sent as a bearer token."
    )
    webhook_timeout = number("webhook.timeout", "Wait for it", "Seconds. The caller hears nothing meanwhile.", step=0.5)
    handoffs = RowsField(
        [
            Column(name="agent", label="Agent", choices=[("", "")], required=True, longest=40),
            Column(name="when", label="When", placeholder="They ask about an invoice", longest=500),
            Column(name="say", label="Said before", placeholder="nothing", longest=500),
            Column(name="greets", label="Then", choices=GREETS),
        ],
        adds="Add an agent",
        label="Agents that take over",
        most=20,
        help_text="With their own voice, prompt and tools.",
    )
    keyterms = LinesField(
        label="Words to expect",
        most=100,
        longest=60,
        help_text="Names and words of your trade, one a line. Hosted recognition listens for them.",
    )
    knowledge = forms.MultipleChoiceField(
        label="Folders",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="What fits the caller's words is looked up in them at every turn, and given to the language model.",
    )
    pronunciations = forms.MultipleChoiceField(
        label="Pronunciations",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Dictionaries of how names and words are said.",
    )
    hearing_connection = forms.ChoiceField(label="Speech recognition", help_text="What turns speech into words.")
    hearing_model = _model_name("Recognition model")
    hearing_fallbacks = RowsField(SOURCE, label="If recognition fails", adds="Add recognition", **_BEHIND)

    voice_connection = forms.ChoiceField(label="Voices of", help_text="Where the speech is made.")
    voice_model = _model_name("Voice model")
    voice = forms.CharField(label="Voice", required=False, max_length=200)
    speed = number("voice.speed", "Speed", "1 is the voice's own pace.", step=0.05)
    volume = number("voice.volume", "Volume", "1 is the voice's own loudness.", step=0.05)
    voice_fallbacks = RowsField([*SOURCE, VOICE], label="If the voice fails", adds="Add a voice", **_BEHIND)

    connection = forms.ChoiceField(label="Language model", help_text="Where the answers are made.")
    model = forms.CharField(
        label="Model name",
        required=False,
        max_length=300,
        help_text="As the service calls it. Empty: the connection's default.",
    )
    model_fallbacks = RowsField(SOURCE, label="If the model fails", adds="Add a model", **_BEHIND)
    temperature = number("model.temperature", "Temperature", "0 gives the same answer each time; higher varies more.")
    max_tokens = whole(
        "model.max_tokens", "Longest answer", "In tokens; a token is about four letters. Callers prefer short answers."
    )

    tools = forms.MultipleChoiceField(
        label="What the agent can do",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="It uses them by itself when it fits.",
    )

    variables = RowsField(
        [
            Column(name="name", label="Name", placeholder="customer", required=True, longest=64, tidy=tidy_variable),
            Column(name="type", label="Type", choices=TYPES),
            Column(name="default", label="Default", placeholder="nothing", longest=2_000),
            Column(name="test", label="In test calls", placeholder="its default", longest=2_000),
            Column(name="description", label="What it is", placeholder="As the shop knows them", longest=300),
        ],
        adds="Add a variable",
        label="Variables",
        most=64,
        help_text="Values come with the call, from tools and from the web hook. Callwright itself knows "
        + ", ".join(f"<code>{{{{{name}}}}}</code>" for name in SYSTEM)
        + ".",
    )
    timezone = SuggestField(
        TIMEZONES, label="Time zone", max_length=60, help_text="Whose time <code>{{system__time}}</code> is."
    )

    finished_silence = number(
        "turns.finished_silence", "Pause after a finished sentence", "Seconds before the agent answers.", step=0.05
    )
    unfinished_silence = number(
        "turns.unfinished_silence",
        "Pause after an unfinished sentence",
        "Seconds that the agent waits for the caller to go on.",
    )
    finished_probability = number(
        "turns.finished_probability",
        "Certainty that the caller has finished",
        "From 0 to 1. Higher waits more often, lower answers sooner.",
        step=0.05,
    )
    interruptible = forms.BooleanField(
        label="The caller may interrupt", required=False, help_text="Off: the agent always finishes what it says."
    )
    interruption_speech = LevelField(
        INTERRUPTIONS,
        label="Sensitivity to interruptions",
        unit="s of speech",
        help_text="How soon speech stops the agent whatever its words are. A shorter sound needs words.",
    )
    dictation = LevelField(
        DICTATION,
        label="Patience for numbers and spelling",
        unit="times as long",
        help_text="How long the pauses may be of callers who dictate a number, an address or a spelling.",
    )
    backchannel = forms.BooleanField(
        label="Say “mm-hm” while the caller speaks for long", required=False, help_text="In their pauses, now and then."
    )

    check_in_after = number("inactivity.check_in_after", "Check in after", "Seconds of silence.", step=1)
    check_in_text = text("Check-in", "What the agent asks then.")
    check_ins = whole("inactivity.check_ins", "Number of check-ins", "After that many the agent says goodbye.")
    farewell_text = text("Farewell", "What it says before it hangs up.")

    first_words = number("patience.first_words", "Wait for the model's first words", GIVEN_UP)
    words_gap = number("patience.words_gap", "Wait in the middle of an answer", GIVEN_UP)
    longest_answer = number(
        "patience.longest_answer", "Wait for the last model", "Seconds; the caller is told in between.", step=1
    )
    first_sound = number("patience.first_sound", "Wait for the voice's first sound", GIVEN_UP)
    sound_gap = number("patience.sound_gap", "Wait in the middle of a sentence", GIVEN_UP)
    no_audio = number(
        "patience.no_audio", "A line is dead after", "Seconds without audio; after twice as long the call ends.", step=1
    )
    slow_after = number("slow_after", "An answer is slow after", "Seconds.", step=0.5)
    hedge_after = number(
        "hedge_after",
        "Ask the next model as well after",
        "Seconds without a word from the first one; whoever answers first is heard. Empty: never. Both are paid for.",
        required=False,
    )
    honesty = forms.ChoiceField(
        label="Claims that nothing proves",
        choices=HONESTY,
        help_text="The agent says that it has done something, and no tool has.",
    )
    phrase_slow = text("When the answer is slow", "Said while the caller waits.")
    phrase_still_slow = text("When it stays slow", "Said again and again until the answer is there.")
    phrase_trouble = text("When an answer failed", "Said when a service did not answer.")
    phrase_giving_up = text("When the call must end", "Said when it keeps failing.")

    max_duration_minutes = MinutesField(
        label="Longest call",
        help_text="Minutes.",
        min_value=bound("max_duration", "ge") / 60,
        max_value=bound("max_duration", "le") / 60,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    phrase_goodbye = text("Goodbye", "Said when the agent hangs up without words of its own.")
    phrase_time_is_up = text("When the time is up", "Said before the longest call ends.")
    phrase_budget_warning = text("When the money is used up", "Said at the next pause; the call may go on for a while.")
    phrase_budget_spent = text("When that while is over", "Said before the call ends for want of money.")
    phrase_no_transfer = text("When a transfer fails", "Said to the caller, who is still there.")
    phrase_correction = text("To take back a claim", "Said when the agent claimed to have done what it has not.")
    can_end_call = forms.BooleanField(
        label="The agent may hang up", required=False, help_text="It does so when the conversation is over."
    )

    digits_terminator = forms.ChoiceField(label="An entry ends with", choices=TERMINATORS, required=False)
    digits_most = whole("digits.most", "Longest entry", "Keys. An entry of so many is over at once.")
    digits_pause = number("digits.pause", "Pause that ends an entry", "Seconds without a key.", step=0.5)
    can_send_digits = forms.BooleanField(
        label="The agent may press keys", required=False, help_text="For menus that it reaches when it calls somebody."
    )

    ambient_bed = forms.ChoiceField(label="Background sound", choices=BEDS, required=False)
    ambient_volume = number("ambient.volume", "Its volume", "From 0 to 1.", step=0.05)
    ambient_duck = number(
        "ambient.duck",
        "While the agent speaks",
        "How much of it stays, from 0 to 1. 1 does not lower it; 0 lets the agent speak in silence.",
        step=0.05,
    )

    recording_enabled = forms.BooleanField(label="Record calls", required=False)
    recording_announcement = text(
        "Announcement",
        "Said first, before anything is recorded. Many places require it. Empty: none.",
        required=False,
    )

    transfers = RowsField(
        [
            Column(name="name", label="Name", placeholder="Front_desk", required=True, longest=64, tidy=tidy_name),
            Column(
                name="to", label="Number or SIP address", placeholder="+1 415 555 0100", required=True, tidy=tidy_number
            ),
            Column(name="when", label="When", placeholder="They ask for a person"),
            Column(name="warm", label="How", choices=[("", "Connect at once"), ("yes", "Announce the caller first")]),
        ],
        adds="Add somebody",
        label="Who takes over",
        most=20,
        help_text="The agent transfers the caller to them when it fits.",
    )

    answering_detect = forms.BooleanField(
        label="Find out who answers",
        required=False,
        help_text="A person, a menu or a machine, before anything is said.",
    )
    answering_message = text("Message for a machine", "Left after its beep. Empty: the agent hangs up.", required=False)
