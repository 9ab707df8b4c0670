"""How often one key may ask."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.throttling import SimpleRateThrottle


class KeyThrottle(SimpleRateThrottle):
    """So many requests by each key; `rate` is such as "60/m". Several routers do not share their count."""

    def __init__(self, rate: str, scope: str) -> None:
        self.scope = scope
        super().__init__(rate)

    def get_cache_key(self, request: HttpRequest) -> str:
        return f"api.throttle:{self.scope}:{request.auth.pk}"  # type: ignore[attr-defined]
