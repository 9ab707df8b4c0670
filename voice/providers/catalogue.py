"""The vendors whose services calls can be made with. A vendor's package is loaded when it is asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from voice.providers.vendor import Vendor

VENDORS = (
    "openai",
    "openai_responses",
    "anthropic",
    "google",
    "deepgram",
    "elevenlabs",
    "cartesia",
    "pipecat",
    "line",
    "webagent",
    "twilio",
    "telnyx",
)
"""Packages in `voice.providers`, in the order in which they are shown."""


@cache
def vendor(name: str) -> Vendor:
    """The vendor with this id. Raises KeyError."""
    if name not in VENDORS:
        raise KeyError(name)
    found: Vendor = import_module(f"voice.providers.{name}").VENDOR
    return found


def vendors() -> list[Vendor]:
    return [vendor(name) for name in VENDORS]
