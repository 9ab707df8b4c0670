"""Money is an integer of micro-dollars (1 000 000 = $1): exact on every database, fine enough for prices per second."""

from __future__ import annotations

import re

DOLLAR = 1_000_000
_AMOUNT = re.compile(r"(-?)\$?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,6}))?", re.ASCII)


def format_micro(micro: int, *, places: int = 2) -> str:
    """`micro` as dollars, rounded half away from zero to `places` (0 to 6): 1234567 is "$1.23", -60000 is "-$0.06"."""
    unit = 10 ** (6 - places)
    whole = (abs(micro) + unit // 2) // unit
    dollars, rest = divmod(whole, 10**places)
    sign = "-" if micro < 0 and whole else ""
    return f"{sign}${dollars:,}" + (f".{rest:0{places}}" if places else "")


def parse_micro(text: str) -> int:
    """The micro-dollars that a person typed, such as "12", "$1,250.50" or "-0.014".

    Raises ValueError when it is not an amount or has more than six decimals.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError("Write an amount of dollars such as 12.50, with at most six decimals.")
    sign, dollars, decimals = match.groups()
    micro = int(dollars.replace(",", "")) * DOLLAR + int((decimals or "").ljust(6, "0"))
    return -micro if sign else micro
