"""What the agent may say, and to whom it may give the call."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from builder.choices import GREETS, HONESTY
from builder.controls.part import Advanced
from builder.fields import Column, LinesField, RowsField, text, tidy_name, tidy_transfer


class Guardrails(Advanced):
    TITLE = "Guardrails"
    HINT = "What the agent does not talk about, never says, and may not claim."
    PATHS: ClassVar = {
        "refused_topics": "guardrails.topics",
        "refusal": "guardrails.refusal",
        "never_say": "guardrails.never_say",
        "said_instead": "guardrails.instead",
        "honesty": "honesty",
        "phrase_correction": "phrases.correction",
    }

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
    honesty = forms.ChoiceField(
        label="Claims that nothing proves",
        choices=HONESTY,
        help_text="The agent says that it has done something, and no tool has.",
    )
    phrase_correction = text("To take back a claim", "Said when the agent claimed to have done what it has not.")


class OtherAgents(Advanced):
    TITLE = "Other agents"
    HINT = "To whom this agent hands the call over. What was said stays known."
    PATHS: ClassVar = {
        "handoffs": "handoffs",
    }

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


class Transfers(Advanced):
    TITLE = "Transfers"
    HINT = "To whom the agent may give the caller."
    PATHS: ClassVar = {
        "transfers": "transfers",
        "phrase_no_transfer": "phrases.no_transfer",
    }

    transfers = RowsField(
        [
            Column(name="name", label="Name", placeholder="Front_desk", required=True, longest=64, tidy=tidy_name),
            Column(
                name="to",
                label="Number or SIP address",
                placeholder="+1 415 555 0100",
                required=True,
                tidy=tidy_transfer,
            ),
            Column(name="when", label="When", placeholder="They ask for a person"),
            Column(name="warm", label="How", choices=[("", "Connect at once"), ("yes", "Announce the caller first")]),
        ],
        adds="Add somebody",
        label="Who takes over",
        most=20,
        help_text="The agent transfers the caller to them when it fits.",
    )
    phrase_no_transfer = text("When a transfer fails", "Said to the caller, who is still there.")
