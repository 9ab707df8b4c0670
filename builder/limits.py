"""How often a person may ask for what costs real work."""

from __future__ import annotations

import time

from django.core.cache import cache

from accounts.models import User
from core.errors import ApiError, ErrorCode


def require(action: str, user: User, *, times: int, seconds: int) -> None:
    """Count one `action` of `user`. Raises ApiError (rate limited) after `times` of them in a window of `seconds`."""
    window = int(time.time() // seconds)
    key = f"builder.limit:{action}:{user.pk}:{window}"
    cache.add(key, 0, timeout=2 * seconds)
    if cache.incr(key) > times:
        message = f"That was {times} times within {seconds} seconds. Wait a moment and try again."
        raise ApiError(ErrorCode.RATE_LIMITED, "Too often", message)
