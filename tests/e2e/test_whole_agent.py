"""An agent from nothing: a document, a tool and a model of one's own, published, talked to, and its call read."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.installation import Installation
from tests.e2e.scripted import Scripted

pytestmark = [pytest.mark.models, pytest.mark.browser, pytest.mark.slow]

DOCUMENT = "The herb market opens at ten in the walled garden, behind the church. It closes at noon."
SAVED = re.compile(r"^Saved \d")


def test_an_agent_is_built_from_nothing_and_its_call_shows_what_it_did(
    running: Installation, outside: Scripted, page: Page
) -> None:
    _enter(page, running.url)
    _connect(page, outside)
    _write_document(page)
    _make_tool(page, outside)
    _write_agent(page)
    _publish(page)
    _talk(page)
    assert outside.orders == ["/orders/4711"]

    # The call's page cites the passage, and shows what was asked of the tool and what came back.
    page.locator("call-panel").get_by_role("link", name="Open the call").click()
    transcript = page.locator("[data-transcript]")
    cited = transcript.locator("[data-knowledge]").filter(has_text="walled garden").first
    cited.locator("summary").click()
    expect(cited.get_by_text(DOCUMENT)).to_be_visible()
    expect(cited.get_by_text("Opening hours")).to_be_visible()
    card = transcript.locator("[data-tool]")
    card.locator("summary").click()
    expect(card.locator("[data-arguments]")).to_contain_text("4711")
    expect(card.locator("[data-answer]")).to_contain_text("left the harbour")
    expect(transcript.get_by_text("The shop says")).to_be_visible()


def _enter(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Email").fill("owner@example.org")
    page.get_by_label("Password", exact=True).fill("a-long-and-odd-password")
    page.get_by_role("button", name="Create and start").click()
    expect(page.get_by_role("button", name="Talk").first).to_be_visible()


def _open(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def _connect(page: Page, outside: Scripted) -> None:
    _open(page, "Connections")
    page.get_by_role("link", name=re.compile("[Cc]onnect")).filter(has_not_text="Connections").first.click()
    page.get_by_label("Vendor").select_option(label="OpenAI-compatible service")
    page.get_by_label("Name").fill("Rule book")
    page.get_by_label("Base URL").fill(outside.model_url)
    page.get_by_label("Language model").fill("rule-book")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", level=1, name="Rule book")).to_be_visible()


def _write_document(page: Page) -> None:
    _open(page, "Knowledge")
    page.get_by_role("button", name="New folder").click()
    page.get_by_label("Name").fill("Market")
    page.get_by_role("button", name="Make folder").click()
    page.get_by_role("button", name="Add", exact=True).first.click()
    page.get_by_text("Type a text").click()
    sheet = page.get_by_role("dialog", name="Add to Market")
    sheet.get_by_label("Title").fill("Opening hours")
    sheet.get_by_role("textbox", name="Text").fill(DOCUMENT)
    sheet.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#rows").get_by_text("Ready")).to_be_visible(timeout=30_000)


def _make_tool(page: Page, outside: Scripted) -> None:
    _open(page, "Tools")
    page.get_by_role("link", name="New tool").first.click()
    page.get_by_role("link", name="HTTP request").click()
    page.get_by_role("textbox", name="Name").fill("find_order")
    page.get_by_label("What it does").fill("Finds an order by its number.")
    page.get_by_label("Address").fill(f"{outside.shop_url}/{{order_number}}")
    page.get_by_role("button", name="Add a parameter").click()
    row = page.locator("[data-row]")
    row.get_by_label("Name").fill("order_number")
    row.get_by_label("Where").select_option("path")
    page.get_by_role("button", name="Create tool").click()
    expect(page.get_by_role("heading", name="Test")).to_be_visible()


def _write_agent(page: Page) -> None:
    _open(page, "Agents")
    page.get_by_role("link", name="New agent").click()
    page.get_by_role("link", name="Blank").click()
    page.get_by_label("Name").fill("Basil")
    page.get_by_role("button", name="Create agent").click()
    expect(page.get_by_role("heading", level=1, name="Basil")).to_be_visible()
    page.get_by_role("textbox", name=re.compile("^Prompt")).fill("You are Basil, who answers for the herb market.")
    page.get_by_role("textbox", name=re.compile("^Greeting")).fill("Hello, this is Basil.")
    page.get_by_label("Answers come from").select_option("Rule book")
    page.get_by_label("Market").check()
    page.get_by_label("find_order").check()
    expect(page.get_by_text(SAVED)).to_be_visible()


def _publish(page: Page) -> None:
    page.get_by_role("button", name="Publish").click()
    sheet = page.get_by_role("dialog", name="Publish Basil")
    expect(sheet).to_contain_text("find_order")
    sheet.get_by_label("What changed").fill("The first market day")
    sheet.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("link", name="v1 live")).to_be_visible()


def _talk(page: Page) -> None:
    """Ask what the document knows and what only the tool knows; hang up."""
    page.get_by_role("button", name="Talk").click()
    panel = page.locator("call-panel")
    panel.get_by_role("button", name="Type instead").click()
    expect(panel).to_have_attribute("data-state", "live")
    said = panel.locator("[data-heard]")
    expect(said.filter(has_text="this is Basil.")).to_be_visible()
    panel.get_by_label("Type to").fill("When does the herb market open?")
    panel.get_by_role("button", name="Send").click()
    expect(said.filter(has_text="walled garden.")).to_be_visible()
    panel.get_by_label("Type to").fill("And where is order 4711?")
    panel.get_by_role("button", name="Send").click()
    expect(panel.locator("[data-tool]")).to_contain_text("find_order")
    expect(said.filter(has_text="Tuesday.")).to_be_visible()
    panel.get_by_role("button", name="Hang up").first.click()
    expect(panel).to_have_attribute("data-state", "ended")
