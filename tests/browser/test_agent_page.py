"""Writing an agent in a real browser: saving as one types, telling what is wrong, publishing, hearing the voice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Dialog, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from builder import engine, services
from builder.config import AgentConfig
from builder.models import Agent
from builder.vendors import Access
from tests.browser.conftest import OpenPage
from tests.builder.conftest import ALL_READY
from tests.conftest import AgentFactory, ClientFactory, ConnectionFactory
from voice.providers.base import ProviderError
from voice.providers.vendor import VoiceChoice

pytestmark = [
    pytest.mark.browser,
    # Django's threaded test server keeps the sockets that the browser keeps.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

GREETING = re.compile("^Greeting")
SAVED = re.compile(r"Saved \d")

Visit = Callable[..., Page]


@pytest.fixture
def agent(agent_factory: AgentFactory, monkeypatch: pytest.MonkeyPatch) -> Agent:
    monkeypatch.setattr(engine, "models_status", lambda: ALL_READY)
    return agent_factory()


@pytest.fixture
def visit(live_server: LiveServer, client_for: ClientFactory, member: User, agent: Agent, open_page: OpenPage) -> Visit:
    """Opens the agent's page as a member; `same=page` opens it in another window of that browser."""

    def go(path: str = "", *, same: Page | None = None, **options: Any) -> Page:
        page = same.context.new_page() if same else open_page(**options)
        session = client_for(member).cookies[settings.SESSION_COOKIE_NAME].value
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


def test_what_is_typed_is_saved_by_itself(visit: Visit, agent: Agent, complaints: list[str]) -> None:
    page = visit()
    page.get_by_label("Prompt").fill("Be kind.")
    expect(state(page)).to_have_text(SAVED)
    page.get_by_label("Name", exact=True).fill("Kind one")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kind one")
    page.get_by_role("textbox", name=GREETING).focus()  # leaving a control saves at once
    expect(state(page)).to_have_text(SAVED)
    assert draft(agent).prompt == "Be kind."
    assert agent.name == "Kind one"
    assert agent.draft_revision == 3
    assert complaints == []


def test_what_cannot_be_is_said_at_its_control_and_the_rest_is_kept(visit: Visit, agent: Agent) -> None:
    page = visit()
    page.get_by_role("textbox", name=GREETING).fill("Good day.")
    page.get_by_text("Turn taking", exact=True).click()
    page.get_by_label("Certainty that the caller has finished").fill("7")
    page.get_by_text("Turn taking", exact=True).click()
    expect(state(page)).to_contain_text("Not saved")
    control = page.get_by_label("Certainty that the caller has finished")
    expect(control).to_be_visible()  # its part of the page opened again
    expect(control).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("less than or equal to 1")).to_be_visible()
    control.fill("0.7")
    expect(state(page)).to_have_text(SAVED)
    expect(page.get_by_text("less than or equal to 1")).to_have_count(0)
    assert (draft(agent).greeting, draft(agent).turns.finished_probability) == ("Good day.", 0.7)


def test_nothing_is_lost_while_the_server_is_away(visit: Visit, agent: Agent) -> None:
    page = visit()
    page.context.set_offline(True)
    page.get_by_label("Prompt").fill("Written on a train.")
    expect(state(page)).to_contain_text("The server cannot be reached")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.evaluate("location.reload()")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(state(page)).to_have_text(SAVED)
    assert asked == ["beforeunload"]
    assert draft(agent).prompt == "Written on a train."


def test_the_web_hook_is_tried_as_it_was_typed_a_moment_ago(visit: Visit, agent: Agent) -> None:
    page = visit()
    page.get_by_text("Before a call", exact=True).click()
    page.get_by_label("Ask this address").fill("https://hook.invalid/call")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator("#webhook-test")).to_contain_text("Its answer is not used")
    assert draft(agent).webhook.url == "https://hook.invalid/call"


def test_it_is_published_from_the_sheet_with_a_note(visit: Visit, agent: Agent, complaints: list[str]) -> None:
    page = visit()
    page.get_by_label("Prompt").fill("Answer the phone.\nBe kind.")
    page.get_by_role("button", name="Publish").click()  # saves first
    sheet = page.get_by_role("dialog", name="Publish Reception")
    expect(sheet).to_contain_text("Be kind.")
    sheet.get_by_label("What changed").fill("Kinder")
    sheet.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("link", name="v1 live")).to_be_visible()
    expect(page.get_by_role("button", name="Publish")).to_be_disabled()
    agent.refresh_from_db()
    assert agent.live_version is not None
    assert agent.live_version.note == "Kinder"
    assert complaints == []


def test_a_version_is_restored_from_the_history(visit: Visit, agent: Agent, member: User) -> None:
    services.agent_publish(agent=agent, actor=member)
    changed = AgentConfig(prompt="Changed.")
    services.agent_save_draft(agent=agent, actor=member, name=agent.name, config=changed, revision=1)
    page = visit("versions/")
    page.get_by_text("v1", exact=True).click()
    page.get_by_role("button", name="Restore v1 into the draft").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Restore v1").click()
    expect(page.get_by_label("Prompt")).to_have_value("Answer the phone.")


def test_the_voice_is_heard_in_the_words_of_the_greeting(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, complaints: list[str]
) -> None:
    spoken: list[str] = []

    def speak(text: str, **options: Any) -> bytes:
        spoken.append(f"{options['voice']}: {text}")
        return bytes(32_000)

    monkeypatch.setattr(engine, "speak", speak)
    page = visit()
    page.get_by_role("combobox", name="Voice").select_option("bm_george")
    expect(page.get_by_text("Mature and composed")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_label("Words to hear").fill("Something else.")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert spoken == ["bm_george: Hello! How can I help you?", "bm_george: Something else."]
    assert complaints == []


def test_while_the_voices_load_the_page_says_so(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(text: str, **options: Any) -> bytes:
        raise ProviderError("local", "The voices are still loading.")

    monkeypatch.setattr(engine, "speak", speak)
    page = visit()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("The voices are still loading.")).to_be_visible()


def test_the_prompt_is_weighed_as_it_is_typed(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Prompt").fill("word " * 880)
    expect(page.get_by_text("4,400 characters, about 1,000 tokens.")).to_be_visible()
    expect(page.get_by_text("The local model reads it in about 16.1 s")).to_have_class(re.compile("text-warning"))


def test_talk_opens_the_panel_with_the_draft_saved(visit: Visit, agent: Agent) -> None:
    page = visit()
    page.get_by_label("Prompt").fill("Say this.")
    page.get_by_role("button", name="Talk").click()
    expect(page.get_by_role("heading", name="Talk to Reception", exact=True)).to_be_visible()
    assert draft(agent).prompt == "Say this."


@pytest.mark.parametrize("path", ["", "versions/", "../new/", "../", "../../connections/"])
def test_the_pages_fit_a_narrow_screen(path: str, visit: Visit, agent: Agent, member: User) -> None:
    services.agent_publish(agent=agent, actor=member)
    page = visit(path, viewport={"width": 360, "height": 740})
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_row_of_transfers_is_added_filled_in_and_taken_away(
    visit: Visit, agent: Agent, complaints: list[str]
) -> None:
    page = visit()
    page.get_by_text("To whom the agent may give the caller.").click()
    page.get_by_role("button", name="Add somebody").click()
    row = page.locator('[data-rows="transfers"] [data-row]')
    row.get_by_label("Name").fill("Front desk")
    row.get_by_label("Number or SIP address").fill("+1 415 555 0100")
    page.get_by_label("Prompt").focus()
    expect(state(page)).to_have_text(SAVED)
    assert [(target.name, target.to) for target in draft(agent).transfers] == [("Front_desk", "+14155550100")]
    row.get_by_role("button", name="Remove").click()
    page.get_by_label("Prompt").focus()
    expect(row).to_have_count(0)
    expect(state(page)).to_have_text(SAVED)
    assert draft(agent).transfers == ()


def test_the_voices_of_a_connection_are_listed_and_one_is_chosen(
    visit: Visit,
    agent: Agent,
    connection_factory: ConnectionFactory,
    monkeypatch: pytest.MonkeyPatch,
    complaints: list[str],
) -> None:
    async def voices(access: Access) -> list[VoiceChoice]:
        return [VoiceChoice(id="v1", label="Ada"), VoiceChoice(id="v2", label="Bo")]

    monkeypatch.setattr(engine, "voices", voices)
    made = connection_factory("Cartesia", vendor="cartesia", base_url="")
    page = visit()
    page.get_by_label("Speech is made").select_option("Cartesia")
    page.locator("#voice-choice").select_option("Bo")
    page.get_by_label("Prompt").focus()
    expect(state(page)).to_have_text(SAVED)
    chosen = draft(agent).voice
    assert (chosen.connection, chosen.id) == (made.pk, "v2")
    expect(page.get_by_label("Voice model")).to_be_visible()
    page.get_by_label("Speech is made").select_option("On this machine")
    expect(page.locator("#voice-choice")).to_have_value("af_heart")
    assert complaints == []
