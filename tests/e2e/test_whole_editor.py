"""The editor on a whole installation: two people at once, and test calls that do what was chosen."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.conftest import NewPage
from tests.e2e.furnish import PASSWORD
from tests.e2e.installation import Installation
from tests.e2e.scripted import Scripted

pytestmark = [pytest.mark.models, pytest.mark.browser, pytest.mark.slow]

ADA, BO = "ada@example.org", "bo@example.org"
GREETING, PROMPT = re.compile("^Greeting"), re.compile("^Prompt")
SAVED = re.compile(r"Saved \d")


@pytest.fixture(scope="module")
def agents(running: Installation, outside: Scripted) -> dict[str, str]:
    """The addresses of the agents' pages, by their names."""
    paths: dict[str, str] = json.loads(running.run("tests.e2e.furnish", outside.model_url))
    return {name: running.url + path for name, path in paths.items()}


def enter(page: Page, address: str, email: str) -> Page:
    page.goto(address)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def state(page: Page) -> Locator:
    return page.locator(".page-header").get_by_role("status")


def others(page: Page) -> Locator:
    return page.get_by_role("list", name="Who else has this agent open")


def test_two_people_see_each_other_and_neither_overwrites_the_other(
    agents: dict[str, str], new_page: NewPage, errors: list[str]
) -> None:
    ada = enter(new_page(), agents["Basil"], ADA)
    bo = enter(new_page(), agents["Basil"], BO)
    bo.get_by_role("textbox", name=GREETING).focus()
    expect(others(ada)).to_have_text(re.compile("Bo Baker is editing too: Guide, Greeting"))
    expect(others(bo)).to_have_text(re.compile("Ada Archer is editing too: Guide"))

    # What one of them wrote is on the other's page by itself, and both edits of different settings stay.
    bo.get_by_role("textbox", name=GREETING).fill("Good day, this is Basil.")
    expect(state(bo)).to_have_text(SAVED)
    expect(ada.get_by_role("textbox", name=GREETING)).to_have_value("Good day, this is Basil.")
    expect(state(ada)).to_contain_text("Bo Baker changed it")
    ada.get_by_role("textbox", name=PROMPT).fill("Ada's prompt.")
    expect(bo.get_by_role("textbox", name=PROMPT)).to_have_value("Ada's prompt.")
    expect(state(bo)).to_contain_text("Ada Archer changed it")

    # The same setting at the same time: whoever is second is told, and chooses.
    held: list[Route] = []
    ada.route(re.compile("/save/$"), lambda route: held.append(route), times=1)
    with ada.expect_request(re.compile("/save/$")):
        ada.get_by_role("textbox", name=PROMPT).fill("Ada's words.")
    bo.get_by_role("textbox", name=PROMPT).fill("Bo's words.")
    expect(state(bo)).to_have_text(SAVED)
    held[0].continue_()
    dialog = ada.get_by_role("dialog", name="Whose change is it to be?")
    expect(dialog.get_by_role("group", name="Prompt")).to_contain_text("Bo's words.")
    expect(bo.get_by_role("textbox", name=PROMPT)).to_have_value("Bo's words.")
    dialog.get_by_role("radio", name="Yours").check()
    dialog.get_by_role("button", name="Save what I chose").click()
    expect(bo.get_by_role("textbox", name=PROMPT)).to_have_value("Ada's words.")

    bo.close()
    expect(others(ada)).to_have_count(0)
    assert "409" in errors.pop()  # the browser's own line for the refusal


def test_the_flow_marks_the_step_that_a_test_call_is_in(agents: dict[str, str], page: Page) -> None:
    enter(page, f"{agents['Stalls']}flow/", ADA)
    panel = start_call(page)
    expect(card(page, "Ask")).to_have_attribute("aria-label", RUNNING)
    expect(card(page, "Greet")).not_to_have_attribute("aria-label", RUNNING)
    type_in(panel, "Yes, it is.")
    expect(card(page, "Talk")).to_have_attribute("aria-label", RUNNING)
    expect(card(page, "Ask")).not_to_have_attribute("aria-label", RUNNING)
    expect(page.get_by_role("list", name="The steps as a list").get_by_text("running now")).to_have_count(1)
    type_in(panel, "I would like a stall, please.")
    expect(card(page, "Goodbye")).to_have_attribute("aria-label", RUNNING)
    expect(panel).to_have_attribute("data-state", "ended")
    expect(card(page, "Goodbye")).not_to_have_attribute("aria-label", RUNNING)


def test_a_refused_topic_and_another_agent_that_were_chosen_are_heard(agents: dict[str, str], page: Page) -> None:
    enter(page, agents["Basil"], ADA)
    page.locator("summary", has_text="Guardrails").click()
    page.get_by_label("Topics it refuses").fill("politics")
    page.get_by_label("Refusal").fill("Let us stay with the herbs.")
    page.locator("summary", has_text="Other agents").click()
    page.get_by_role("button", name="Add an agent").click()
    row = page.locator('[data-rows="handoffs"] [data-row]')
    row.get_by_label("Agent").select_option("Billing")
    row.get_by_label("When").fill("They ask about an invoice")
    row.get_by_label("Said before").fill("Somebody else knows that.")
    row.get_by_label("Then").select_option("yes")
    panel = start_call(page)
    said = panel.locator("[data-heard]")
    expect(said.filter(has_text="this is Basil.")).to_be_visible()
    type_in(panel, "What do you think about politics?")
    expect(said.filter(has_text="stay with the herbs.")).to_be_visible()
    type_in(panel, "I have a question about an invoice.")
    expect(said.filter(has_text="Somebody else knows")).to_be_visible()
    expect(said.filter(has_text="this is Billing.")).to_be_visible()
    panel.get_by_role("button", name="Hang up").first.click()
    expect(panel).to_have_attribute("data-state", "ended")


RUNNING = re.compile("running now")


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="The steps as a picture").get_by_role("button", name=re.compile(f"^{name},"))


def start_call(page: Page) -> Locator:
    """Call the draft without a microphone. Gives the panel."""
    page.get_by_role("button", name="Talk", exact=True).click()
    panel = page.locator("call-panel")
    panel.get_by_role("button", name="Type instead").click()
    expect(panel).to_have_attribute("data-state", "live")
    return panel


def type_in(panel: Locator, words: str) -> None:
    panel.get_by_label("Type to").fill(words)
    panel.get_by_role("button", name="Send").click()
