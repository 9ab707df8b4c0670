"""What is in use is not deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.errors import ApiError, ErrorCode

NAMED = 5


class Named(Protocol):
    """A row that people know by its name."""

    @property
    def name(self) -> str: ...


def require_unused(thing: Named, users: Sequence[Named], remedy: str) -> None:
    """Raises ApiError (conflict), which names the first of its users and says by `remedy` what to do there."""
    if users:
        names = ", ".join(user.name for user in users[:NAMED]) + (" and others" if len(users) > NAMED else "")
        raise ApiError(ErrorCode.CONFLICT, f"{thing.name} is in use", f"Used by {names}. {remedy}, then delete it.")
