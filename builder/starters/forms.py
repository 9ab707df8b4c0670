"""The forms by which a sentence becomes an agent."""

from __future__ import annotations

import json
from typing import Any, cast

from django import forms
from pydantic import ValidationError

from accounts.models import Organization
from builder import vendors
from builder.compile import default_model
from builder.config import AgentConfig, ModelChoice
from builder.fields import LinesField
from builder.models import ModelConnection
from builder.vendors import Access


def writers(organization: Organization) -> dict[str, ModelConnection]:
    """The connections whose models can write a draft."""
    return {
        found.pk: found
        for found in organization.model_connections.all()
        if vendors.has_role(found.vendor, "llm") and default_model(found, "llm")
    }


class SentenceForm(forms.Form):
    """What an agent is for, and who writes the draft."""

    sentence = forms.CharField(
        label="What should it do?",
        min_length=10,
        max_length=1_000,
        widget=forms.Textarea(
            attrs={"rows": 2, "placeholder": "Answers the phone for my dental practice, and books appointments"}
        ),
    )
    connection = forms.ChoiceField(label="Written by")

    def __init__(self, data: Any = None, *, organization: Organization) -> None:
        super().__init__(data)
        self._writers = writers(organization)
        choice = cast("forms.ChoiceField", self.fields["connection"])
        choice.choices = [
            (key, f"{found.name} · {default_model(found, 'llm')}") for key, found in self._writers.items()
        ]

    @property
    def writer(self) -> ModelConnection:
        return self._writers[self.cleaned_data["connection"]]

    @property
    def access(self) -> tuple[Access, str]:
        return Access.by(self.writer), default_model(self.writer, "llm")


class IdeaForm(forms.Form):
    """A draft to be read and changed. After `is_valid`, `config` is the agent's."""

    name = forms.CharField(label="Name", max_length=120)
    prompt = forms.CharField(
        label="Prompt",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 16}),
        help_text="What stands in [square brackets] could not be known: fill it in.",
    )
    greeting = forms.CharField(
        label="Greeting", max_length=1_000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    variables = LinesField(
        label="Variables", most=20, longest=300, help_text="One a line, with what it is by itself: name = value"
    )
    connection = forms.CharField(widget=forms.HiddenInput, required=False)
    tools = forms.CharField(widget=forms.HiddenInput, required=False)
    """The tools that were suggested, as JSON: shown, never made."""

    def __init__(self, data: Any = None, *, organization: Organization, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._writers = writers(organization)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        pairs = [line.partition("=") for line in data["variables"]]
        writer = self._writers.get(data["connection"])
        model = ModelChoice(connection=writer.pk, name=default_model(writer, "llm")) if writer else ModelChoice()
        try:
            self.config = AgentConfig.model_validate(
                {
                    "prompt": data["prompt"],
                    "greeting": data["greeting"],
                    "variables": [{"name": name.strip(), "default": value.strip()} for name, _, value in pairs],
                    "model": model,
                }
            )
        except ValidationError as error:
            self.add_error("variables", error.errors()[0]["msg"].removeprefix("Value error, "))
        return data

    @property
    def suggested_tools(self) -> list[dict[str, str]]:
        try:
            found = json.loads(self["tools"].value() or "[]")
        except ValueError:
            return []
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
