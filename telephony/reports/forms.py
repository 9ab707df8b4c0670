"""Which days and which agent the pages are about."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.models import Organization
from billing.reports.windows import DAY, LONGEST, Window
from builder.models import Agent

PERIODS = {
    "month": "This month",
    "last_month": "Last month",
    "7": "Last 7 days",
    "30": "Last 30 days",
    "90": "Last 90 days",
    "365": "Last 365 days",
    "custom": "From … to …",
}


class PeriodForm(forms.Form):
    """A stretch of UTC days, and one agent or all. What is not understood is the month so far, and said so."""

    period = forms.ChoiceField(choices=list(PERIODS.items()), required=False, label="Period")
    start = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}))
    agent = forms.ModelChoiceField(
        Agent.objects.none(), required=False, empty_label="Every agent", label="Agent", to_field_name="pk"
    )

    def __init__(self, data: Any, *, organization: Organization) -> None:
        super().__init__({**data.dict(), "period": data.get("period") or "month"})
        # An agent that is gone still has calls that cost something.
        chosen = Agent.objects.filter(organization=organization).order_by("name")
        self.fields["agent"].queryset = chosen  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("period") == "custom":
            start, end = cleaned.get("start"), cleaned.get("end")
            if start is None or end is None:
                raise forms.ValidationError("Choose the first and the last day.")
            if start > end:
                raise forms.ValidationError("The first day comes after the last one.")
            if end + DAY - start > LONGEST:
                raise forms.ValidationError("Choose a year at most.")
        return cleaned

    @property
    def window(self) -> Window:
        today = timezone.now().astimezone(UTC).date()
        period = self.cleaned_data.get("period") if self.is_valid() else "month"
        if period == "custom":
            return Window(self.cleaned_data["start"], self.cleaned_data["end"] + DAY)
        this_month = today.replace(day=1)
        if period == "last_month":
            return Window((this_month - DAY).replace(day=1), this_month)
        if period == "month":
            return Window(this_month, today + DAY)
        return Window(today + DAY - timedelta(days=int(period or 30)), today + DAY)

    @property
    def agent_id(self) -> str:
        agent = self.cleaned_data.get("agent") if self.is_valid() else None
        return agent.pk if agent else ""

    @property
    def query(self) -> dict[str, str]:
        """What of the form has to be said again in a link."""
        names = ("period", "start", "end", "agent") if self.data["period"] == "custom" else ("period", "agent")
        return {name: str(self.data[name]) for name in names if self.data.get(name)}
