"""Who may set up an empty installation: whoever sits at the machine, or knows the token that its terminal shows."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from core.secrets import stored_secret


def is_needed() -> bool:
    """Is there nobody yet?"""
    return not User.objects.exists()


def token_file() -> Path:
    return Path(settings.CALLWRIGHT_HOME) / "setup_token"


def token() -> str:
    """The set-up token of this installation, made when first asked for."""
    return stored_secret(token_file(), lambda: secrets.token_urlsafe(24))


def token_is_right(given: str) -> bool:
    return hmac.compare_digest(given.encode(), token().encode())


def token_is_needed(request: HttpRequest) -> bool:
    """Anyone but a browser on this machine has to show it.

    A proxy on this machine makes everybody look local, so the signs of one count as "not local" too.
    """
    local = is_loopback(settings.HOST) and is_loopback(request.META.get("REMOTE_ADDR", ""))
    proxied = (
        settings.TRUST_PROXY
        or settings.SITE_URL
        or "X-Forwarded-For" in request.headers
        or "Forwarded" in request.headers
    )
    return bool(proxied) or not local


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
