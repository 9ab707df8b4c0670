"""Memory of the tool calls that Gemini made, for what it wants to read again and a chat message has no place for."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

# A call is asked for again within its conversation; of all conversations, so many are remembered.
_MOST = 4000


@dataclass(frozen=True, slots=True)
class Made:
    """What came with a tool call: the vendor's own id, empty where it gave none, and the signature of the thought that
    led to it, which only the first of several calls carries."""

    id: str
    signature: str


class Calls:
    """The calls that one server's models made, of all conversations. Our ids for them are unique across these."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, Made] = OrderedDict()

    def remember(self, made: Made) -> str:
        """Our id for a call."""
        call = f"call_{secrets.token_hex(12)}"
        self._made[call] = made
        if len(self._made) > _MOST:
            self._made.popitem(last=False)
        return call

    def recall(self, call: str) -> Made | None:
        """What came with a call; None if another model made it, or very many came since."""
        return self._made.get(call)
