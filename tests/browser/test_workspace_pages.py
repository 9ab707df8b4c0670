"""Small things on the pages of what agents are made of."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Organization, User
from builder import engine
from tests.browser.conftest import OpenPage
from tests.builder.conftest import ALL_READY
from tests.conftest import ClientFactory

pytestmark = [
    pytest.mark.browser,
    # Django's threaded test server keeps the sockets that the browser keeps.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def page(
    live_server: LiveServer,
    client_for: ClientFactory,
    owner: User,
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
) -> Page:
    """The owner's browser, as large as a small laptop's."""
    monkeypatch.setattr(engine, "models_status", lambda: ALL_READY)
    made = open_page(viewport={"width": 1280, "height": 800}, base_url=live_server.url)
    session = client_for(owner).cookies[settings.SESSION_COOKIE_NAME].value
    made.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    return made


def address(name: str, workspace: Organization, *more: str) -> str:
    return reverse(name, args=[workspace.slug, *more])


def test_voices_are_filtered_while_one_types(page: Page, workspace: Organization, complaints: list[str]) -> None:
    page.goto(address("voices", workspace))
    count = page.get_by_text(re.compile(r"^\d+ voices?$"))
    everything = count.inner_text()
    page.locator("[name=q]").press_sequentially("heart")
    expect(count).not_to_have_text(everything)
    expect(page.locator("[name=q]")).to_be_focused()
    assert complaints == []


def test_how_the_installation_is_stays_in_sight(page: Page, workspace: Organization) -> None:
    page.goto(address("agents", workspace))
    pill = page.get_by_role("button", name=re.compile("^System:"))
    expect(pill).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 560})
    expect(pill).to_be_in_viewport(ratio=1)
    page.get_by_role("link", name="Your account").scroll_into_view_if_needed()
    expect(page.get_by_role("link", name="Your account")).to_be_in_viewport(ratio=1)


def test_a_tool_asks_for_a_user_and_a_secret_only_where_it_proves_who_asks(page: Page, workspace: Organization) -> None:
    page.goto(address("tool_new", workspace))
    page.get_by_role("link", name=re.compile("HTTP")).first.click()
    user, secret = page.get_by_label("User"), page.get_by_label("Token or password")
    scheme = page.get_by_label("Proves who asks by")
    expect(scheme).to_have_value("none")
    expect(user).to_be_hidden()
    expect(secret).to_be_hidden()
    scheme.select_option("bearer")
    expect(secret).to_be_visible()
    expect(user).to_be_hidden()
    scheme.select_option("basic")
    expect(user).to_be_visible()


def test_a_dictionary_is_deleted_only_after_a_question(page: Page, workspace: Organization) -> None:
    made = workspace.pronunciation_dictionaries.create(name="Brands")
    page.goto(made.get_absolute_url())
    page.get_by_role("button", name="Delete").click()
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text("Delete the dictionary Brands with its entries?")
    question.get_by_role("button", name="Cancel").click()
    assert workspace.pronunciation_dictionaries.exists()
    page.get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/pronunciations/$"))
    assert not workspace.pronunciation_dictionaries.exists()
