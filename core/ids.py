"""Public identifiers: a prefix that names the kind and a sortable random part, such as `agent_01k9…`."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
else:
    _CharField = models.CharField

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread aloud


def base32(value: int, length: int) -> str:
    """The last 5 x `length` bits of a number in Crockford's base 32, in small letters."""
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))


def new_id(prefix: str) -> str:
    """A new identifier: `prefix`, 48 bits of milliseconds since 1970 and 80 random bits, so ids sort by age."""
    return f"{prefix}_{base32(time.time_ns() // 1_000_000, 10)}{base32(secrets.randbits(80), 16)}"


class PrefixedIdField(_CharField):
    """A primary key of the form that `new_id` makes."""

    def __init__(self, *args: Any, prefix: str, **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs |= {"primary_key": True, "max_length": 40, "editable": False}
        super().__init__(*args, **kwargs)

    def get_default(self) -> str:
        return new_id(self.prefix)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("primary_key", "max_length", "editable"):
            kwargs.pop(fixed, None)
        return name, path, list(args), {**kwargs, "prefix": self.prefix}
