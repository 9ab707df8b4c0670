"""What is known of services from the last calls."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import QuerySet

from accounts.models import Organization
from builder.config import LOCAL
from builder.measures.models import ServiceMeasure

LAST_CALLS = 50
LEAST_READ = 3
"""So many calls make a speed that is relied on."""
PROMPT_SPEED = 62.0
"""Tokens a second at which the local model reads a prompt that it has not seen, on two cores: until calls say more."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of a service in its last calls: the median wait in milliseconds, from how many calls, and what a minute of a call
    used, by unit."""

    calls: int = 0
    waited_ms: int | None = None
    per_minute: Mapping[str, float] = field(default_factory=dict)


def measured(organization: Organization, role: str, vendor: str, model: str) -> Measured:
    """What the workspace's last calls say of a service. Of our own models all calls of the installation speak."""
    rows = list(_of(organization, role, vendor, model)[:LAST_CALLS])
    waits = [row.waited_ms for row in rows if row.waited_ms is not None]
    minutes = sum(row.call_seconds for row in rows) / 60
    units = {unit for row in rows for unit in row.quantities}
    return Measured(
        calls=len(rows),
        waited_ms=round(statistics.median(waits)) if waits else None,
        per_minute={unit: sum(row.quantities.get(unit, 0) for row in rows) / minutes for unit in units}
        if minutes
        else {},
    )


def prompt_speed(organization: Organization, vendor: str = LOCAL, model: str = "") -> float | None:
    """Tokens of a new prompt that a model reads in a second, as the last calls say; None where too few do and the model
    is not our own."""
    rows = _of(organization, "llm", vendor, model).filter(read_speed__isnull=False)
    speeds = [speed for speed in rows.values_list("read_speed", flat=True)[:LAST_CALLS] if speed is not None]
    if len(speeds) >= LEAST_READ:
        return statistics.median(speeds)
    return PROMPT_SPEED if vendor == LOCAL else None


def _of(organization: Organization, role: str, vendor: str, model: str) -> QuerySet[ServiceMeasure]:
    found = ServiceMeasure.objects.filter(role=role, vendor=vendor).order_by("-ended_at")
    # Ours have one model in each role, whatever its name was then.
    return found if vendor == LOCAL else found.filter(organization=organization, model=model)
