"""Secrets that an installation makes for itself on its first start, each a file that only its owner can read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def stored_secret(path: Path, generate: Callable[[], str]) -> str:
    """The text of the file `path`, made with `generate` and mode 0600 when it does not exist.

    Several processes may start at once: the file appears whole or not at all, and all read the same one.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # mkstemp names a file that nobody has, not even a process that died with our number; only we may read it.
        descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(generate())
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first, and its secret is the one
        finally:
            Path(fresh).unlink()
    return path.read_text().strip()
