"""The page of usage in a real browser: the chart, and the way from a number to its calls."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Organization, User
from telephony.models import Call
from telephony.tasks import roll_up_usage
from tests.browser.accessible import COLOURS, violations
from tests.browser.conftest import OpenPage
from tests.conftest import CallFactory, ClientFactory
from tests.facts import used

pytestmark = [
    pytest.mark.browser,
    # Django's threaded test server keeps the sockets that the browser keeps.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def calls(call_factory: CallFactory) -> list[Call]:
    """Two calls of today, one of them over a number."""
    version = None
    made = []
    for number in ("", "+15550100"):
        call = call_factory(version, started_at=timezone.now(), end_reason="caller_ended")
        version = call.version
        used(call, seconds=120, number=number, direction="inbound" if number else "web")
        made.append(call)
    roll_up_usage()
    return made


@pytest.fixture
def visit(
    live_server: LiveServer, open_page: OpenPage, workspace: Organization, owner: User, client_for: ClientFactory
) -> Callable[..., Page]:
    session = client_for(owner).cookies[settings.SESSION_COOKIE_NAME].value

    def go(address: str, **options: object) -> Page:
        page = open_page(**options)
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page.goto(f"{live_server.url}/w/{workspace.slug}/{address}")
        return page

    return go


def test_a_number_leads_to_its_calls(visit: Callable[..., Page], calls: list[Call]) -> None:
    page = visit("usage/")
    page.get_by_role("navigation", name="Parted by").get_by_role("link", name="Number").click()
    page.get_by_role("link", name="+15550100").click()
    expect(page.get_by_role("list", name="Only calls with")).to_contain_text("Number +15550100")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.locator("#results tbody a").click()
    expect(page).to_have_url(re.compile(calls[1].pk))


def test_the_chart_shows_what_was_chosen_and_leads_to_the_day(
    visit: Callable[..., Page], calls: list[Call], complaints: list[str]
) -> None:
    page = visit("usage/?period=7")
    over = page.locator("day-chart .u-over")
    expect(over).to_be_visible()
    page.get_by_text("Calls", exact=True).and_(page.locator("day-chart label")).click()
    box = over.bounding_box()
    assert box is not None
    # Today is the last of seven bars.
    over.hover(position={"x": box["width"] * 6.5 / 7, "y": box["height"] / 2})
    expect(page.locator("day-chart [data-note]")).to_contain_text(": 2")
    over.click(position={"x": box["width"] * 6.5 / 7, "y": box["height"] / 2})
    expect(page.locator("#results tbody tr")).to_have_count(2)
    assert complaints == []


@pytest.mark.parametrize("address", ["usage/", "usage/?by=capability", "costs/?llm=local:", "api-keys/"])
def test_everybody_can_use_the_pages(address: str, visit: Callable[..., Page], calls: list[Call]) -> None:
    page = visit(address, bypass_csp=True, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload(wait_until="networkidle")  # colours that change over in place are measured half way
    assert violations(page, COLOURS) == []
