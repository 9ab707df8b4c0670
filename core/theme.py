"""Light or dark, as the visitor chose. The choice is a cookie, so that the server can draw the first page in it."""

from __future__ import annotations

from django.http import HttpRequest

COOKIE = "theme"
THEMES = ("light", "dark")


def chosen(request: HttpRequest) -> str:
    """ "light", "dark", or "" to follow the system."""
    theme = request.COOKIES.get(COOKIE, "")
    return theme if theme in THEMES else ""


def context(request: HttpRequest) -> dict[str, str]:
    """`theme` in every template."""
    return {"theme": chosen(request)}
