"""`Cartesia-Version`: the date of the API that a client was written for.

A client gets what the newest version on or before its date did. Without the header it gets the newest one, so that a
request can be typed by hand.
"""

from __future__ import annotations

import re

from django.http import HttpRequest

from core.errors import ApiError, ErrorCode

HEADER = "Cartesia-Version"
KNOWN = ("2024-06-10", "2024-11-13", "2025-04-16", "2026-03-01", "2026-08-14")
NEWEST = KNOWN[-1]
JSON_ERRORS = "2026-03-01"
"""Before this one, errors were plain text."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def version_of(request: HttpRequest) -> str:
    """One of KNOWN. Raises ApiError (invalid request) for a date before the first, and for what is no date."""
    asked = request.headers.get(HEADER, NEWEST)
    if not _DATE.fullmatch(asked) or asked < KNOWN[0]:
        message = f"{HEADER} is {asked!r}. Send the date of a version: {', '.join(KNOWN)}."
        raise ApiError(ErrorCode.INVALID_REQUEST, "Unknown version", message)
    return max(known for known in KNOWN if known <= asked)
