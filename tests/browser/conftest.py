"""A real browser, Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.fake_call import PanelServer, panel_server

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    # A name that is not the machine's own, so that the browser distrusts it.
    "--host-resolver-rules=MAP callwright.test 127.0.0.1",
]

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")  # tests elsewhere want this thread without Playwright's loop
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("There is no Chromium here (make chromium).")
    # Playwright keeps an event loop on this thread, which Django takes for a reason to refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            yield browser
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def complaints() -> list[str]:
    """What the pages wrote to the console as errors, and exceptions that nobody caught."""
    return []


@pytest.fixture
def open_page(chromium: Browser, complaints: list[str]) -> Iterator[OpenPage]:
    """Opens pages, each in a browser profile of its own, with a microphone that beeps unless `microphone=False`."""
    contexts: list[BrowserContext] = []

    def make(*, microphone: bool = True, **options: Any) -> Page:
        permissions = ["microphone"] if microphone else []
        context = chromium.new_context(permissions=permissions, reduced_motion="reduce", **options)
        context.set_default_timeout(15_000)
        # Django's test server has no WebSockets: pages that have an agent open are alone.
        context.route_web_socket(re.compile("/editing/$"), lambda socket: None)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def server() -> Iterator[PanelServer]:
    with panel_server() as fake:
        yield fake
    fake.check()
