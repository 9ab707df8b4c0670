"""Changing the steps of an agent, with the mouse and with the keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from builder.config import AgentConfig
from builder.models import Agent
from tests.browser.test_agent_views import SAVED, Visit, agent, draft, state, text, view, visit
from tests.conftest import ConnectionFactory
from voice.flow.spec import SmsStep

__all__ = ["agent", "visit"]

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

STEPS = {
    "start": "greet",
    "steps": [
        {"kind": "say", "id": "greet", "say": "Welcome!", "next": "talk"},
        {"kind": "conversation", "id": "talk", "routes": [{"when": "they want to book", "to": "bye"}]},
        {"kind": "end", "id": "bye", "name": "Goodbye"},
    ],
}


@pytest.fixture
def with_steps(agent: Agent) -> Agent:
    agent.draft = AgentConfig.model_validate({"flow": STEPS}).as_json()
    agent.save()
    return agent


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="The steps as a picture").get_by_role("button", name=re.compile(f"^{name},"))


def steps(agent: Agent) -> dict[str, str]:
    """The kinds of the steps by their ids."""
    flow = draft(agent).flow
    return {step.id: step.kind for step in flow.steps} if flow else {}


def add(page: Page, kind: str) -> None:
    page.get_by_text("Add a step", exact=True).click()
    page.get_by_role("button", name=re.compile(f"^{kind}")).first.click()


def test_a_plain_agent_is_one_conversation_and_a_step_more_makes_it_a_flow(
    visit: Visit, agent: Agent, complaints: list[str]
) -> None:
    page = visit("flow/")
    expect(card(page, "Conversation")).to_have_attribute("aria-label", re.compile("the first step"))
    assert draft(agent).flow is None
    add(page, "End")
    expect(state(page)).to_have_text(SAVED)
    assert steps(agent) == {"conversation": "conversation", "end": "end"}
    expect(card(page, "Conversation")).to_have_attribute("aria-label", re.compile("leads to …: End"))
    assert complaints == []


def test_with_the_mouse_steps_are_moved_connected_written_on_and_deleted(
    visit: Visit, with_steps: Agent, complaints: list[str]
) -> None:
    page = visit("flow/")
    card(page, "Talk").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Small talk")
    expect(card(page, "Small talk")).to_be_visible()
    port = card(page, "Goodbye").locator("[data-port]")
    card(page, "Greet").hover()
    start = card(page, "Greet").locator("[data-port]").bounding_box()
    end = card(page, "Goodbye").bounding_box()
    assert start
    assert end
    expect(port).to_be_attached()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(end["x"] + 40, end["y"] + 20, steps=4)
    page.mouse.up()
    expect(card(page, "Greet")).to_have_attribute("aria-label", re.compile("leads to Goodbye"))
    # What was saved is looked at for problems, whose list stands above the picture and moves it.
    expect(state(page)).to_have_text(SAVED)
    page.wait_for_load_state("networkidle")
    card(page, "Goodbye").hover()
    box = card(page, "Goodbye").bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 30)  # the map may lie over its left side
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 30, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_have_attribute(
        "title", re.compile("Moved Goodbye"), timeout=20_000
    )
    card(page, "Small talk").click()
    page.get_by_role("button", name="Delete the step").click()
    expect(card(page, "Small talk")).to_have_count(0)
    expect(state(page)).to_have_text(SAVED)
    assert steps(with_steps) == {"greet": "say", "bye": "end"}
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(card(page, "Small talk")).to_be_visible()
    assert complaints == []


def test_with_the_keyboard_alone_a_flow_is_built(visit: Visit, with_steps: Agent, complaints: list[str]) -> None:
    page = visit("flow/")
    press = page.keyboard.press
    card(page, "Greet").focus()
    press("ArrowDown")
    expect(card(page, "Talk")).to_be_focused()
    press("a")  # to "Add a step"
    press("Enter")
    for _ in range(3):
        press("Tab")
    press("Enter")  # the third kind: fields to collect
    expect(page.get_by_role("textbox", name="Name", exact=True).first).to_be_focused()
    page.keyboard.type("Who is it")
    press("Escape")
    expect(card(page, "Who is it")).to_be_focused()
    press("c")
    card(page, "Goodbye").focus()
    press("Enter")
    expect(card(page, "Who is it")).to_have_attribute("aria-label", re.compile("leads to all known: Goodbye"))
    press("d")
    expect(card(page, r"Who is it \(copy\)")).to_be_focused()
    expect(state(page)).to_have_text(SAVED)
    assert steps(with_steps)["collect_2"] == "collect"
    press("Delete")
    expect(card(page, r"Who is it \(copy\)")).to_have_count(0)
    expect(state(page)).to_have_text(SAVED)
    press("Control+z")
    expect(card(page, r"Who is it \(copy\)")).to_be_visible()
    card(page, "Greet").focus()
    press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert complaints == []


def test_a_step_written_in_the_text_is_in_the_picture_and_the_other_way_round(visit: Visit, with_steps: Agent) -> None:
    page = visit("flow/")
    card(page, "Greet").click()
    page.get_by_label("Says").fill("Good day!")
    view(page, "YAML")
    expect(text(page)).to_contain_text("say: Good day!")
    text(page).get_by_text("name: Goodbye").click()
    page.keyboard.press("End")
    page.keyboard.insert_text("\n    say: So long!")
    expect(state(page)).to_have_text(SAVED)
    view(page, "Flow")
    expect(card(page, "Goodbye")).to_contain_text("So long!")


def test_what_a_step_cannot_be_is_said_with_its_name(visit: Visit, with_steps: Agent) -> None:
    page = visit("flow/")
    card(page, "Talk").click()
    page.get_by_label("If (an expression)").fill("name ==")
    expect(page.get_by_role("list", name="Mistakes")).to_contain_text("Talk: ")
    expect(state(page)).to_contain_text("Not saved")


def test_the_step_that_a_test_call_is_in_is_marked(visit: Visit, with_steps: Agent) -> None:
    page = visit("flow/")
    event = {"type": "flow.step", "step": "talk", "name": "Talk", "kind": "conversation", "turn": 1, "because": ""}
    page.evaluate("detail => document.dispatchEvent(new CustomEvent('callwright:event', { detail }))", event)
    expect(card(page, "Talk")).to_have_attribute("aria-label", re.compile("running now"))
    page.evaluate("document.dispatchEvent(new CustomEvent('callwright:event', { detail: { type: 'call.ended' } }))")
    expect(card(page, "Talk")).not_to_have_attribute("aria-label", re.compile("running now"))


def test_on_a_narrow_screen_the_steps_are_a_list(visit: Visit, with_steps: Agent) -> None:
    page = visit("flow/", viewport={"width": 360, "height": 740})
    listed = page.get_by_role("list", name="The steps as a list")
    expect(listed.get_by_role("button", name=re.compile("^Talk"))).to_contain_text("they want to book → Goodbye")
    listed.get_by_role("button", name=re.compile("^Goodbye")).click()
    page.get_by_label("Says").fill("Bye!")
    expect(state(page)).to_have_text(SAVED)
    flow = draft(with_steps).flow
    assert flow is not None
    assert flow.steps[-1].model_dump()["say"] == "Bye!"


def test_the_picture_keeps_its_place_when_problems_come(visit: Visit, with_steps: Agent) -> None:
    page = visit("flow/")
    problems = page.get_by_role("region", name="Problems")
    top = "document.querySelector('flow-canvas').getBoundingClientRect().top + scrollY"
    for opened in (False, True):
        if opened:
            problems.locator("summary").click()
            expect(problems.get_by_role("button").first).to_be_visible()
        before, count = page.evaluate(top), problems.locator("li").count()
        add(page, "Send to an address")  # to none
        expect(problems.locator("li")).not_to_have_count(count)
        assert page.evaluate(top) == before


def test_the_small_map_is_there_only_where_not_all_steps_are_in_sight(visit: Visit, with_steps: Agent) -> None:
    page = visit("flow/")
    small_map = page.locator(".flow-map")
    expect(card(page, "Greet")).to_be_visible()
    expect(small_map).to_be_hidden()
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    expect(small_map).to_be_visible()
    page.get_by_role("button", name="Fit").click()
    expect(small_map).to_be_hidden()


def test_a_text_message_is_written_in_the_form_of_its_step(
    visit: Visit, with_steps: Agent, connection_factory: ConnectionFactory, complaints: list[str]
) -> None:
    carrier = connection_factory("Twilio", vendor="twilio", base_url="", account_number="AC1")
    connection_factory("Groq")  # sends no text messages
    page = visit("flow/")
    card(page, "Talk").click()
    add(page, "Text message")
    sent_by = page.get_by_label("Sent by")
    assert sent_by.locator("option").all_text_contents() == ["none", "Twilio"]
    expect(page.get_by_label(re.compile("^To "))).to_have_value("{{system__caller_id}}")
    sent_by.select_option("Twilio")
    page.get_by_label(re.compile("^From ")).fill("0170 123")
    page.get_by_label("Text", exact=True).fill("See you soon.")
    page.get_by_label("Then").select_option("Goodbye")
    expect(state(page)).to_have_text(SAVED)
    problems = page.get_by_role("region", name="Problems")
    expect(problems).to_contain_text("“0170 123” is no phone number with a country code")
    page.get_by_label(re.compile("^From ")).fill("+1 415 555 0100")
    expect(state(page)).to_have_text(SAVED)
    expect(card(page, "Sms")).to_contain_text("See you soon.")
    expect(problems).not_to_contain_text("is no phone number")
    flow = draft(with_steps).flow
    assert flow is not None
    step = flow.step("sms")
    assert isinstance(step, SmsStep)
    assert (step.connection, step.sender, step.text) == (carrier.pk, "+1 415 555 0100", "See you soon.")
    assert step.next == "bye"
    assert complaints == []


def test_who_may_only_look_sees_the_steps_and_moves_nothing(
    visit: Visit, with_steps: Agent, viewer: User, complaints: list[str]
) -> None:
    page = visit("flow/", user=viewer)
    settings = page.get_by_label("What is set on the step")
    expect(settings).to_contain_text("Welcome!")
    expect(settings).to_contain_text("Talk")  # where it leads, by its name
    card(page, "Greet").focus()
    page.keyboard.press("ArrowDown")
    expect(card(page, "Talk")).to_be_focused()
    expect(settings).to_contain_text("they want to book")
    box = card(page, "Talk").bounding_box()
    assert box
    page.mouse.move(box["x"] + 100, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 60, steps=4)
    page.mouse.up()
    assert card(page, "Talk").bounding_box() == box
    page.keyboard.press("Delete")
    page.get_by_role("list", name="The steps as a list").get_by_role("button", name=re.compile("^Goodbye")).click()
    expect(page.get_by_role("heading", name="Goodbye")).to_be_visible()
    expect(page.locator("[data-port], main input, main textarea, main select")).to_have_count(0)
    view(page, "YAML")
    expect(page.get_by_label("The agent as YAML")).to_contain_text("say: Welcome!")
    view(page, "Guide")
    expect(page.get_by_role("link", name="Guide")).to_have_attribute("aria-current", "page")
    with_steps.refresh_from_db()
    assert with_steps.draft_revision == 1
    assert complaints == []


def test_two_people_on_a_flow_keep_both_their_steps_and_choose_between_two_words_for_one(
    visit: Visit, with_steps: Agent, owner: User, complaints: list[str]
) -> None:
    mine, theirs = visit("flow/"), visit("yaml/", user=owner)
    text(theirs).get_by_text("say: Welcome!").click()
    theirs.keyboard.press("End")
    theirs.keyboard.type(" Come in!")
    text(theirs).get_by_text("name: Goodbye").click()
    theirs.keyboard.press("End")
    theirs.keyboard.insert_text("\n    say: So long!")
    expect(state(theirs)).to_have_text(SAVED)
    card(mine, "Talk").click()
    mine.get_by_role("textbox", name="Name", exact=True).fill("Small talk")
    expect(state(mine)).to_contain_text("with the changes of others")
    expect(card(mine, "Greet")).to_contain_text("Come in!")
    expect(card(mine, "Goodbye")).to_contain_text("So long!")
    # The other one has not seen that the step has another name now.
    text(theirs).get_by_text("id: talk").click()
    theirs.keyboard.press("End")
    theirs.keyboard.insert_text("\n    name: Chat")
    dialog = theirs.get_by_role("dialog", name="Whose change is it to be?")
    expect(dialog.get_by_role("group", name=re.compile("Name"))).to_contain_text("Small talk")
    dialog.get_by_role("radio", name=re.compile("Theirs")).check()
    dialog.get_by_role("button", name="Save what I chose").click()
    expect(text(theirs)).to_contain_text("name: Small talk")
    flow = draft(with_steps).flow
    assert flow is not None
    assert [step.name for step in flow.steps] == ["", "Small talk", "Goodbye"]
    assert complaints == ["Failed to load resource: the server responded with a status of 409 (Conflict)"]
