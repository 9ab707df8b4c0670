"""Paying in a real browser: to Stripe's page and back, an upgrade after its preview, a change of mind."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from django.conf import LazySettings
from django.conf import settings as site
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Organization, User
from billing.ledger.selectors import balance
from billing.plans.selectors import subscription_of
from core.money import DOLLAR
from tests.billing.stripe_fake import KEY, WEBHOOK_SECRET, Stripe, running_stripe
from tests.browser.conftest import OpenPage
from tests.conftest import ClientFactory

pytestmark = [
    pytest.mark.browser,
    # Django's threaded test server keeps the sockets that the browser keeps.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def stripe(live_server: LiveServer, settings: LazySettings) -> Iterator[Stripe]:
    """Tells the site of a payment before the person is back."""

    def tell(fake: Stripe) -> None:
        for event in fake.new_events():
            body, signature = fake.signed(event)
            headers = {"Stripe-Signature": signature}
            httpx.post(f"{live_server.url}/stripe/webhook/", content=body, headers=headers).raise_for_status()

    with running_stripe(tell) as fake:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, WEBHOOK_SECRET
        settings.STRIPE_API_BASE = fake.url
        settings.PAYMENT_GATEWAY = "billing.stripe.adapter.StripeGateway"
        settings.DEFAULT_PLAN = "free"
        yield fake


@pytest.fixture
def page(
    live_server: LiveServer,
    client_for: ClientFactory,
    owner: User,
    workspace: Organization,
    stripe: Stripe,
    open_page: OpenPage,
) -> Page:
    opened = open_page()
    session = client_for(owner).cookies[site.SESSION_COOKIE_NAME].value
    opened.context.add_cookies([{"name": site.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    opened.goto(f"{live_server.url}/w/{workspace.slug}/billing/")
    return opened


def plan_of(workspace: Organization) -> str:
    subscription = subscription_of(workspace)
    return subscription.plan_version.plan_id if subscription else ""


def test_one_subscribes_upgrades_tops_up_and_thinks_better_of_leaving(
    page: Page, workspace: Organization, complaints: list[str]
) -> None:
    page.get_by_role("link", name="Upgrade to Pro").click()
    expect(page.get_by_text("Pro costs $5.00 a month, from today")).to_be_visible()
    page.get_by_role("button", name="Go on to pay").click()
    page.get_by_role("button", name="Pay", exact=True).click()  # at Stripe's
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing")
    expect(page.get_by_text("Your plan")).to_be_visible()
    assert plan_of(workspace) == "pro"

    page.get_by_role("link", name="Upgrade to Startup").click()
    expect(page.get_by_role("row", name="Unused time on Pro")).to_contain_text("-$5.00")
    expect(page.get_by_role("row", name="Charged now to Visa ending in 4242")).to_contain_text("$44.00")
    page.get_by_role("button", name="Pay $44.00").click()
    expect(page.get_by_text("The change to Startup is made.")).to_be_visible()
    assert plan_of(workspace) == "startup"

    page.get_by_label("Dollars").first.fill("25")
    page.get_by_role("button", name="Top up").click()
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page.locator("#sidebar").get_by_text("$74.00")).to_be_visible()
    assert balance(workspace).prepaid == 25 * DOLLAR

    page.get_by_role("link", name="Change to Free").click()
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("Then Free.")).to_be_visible()
    page.get_by_role("button", name="Keep Startup").click()
    expect(page.get_by_text("The plan goes on as it is.")).to_be_visible()
    expect(page.get_by_text("Then Free.")).to_have_count(0)

    page.get_by_role("link", name="CW-000002").click()
    expect(page.get_by_role("row", name="Total")).to_contain_text("$44.00")
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename == "CW-000002.pdf"
    assert complaints == []


def test_what_is_typed_wrong_is_said_and_what_stripe_refuses_too(page: Page, stripe: Stripe) -> None:
    page.get_by_label("Dollars").first.fill("1")
    page.get_by_role("button", name="Top up").click()
    expect(page.get_by_text("Between $5 and $10,000, please.")).to_be_visible()
    page.get_by_label("Dollars").first.fill("20")
    stripe.outages = [400]
    page.get_by_role("button", name="Top up").click()
    expect(page.get_by_text("Stripe refused")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (360, "dark")])
def test_nothing_is_wider_than_the_screen(page: Page, workspace: Organization, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
