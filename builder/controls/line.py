"""What happens on the line: keys, sound, machines that answer, the end of the call."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from builder.choices import BEDS, NOISE, TERMINATORS
from builder.controls.part import Advanced
from builder.fields import MinutesField, bound, number, text, whole


class Keypad(Advanced):
    TITLE = "Keypad"
    HINT = "What callers key in, and whether the agent presses keys itself."
    PATHS: ClassVar = {
        "digits_terminator": "digits.terminator",
        "digits_most": "digits.most",
        "digits_pause": "digits.pause",
        "can_send_digits": "can_send_digits",
    }

    digits_terminator = forms.ChoiceField(label="An entry ends with", choices=TERMINATORS, required=False)
    digits_most = whole("digits.most", "Longest entry", "Keys. An entry of so many is over at once.")
    digits_pause = number("digits.pause", "Pause that ends an entry", "Seconds without a key.", step=0.5)
    can_send_digits = forms.BooleanField(
        label="The agent may press keys", required=False, help_text="For menus that it reaches when it calls somebody."
    )


class Sound(Advanced):
    TITLE = "Sound and recording"
    HINT = "What is behind the agent's voice, and what is kept."
    PATHS: ClassVar = {
        "noise_suppression": "noise_suppression",
        "ambient_bed": "ambient.bed",
        "ambient_volume": "ambient.volume",
        "ambient_duck": "ambient.duck",
        "recording_enabled": "recording.enabled",
        "recording_announcement": "recording.announcement",
    }

    noise_suppression = forms.ChoiceField(label="Noise behind the caller", choices=NOISE)
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


class OutgoingCalls(Advanced):
    TITLE = "Calls that the agent makes"
    HINT = "When a machine answers instead of a person."
    PATHS: ClassVar = {
        "answering_detect": "answering.detect",
        "answering_message": "answering.message",
    }

    answering_detect = forms.BooleanField(
        label="Find out who answers",
        required=False,
        help_text="A person, a menu or a machine, before anything is said.",
    )
    answering_message = text("Message for a machine", "Left after its beep. Empty: the agent hangs up.", required=False)


class Limits(Advanced):
    TITLE = "Limits"
    HINT = "How a call comes to its end."
    PATHS: ClassVar = {
        "max_duration_minutes": "max_duration",
        "phrase_time_is_up": "phrases.time_is_up",
        "phrase_budget_warning": "phrases.budget_warning",
        "phrase_budget_spent": "phrases.budget_spent",
        "can_end_call": "can_end_call",
        "phrase_goodbye": "phrases.goodbye",
    }

    max_duration_minutes = MinutesField(
        label="Longest call",
        help_text="Minutes.",
        min_value=bound("max_duration", "ge") / 60,
        max_value=bound("max_duration", "le") / 60,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    phrase_time_is_up = text("When the time is up", "Said before the longest call ends.")
    phrase_budget_warning = text("When the money is used up", "Said at the next pause; the call may go on for a while.")
    phrase_budget_spent = text("When that while is over", "Said before the call ends for want of money.")
    can_end_call = forms.BooleanField(
        label="The agent may hang up", required=False, help_text="It does so when the conversation is over."
    )
    phrase_goodbye = text("Goodbye", "Said when the agent hangs up without words of its own.")
