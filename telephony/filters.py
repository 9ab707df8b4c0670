"""What the call list can be narrowed to."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from accounts.models import Organization
from builder.models import Agent
from telephony.models import Call
from telephony.selectors import REASONS

LIVE = "live"


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

    class Meta:
        model = Call
        fields = ("agent", "reason", "after", "before", "q")

    def __init__(self, data: Any, *, queryset: QuerySet[Call], organization: Organization) -> None:
        super().__init__(data, queryset=queryset)
        # An agent that is gone still has calls to look for.
        self.filters["agent"].queryset = Agent.objects.filter(organization=organization).order_by("name")

    def with_reason(self, queryset: QuerySet[Call], name: str, value: str) -> QuerySet[Call]:
        if value == LIVE:
            return queryset.filter(state=Call.State.LIVE)
        return queryset.filter(state=Call.State.ENDED, end_reason=value)

    @property
    def is_set(self) -> bool:
        """Something is filtered out."""
        return any(self.data.get(name) for name in self.filters)
