"""An installation that answers with a scripted model, and browsers on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.installation import Installation, installation
from tests.e2e.scripted import Scripted, scripted

expect.set_options(timeout=20_000)  # a voice that has not spoken yet takes its time
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
).split()

NewPage = Callable[[], Page]


@pytest.fixture(scope="package")
def outside() -> Iterator[Scripted]:
    with scripted() as found:
        yield found


@pytest.fixture(scope="package")
def running(outside: Scripted) -> Iterator[Installation]:
    """Its speech is real, and its language model the scripted one."""
    with installation(LLM="none", OUTBOUND_ALLOWED_PRIVATE_HOSTS=outside.host) as found:
        found.wait("Speech", lambda: found.models().can_talk and found.models().is_ready("embed"))
        yield found


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def errors() -> list[str]:
    """What the pages wrote to the console as errors, and exceptions that nobody caught."""
    return []


@pytest.fixture
def new_page(browser: Browser, errors: list[str]) -> Iterator[NewPage]:
    """Opens pages, each in a browser profile of its own. None of them may complain."""
    contexts: list[BrowserContext] = []

    def make() -> Page:
        context = browser.new_context(reduced_motion="reduce")
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()
