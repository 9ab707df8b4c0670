"""Which of the agent's frames are still of use."""

from __future__ import annotations


class Exchanges:
    """Numbers our frames, and knows which answers come too late.

    Each of our frames has an id, and what the agent sends in answer bears it. When the caller takes the turn, all that
    came before is over: an answer to it that is still under way must not be spoken.
    """

    def __init__(self) -> None:
        self._count = 0
        self._ours: set[str] = set()
        self._theirs: set[str] = set()
        self._over: set[str] = set()

    def next_id(self) -> str:
        self._count += 1
        number = f"event-{self._count}"
        self._ours.add(number)
        return number

    def turn_over(self) -> None:
        """Whatever is answered from now on to what was asked before comes too late."""
        self._over |= self._ours | self._theirs
        self._ours, self._theirs = set(), set()

    def is_late(self, responding_to: str) -> bool:
        """Whether this answer is of no use any more. What the agent says by itself bears an id of its own."""
        if responding_to and responding_to not in self._ours:
            self._theirs.add(responding_to)
        return responding_to in self._over

    def is_answer(self, responding_to: str) -> bool:
        """Whether this answers what was asked since the caller has taken the turn."""
        return responding_to in self._ours
