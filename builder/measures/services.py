"""What changes measures: calls that are over."""

from __future__ import annotations

from collections.abc import Iterable

from builder.measures.models import ServiceMeasure


def measures_store(measures: Iterable[ServiceMeasure]) -> None:
    """Store what a call has measured. Those of a call that was measured before stay as they are."""
    ServiceMeasure.objects.bulk_create(measures, ignore_conflicts=True)
