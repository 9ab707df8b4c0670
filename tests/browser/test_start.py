"""Starting an agent in a real browser: from an example, from another system, and with tools of a document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Organization, User
from builder import engine, yaml
from builder.models import Agent, Tool
from builder.references import Names
from builder.starters import RECEPTIONIST
from tests.browser.conftest import OpenPage
from tests.builder.conftest import ALL_READY
from tests.builder.imports.samples import CARTESIA, VAPI, WORKFLOW
from tests.builder.tools.test_openapi import SHOP
from tests.conftest import ClientFactory, ConnectionFactory

pytestmark = [
    pytest.mark.browser,
    # Django's threaded test server keeps the sockets that the browser keeps.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Visit = Callable[..., Page]


@pytest.fixture
def visit(
    live_server: LiveServer,
    client_for: ClientFactory,
    admin: User,
    workspace: Organization,
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
) -> Visit:
    """Opens a page of the workspace as an admin."""
    monkeypatch.setattr(engine, "models_status", lambda: ALL_READY)

    def go(path: str, **options: Any) -> Page:
        page = open_page(**options)
        session = client_for(admin).cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page.goto(f"{live_server.url}/w/{workspace.slug}/{path}")
        return page

    return go


def test_an_example_is_looked_at_and_made_and_can_be_talked_to(visit: Visit, complaints: list[str]) -> None:
    page = visit("agents/new/")
    page.get_by_role("link", name="Reservation").click()
    expect(page.get_by_text("A table for four on Friday at seven, please.")).to_be_visible()
    page.get_by_label("Name").fill("Lucia")
    page.get_by_role("button", name="Create agent").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lucia")
    page.get_by_role("button", name="Talk").click()
    expect(page.get_by_role("heading", name="Talk to Lucia", exact=True)).to_be_visible()
    assert complaints == []


def test_a_few_answers_make_an_agent(visit: Visit, complaints: list[str]) -> None:
    page = visit("agents/new/")
    page.get_by_role("link", name="From a few answers").click()
    page.get_by_label("What is the business called?").fill("Willow Hair")
    page.get_by_label("What is it?").fill("a hairdresser")
    page.get_by_label("Answer questions and take messages").check()
    page.get_by_role("button", name="Create agent").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Phone at Willow Hair")
    assert complaints == []


@pytest.mark.parametrize("key", ["cartesia", "vapi", "vapi_workflow", "callwright"])
def test_an_agent_of_each_format_is_imported(
    key: str, visit: Visit, workspace: Organization, tmp_path: Path, complaints: list[str]
) -> None:
    samples = {"cartesia": CARTESIA, "vapi": VAPI, "vapi_workflow": WORKFLOW}
    own = yaml.dump("Mine", RECEPTIONIST.config, Names.of(workspace))
    file = tmp_path / "agent.txt"
    file.write_text(json.dumps(samples[key]) if key in samples else own)
    page = visit("agents/new/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="What becomes of it")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d+ kept"))).to_be_visible()
    page.get_by_label("Name").fill("Imported")
    page.get_by_role("button", name="Create agent").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Imported")
    page.goto(f"{page.url}origin/")
    expect(page.get_by_role("heading", name="Import report")).to_be_visible()
    assert Agent.objects.get().origin.format == key
    assert complaints == []


def test_operations_of_a_document_become_tools(visit: Visit, complaints: list[str]) -> None:
    page = visit("tools/new/")
    page.get_by_role("link", name="From an OpenAPI document").click()
    page.get_by_label("Or paste it").fill(SHOP)
    page.get_by_role("button", name="Read it").click()
    page.get_by_label("GET /orders/{number}").check()
    expect(page.get_by_label("POST /orders")).to_be_disabled()
    page.get_by_label("corner_shop_key").fill("sk-very-secret")
    page.get_by_role("button", name="Make the tools").click()
    expect(page.get_by_role("link", name="getOrder")).to_be_visible()
    assert Tool.objects.get().parsed_config.secrets == {"corner_shop_key"}
    assert complaints == []


@pytest.mark.parametrize("path", ["agents/new/", "agents/new/?start=reminder", "agents/new/guided/", "tools/openapi/"])
def test_the_pages_fit_a_narrow_screen(path: str, visit: Visit) -> None:
    page = visit(path, viewport={"width": 360, "height": 740})
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", ["knowledge", "voices/bring/"])
def test_each_label_names_a_control_of_its_own(path: str, visit: Visit, connection_factory: ConnectionFactory) -> None:
    connection_factory()
    page = visit("knowledge/" if path == "knowledge" else path)
    if path == "knowledge":
        page.get_by_role("button", name="New folder").click()
        page.get_by_label("Name").fill("Market")
        page.get_by_role("button", name="Make folder").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Market")
    ids: list[str] = page.eval_on_selector_all("main [id], dialog [id]", "all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
