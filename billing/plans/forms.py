"""The form of a plan's next version."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from billing.plans.catalogue import ENTITLEMENTS
from billing.plans.models import PlanVersion
from billing.plans.services import VALUES
from core.money import format_micro, parse_micro


class DollarsField(forms.CharField):
    """Dollars as people write them; its value is micro-dollars, None for nothing."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=20, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        return format_micro(value, places=6).rstrip("0").rstrip(".")

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            micro = parse_micro(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        if micro < 0:
            raise forms.ValidationError("Not below zero, please.")
        return micro


def _count(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, help_text="Empty: without limit.")


class PlanVersionForm(forms.Form):
    """What a plan costs and allows, from a moment on."""

    effective_from = forms.DateTimeField(label="From", help_text="UTC. Subscriptions change with their next month.")
    price = DollarsField(label="Price a month", required=False, help_text="Empty: what the contract says.")
    agent_budget = DollarsField(
        label="Budget for calls",
        required=False,
        help_text="Empty: without limit; usage is on the month's invoice.",
    )
    credits = _count("Credits")
    agent_minute = DollarsField(label="A minute with an agent")
    telephony_minute = DollarsField(label="A minute of telephony")
    concurrent_calls = _count("Calls at once")
    outbound_per_second = _count("Outbound calls a second")
    agent_slots = _count("Agents")
    number_slots = _count("Numbers")
    members = _count("Members")
    entitlements = forms.MultipleChoiceField(
        choices=list(ENTITLEMENTS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )
    metered_only = forms.BooleanField(
        label="Only measure", required=False, help_text="Nothing is charged and nothing blocked for want of money."
    )

    def __init__(self, version: PlanVersion, data: Any = None) -> None:
        values = {name: getattr(version, name) for name in VALUES}
        super().__init__(data, initial={"effective_from": timezone.now().strftime("%Y-%m-%d %H:%M"), **values})

    def clean_outbound_per_second(self) -> int | None:
        pace: int | None = self.cleaned_data["outbound_per_second"]
        if pace == 0:
            raise forms.ValidationError("At least one, or none for no limit.")
        return pace

    @property
    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in VALUES}
