"""The fake Stripe over HTTP: its API, and the two pages that a customer sees."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.billing.stripe_fake.api import Stripe
from tests.billing.stripe_fake.errors import StripeError
from tests.billing.stripe_fake.forms import parse

PAGE = """<!doctype html><link rel="icon" href="data:,"><title>{title}</title><h1>{title}</h1>
<form method="post"><button>{button}</button></form>"""


@contextmanager
def running_stripe(on_paid: Callable[[Stripe], None] | None = None) -> Iterator[Stripe]:
    """Serve one on a free port. `on_paid` is called when somebody has paid at its page, before they are sent back."""
    stripe = Stripe()
    lock = threading.Lock()

    class Handler(_Handler):
        account, hold, paid = stripe, lock, staticmethod(on_paid or (lambda _: None))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stripe.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stripe
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    account: Stripe
    hold: threading.Lock
    paid: Callable[[Stripe], None]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/pay/"):
            self._page(PAGE.format(title="Checkout", button="Pay"))
        elif path.startswith("/portal/"):
            self._page(PAGE.format(title="Portal", button="Back"))
        else:
            self._api()

    def do_POST(self) -> None:
        _, page, name = (*self.path.split("/"), "", "")[:3]
        if page == "pay":
            with self.hold:
                session = self.account.pay_checkout(name)
            self.paid(self.account)
            self._redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", name))
        elif page == "portal":
            self._redirect(self.account.state.get(name, "billing_portal.session")["return_url"])
        else:
            self._api()

    def do_DELETE(self) -> None:
        self._api()

    def _api(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        more: dict[str, str] = {}
        try:
            with self.hold:
                params = parse(body or parts.query)
                answer, more = self.account.answer(self.command, parts.path, params, headers)
            status = 200
        except StripeError as error:
            answer, status = error.body, error.status
        self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/json", **more})

    def _page(self, html: str) -> None:
        self._send(200, html.encode(), {"Content-Type": "text/html"})

    def _redirect(self, to: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(303, b"", {"Location": to})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""
