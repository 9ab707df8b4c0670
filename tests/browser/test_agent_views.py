"""One agent in its views, and two people on it: what one of them changes shows in the others, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import FilePayload, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from builder import engine
from builder.config import AgentConfig
from builder.models import Agent
from tests.browser.conftest import OpenPage
from tests.builder.conftest import ALL_READY
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory

pytestmark = [
    pytest.mark.browser,
    # Django's threaded test server keeps the sockets that the browser keeps.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SAVED = re.compile(r"Saved \d")
GREETING = re.compile("^Greeting")

Visit = Callable[..., Page]


@pytest.fixture
def agent(agent_factory: AgentFactory, monkeypatch: pytest.MonkeyPatch) -> Agent:
    monkeypatch.setattr(engine, "models_status", lambda: ALL_READY)
    return agent_factory()


@pytest.fixture
def visit(live_server: LiveServer, client_for: ClientFactory, member: User, agent: Agent, open_page: OpenPage) -> Visit:
    """Opens a page below the agent's, as `user` (the member), each in a browser of its own."""

    def go(path: str = "", *, user: User = member, **options: Any) -> Page:
        page = open_page(**options)
        session = client_for(user).cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page.goto(f"{live_server.url}{agent.get_absolute_url()}{path}")
        return page

    return go


def state(page: Page) -> Locator:
    """Where the page says whether the draft is saved."""
    return page.locator(".page-header").get_by_role("status")


def draft(agent: Agent) -> AgentConfig:
    agent.refresh_from_db()
    return agent.draft_config


def text(page: Page) -> Locator:
    return page.get_by_label("The agent as YAML")


def view(page: Page, title: str) -> None:
    page.get_by_role("navigation", name="Views of the agent").get_by_role("link", name=title).click()


class TestViews:
    def test_an_edit_in_one_shows_in_the_others(self, visit: Visit, agent: Agent, complaints: list[str]) -> None:
        page = visit()
        page.get_by_label("Prompt").fill("Be kind.")
        view(page, "YAML")  # saves first
        expect(text(page)).to_contain_text("prompt: Be kind.")
        text(page).get_by_text("prompt: Be kind.").click()
        page.keyboard.press("End")
        page.keyboard.type(" Be brief.")
        expect(state(page)).to_have_text(SAVED)
        assert draft(agent).prompt == "Be kind. Be brief."
        view(page, "Guide")
        expect(page.get_by_label("Prompt")).to_have_value("Be kind. Be brief.")
        assert complaints == []

    def test_a_mistake_in_the_text_is_marked_at_its_line_and_nothing_is_saved(self, visit: Visit, agent: Agent) -> None:
        page = visit("yaml/")
        text(page).get_by_text("language: en").click()
        page.keyboard.press("End")
        page.keyboard.insert_text("\nvoice:\n  speed: 9")
        page.keyboard.press("Escape")
        expect(state(page)).to_contain_text("Not saved")
        problems = page.get_by_role("list", name="Mistakes")
        expect(problems).to_contain_text("Line 7 Input should be less than or equal to 2.")
        expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
        assert agent.draft_revision == 1
        problems.get_by_role("button", name="Line 7").click()
        page.keyboard.press("End")
        page.keyboard.press("Backspace")
        page.keyboard.type("1.5")
        expect(state(page)).to_have_text(SAVED)
        expect(problems).to_be_hidden()
        assert draft(agent).voice.speed == 1.5

    def test_problems_are_marked_at_their_lines_and_lead_there(
        self, visit: Visit, agent: Agent, complaints: list[str]
    ) -> None:
        talk = {"kind": "conversation", "id": "talk"}
        lost = {"kind": "say", "id": "lost", "name": "Lost", "say": "Nobody comes here.", "next": "talk"}
        config = {"prompt": "Greet {{nobody}}.", "flow": {"start": "talk", "steps": [talk, lost]}}
        agent.draft = AgentConfig.model_validate(config).as_json()
        agent.save()
        page = visit("yaml/")
        errors, warnings = (page.locator(f".cm-lint-marker-{severity}") for severity in ("error", "warning"))
        expect(errors).to_have_count(1)
        expect(warnings).not_to_have_count(0)
        listed = page.get_by_role("region", name="Problems")
        listed.get_by_role("button", name=re.compile("Lost")).click()
        expect(page.locator(".cm-line.cm-activeLine")).to_have_text("  - id: lost")
        listed.get_by_role("button", name="Nothing sets the variable “nobody”.").click()
        expect(page.locator(".cm-line.cm-activeLine")).to_have_text("prompt: Greet {{nobody}}.")
        page.keyboard.press("End")
        for _ in " {{nobody}}.":
            page.keyboard.press("Backspace")
        page.keyboard.press("Escape")
        expect(state(page)).to_have_text(SAVED)
        expect(errors).to_have_count(0)
        expect(warnings).not_to_have_count(0)
        assert complaints == []

    def test_settings_are_offered_while_they_are_written(self, visit: Visit) -> None:
        page = visit("yaml/")
        text(page).get_by_text("language: en").click()
        page.keyboard.press("End")
        page.keyboard.type("\nkeyt")
        expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("Words to expect")

    def test_a_file_takes_the_place_of_the_text(self, visit: Visit, agent: Agent) -> None:
        page = visit("yaml/")
        written = b"name: Uploaded\nprompt: From a file.\n"
        file = FilePayload(name="agent.yaml", mimeType="text/yaml", buffer=written)
        page.get_by_label("Upload").set_input_files(file)
        expect(state(page)).to_have_text(SAVED)
        assert draft(agent).prompt == "From a file."
        assert agent.name == "Uploaded"

    def test_undo_and_redo_work_in_every_view_and_after_a_reload(self, visit: Visit, agent: Agent) -> None:
        page = visit()
        page.get_by_label("Prompt").fill("One.")
        page.get_by_role("textbox", name=GREETING).fill("Two.")
        page.get_by_role("textbox", name=GREETING).blur()
        expect(state(page)).to_have_text(SAVED)
        page.reload()
        undo, redo = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
        undo.click()
        expect(state(page)).to_have_text(re.compile("Undone: "))
        expect(page.get_by_role("textbox", name=GREETING)).not_to_have_value("Two.")
        view(page, "YAML")
        while draft(agent).prompt != "Answer the phone.":
            undo.click()
            expect(state(page)).to_have_text(re.compile("Undone: "))
        expect(text(page)).to_contain_text("prompt: Answer the phone.")
        expect(undo).to_be_disabled()
        redo.click()
        expect(text(page)).to_contain_text("prompt: One.")

    def test_what_is_typed_while_a_step_is_undone_stays(self, visit: Visit, agent: Agent) -> None:
        page = visit()
        page.get_by_label("Prompt").fill("One.")
        page.get_by_label("Prompt").blur()
        expect(state(page)).to_have_text(SAVED)
        held: list[Route] = []
        page.route("**/undo/", lambda route: held.append(route))
        with page.expect_request("**/undo/"):
            page.get_by_role("button", name="Undo", exact=True).click()
        page.get_by_role("textbox", name=GREETING).fill("Typed meanwhile.")
        held[0].continue_()
        expect(page.get_by_label("Prompt")).to_have_value("Answer the phone.")
        expect(state(page)).to_have_text(SAVED)
        expect(page.get_by_role("textbox", name=GREETING)).to_have_value("Typed meanwhile.")
        assert (draft(agent).prompt, draft(agent).greeting) == ("Answer the phone.", "Typed meanwhile.")

    def test_what_a_service_takes_and_costs_follows_each_change_of_it(
        self, visit: Visit, agent: Agent, connection_factory: ConnectionFactory, complaints: list[str]
    ) -> None:
        made = connection_factory("Elsewhere")
        page = visit()
        beside = page.locator("#estimate-beside-stt")
        expect(beside).to_contain_text("~0.15 s · $0.00/min, expected")
        page.get_by_label("Speech is recognised").select_option(made.pk)
        expect(beside).to_contain_text("Time not known · no price, expected")
        page.get_by_role("button", name="Undo", exact=True).click()
        expect(beside).to_contain_text("~0.15 s · $0.00/min, expected")
        assert complaints == []

    @pytest.mark.parametrize("path", ["yaml/", "flow/"])
    def test_it_fits_a_narrow_screen(self, path: str, visit: Visit) -> None:
        page = visit(path, viewport={"width": 360, "height": 740})
        page.wait_for_load_state("load")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


class TestTwoPeople:
    def test_edits_of_different_settings_are_both_kept(self, visit: Visit, agent: Agent, owner: User) -> None:
        mine, theirs = visit(), visit(user=owner)
        theirs.get_by_label("Prompt").fill("Theirs.")
        expect(state(theirs)).to_have_text(SAVED)
        mine.get_by_role("textbox", name=GREETING).fill("Mine.")
        expect(state(mine)).to_contain_text("with the changes of others")
        expect(mine.get_by_label("Prompt")).to_have_value("Theirs.")
        assert (draft(agent).prompt, draft(agent).greeting) == ("Theirs.", "Mine.")

    def test_of_the_same_setting_they_see_both_and_choose(self, visit: Visit, agent: Agent, owner: User) -> None:
        mine, theirs = visit(), visit(user=owner)
        theirs.get_by_label("Prompt").fill("Theirs.")
        expect(state(theirs)).to_have_text(SAVED)
        mine.get_by_label("Prompt").fill("Mine.")
        dialog = mine.get_by_role("dialog", name="Whose change is it to be?")
        expect(dialog.get_by_role("group", name="Prompt")).to_contain_text("Theirs.")
        assert draft(agent).prompt == "Theirs."
        dialog.get_by_role("button", name="Later").click()
        expect(mine.get_by_text("Olive Owner saved other changes")).to_be_visible()
        expect(mine.get_by_label("Prompt")).to_have_value("Mine.")
        mine.get_by_role("button", name="Compare and choose").click()
        dialog.get_by_role("button", name="Save what I chose").click()
        expect(state(mine)).to_contain_text("Saved")
        assert draft(agent).prompt == "Mine."

    def test_whose_change_is_dropped_sees_the_other_one(self, visit: Visit, agent: Agent, owner: User) -> None:
        mine, theirs = visit("yaml/"), visit(user=owner)
        theirs.get_by_label("Prompt").fill("Theirs.")
        expect(state(theirs)).to_have_text(SAVED)
        text(mine).get_by_text("prompt: Answer the phone.").click()
        mine.keyboard.press("End")
        mine.keyboard.type(" Mine.")
        dialog = mine.get_by_role("dialog", name="Whose change is it to be?")
        dialog.get_by_role("radio", name=re.compile("Theirs")).check()
        dialog.get_by_role("button", name="Save what I chose").click()
        expect(text(mine)).to_contain_text("prompt: Theirs.")
        assert draft(agent).prompt == "Theirs."
