"""What all of Cartesia's addresses have in common."""

from __future__ import annotations

# The version of the API that is spoken here. The server wants to know it with each request.
API_VERSION = "2026-08-14"


def headers(api_key: str) -> dict[str, str]:
    return {"Cartesia-Version": API_VERSION} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})


def primary(language: str) -> str:
    """`en` of `en-US`: the server's languages have no regions."""
    return language.replace("_", "-").partition("-")[0].lower()
