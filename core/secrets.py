"""Secrets that an installation makes for itself on its first start, each a file that only its owner can read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def stored_secret(path: Path, generate: Callable[[], str]) -> str:
    """The text of the file `path`, made with `generate` and mode 0600 when it does not exist.

    Several processes may start at once: the file appears whole or not at all, and all read the same one.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(generate())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first, and its secret is the one
        finally:
            fresh.unlink()
    return path.read_text().strip()
