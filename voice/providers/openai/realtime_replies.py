"""The replies of a realtime session: wanted, asked for, being made. The server makes one at a time, besides asides."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from voice.media import SAMPLE_RATE
from voice.media.pcm import PcmResampler
from voice.providers.openai.realtime_wire import WIRE_RATE, response_of


@dataclass(eq=False, slots=True)
class Reply:
    """One reply. `name` is what the listener knows it by."""

    name: str
    say: str = ""
    aside: bool = False
    unwanted: bool = False
    """Nothing more of it is told but its end."""
    stopped: bool = False
    """The server stops it by itself."""
    items: list[dict[str, Any]] = field(default_factory=list)
    """Those that are whole."""
    resamplers: dict[str, PcmResampler] = field(default_factory=dict)

    def audio(self, item: str, pcm: bytes) -> bytes:
        """An item's audio at our rate."""
        if item not in self.resamplers:
            self.resamplers[item] = PcmResampler(WIRE_RATE, SAMPLE_RATE)
        return self.resamplers[item].process(pcm)

    def rest(self, item: str) -> bytes:
        """The last of an item's audio."""
        return self.resamplers.pop(item).finish() if item in self.resamplers else b""


class Replies:
    """Knows which reply a message of the server is about.

    A reply that we ask for carries its name in the metadata; one that the server makes by itself has none. Some servers
    give no metadata back: there the next reply is taken for the one that was asked for.
    """

    def __init__(self) -> None:
        self._wanted: deque[Reply] = deque()
        self._asked: dict[str, Reply] = {}
        self._made: dict[str, Reply] = {}
        self._names = 0
        self._named = False
        """The server gives metadata back."""

    def want(self, *, say: str = "", aside: bool = False) -> str:
        self._names += 1
        reply = Reply(f"reply-{self._names}", say, aside)
        self._wanted.append(reply)
        return reply.name

    def due(self) -> Iterator[dict[str, Any]]:
        """The requests to be sent now."""
        for reply in list(self._wanted):
            if reply.aside or not self._busy():
                self._wanted.remove(reply)
                self._asked[reply.name] = reply
                yield response_of(reply.name, say=reply.say, aside=reply.aside)

    def created(self, response: dict[str, Any], *, owed: bool) -> Reply:
        """The server has begun a reply. One that we do not know answers the caller, if that is `owed`."""
        name = (response.get("metadata") or {}).get("reply")
        self._named = self._named or name is not None
        reply = self._asked.pop(name, None) if name else self._meant()
        if reply is None:
            # With a name it was cancelled before it began.
            wanted = owed and name is None
            reply = Reply(response["id"], unwanted=not wanted, stopped=not wanted)
        self._made[response["id"]] = reply
        return reply

    def made(self, response: str) -> Reply | None:
        """The reply that is being made under the server's id, if anybody wants it."""
        reply = self._made.get(response)
        return None if reply is None or reply.unwanted else reply

    def done(self, response: str) -> Reply | None:
        return self._made.pop(response, None)

    def refused(self, name: str | None) -> Reply | None:
        """The server does not make a reply that we have asked for."""
        return self._asked.pop(name, None) if name else None

    def postpone(self, name: str | None) -> None:
        """The server is still busy with another reply: ask again when that is done."""
        reply = self._asked.pop(name or next(iter(self._asked), ""), None)
        if reply is not None:
            self._wanted.appendleft(reply)

    def interrupted(self) -> None:
        """The caller speaks: the server stops what it is making by itself."""
        for reply in self._made.values():
            reply.stopped = reply.stopped or not reply.aside

    def cancel(self) -> list[str]:
        """Want none of them any more; the server's ids of those that must be stopped."""
        self._wanted.clear()
        self._asked.clear()
        running = [response for response, reply in self._made.items() if not reply.stopped]
        for reply in self._made.values():
            reply.unwanted = reply.stopped = True
        return running

    def lost(self) -> list[Reply]:
        """The connection is gone: those that were being made. Those that had not begun are wanted again."""
        made = list(self._made.values())
        self._made.clear()
        self._wanted.extendleft(reversed(self._asked.values()))
        self._asked.clear()
        return made

    def _busy(self) -> bool:
        return any(not reply.aside for reply in (*self._asked.values(), *self._made.values()))

    def _meant(self) -> Reply | None:
        """Which of those asked for a reply without a name is. Servers that give names also answer by themselves what
        we are just asking to be answered."""
        for reply in self._asked.values():
            if not self._named or not (reply.say or reply.aside):
                return self._asked.pop(reply.name)
        return None
