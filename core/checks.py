"""Bad configuration, said by `manage.py check` with what to do about it, before the first call finds out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution
from django.utils.module_loading import import_string

_HOST_AND_PORT = re.compile(r"(?:\[[0-9a-f:.]+\]|[^\s:/@\[\]]+):\d{1,5}", re.IGNORECASE)
MAX_SOCKET_PATH = 100  # a Unix socket's path may be 107 bytes on Linux and 103 on macOS


@register
def check_encryption_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    bad = [number for number, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, 1) if not _is_fernet_key(key)]
    return [
        Error(
            f"Key {number} of FIELD_ENCRYPTION_KEYS is not a Fernet key.",
            hint='Make one: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
            id="core.E001",
        )
        for number in bad
    ]


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


@register
def check_home(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if len(str(settings.MODELS_SOCKET).encode()) <= MAX_SOCKET_PATH:
        return []
    return [
        Error(
            f"The path of CALLWRIGHT_HOME, {settings.CALLWRIGHT_HOME}, is too long to hold a socket.",
            hint="Move it to a shorter one, such as /var/lib/callwright.",
            id="core.E002",
        )
    ]


@register
def check_site_url(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    parts = urlsplit(settings.SITE_URL)
    extra = parts.path or parts.query or parts.fragment or parts.username
    if not settings.SITE_URL or (parts.scheme in ("http", "https") and parts.hostname and not extra):
        return []
    return [
        Error(
            f"SITE_URL is {settings.SITE_URL!r}, which is not the address of a site.",
            hint="Write scheme and host only: https://agents.example.org",
            id="core.E003",
        )
    ]


@register
def check_private_hosts(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"OUTBOUND_ALLOWED_PRIVATE_HOSTS has {entry!r}, which is not host:port.",
            hint="Write host and port and nothing else: 127.0.0.1:11434, ollama:11434 or [::1]:11434.",
            id="core.E004",
        )
        for entry in settings.OUTBOUND_ALLOWED_PRIVATE_HOSTS
        if not _HOST_AND_PORT.fullmatch(entry.strip())
    ]


@register
def check_choices(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    choices = {"LLM": ("local", "none"), "LOG_FORMAT": ("console", "json")}
    return [
        Error(f"{name} is {getattr(settings, name)!r}.", hint=f"Write one of: {', '.join(allowed)}.", id="core.E005")
        for name, allowed in choices.items()
        if getattr(settings, name) not in allowed
    ]


@register
def check_hooks(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    missing: list[CheckMessage] = []
    for path in settings.ON_ORGANIZATION_CREATED:
        try:
            import_string(path)
        except ImportError as error:
            missing.append(Error(f"ON_ORGANIZATION_CREATED names {path}: {error}.", id="core.E006"))
    return missing


@register(deploy=True)
def check_https(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.HTTPS:
        return []
    return [
        Caution(
            "SITE_URL is not an https address, so cookies travel in the clear and browsers refuse the microphone.",
            hint="Put a proxy with a certificate in front and set SITE_URL=https://... and TRUST_PROXY=true.",
            id="core.W001",
        )
    ]
