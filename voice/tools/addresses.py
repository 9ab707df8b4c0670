"""Addresses and numbers that people write, with variables in them or without."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

NUMBER = re.compile(r"\+?\d{2,15}")
"""A phone number as it is dialled, with a country code or without."""
_E164 = re.compile(r"\+[1-9]\d{6,14}")


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


def tidy_number(text: str) -> str:
    """A phone number without the spaces, dots, dashes and brackets that it was written with. Any other text, such as
    a SIP address or a `{{variable}}`, is as it was."""
    number = re.sub(r"[\s().-]", "", text)
    return number if NUMBER.fullmatch(number) else text.strip()


def phone_number(text: str) -> str:
    """A phone number in E.164, which may have been written with spaces, dots, dashes or brackets. Raises ValueError."""
    number = tidy_number(text)
    if not _E164.fullmatch(number):
        raise ValueError(f"“{text.strip()[:40]}” is no phone number with a country code, such as +14155550100.")
    return number
