"""Where recordings are, and what is kept beside them."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from voice.media import archive

# How recordings are kept, what to look for first, and their media types.
KINDS = {".flac": "audio/flac", ".wav": "audio/wav"}
OUTLINE = ".outline"


def recording_path(call_id: str) -> Path:
    """Where a call writes its recording. Ids sort by age, so a folder holds the calls of about twelve days."""
    return Path(settings.RECORDINGS_DIR) / call_id.partition("_")[2][:4] / f"{call_id}.wav"


def stored_recording(call_id: str) -> Path | None:
    """The file that holds a call's recording now: as the call wrote it, or compressed since. None without one."""
    written = recording_path(call_id)
    return next((path for suffix in KINDS if (path := written.with_suffix(suffix)).is_file()), None)


def outline_of(recording: Path) -> bytes:
    """The outline of a recording (`voice.media.archive.outline`), made once and kept beside it.

    Raises ArchiveError, and OSError when the recording is not there.
    """
    kept = recording.with_suffix(OUTLINE)
    with suppress(FileNotFoundError):
        return kept.read_bytes()
    drawn = archive.outline(recording)
    partial = kept.with_name(f".{kept.name}.{threading.get_ident()}")
    partial.write_bytes(drawn)
    partial.replace(kept)
    return drawn


def remove_recording(call_id: str) -> None:
    """Delete a call's recording and what was made of it. Raises OSError where the disk does."""
    written = recording_path(call_id)
    for suffix in (*KINDS, OUTLINE):
        written.with_suffix(suffix).unlink(missing_ok=True)
