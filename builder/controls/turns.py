"""When the agent speaks, when it waits, and what it says while nothing comes."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from builder.choices import DICTATION, INTERRUPTIONS
from builder.controls.part import Advanced
from builder.fields import LevelField, LinesField, number, text, whole

GIVEN_UP = "Seconds; then the next one is asked."


class TurnTaking(Advanced):
    TITLE = "Turn taking"
    HINT = "When the agent answers, and when it lets itself be interrupted."
    PATHS: ClassVar = {
        "finished_silence": "turns.finished_silence",
        "unfinished_silence": "turns.unfinished_silence",
        "finished_probability": "turns.finished_probability",
        "interruptible": "turns.interruptible",
        "interruption_speech": "turns.interruption_speech",
        "dictation": "turns.dictation",
        "backchannel": "turns.backchannel",
    }

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


class Silence(Advanced):
    TITLE = "Silence"
    HINT = "What happens when the caller says nothing."
    PATHS: ClassVar = {
        "check_in_after": "inactivity.check_in_after",
        "check_in_text": "inactivity.check_in_text",
        "check_ins": "inactivity.check_ins",
        "farewell_text": "inactivity.farewell_text",
    }

    check_in_after = number("inactivity.check_in_after", "Check in after", "Seconds of silence.", step=1)
    check_in_text = text("Check-in", "What the agent asks then.")
    check_ins = whole("inactivity.check_ins", "Number of check-ins", "After that many the agent says goodbye.")
    farewell_text = text("Farewell", "What it says before it hangs up.")


class Trouble(Advanced):
    TITLE = "When something is slow or wrong"
    HINT = "A caller hears words, never silence."
    PATHS: ClassVar = {
        "phrases_thinking": "phrases.thinking",
        "thinking_after": "thinking_after",
        "slow_after": "slow_after",
        "hedge_after": "hedge_after",
        "phrase_slow": "phrases.slow",
        "phrase_still_slow": "phrases.still_slow",
        "phrase_trouble": "phrases.trouble",
        "phrase_giving_up": "phrases.giving_up",
        "first_words": "patience.first_words",
        "words_gap": "patience.words_gap",
        "longest_answer": "patience.longest_answer",
        "first_sound": "patience.first_sound",
        "sound_gap": "patience.sound_gap",
        "no_audio": "patience.no_audio",
    }

    phrases_thinking = LinesField(
        label="While it thinks",
        most=8,
        longest=100,
        help_text="Short words such as “Let me see.”, one a line, said in turn before an answer that is not there yet. "
        "Empty: the caller waits in silence.",
    )
    thinking_after = number("thinking_after", "It thinks aloud after", "Seconds.", step=0.1)
    slow_after = number("slow_after", "An answer is slow after", "Seconds.", step=0.5)
    hedge_after = number(
        "hedge_after",
        "Ask the next model as well after",
        "Seconds without a word from the first one; whoever answers first is heard. Empty: never. Both are paid for.",
        required=False,
    )
    phrase_slow = text("When the answer is slow", "Said while the caller waits.")
    phrase_still_slow = text("When it stays slow", "Said again and again until the answer is there.")
    phrase_trouble = text("When an answer failed", "Said when a service did not answer.")
    phrase_giving_up = text("When the call must end", "Said when it keeps failing.")
    first_words = number("patience.first_words", "Wait for the model's first words", GIVEN_UP)
    words_gap = number(
        "patience.words_gap",
        "Wait in the middle of an answer",
        "Seconds; then the caller is asked to say it again. The only model is waited for longer: see below.",
    )
    longest_answer = number(
        "patience.longest_answer", "Wait for the last model", "Seconds; the caller is told in between.", step=1
    )
    first_sound = number("patience.first_sound", "Wait for the voice's first sound", GIVEN_UP)
    sound_gap = number("patience.sound_gap", "Wait in the middle of a sentence", GIVEN_UP)
    no_audio = number(
        "patience.no_audio", "A line is dead after", "Seconds without audio; after twice as long the call ends.", step=1
    )
