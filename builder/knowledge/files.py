"""The files of documents: kept under random names in CALLWRIGHT_HOME, and served by a view alone."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

MOST_BYTES = 50_000_000
"""What one file may have."""

_KEY = re.compile(r"[0-9a-f]{32}")


class FileTooLarge(Exception):
    """The file is longer than `MOST_BYTES`."""


def path_of(key: str) -> Path:
    """Where the file `key` is. Raises ValueError for what is no key."""
    if not _KEY.fullmatch(key):
        raise ValueError("No storage key.")
    return Path(settings.KNOWLEDGE_DIR) / key[:2] / key


def store(parts: Iterable[bytes]) -> tuple[str, int, str]:
    """Keep a file. Gives its key, its size and its SHA-256. Raises FileTooLarge, and OSError where the disk does."""
    key = secrets.token_hex(16)
    path = path_of(key)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    size, digest = 0, hashlib.sha256()
    try:
        with path.open("xb") as file:
            for part in parts:
                size += len(part)
                if size > MOST_BYTES:
                    raise FileTooLarge
                digest.update(part)
                file.write(part)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return key, size, digest.hexdigest()


def remove(*keys: str) -> None:
    """Delete files, where they are there; "" is none."""
    for key in filter(None, keys):
        with suppress(OSError):
            path_of(key).unlink(missing_ok=True)
