"""Where text messages come from and go to: what is asked of a step is asked of a tool."""

from __future__ import annotations

import re

from builder import vendors
from voice.tools.addresses import phone_number
from voice.variables import names_in


def wrong_sender(sender: str, vendor: str) -> str:
    """Why `vendor` cannot send from there, or ""."""
    known = vendors.vendors().get(vendor)
    if known and known.pools and re.fullmatch(known.pools, sender.strip()):
        return ""
    return wrong_recipient(sender)


def wrong_recipient(number: str) -> str:
    """Why nothing can be sent there, or "". What a `{{variable}}` holds is seen in the call."""
    if names_in(number):
        return ""
    try:
        phone_number(number)
    except ValueError as error:
        return str(error)
    return ""
