"""How a call begins: what is known then, and who says what in which language."""

from __future__ import annotations

from typing import ClassVar

from django import forms

from builder.choices import DISCLOSED, FIRST, LANGUAGES, TIMEZONES, TYPES
from builder.controls.part import Advanced
from builder.fields import Column, RowsField, SuggestField, number, text, tidy_variable
from voice.variables import SYSTEM


class Variables(Advanced):
    TITLE = "Variables"
    HINT = "What differs from call to call. Texts hold {{name}} in its place."
    PATHS: ClassVar = {
        "variables": "variables",
        "timezone": "timezone",
    }

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


class BeforeACall(Advanced):
    TITLE = "Before a call"
    HINT = "A program of yours may set variables, change the agent for this call, or refuse it."
    PATHS: ClassVar = {
        "webhook_url": "webhook.url",
        "webhook_secret": "webhook.secret",
        "webhook_timeout": "webhook.timeout",
    }

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


class FirstWords(Advanced):
    TITLE = "First words"
    HINT = "Who begins, and whether it is said that an AI speaks."
    PATHS: ClassVar = {
        "first_speaker": "first_speaker",
        "disclosure_text": "disclosure.text",
        "disclosure_when": "disclosure.when",
    }

    first_speaker = forms.ChoiceField(label="Who speaks first", choices=FIRST)
    disclosure_text = text(
        "AI disclosure",
        "Says that an AI speaks; the law of many places requires it. Empty: none.",
        path="disclosure.text",
        required=False,
    )
    disclosure_when = forms.ChoiceField(label="When it is said", choices=DISCLOSED)


class Languages(Advanced):
    TITLE = "Languages"
    HINT = "What else the agent speaks."
    PATHS: ClassVar = {
        "languages": "languages",
        "detect_language": "detect_language",
    }

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
