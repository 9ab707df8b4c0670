"""What the call list can be narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import QuerySet

from accounts.models import Organization
from billing.usage.models import UsageEvent
from builder.models import Agent, AgentVersion
from telephony.models import Call
from telephony.selectors import REASONS

LIVE = "live"
# What a call used is asked of its facts, which are what was counted.
FACTS = ("number", "direction", "capability", "vendor", "model")


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that a link has set, in words, and the list without it."""

    text: str
    without: str


class CallFilter(django_filters.FilterSet):
    """Filters of one workspace's calls. Dates are whole days in the site's time zone, both ends included."""

    agent = django_filters.ModelChoiceFilter(
        queryset=Agent.objects.none(), empty_label="Any agent", label="Agent", to_field_name="pk"
    )
    reason = django_filters.ChoiceFilter(
        choices=[(LIVE, "Live"), *((code, label) for code, (label, _) in REASONS.items())],
        method="with_reason",
        empty_label="Any end",
        label="Ended by",
    )
    after = django_filters.DateFilter(
        field_name="started_at", lookup_expr="date__gte", label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    before = django_filters.DateFilter(
        field_name="started_at", lookup_expr="date__lte", label="To", widget=forms.DateInput(attrs={"type": "date"})
    )
    q = django_filters.CharFilter(field_name="pk", lookup_expr="icontains", label="Call id")
    # Those below are set by links from the pages of usage and costs, and shown as chips.
    since = django_filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="gte", widget=forms.HiddenInput)
    until = django_filters.IsoDateTimeFilter(field_name="started_at", lookup_expr="lt", widget=forms.HiddenInput)
    version = django_filters.CharFilter(field_name="version_id", widget=forms.HiddenInput)
    number = django_filters.CharFilter(method="with_fact", widget=forms.HiddenInput)
    direction = django_filters.CharFilter(method="with_fact", widget=forms.HiddenInput)
    capability = django_filters.CharFilter(method="with_fact", widget=forms.HiddenInput)
    vendor = django_filters.CharFilter(method="with_fact", widget=forms.HiddenInput)
    model = django_filters.CharFilter(method="with_fact", widget=forms.HiddenInput)

    class Meta:
        model = Call
        fields = ("agent", "reason", "after", "before", "q", "since", "until", "version", *FACTS)

    def __init__(self, data: Any, *, queryset: QuerySet[Call], organization: Organization) -> None:
        super().__init__(data, queryset=queryset)
        self._organization = organization
        # An agent that is gone still has calls to look for.
        self.filters["agent"].queryset = Agent.objects.filter(organization=organization).order_by("name")

    def with_reason(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        if value == LIVE:
            return queryset.filter(state=Call.State.LIVE)
        return queryset.filter(state=Call.State.ENDED, end_reason=value)

    def with_fact(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        """The calls with one fact that is as all of the chosen ones say."""
        wanted = {fact: self.data[fact] for fact in FACTS if self.data.get(fact)}
        if name != next(iter(wanted)):
            return queryset  # all of them were looked for at once
        facts = UsageEvent.objects.filter(organization=self._organization, **wanted).exclude(call_id="")
        for limit, lookup in (("since", "occurred_at__gte"), ("until", "occurred_at__lt")):
            if moment := self.form.cleaned_data.get(limit):
                facts = facts.filter(**{lookup: moment})
        return queryset.filter(pk__in=facts.order_by().values("call_id"))

    def chips(self, address: str) -> list[Chip]:
        """What links have set, each with the list at `address` without it."""
        given = {name: self.data[name] for name in self.filters if self.data.get(name)}
        return [
            Chip(text, f"{address}?{urlencode({name: given[name] for name in given if name not in names})}".rstrip("?"))
            for names, text in self._told(given)
        ]

    def _told(self, given: dict[str, str]) -> list[tuple[tuple[str, ...], str]]:
        told: list[tuple[tuple[str, ...], str]] = []
        if "since" in given or "until" in given:
            told.append((("since", "until"), self._span()))
        if "version" in given:
            told.append((("version",), f"Version {self._version(given['version'])}"))
        told += [((name,), f"{name.capitalize()} {given[name]}") for name in FACTS if name in given]
        return told

    def _span(self) -> str:
        since, until = (self.form.cleaned_data.get(name) for name in ("since", "until"))
        first = f"{since.astimezone(UTC):%-d %b %Y, %H:%M}" if since else "…"
        return f"{first} to {until.astimezone(UTC):%-d %b %Y, %H:%M} UTC" if until else f"{first} to … UTC"

    def _version(self, version_id: str) -> str:
        found = AgentVersion.objects.filter(agent__organization=self._organization, pk=version_id).first()
        return found.label if found else version_id

    @property
    def is_set(self) -> bool:
        """Something is filtered out."""
        return any(self.data.get(name) for name in self.filters)
