"""So many per second, over all processes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from billing.limits.models import Pace


def pace_take(key: str, *, per_second: float, now: datetime | None = None) -> float:
    """Take the next moment at which `key` may be done. 0: it may be done now; else wait for so many seconds.

    One guarded UPDATE decides, so that of several that ask at once one is let through.
    """
    at = now or timezone.now()
    Pace.objects.get_or_create(key=key, defaults={"next_at": at})
    step = timedelta(seconds=1 / per_second)
    if Pace.objects.filter(key=key, next_at__lte=at).update(next_at=at + step):
        return 0.0
    return max(0.001, (Pace.objects.get(key=key).next_at - at).total_seconds())
