"""The pages on which agents are made, for people who see, read or point otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import Organization, User
from builder import engine
from builder.models import Agent
from tests.browser.accessible import COLOURS, violations
from tests.browser.conftest import OpenPage
from tests.builder.conftest import ALL_READY
from tests.conftest import AgentFactory, ClientFactory

pytestmark = [
    pytest.mark.browser,
    # Django's threaded test server keeps the sockets that the browser keeps.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

NARROW = {"width": 360, "height": 740}
PAGES = [
    "agents/",
    "agents/new/",
    "agents/{agent}/",
    "agents/{agent}/flow/",
    "agents/{agent}/yaml/",
    "agents/{agent}/versions/",
    "tools/",
    "tools/new/",
    "tools/new/?kind=sms",
    "knowledge/",
    "voices/",
    "pronunciations/",
    "connections/",
    "billing/",
]


@pytest.fixture
def agent(agent_factory: AgentFactory, monkeypatch: pytest.MonkeyPatch) -> Agent:
    monkeypatch.setattr(engine, "models_status", lambda: ALL_READY)
    return agent_factory()


@pytest.fixture
def visit(
    live_server: LiveServer, client_for: ClientFactory, owner: User, workspace: Organization, open_page: OpenPage
) -> Callable[..., Page]:
    def go(path: str, *, user: User = owner, **options: Any) -> Page:
        page = open_page(**options)
        session = client_for(user).cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page.goto(f"{live_server.url}/w/{workspace.slug}/{path}")
        return page

    return go


READ = ["agents/{agent}/", "agents/{agent}/flow/", "agents/{agent}/yaml/"]
"""What viewers get to see."""


@pytest.mark.parametrize("address", PAGES)
def test_everybody_can_use_the_pages(address: str, visit: Callable[..., Page], agent: Agent) -> None:
    require_accessible(visit(address.format(agent=agent.pk), bypass_csp=True, viewport=NARROW))


@pytest.mark.parametrize("address", READ)
def test_everybody_can_read_what_viewers_see(
    address: str, visit: Callable[..., Page], agent: Agent, viewer: User
) -> None:
    require_accessible(visit(address.format(agent=agent.pk), user=viewer, bypass_csp=True, viewport=NARROW))


def require_accessible(page: Page) -> None:
    """In both colour schemes, and no wider than the window."""
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload(wait_until="networkidle")  # colours that change over in place are measured half way
    assert violations(page, COLOURS) == []
