"""Addresses that people write for requests with variables in them."""

from __future__ import annotations

from urllib.parse import urlsplit


def whole_url(url: str) -> str:
    """An address with its host written out: a variable there could send the request, and its secrets, anywhere.
    Raises ValueError, which says what to write."""
    try:
        parts = urlsplit(url.strip())
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if not complete:
        raise ValueError("Write a whole address, such as https://api.example.org/orders/{number}")
    if "{" in parts.netloc:
        raise ValueError("Write the host out: it can hold no variable.")
    if parts.username or parts.password:
        raise ValueError("Leave the password out of the address, and choose Basic below.")
    return url.strip()
