"""Where a document lies between two pages: what somebody has brought, until they have said what to make of it.

It may hold keys, so it is encrypted; only who put it there gets it back, and after half an hour nobody does.
"""

from __future__ import annotations

import secrets
import zlib

from django.core.cache import cache

from accounts.models import Organization, User
from core.fields import cipher

SECONDS = 1_800


def put(text: str, *, organization: Organization, user: User) -> str:
    """Keep `text`. Gives the key to get it back by."""
    key = secrets.token_urlsafe(16)
    packed = cipher().encrypt(zlib.compress(text.encode(errors="surrogatepass")))
    cache.set(_place(key, organization, user), packed, SECONDS)
    return key


def get(key: str, *, organization: Organization, user: User) -> str | None:
    """What was put there, if it still is."""
    packed = cache.get(_place(key, organization, user)) if key else None
    return zlib.decompress(cipher().decrypt(packed)).decode(errors="surrogatepass") if packed else None


def _place(key: str, organization: Organization, user: User) -> str:
    return f"builder.shelf:{organization.pk}:{user.pk}:{key[:40]}"
