"""What is chosen on an agent's page, with the mouse: services that go together, guardrails, other agents, and what the
list of problems leads to."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from builder import engine
from builder.config import AgentConfig
from builder.models import Agent, ModelConnection
from builder.vendors import Access
from tests.browser.test_agent_views import SAVED, Visit, agent, draft, state, visit
from tests.conftest import AgentFactory, ConnectionFactory
from voice.providers.vendor import VoiceChoice
from voice.spec import TransferTarget

__all__ = ["agent", "visit"]

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def connected(connection_factory: ConnectionFactory, monkeypatch: pytest.MonkeyPatch) -> dict[str, ModelConnection]:
    """A connection of each of three vendors, by the vendor."""

    async def voices(access: Access) -> list[VoiceChoice]:
        return [VoiceChoice(id="v1", label="Ada")]

    monkeypatch.setattr(engine, "voices", voices)
    names = {"deepgram": "Deep", "cartesia": "Sonic", "elevenlabs": "Eleven", "anthropic": "Claude", "google": "Gemini"}
    return {vendor: connection_factory(name, vendor=vendor, base_url="") for vendor, name in names.items()}


def part(page: Page, title: str) -> Locator:
    """Open a part of the advanced settings."""
    found = page.locator("details", has=page.locator("summary", has_text=title)).last
    found.locator("summary").first.click()
    return found


def chosen(page: Page, label: str) -> Locator:
    return page.get_by_label(label).locator("option:checked")


class TestMixes:
    def test_each_changes_what_listens_answers_and_speaks(
        self, visit: Visit, agent: Agent, connected: dict[str, ModelConnection], complaints: list[str]
    ) -> None:
        page = visit()
        mix = page.get_by_role("region", name="What an answer takes")
        expect(mix.get_by_role("button", name="Offline")).to_have_attribute("aria-pressed", "true")
        for name, listens, answers, model, speaks, spoken in (
            ("Balanced", "Deep", "Claude", "claude-haiku-5-5", "Sonic", "sonic-3.6"),
            ("Fastest", "Deep", "Gemini", "gemini-3.5-flash-lite", "Sonic", "sonic-3.6"),
            ("Smartest", "Eleven", "Claude", "claude-sonnet-5-5", "Eleven", "eleven_multilingual_v2"),
            ("Offline", "On this machine", "On this machine", None, "On this machine", None),
        ):
            mix.get_by_role("button", name=name).click()
            expect(mix.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
            expect(chosen(page, "Speech is recognised")).to_have_text(re.compile(listens))
            expect(chosen(page, "Answers come from")).to_have_text(re.compile(answers))
            expect(chosen(page, "Speech is made")).to_have_text(re.compile(speaks))
            if model and spoken:
                expect(page.get_by_label("Model name")).to_have_value(model)
                expect(page.get_by_label("Voice model")).to_have_value(spoken)
        assert draft(agent).voice.id == "af_heart"
        assert complaints == []

    def test_one_that_is_clicked_while_words_are_not_saved_yet_keeps_them(
        self, visit: Visit, agent: Agent, connected: dict[str, ModelConnection]
    ) -> None:
        page = visit()
        smartest = page.get_by_role("button", name="Smartest")
        expect(smartest).to_be_visible()
        page.get_by_label("Prompt").fill("Typed a moment ago.")
        smartest.click()
        expect(smartest).to_have_attribute("aria-pressed", "true", timeout=15_000)  # saved, mixed, and the page loaded
        expect(page.get_by_label("Prompt")).to_have_value("Typed a moment ago.")
        assert draft(agent).prompt == "Typed a moment ago."
        assert draft(agent).model.connection == connected["anthropic"].pk
        page.get_by_role("button", name="Undo", exact=True).click()
        expect(chosen(page, "Answers come from")).to_have_text(re.compile("On this machine"))


def test_guardrails_are_written_in_the_guide(visit: Visit, agent: Agent, complaints: list[str]) -> None:
    page = visit()
    guardrails = part(page, "Guardrails")
    guardrails.get_by_label("Topics it refuses").fill("politics\nmedical advice")
    guardrails.get_by_label("Refusal").fill("Let us stay with your booking.")
    guardrails.get_by_label("Words it never says").fill("Acme Dental")
    guardrails.get_by_label("Said in their place").fill("another practice")
    guardrails.get_by_label("Claims that nothing proves").select_option("off")
    page.get_by_label("Prompt").focus()
    expect(state(page)).to_have_text(SAVED)
    kept = draft(agent)
    assert kept.guardrails.topics == ("politics", "medical advice")
    assert kept.guardrails.refusal == "Let us stay with your booking."
    assert (kept.guardrails.never_say, kept.guardrails.instead) == (("Acme Dental",), "another practice")
    assert kept.honesty == "off"
    assert complaints == []


def test_another_agent_is_chosen_to_take_over(
    visit: Visit, agent: Agent, agent_factory: AgentFactory, complaints: list[str]
) -> None:
    billing = agent_factory("Billing")
    page = visit()
    others = part(page, "Other agents")
    others.get_by_role("button", name="Add an agent").click()
    row = others.locator("[data-row]")
    expect(row.get_by_label("Agent").locator("option")).to_have_text(re.compile("Billing"))  # and not itself
    row.get_by_label("When").fill("They ask about an invoice")
    row.get_by_label("Said before").fill("I put you through to billing.")
    page.get_by_label("Prompt").focus()
    expect(state(page)).to_have_text(SAVED)
    (handoff,) = draft(agent).handoffs
    assert (handoff.agent, handoff.when) == (billing.pk, "They ask about an invoice")
    assert handoff.say == "I put you through to billing."
    assert complaints == []


class TestProblems:
    @pytest.fixture
    def agent(self, agent: Agent, agent_factory: AgentFactory) -> Agent:
        nowhere = TransferTarget(name="Desk", to="nowhere", when="They ask for it")
        agent.draft = AgentConfig(prompt="Answer the phone.", transfers=(nowhere,)).as_json()
        agent.save()
        return agent

    @pytest.mark.parametrize("path", ["", "flow/"])
    def test_one_leads_to_the_control_that_it_is_about(self, path: str, visit: Visit) -> None:
        page = visit(path)
        problems = page.get_by_role("region", name="Problems")
        if path:
            problems.locator("summary").click()
        problems.get_by_role("button", name="Desk cannot be reached at “nowhere”.").click()
        row = page.locator('[data-rows="transfers"] [data-row]')
        expect(row.get_by_label("Name")).to_be_focused()
        expect(row.get_by_label("Number or SIP address")).to_have_value("nowhere")

    def test_an_error_stops_publishing_until_it_is_mended(self, visit: Visit, agent: Agent) -> None:
        page = visit()
        listed = page.get_by_role("region", name=re.compile("^Problems"))
        expect(listed).to_contain_text("Errors stop publishing")
        page.get_by_role("button", name="Publish").click()
        sheet = page.get_by_role("dialog", name="Publish Reception")
        expect(sheet).to_contain_text("Desk cannot be reached at “nowhere”.")
        expect(sheet.get_by_role("button", name="Publish")).to_be_disabled()
        sheet.get_by_role("button", name="Close").click()
        listed.get_by_role("button", name="Desk cannot be reached").click()
        page.locator('[data-rows="transfers"]').get_by_label("Number or SIP address").fill("+1 415 555 0100")
        page.get_by_role("button", name="Publish").click()
        expect(sheet).not_to_contain_text("cannot be reached")
        sheet.get_by_role("button", name="Publish").click()
        expect(page.get_by_role("link", name="v1 live")).to_be_visible()
        expect(page.get_by_role("region", name="No problems")).to_be_visible()
