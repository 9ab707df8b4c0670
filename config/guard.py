"""Ends the children of a `manage.py serve` that died without ending them, even by `kill -9`. Run by the supervisor.

Standard input is a pipe from the supervisor: `+ID` and `-ID` lines say which process groups live. It closes when the
supervisor is gone, however that came to be. Standard library only, and nothing of the application: it must start fast
and stay small.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE = 8.0
"""Seconds between asking a process group to end and killing it."""


def send(group: int, number: int) -> bool:
    """Signal a process group; False when nobody is left in it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # macOS says so of a group that is all zombies, which are gone soon
    return True


def end(groups: set[int], grace: float = GRACE) -> None:
    """Ask every group to end, and kill what is left after `grace` seconds."""
    left = {group for group in groups if send(group, signal.SIGTERM)}
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    end(groups)


if __name__ == "__main__":
    main()
