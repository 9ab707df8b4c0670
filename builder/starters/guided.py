"""A form instead of an empty page: what a business is like becomes a prompt, without a model."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from builder.config import AgentConfig
from builder.fields import tidy_transfer
from builder.starters import STYLE, THINKING
from voice.spec import Phrases, TransferTarget

TONES = {
    "warm": "Be warm and plain.",
    "formal": "Be polite and formal, and address callers by their family name once you know it.",
    "brisk": "Be quick and to the point.",
}
TASKS = {
    "answer": "If a caller wants more, ask for the name and number, and say that a colleague calls back.",
    "book": (
        "To book, ask for the name, the reason and the day they prefer, one after the other. "
        "Then say that a colleague calls back to confirm the time. Never say that it is booked."
    ),
    "message": "Take messages: ask for the name, the number and the matter, one after the other, and read them back.",
}


def _lines(label: str, placeholder: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=2_000,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": placeholder}),
    )


class GuidedForm(forms.Form):
    """After `is_valid`, `name` and `config` are the agent that the answers make."""

    TASKS: ClassVar = [
        ("answer", "Answer questions"),
        ("book", "Answer questions and take requests for appointments"),
        ("message", "Answer questions and take messages"),
    ]
    TONES: ClassVar = [("warm", "Warm"), ("formal", "Formal"), ("brisk", "Brisk")]

    business = forms.CharField(
        label="What is the business called?",
        max_length=80,
        widget=forms.TextInput(attrs={"placeholder": "Willow Hair"}),
    )
    kind = forms.CharField(
        label="What is it?", max_length=120, widget=forms.TextInput(attrs={"placeholder": "a hairdresser"})
    )
    agent_name = forms.CharField(
        label="What is the agent called?",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"placeholder": "Ava"}),
    )
    task = forms.ChoiceField(label="What should it do?", choices=TASKS, widget=forms.RadioSelect)
    hours = _lines("When are you open?", "Monday to Friday from 9 AM to 6 PM.", "In plain sentences, as one says it.")
    address = _lines("Where are you?", "7 Orchard Road, next to the station.")
    services = _lines("What do you offer, and what does it cost?", "A haircut costs 45 dollars.")
    facts = _lines("What else do callers ask?", "We take cards and cash.")
    transfer = forms.CharField(
        label="Who takes over when somebody wants a person?",
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"placeholder": "+1 415 555 0100", "autocomplete": "off"}),
        help_text="A phone number or SIP address. Empty: nobody.",
    )
    tone = forms.ChoiceField(label="How should it sound?", choices=TONES, initial="warm")

    def clean_transfer(self) -> str:
        try:
            return tidy_transfer(self.cleaned_data["transfer"])
        except ValueError as error:
            raise forms.ValidationError(f"Check it: {error}") from None

    @property
    def name(self) -> str:
        """What the agent is called in lists."""
        data = self.cleaned_data
        return f"{data['agent_name'] or 'Phone'} at {data['business']}"[:120]

    @property
    def config(self) -> AgentConfig:
        data: dict[str, Any] = self.cleaned_data
        who = f"You are {data['agent_name']}, and you answer" if data["agent_name"] else "You answer"
        told = [data["address"] and f"We are at {_sentence(data['address'])}", data["hours"], data["services"]]
        known = [_sentence(part) for part in (*told, data["facts"]) if part.strip()]
        parts = [
            f"{who} the phone of {data['business']}, {data['kind'].rstrip('.')}. {STYLE} {TONES[data['tone']]}",
            "\n".join(["Use only these facts:", *known]) if known else "",
            f"{TASKS[data['task']]}\nIf you do not know something, say so, and that a colleague can tell.",
        ]
        hello = f"Hello, this is {data['agent_name']} at" if data["agent_name"] else "Hello, this is"
        when = "The caller wants to talk to a person"
        people = [TransferTarget(name="colleague", to=data["transfer"], when=when)] if data["transfer"] else []
        return AgentConfig(
            prompt="\n\n".join(filter(None, parts)),
            greeting=f"{hello} {data['business']}. How can I help you?",
            transfers=tuple(people),
            phrases=Phrases(thinking=THINKING),
        )


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
