"""What the agent says and does by itself: its prompt, its first words, its steps."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from builder.choices import LANGUAGES
from builder.controls.part import Part
from builder.fields import FlowField, text


class Words(Part):
    TITLE = "What it says"
    PATHS: ClassVar = {
        "prompt": "prompt",
        "greeting": "greeting",
        "language": "language",
    }

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
    greeting = text(
        "Greeting",
        "The agent's first words, said exactly so. Empty: the caller speaks first.",
        path="greeting",
        required=False,
    )
    language = forms.ChoiceField(
        label="Language", choices=LANGUAGES, help_text="What the caller speaks and the agent answers in."
    )


class Steps(Part):
    TITLE = "Flow"
    PATHS: ClassVar = {
        "flow": "flow",
    }

    flow = FlowField(label="Steps", required=False, widget=forms.HiddenInput)
